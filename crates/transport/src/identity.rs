use std::sync::Arc;

use types::NodeId;

use crate::IdentityError;

/// The longest cluster name: that of a DNS label, since certificates carry it in a DNS name.
pub const CLUSTER_BYTES_MAX: usize = 63;

/// Who this node is, as it says in each handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    cluster: Arc<str>,
    node: NodeId,
}

impl Identity {
    /// Node `node` of the cluster named `cluster`: a DNS label, that is 1 to [`CLUSTER_BYTES_MAX`] of `a-z`, `0-9` and `-`, with
    /// no `-` at its ends. Nodes of other cluster names are refused in the handshake.
    ///
    /// # Errors
    /// [`IdentityError`] for another name.
    pub fn new(cluster: &str, node: NodeId) -> Result<Self, IdentityError> {
        let plain = cluster.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let length = (1..=CLUSTER_BYTES_MAX).contains(&cluster.len());
        if !length || !plain || cluster.starts_with('-') || cluster.ends_with('-') {
            return Err(IdentityError { cluster: cluster.to_owned() });
        }
        Ok(Self { cluster: cluster.into(), node })
    }

    /// The cluster's name.
    #[must_use]
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// This node.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The DNS name for which this node's certificate must be valid, see [`crate::Tls`].
    #[must_use]
    pub fn certificate_name(&self) -> String {
        certificate_name(&self.cluster, self.node)
    }
}

/// The name of any node of any cluster, known or claimed.
pub(crate) fn certificate_name(cluster: &str, node: NodeId) -> String {
    format!("node-{node}.{cluster}.thalweg")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_name_is_a_dns_label() {
        for good in ["a", "thalweg", "eu-1", "0", &"x".repeat(63)] {
            assert_eq!(Identity::new(good, NodeId(1)).unwrap().cluster(), good);
        }
        for bad in ["", "A", "a.b", "a_b", "-a", "a-", "é", &"x".repeat(64)] {
            assert!(Identity::new(bad, NodeId(1)).is_err(), "{bad}");
        }
    }
}
