use types::NodeId;

/// This node, as it introduces itself to its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Its number.
    pub node: NodeId,
    /// The random identity of its data directory: an empty directory is another node.
    pub incarnation: u128,
    /// `host:port` for clients; may be empty where there are no other nodes.
    pub api_addr: String,
    /// `host:port` for other nodes; may be empty where there are none.
    pub peer_addr: String,
    /// The zone over which replicas are spread; empty where there are none.
    pub zone: String,
    /// Where its cluster comes from, if its data directory is empty.
    pub origin: Origin,
}

impl Local {
    /// A node that founds its cluster, and listens for no others.
    #[must_use]
    pub fn founder(node: NodeId, incarnation: u128) -> Local {
        let (api_addr, peer_addr, zone) = (String::new(), String::new(), String::new());
        Local { node, incarnation, api_addr, peer_addr, zone, origin: Origin::Found }
    }

    /// How it introduces itself with a catalog of this generation: one that has lost its first one founds nothing, but is let in again by
    /// the others.
    pub(crate) fn after_loss(&self, generation: u32, others: Vec<String>) -> Local {
        if generation == 0 {
            return self.clone();
        }
        let seeds = match &self.origin {
            Origin::Found => others,
            Origin::Join(seeds) => seeds.iter().cloned().chain(others).collect(),
        };
        Local { origin: Origin::Join(seeds), ..self.clone() }
    }
}

/// Where a node with an empty data directory finds its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It founds one.
    Found,
    /// It joins the cluster of these nodes, `host:port` for other nodes each. One that answers is enough.
    Join(Vec<String>),
}
