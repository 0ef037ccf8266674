use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use types::{GroupId, NodeId};

use crate::link::{Link, Target};
use crate::shared::Shared;
use crate::{Lane, NotSent};

/// Who can be called, and the links to those who have been.
#[derive(Default)]
pub(crate) struct Peers {
    table: Mutex<BTreeMap<NodeId, Peer>>,
}

struct Peer {
    address: Arc<str>,
    links: BTreeMap<(Lane, u8), Arc<Link>>,
}

impl Peer {
    fn close(self) {
        self.links.values().for_each(|link| link.close());
    }
}

impl Peers {
    pub(crate) fn set(&self, node: NodeId, address: &str) {
        let mut table = self.table.lock();
        if table.get(&node).is_some_and(|peer| *peer.address == *address) {
            return;
        }
        let old = table.insert(node, Peer { address: address.into(), links: BTreeMap::new() });
        drop(table);
        if let Some(old) = old {
            old.close();
        }
    }

    pub(crate) fn remove(&self, node: NodeId) {
        let old = self.table.lock().remove(&node);
        if let Some(old) = old {
            old.close();
        }
    }

    /// The link for calls about `group`, made if there is none yet.
    pub(crate) fn link(
        &self,
        shared: &Arc<Shared>,
        node: NodeId,
        lane: Lane,
        group: GroupId,
    ) -> Result<Arc<Link>, NotSent> {
        let connection = match lane {
            Lane::Control => 0,
            // Below 256, so it fits.
            Lane::Data => (group.0 % u64::from(shared.options.data_connections.max(1))) as u8,
        };
        let mut table = self.table.lock();
        let peer = table.get_mut(&node).ok_or(NotSent::UnknownPeer(node))?;
        if let Some(link) = peer.links.get(&(lane, connection)) {
            return Ok(Arc::clone(link));
        }
        let closing = shared.open().ok_or(NotSent::Closed)?;
        let target = Target { node, address: Arc::clone(&peer.address), lane, connection };
        let link = Link::start(shared, target, closing);
        peer.links.insert((lane, connection), Arc::clone(&link));
        Ok(link)
    }
}
