//! The one step behind everything that is balanced here: take one from a fuller node, give one to an emptier one.

use std::collections::BTreeMap;

use types::NodeId;

/// How many of something each node has.
pub(super) type Loads = BTreeMap<NodeId, usize>;

/// Something moves from one node to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) from: NodeId,
    pub(super) to: NodeId,
}

/// The shortest way to take one from a node and give one to another that has at least two fewer, beginning at the fullest node that
/// can give. Often one step; sometimes the fuller node can give only to a third one, which gives something else on. `targets` says to
/// which nodes a node can give something. When all steps of a way are taken, the sum of squares of the loads is smaller than before, so
/// that taking one way after another ends. `None` when no way of at most `steps_max` steps leads to more evenness.
pub(super) fn even_out(loads: &Loads, steps_max: usize, targets: impl Fn(NodeId) -> Vec<NodeId>) -> Option<Vec<Step>> {
    let mut fullest: Vec<NodeId> = loads.keys().copied().collect();
    fullest.sort_by_key(|node| std::cmp::Reverse(loads[node]));
    let emptiest = loads.values().min()?;
    let mut full_enough = fullest.into_iter().filter(|node| loads[node] >= emptiest + 2);
    full_enough.find_map(|start| way_from(start, loads, steps_max, &targets))
}

fn way_from(
    start: NodeId,
    loads: &Loads,
    steps_max: usize,
    targets: impl Fn(NodeId) -> Vec<NodeId>,
) -> Option<Vec<Step>> {
    let mut came_from: BTreeMap<NodeId, NodeId> = BTreeMap::from([(start, start)]);
    let mut reached = vec![start];
    // No way is longer than there are nodes.
    for _ in 0..steps_max.min(loads.len()) {
        let mut next = Vec::new();
        for node in reached {
            for target in targets(node).into_iter().filter(|target| loads.contains_key(target)) {
                if let std::collections::btree_map::Entry::Vacant(vacant) = came_from.entry(target) {
                    vacant.insert(node);
                    next.push(target);
                }
            }
        }
        let emptier = next.iter().filter(|node| loads[node] + 2 <= loads[&start]);
        if let Some(end) = emptier.min_by_key(|node| (loads[node], **node)) {
            return Some(steps_to(*end, &came_from));
        }
        reached = next;
    }
    None
}

fn steps_to(end: NodeId, came_from: &BTreeMap<NodeId, NodeId>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut to = end;
    while came_from[&to] != to {
        let from = came_from[&to];
        steps.push(Step { from, to });
        to = from;
    }
    steps.reverse();
    steps
}

/// One leaves a node, another gets it. Nodes without an entry are not counted.
pub(super) fn shift(loads: &mut Loads, from: Option<NodeId>, to: Option<NodeId>) {
    if let Some(load) = from.and_then(|node| loads.get_mut(&node)) {
        *load -= 1;
    }
    if let Some(load) = to.and_then(|node| loads.get_mut(&node)) {
        *load += 1;
    }
}

/// Whether the loads differ by one, or by a tenth of what a node has on average, at most: evenness beyond that is not worth more
/// than single steps.
pub(super) fn is_even(loads: &Loads) -> bool {
    let (Some(most), Some(least)) = (loads.values().max(), loads.values().min()) else { return true };
    let tenth = loads.values().sum::<usize>() / loads.len() / 10;
    most - least <= tenth.max(1)
}
