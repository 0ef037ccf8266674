//! Nodes as a list to which joins are only ever added.

use super::*;

pub(super) struct PlainNode {
    pub(super) id: NodeId,
    pub(super) node: Node,
    pub(super) removed: bool,
}

impl Model {
    pub(super) fn member(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|plain| plain.id == id && !plain.removed).map(|plain| &plain.node)
    }

    pub(super) fn apply_to_nodes(&mut self, command: &CatalogCommand) -> CatalogReply {
        let refused = CatalogReply::Refused;
        match command {
            CatalogCommand::JoinNode { .. } if self.cluster.is_none() => refused(CatalogError::NotInitialised),
            CatalogCommand::JoinNode { incarnation, preferred, api_addr, peer_addr, zone, catalog, starts_over } => {
                let node = Node {
                    api_addr: api_addr.clone(),
                    peer_addr: peer_addr.clone(),
                    zone: zone.clone(),
                    state: NodeState::Active,
                    incarnation: *incarnation,
                    catalog: *catalog,
                };
                if *starts_over { self.start_over(node) } else { self.join(*preferred, node) }
            }
            CatalogCommand::SetNodeState { id, state } => {
                let known = self.nodes.iter_mut().find(|plain| plain.id == *id && !plain.removed);
                match known.map(|plain| &mut plain.node.state) {
                    None => refused(CatalogError::UnknownNode(*id)),
                    Some(NodeState::Leaving) if *state == NodeState::Draining => {
                        refused(CatalogError::NodeStateChange { id: *id, from: NodeState::Leaving, to: *state })
                    }
                    Some(known) => {
                        *known = *state;
                        CatalogReply::Done
                    }
                }
            }
            CatalogCommand::RemoveNode { id } => self.remove(*id),
            other => panic!("{other:?} is not about nodes"),
        }
    }

    fn join(&mut self, preferred: Option<NodeId>, node: Node) -> CatalogReply {
        let refused = CatalogReply::Refused;
        if let Some(same) = self.nodes.iter_mut().find(|plain| plain.node.incarnation == node.incarnation) {
            if same.removed {
                return refused(CatalogError::NodeRemoved(same.id));
            }
            let (id, catalog) = (same.id, same.node.catalog);
            if node.catalog != catalog {
                return refused(CatalogError::OldData { id, catalog });
            }
            same.node = Node { state: same.node.state, ..node };
            return CatalogReply::Joined { id };
        }
        let id = match preferred {
            None => NodeId(self.nodes.iter().map(|plain| plain.id.0).max().unwrap_or(0) + 1),
            Some(id) if id.0 == 0 || id.0 > 0xffff_ffff => return refused(CatalogError::InvalidNodeId(id)),
            Some(id) => id,
        };
        if id.0 > 0xffff_ffff {
            return refused(CatalogError::Exhausted);
        }
        if self.nodes.iter().any(|plain| plain.id == id) {
            return refused(CatalogError::NodeIdTaken(id));
        }
        self.nodes.push(PlainNode { id, node, removed: false });
        CatalogReply::Joined { id }
    }

    fn start_over(&mut self, node: Node) -> CatalogReply {
        let known = |plain: &&mut PlainNode| plain.node.incarnation == node.incarnation && !plain.removed;
        let Some(same) = self.nodes.iter_mut().find(known) else {
            return CatalogReply::Refused(CatalogError::Unknown);
        };
        let (id, catalog) = (same.id, same.node.catalog);
        if node.catalog != catalog + 1 {
            return CatalogReply::Refused(CatalogError::OldData { id, catalog });
        }
        let by_name: BTreeMap<_, _> = self.streams.iter().map(|stream| (&stream.name, stream)).collect();
        let keeping =
            by_name.values().filter(|stream| matches!(stream.status, StreamStatus::Active | StreamStatus::Updating));
        if let Some(shard) = keeping.flat_map(|stream| &stream.shards).find(|shard| shard.needs(id)) {
            return CatalogReply::Refused(CatalogError::StillNeeded { id, group: GroupId(shard.group) });
        }
        same.node = Node { state: same.node.state, ..node };
        self.streams.iter_mut().flat_map(|stream| &mut stream.shards).for_each(|shard| shard.lose(id));
        CatalogReply::Joined { id }
    }

    fn remove(&mut self, id: NodeId) -> CatalogReply {
        let shards = || self.streams.iter().flat_map(|stream| &stream.shards);
        let used = shards().filter(|shard| shard.lists(id)).map(|shard| shard.group).collect::<Vec<_>>();
        let Some(plain) = self.nodes.iter_mut().find(|plain| plain.id == id) else {
            return CatalogReply::Refused(CatalogError::UnknownNode(id));
        };
        // By name of the stream, as the catalog looks for it; the model's streams are in the order of their creation.
        let named = self.streams.iter().map(|stream| (&stream.name, stream));
        let by_name: BTreeMap<_, _> = named.collect();
        let first = by_name.values().flat_map(|stream| &stream.shards).map(|shard| shard.group);
        match first.filter(|group| used.contains(group)).map(GroupId).next() {
            _ if plain.removed => CatalogReply::Done,
            _ if plain.node.state != NodeState::Leaving => {
                CatalogReply::Refused(CatalogError::WrongNodeState { id, state: plain.node.state })
            }
            Some(group) => CatalogReply::Refused(CatalogError::NodeInUse { id, group }),
            None => {
                plain.removed = true;
                CatalogReply::Done
            }
        }
    }
}
