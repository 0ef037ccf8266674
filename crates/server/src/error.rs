use std::io;
use std::net::SocketAddr;

/// Why a node does not start. Nothing of it is left running.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be opened: it is in use, of another version, or damaged beyond what recovery may decide.
    #[error("{0}")]
    Journal(#[from] journal::Error),
    /// The catalog cannot be opened.
    #[error("{0}")]
    Control(#[from] control_plane::Error),
    /// What the node stores is lost, and it could not start over.
    #[error("{lost}; {reason}")]
    Lost {
        /// What was found.
        lost: Box<StartError>,
        /// Why it has not started over.
        reason: control_plane::Error,
    },
    /// The data directory does not say whose it is.
    #[error("the data directory's identity: {0}")]
    Identity(io::Error),
    /// The cluster's name is none.
    #[error("cluster: {0}")]
    Cluster(#[from] transport::IdentityError),
    /// Other nodes cannot be listened for.
    #[error("peer_addr: {0}")]
    Peers(#[from] transport::Error),
    /// The files for calls between nodes cannot be used.
    #[error("[peer_tls]: {0}; `thalweg cluster certs` makes files that fit")]
    Tls(#[from] transport::TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({key}): {error}")]
    Listen {
        /// The key of the configuration.
        key: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        error: io::Error,
    },
}

impl StartError {
    /// Whether what the node needs to be a member is damaged or missing, so that it can only start over.
    pub(crate) fn is_loss(&self) -> bool {
        match self {
            StartError::Journal(error) => {
                matches!(error, journal::Error::Damaged(_) | journal::Error::GroupDamaged { .. })
            }
            StartError::Control(error) => error.is_loss(),
            _ => false,
        }
    }
}
