//! Who gets which of the shards that are placed together, once it is known how many each gets.

use types::NodeId;

use super::even_out::{Loads, even_out, shift};
use super::quotas::Candidate;

/// `count` lists of nodes, each node in as many as its quota says, none twice in a list.
///
/// As cards are dealt: each candidate repeated as often as its quota, in the order of zones, dealt round and round to `count` players. A
/// candidate has a run of at most `count` cards, so nobody gets it twice, and a zone's run gives each player as many as any other or
/// one more.
pub(super) fn deal(
    candidates: &[Candidate<'_>],
    quotas: &[usize],
    replication: usize,
    count: usize,
) -> Vec<Vec<NodeId>> {
    let cards =
        candidates.iter().zip(quotas).flat_map(|(candidate, quota)| std::iter::repeat_n(candidate.node, *quota));
    let mut lists = vec![Vec::with_capacity(replication); count];
    for (i, node) in cards.enumerate() {
        lists[i % count].push(node);
    }
    lists
}

/// Exchanges replicas between shards, always of one zone, so that the shards of one node have their other replicas on many nodes: when
/// it dies, all of them share its load. Dealt cards alone would make a few sets of nodes that share everything.
pub(super) fn mix<'a>(lists: &mut [Vec<NodeId>], zone_of: impl Fn(NodeId) -> &'a str) {
    // Any sequence that hits all pairs will do, if it is the same on every node: a linear congruential one, by its upper bits.
    let mut state: u64 = 1;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for i in 0..lists.len() {
        for place in 0..lists[i].len() {
            let other = draw(lists.len());
            let other_place = draw(lists[other].len());
            let (mine, theirs) = (lists[i][place], lists[other][other_place]);
            if zone_of(mine) == zone_of(theirs) && !lists[i].contains(&theirs) && !lists[other].contains(&mine) {
                lists[i][place] = theirs;
                lists[other][other_place] = mine;
            }
        }
    }
}

/// Puts one node of each list to its front, so that first places are as even as they can be with those that the nodes have.
pub(super) fn even_firsts(lists: &mut [Vec<NodeId>], firsts: &mut Loads) {
    for list in &mut *lists {
        let (place, node) = list
            .iter()
            .enumerate()
            .min_by_key(|(_, node)| firsts[node])
            .map_or((0, None), |(place, node)| (place, Some(*node)));
        list.swap(0, place);
        shift(firsts, None, node);
    }
    loop {
        let steps = even_out(firsts, usize::MAX, |node| {
            let led = lists.iter().filter(|list| list.first() == Some(&node));
            let mut others: Vec<NodeId> = led.flat_map(|list| &list[1..]).copied().collect();
            others.sort();
            others.dedup();
            others
        });
        let Some(steps) = steps else { return };
        for step in steps {
            let list = lists.iter_mut().find(|list| list.first() == Some(&step.from) && list.contains(&step.to));
            let list =
                list.expect("a step is possible because of such a list, and each step of a way begins at another node");
            let place = list.iter().position(|node| *node == step.to).unwrap_or(0);
            list.swap(0, place);
            shift(firsts, Some(step.from), Some(step.to));
        }
    }
}
