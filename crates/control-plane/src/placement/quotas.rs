//! How many replicas each node gets of shards that are placed together.

use types::NodeId;

/// A node for new replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidate<'a> {
    pub(super) zone: &'a str,
    pub(super) node: NodeId,
    /// Replicas it has.
    pub(super) load: usize,
}

struct Zone {
    nodes: std::ops::Range<usize>,
    /// Replicas of its nodes, with the new ones.
    load: usize,
    /// New replicas so far, and at most.
    new: usize,
    new_max: usize,
}

/// New replicas for each candidate: `count` times `replication` in all, as even as they can be together with what the nodes have,
/// when no candidate gets more than `count` and each shard is to be spread over the zones as evenly as their sizes allow.
/// Candidates are sorted by zone; there are at least `replication`.
///
/// One by one to the emptiest node that may get one. That is the best there is: the bounds are nested (node in zone in all), and for
/// such bounds the nearest good is the farthest good.
pub(super) fn quotas(candidates: &[Candidate<'_>], replication: usize, count: usize) -> Vec<usize> {
    let mut quotas = vec![0; candidates.len()];
    let mut zones = zones(candidates);
    let level = level(&zones, replication);
    let size = |zone: &Zone| zone.nodes.len();
    // What every shard has in each zone comes first; the rest goes where it makes things even.
    for i in 0..zones.len() {
        zones[i].new_max = size(&zones[i]).min(level) * count;
        while zones[i].new < zones[i].new_max {
            give_one(candidates, &mut quotas, &mut zones, Some(i), count);
        }
    }
    let given: usize = zones.iter().map(|zone| zone.new).sum();
    for zone in &mut zones {
        zone.new_max = zone.nodes.len().min(level + 1) * count;
    }
    for _ in given..replication * count {
        give_one(candidates, &mut quotas, &mut zones, None, count);
    }
    quotas
}

fn zones(candidates: &[Candidate<'_>]) -> Vec<Zone> {
    let mut zones: Vec<Zone> = Vec::new();
    let mut start = 0;
    for chunk in candidates.chunk_by(|a, b| a.zone == b.zone) {
        let nodes = start..start + chunk.len();
        start = nodes.end;
        zones.push(Zone { nodes, load: chunk.iter().map(|candidate| candidate.load).sum(), new: 0, new_max: 0 });
    }
    zones
}

/// Replicas of one shard that each zone of enough nodes has at least, when they are spread evenly.
fn level(zones: &[Zone], replication: usize) -> usize {
    let used = |level: usize| zones.iter().map(|zone| zone.nodes.len().min(level)).sum::<usize>();
    (0..=replication).rev().find(|level| used(*level) <= replication).unwrap_or(0)
}

fn give_one(candidates: &[Candidate<'_>], quotas: &mut [usize], zones: &mut [Zone], only: Option<usize>, count: usize) {
    let mut best: Option<(usize, usize)> = None;
    for (z, zone) in
        zones.iter().enumerate().filter(|(z, zone)| only.is_none_or(|only| only == *z) && zone.new < zone.new_max)
    {
        for i in zone.nodes.clone().filter(|i| quotas[*i] < count) {
            // Among equals the one of the emptier zone, per node: so zones stay even, and with them later placements.
            let load =
                |z: usize, i: usize| (candidates[i].load + quotas[i], zones[z].load * FINE / zones[z].nodes.len());
            if best.is_none_or(|(best_zone, best)| load(z, i) < load(best_zone, best)) {
                best = Some((z, i));
            }
        }
    }
    let (z, i) =
        best.expect("the bounds leave room for `replication` times `count`, since there are so many candidates");
    quotas[i] += 1;
    zones[z].new += 1;
    zones[z].load += 1;
}

/// Makes the average load of a zone's nodes a whole number that is fine enough to compare.
const FINE: usize = 1 << 20;
