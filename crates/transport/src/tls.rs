//! Mutual TLS between nodes: whoever calls and whoever is called shows a certificate of the cluster's authority.
//!
//! The certificate of node 3 of the cluster `eu` is valid for the DNS name `node-3.eu.thalweg`, whatever the host is called, and may be
//! used by servers and by clients. So a node can neither be taken for another one nor join another cluster, and moving it to another
//! host needs no new certificate. TLS 1.3 only, no resumption: each connection checks the certificates of its day.

mod authority;
mod clock;
mod name;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Clock, Stream};
use parking_lot::{Mutex, RwLock};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::Identity;
use authority::SignedByAuthority;
use clock::WallClock;
pub(crate) use name::PeerCertificate;

/// Where the PEM files are. They are small; each is read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// This node's certificate, then those between it and the authority, if any.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The certificates of the authority, one or more: while it is being replaced, the old one and the new one.
    pub authority: PathBuf,
}

/// Why the files don't make a configuration.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("{}: {reason}", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The certificate is another node's, or was not made for this purpose.
    #[error("{}: the certificate is not valid for the name `{name}`", path.display())]
    Name {
        /// The file.
        path: PathBuf,
        /// The DNS name that it must have.
        name: String,
    },
    /// Certificate, key and authority don't go together.
    #[error("the certificates cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// This node's certificates. Clones share them.
#[derive(Clone)]
pub struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    files: TlsFiles,
    identity: Identity,
    clock: Arc<dyn Clock>,
    /// What new connections use.
    current: RwLock<Arc<Loaded>>,
    /// What was read last, good or bad: the same bad files are judged and logged once.
    seen: Mutex<Pem>,
}

struct Loaded {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

#[derive(Clone, PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
    authority: Vec<u8>,
}

impl Tls {
    /// Reads `files` for the node of `identity`, which is checked against the certificate. Blocks; for the start.
    ///
    /// # Errors
    /// See [`TlsError`].
    pub fn load(files: TlsFiles, identity: &Identity, clock: Arc<dyn Clock>) -> Result<Self, TlsError> {
        let pem = Pem::read(&files)?;
        let loaded = Loaded::new(&files, &pem, identity, &clock)?;
        let inner = Inner {
            files,
            identity: identity.clone(),
            clock,
            current: RwLock::new(Arc::new(loaded)),
            seen: Mutex::new(pem),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Reads the files again; connections made from now on use what they hold. Returns whether they have changed since they were last
    /// read. Blocks. The transport does this every [`crate::Options::certificates_interval`].
    ///
    /// # Errors
    /// See [`TlsError`]; then the old ones stay in use. Files that were refused are refused once: until they change again, they count
    /// as unchanged.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let Inner { files, identity, clock, current, seen } = &*self.inner;
        let pem = Pem::read(files)?;
        // Held over the whole, so that of two reloads the later one wins.
        let mut seen = seen.lock();
        if *seen == pem {
            return Ok(false);
        }
        let loaded = Loaded::new(files, &pem, identity, clock);
        *seen = pem;
        *current.write() = Arc::new(loaded?);
        Ok(true)
    }

    /// The caller's side. The certificate is one of the authority's; whose it is remains to be checked.
    pub(crate) async fn connect(&self, stream: Box<dyn Stream>) -> io::Result<(Box<dyn Stream>, PeerCertificate)> {
        let config = Arc::clone(&self.inner.current.read().client);
        // Sent to nobody, since the name that counts is checked afterwards.
        let name = ServerName::try_from("thalweg").map_err(io::Error::other)?;
        let stream = TlsConnector::from(config).connect(name, stream).await.map_err(in_words)?;
        let certificate = PeerCertificate::of(stream.get_ref().1.peer_certificates())?;
        Ok((Box::new(stream), certificate))
    }

    /// The called node's side, likewise.
    pub(crate) async fn accept(&self, stream: Box<dyn Stream>) -> io::Result<(Box<dyn Stream>, PeerCertificate)> {
        let config = Arc::clone(&self.inner.current.read().server);
        let stream = TlsAcceptor::from(config).accept(stream).await.map_err(in_words)?;
        let certificate = PeerCertificate::of(stream.get_ref().1.peer_certificates())?;
        Ok((Box::new(stream), certificate))
    }
}

/// What an operator can do something about, in words; the library's own ones behind.
fn in_words(error: io::Error) -> io::Error {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let words = match tls {
        Some(rustls::Error::InvalidMessage(_)) => "the other side does not speak TLS, has it no certificates?",
        Some(rustls::Error::AlertReceived(AlertDescription::UnknownCA)) => {
            "the other side does not trust the authority of this node's certificate"
        }
        Some(rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "the other side's certificate is not of this node's authority"
        }
        _ => return error,
    };
    io::Error::new(error.kind(), format!("{words} ({error})"))
}

impl Pem {
    fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        Ok(Self { certificate: read(&files.certificate)?, key: read(&files.key)?, authority: read(&files.authority)? })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    #[allow(
        clippy::disallowed_methods,
        reason = "the files are the operator's, outside of the data directory; the simulation uses no TLS"
    )]
    let bytes = std::fs::read(path);
    bytes.map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let refuse = |reason: String| TlsError::Pem { path: path.to_owned(), reason };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| refuse(error.to_string()))?;
    if found.is_empty() { Err(refuse("there is no certificate in it".to_owned())) } else { Ok(found) }
}

impl Loaded {
    fn new(files: &TlsFiles, pem: &Pem, identity: &Identity, clock: &Arc<dyn Clock>) -> Result<Self, TlsError> {
        let chain = certificates(&files.certificate, &pem.certificate)?;
        let key = PrivateKeyDer::from_pem_slice(&pem.key)
            .map_err(|error| TlsError::Pem { path: files.key.clone(), reason: error.to_string() })?;
        let own = PeerCertificate::of(Some(&chain))
            .and_then(|own| own.check(identity.cluster(), identity.node()).map_err(io::Error::other));
        if own.is_err() {
            let name = identity.certificate_name();
            return Err(TlsError::Name { path: files.certificate.clone(), name });
        }
        let mut roots = RootCertStore::empty();
        for root in certificates(&files.authority, &pem.authority)? {
            roots.add(root)?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(ring::default_provider()));
        Ok(Self {
            client: Arc::new(client(&provider, &roots, clock, chain.clone(), key.clone_key())?),
            server: Arc::new(server(&provider, &roots, clock, chain, key)?),
        })
    }
}

fn client(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    clock: &Arc<dyn Clock>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, rustls::Error> {
    let verifier = SignedByAuthority::new(Arc::clone(provider), Arc::clone(roots));
    let builder = ClientConfig::builder_with_details(Arc::clone(provider), WallClock::of(clock));
    let mut config = builder
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(chain, key)?;
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(config)
}

fn server(
    provider: &Arc<CryptoProvider>,
    roots: &Arc<RootCertStore>,
    clock: &Arc<dyn Clock>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(provider))
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
    let builder = ServerConfig::builder_with_details(Arc::clone(provider), WallClock::of(clock));
    let mut config = builder
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}
