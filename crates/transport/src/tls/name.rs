use std::io;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use types::NodeId;

use crate::HandshakeError;
use crate::identity::certificate_name;

/// The certificate that the other side has shown and proven to own, signed by the authority.
pub(crate) struct PeerCertificate(CertificateDer<'static>);

impl PeerCertificate {
    /// The first of `chain`.
    pub(super) fn of(chain: Option<&[CertificateDer<'static>]>) -> io::Result<Self> {
        let first = chain.and_then(<[_]>::first);
        first.cloned().map(Self).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no certificate"))
    }

    /// Whether it is that of `node` of `cluster`.
    pub(crate) fn check(&self, cluster: &str, node: NodeId) -> Result<(), HandshakeError> {
        let name = certificate_name(cluster, node);
        let valid = ServerName::try_from(name.as_str()).is_ok_and(|wanted| {
            ParsedCertificate::try_from(&self.0)
                .is_ok_and(|certificate| verify_server_name(&certificate, &wanted).is_ok())
        });
        if valid { Ok(()) } else { Err(HandshakeError::Certificate { name: name.into() }) }
    }
}
