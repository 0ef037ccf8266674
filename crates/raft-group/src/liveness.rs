//! Who is alive: one judgement for each pair of nodes, not for each group. Pure; times are the monotonic clock's.
//!
//! Two questions, and they are not the same one. *Is the other alive?* asks when we last heard it. *May we lead?* asks when it last
//! heard us, for which its answer to a pulse counts from the moment the pulse was sent. Who has heard a leader votes for no other
//! for `dead_after`; a leader serves for the shorter `lease`. So the two never overlap, on whichever side of a cut the nodes are.

use std::collections::BTreeMap;
use std::time::Duration;

use types::NodeId;

/// What is known of the other nodes.
#[derive(Debug)]
pub(crate) struct Liveness {
    started: Duration,
    dead_after: Duration,
    lease: Duration,
    peers: BTreeMap<NodeId, Peer>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    /// When anything came from it last.
    heard: Option<Duration>,
    /// When the newest pulse was sent that it has answered.
    heard_us: Option<Duration>,
    /// Which start of its process that was.
    incarnation: Option<u64>,
}

impl Liveness {
    pub(crate) fn new(started: Duration, dead_after: Duration, lease: Duration) -> Self {
        assert!(lease < dead_after, "a lease that outlives the others' patience would let two nodes serve");
        Self { started, dead_after, lease, peers: BTreeMap::new() }
    }

    /// Something came from a node, in the given start of its process. True if that start is another than the one known before: the
    /// node leads nothing any more, though it may never have been missed.
    pub(crate) fn heard(&mut self, node: NodeId, incarnation: u64, now: Duration) -> bool {
        let peer = self.peers.entry(node).or_default();
        peer.heard = peer.heard.max(Some(now));
        let restarted = peer.incarnation.is_some_and(|known| known != incarnation);
        if restarted {
            // What the last process has promised, this one may have forgotten.
            peer.heard_us = None;
        }
        peer.incarnation = Some(incarnation);
        restarted
    }

    /// A node has answered a pulse that was sent at `sent`.
    pub(crate) fn answered(&mut self, node: NodeId, sent: Duration) {
        let peer = self.peers.entry(node).or_default();
        peer.heard_us = peer.heard_us.max(Some(sent));
    }

    /// Whether a node is taken for alive. One that was never heard counts as heard when this process began: what it was promised
    /// before, by this replica's vote, must hold.
    pub(crate) fn is_alive(&self, node: NodeId, now: Duration) -> bool {
        self.silence(node, now) < self.dead_after
    }

    /// For how long nothing has been heard of a node.
    pub(crate) fn silence(&self, node: NodeId, now: Duration) -> Duration {
        let heard = self.peers.get(&node).and_then(|peer| peer.heard);
        now.saturating_sub(heard.unwrap_or(self.started))
    }

    /// Whether a node certainly votes for nobody else while we lead.
    pub(crate) fn is_bound(&self, node: NodeId, now: Duration) -> bool {
        let heard_us = self.peers.get(&node).and_then(|peer| peer.heard_us);
        heard_us.is_some_and(|sent| now.saturating_sub(sent) < self.lease)
    }

    /// Forgets a node that has left the cluster.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.peers.remove(&node);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const DEAD: Duration = Duration::from_millis(1000);
    const LEASE: Duration = Duration::from_millis(800);
    const A: NodeId = NodeId(1);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_node_never_heard_is_alive_for_a_while() {
        let liveness = Liveness::new(ms(500), DEAD, LEASE);
        assert!(liveness.is_alive(A, ms(1499)));
        assert!(!liveness.is_alive(A, ms(1500)));
        assert!(!liveness.is_bound(A, ms(500)));
    }

    #[test]
    fn a_quick_restart_is_noticed_and_ends_what_was_promised() {
        let mut liveness = Liveness::new(ms(0), DEAD, LEASE);
        assert!(!liveness.heard(A, 7, ms(10)));
        liveness.answered(A, ms(10));
        assert!(liveness.is_bound(A, ms(100)));
        assert!(liveness.heard(A, 8, ms(110)));
        assert!(!liveness.is_bound(A, ms(111)));
        assert!(!liveness.heard(A, 8, ms(120)));
    }

    proptest! {
        /// Two nodes, pulses that are lost or late in either direction: whenever the leader counts on the follower, the follower still
        /// takes the leader for alive, and so votes for nobody.
        #[test]
        fn a_leader_never_counts_on_a_node_that_has_given_it_up(
            pulses in vec((0u64..400, proptest::option::of(0u64..1500), proptest::option::of(0u64..1500)), 1..40),
            probes in vec(0u64..20_000, 1..200),
        ) {
            let mut events = Vec::new();
            let mut sent = 0;
            for (gap, there, back) in pulses {
                sent += gap;
                if let Some(there) = there {
                    events.push((sent + there, sent, false));
                    events.extend(back.map(|back| (sent + there + back, sent, true)));
                }
            }
            events.sort_unstable();
            for probe in probes {
                let mut leader = Liveness::new(ms(0), DEAD, LEASE);
                let mut follower = Liveness::new(ms(0), DEAD, LEASE);
                for &(_, sent, answer) in events.iter().filter(|(at, ..)| *at <= probe) {
                    match answer {
                        true => leader.answered(A, ms(sent)),
                        false => {
                            let at = events.iter().find(|event| event.1 == sent && !event.2).map_or(0, |event| event.0);
                            follower.heard(A, 1, ms(at));
                        }
                    }
                }
                if leader.is_bound(A, ms(probe)) {
                    prop_assert!(follower.is_alive(A, ms(probe)));
                }
            }
        }
    }
}
