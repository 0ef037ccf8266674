//! What the controllers wait for, and why, in words.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog_state::{NodeState, Shard, Stream, StreamStatus};
use types::{GroupId, NodeId};

use super::{Facts, NodeStatus};
use crate::govern::View;
use crate::placement::Change;

/// Changes of one shard that are told one by one at most.
const MOVES_TOLD_MAX: usize = 5;

/// What the controllers would do next.
#[derive(Debug, Clone, Default)]
pub(super) struct Plan {
    /// Shards whose replicas are being changed.
    pub(super) under_way: usize,
    /// The first changes that are next.
    pub(super) changes: Vec<Change>,
    /// Leaders that are to move, perhaps not all of them.
    pub(super) transfers: usize,
    /// Whether others should vote on the catalog, or follow it.
    pub(super) catalog_members: bool,
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.under_way == 0 && self.changes.is_empty() && self.transfers == 0 && !self.catalog_members
    }
}

/// One sentence for each thing that is waited for, the gravest first.
pub(super) fn waiting(facts: &Facts, view: &View, nodes: &[NodeStatus], plan: &Plan) -> Vec<String> {
    let teller = Teller { facts, view };
    let mut sentences: Vec<String> = Vec::new();
    sentences.extend(teller.catalog());
    sentences.extend(teller.quorums());
    sentences.extend(nodes.iter().filter_map(|node| teller.silent(node)));
    sentences.extend(teller.damaged());
    sentences.extend(nodes.iter().filter_map(|node| teller.state(node)));
    sentences.extend(facts.catalog.streams().filter_map(|stream| teller.stream(stream)));
    sentences.extend(teller.moves(plan));
    sentences
}

struct Teller<'a> {
    facts: &'a Facts,
    view: &'a View,
}

impl Teller<'_> {
    fn catalog(&self) -> Option<String> {
        if self.facts.leader.is_some() {
            return None;
        }
        let voters = &self.view.voters;
        let alive = voters.intersection(&self.view.alive).count();
        let why =
            if alive * 2 > voters.len() { "they elect one" } else { "that is no majority: bring back the others" };
        let total = voters.len();
        Some(format!(
            "the catalog has no leader, so nothing can be changed: {alive} of its {total} voters are alive, {why}"
        ))
    }

    fn staying(&self) -> impl Iterator<Item = (&Stream, &Shard)> {
        self.facts.catalog.shards().filter(|(stream, _)| stream.status != StreamStatus::Deleting)
    }

    fn has_quorum(&self, shard: &Shard) -> bool {
        let alive = shard.replicas.iter().filter(|replica| self.view.alive.contains(&replica.node())).count();
        alive * 2 > shard.replicas.len()
    }

    fn quorums(&self) -> Option<String> {
        let without: Vec<&Shard> =
            self.staying().map(|(_, shard)| shard).filter(|shard| !self.has_quorum(shard)).collect();
        let silent = without.iter().flat_map(|shard| &shard.replicas).map(|replica| replica.node());
        let mut silent: Vec<NodeId> = silent.filter(|node| !self.view.alive.contains(node)).collect();
        silent.sort_unstable();
        silent.dedup();
        (!without.is_empty()).then(|| {
            let (shards, nodes) = (count(without.len(), "shard"), names(&silent));
            format!("{shards} can be neither written nor changed: most of their replicas are on {nodes}, which must come back")
        })
    }

    fn silent(&self, node: &NodeStatus) -> Option<String> {
        if node.alive {
            return None;
        }
        let (id, held) = (node.id, count(node.replicas, "replica"));
        let silent = Duration::from_millis(node.silent_ms);
        let seconds = silent.as_secs();
        if node.state == NodeState::Leaving || node.replicas == 0 {
            return Some(format!("node {id} has been silent for {seconds} s"));
        }
        let left = self.facts.lost_after.saturating_sub(silent).as_secs();
        Some(match self.facts.is_lost(id) {
            true => format!(
                "node {id} has been silent for {seconds} s: its {held} are made anew where there is a node to take them"
            ),
            false => format!(
                "node {id} has been silent for {seconds} s: its {held} are made anew elsewhere if it is not back in {left} s"
            ),
        })
    }

    fn damaged(&self) -> Vec<String> {
        let mut by_node: BTreeMap<NodeId, usize> = BTreeMap::new();
        for (_, replica) in self.facts.damaged() {
            *by_node.entry(replica.node()).or_default() += 1;
        }
        let sentence = |(node, damaged)| {
            let damaged = count(damaged, "replica");
            format!("{damaged} on node {node} damaged: made anew where the others are a majority")
        };
        by_node.into_iter().map(sentence).collect()
    }

    fn state(&self, node: &NodeStatus) -> Option<String> {
        match node.state {
            NodeState::Active => None,
            NodeState::Draining => self.draining(node),
            NodeState::Leaving => Some(self.leaving(node)),
        }
    }

    fn draining(&self, node: &NodeStatus) -> Option<String> {
        let id = node.id;
        let stuck = self.stuck_leaders(id);
        let leads = count(node.leaders, "shard");
        let leads_catalog = self.facts.leader == Some(id);
        match () {
            () if stuck > 0 => Some(format!(
                "node {id} is draining and leads {leads}; of {stuck} no other replica is on an active node that is alive"
            )),
            () if node.leaders > 0 => Some(format!("node {id} is draining and still leads {leads}")),
            () if leads_catalog => Some(format!("node {id} is draining and still leads the catalog")),
            () => None,
        }
    }

    /// Shards that a node leads and nobody else can.
    fn stuck_leaders(&self, id: NodeId) -> usize {
        let Some(report) = self.view.reports.get(&id) else { return 0 };
        let is_stuck = |shard: &Shard| !shard.replicas.iter().any(|replica| self.is_usable(replica.node()));
        let led = self.staying().filter(|(_, shard)| report.led.binary_search(&shard.group).is_ok());
        led.filter(|(_, shard)| is_stuck(shard)).count()
    }

    fn is_usable(&self, id: NodeId) -> bool {
        let active = self.facts.catalog.nodes().get(&id).is_some_and(|node| node.state == NodeState::Active);
        active && self.view.alive.contains(&id)
    }

    fn leaving(&self, node: &NodeStatus) -> String {
        let id = node.id;
        let held = |shard: &&Shard| shard.replicas.iter().any(|replica| replica.node() == id);
        let on_node: Vec<&Shard> = self.staying().map(|(_, shard)| shard).filter(held).collect();
        let takers = |shard: &Shard| {
            let usable = self.facts.catalog.nodes().keys().filter(|other| self.is_usable(**other));
            usable.filter(|other| shard.voter_on(**other).is_none()).count()
        };
        let stuck = on_node.iter().filter(|shard| shard.target.is_none() && takers(shard) == 0).count();
        let held = count(on_node.len(), "replica");
        match () {
            () if stuck > 0 => {
                format!(
                    "node {id} is leaving and holds {held}, {stuck} of which no other active node that is alive can take"
                )
            }
            () if !on_node.is_empty() => format!("node {id} is leaving and still holds {held}"),
            () if self.view.voters.contains(&id) => format!("node {id} is leaving and still votes on the catalog"),
            () => format!("node {id} is leaving, holds nothing more and is about to be removed"),
        }
    }

    fn stream(&self, stream: &Stream) -> Option<String> {
        let name = stream.name();
        match stream.status {
            StreamStatus::Creating => {
                let is_led =
                    |group: GroupId| self.view.reports.values().any(|report| report.led.binary_search(&group).is_ok());
                let without = stream.shards.values().filter(|shard| !is_led(shard.group)).count();
                let without = count(without, "shard");
                Some(format!("stream {name} is being created: {without} without a leader"))
            }
            StreamStatus::Deleting => {
                let has = |id: &&NodeId| self.view.reports[*id].remains.contains(&stream.id);
                let nodes: Vec<NodeId> = self.view.reports.keys().filter(has).copied().collect();
                let nodes =
                    if nodes.is_empty() { "nothing more".to_owned() } else { names(&nodes) + " to drop their data" };
                Some(format!("stream {name} is being deleted: waits for {nodes}"))
            }
            StreamStatus::Active | StreamStatus::Updating => None,
        }
    }

    fn moves(&self, plan: &Plan) -> Vec<String> {
        let lags = self.facts.lags();
        let moving = || self.staying().filter(|(_, shard)| shard.target.is_some());
        let mut sentences: Vec<String> =
            moving().take(MOVES_TOLD_MAX).map(|(stream, shard)| move_of(stream, shard, &lags)).collect();
        if plan.under_way > MOVES_TOLD_MAX {
            sentences.push(format!("{} more change their replicas", count(plan.under_way - MOVES_TOLD_MAX, "shard")));
        }
        let mut reasons: Vec<&str> = plan.changes.iter().map(|change| change.reason.as_str()).collect();
        reasons.dedup();
        if !reasons.is_empty() {
            let at_least = count(plan.changes.len(), "shard");
            sentences.push(format!("at least {at_least} to follow: {}", reasons.join(", ")));
        }
        if plan.transfers > 0 {
            sentences.push(format!("at least {} to get another leader", count(plan.transfers, "shard")));
        }
        if plan.catalog_members {
            sentences.push("the catalog's voters and learners are to change".to_owned());
        }
        sentences
    }
}

fn move_of(stream: &Stream, shard: &Shard, lags: &BTreeMap<GroupId, u64>) -> String {
    let target = shard.target.as_deref().unwrap_or_default();
    let new: Vec<NodeId> =
        target.iter().filter(|replica| !shard.replicas.contains(replica)).map(|replica| replica.node()).collect();
    let old: Vec<NodeId> =
        shard.replicas.iter().filter(|replica| !target.contains(replica)).map(|replica| replica.node()).collect();
    let what = match (&old[..], &new[..]) {
        (old, new) if old == new => format!("is made anew on {}", names(new)),
        ([], new) => format!("is copied to {}", names(new)),
        (old, []) => format!("leaves {}", names(old)),
        (old, new) => format!("moves from {} to {}", names(old), names(new)),
    };
    let behind = match lags.get(&shard.group) {
        Some(entries) => format!(", {} behind", count(usize::try_from(*entries).unwrap_or(usize::MAX), "entry")),
        None => String::new(),
    };
    format!("a replica of {} {} {what}{behind}", stream.name(), shard.id)
}

/// `1 shard`, `2 shards`.
pub(super) fn count(number: usize, noun: &str) -> String {
    match (number, noun) {
        (1, noun) => format!("1 {noun}"),
        (number, "entry") => format!("{number} entries"),
        (number, noun) => format!("{number} {noun}s"),
    }
}

/// `node 1`, `nodes 1 and 2`, `nodes 1, 2 and 3`.
pub(super) fn names(nodes: &[NodeId]) -> String {
    let numbers: Vec<String> = nodes.iter().map(ToString::to_string).collect();
    match &numbers[..] {
        [] => "no node".to_owned(),
        [one] => format!("node {one}"),
        [others @ .., last] => format!("nodes {} and {last}", others.join(", ")),
    }
}
