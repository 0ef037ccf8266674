//! Who is alive: one judgement for each pair of nodes, not for each group. Pure; times are the monotonic clock's.
//!
//! Two questions, and they are not the same one. *Is the other alive?* asks when we last heard it. *May we lead?* asks when it last
//! heard us, for which its answer to a pulse counts from the moment the pulse was sent. Who has heard a leader votes for no other
//! for `dead_after`; a leader serves for the shorter `lease`. So the two never overlap, on whichever side of a cut the nodes are.

use std::collections::BTreeMap;
use std::time::Duration;

use types::NodeId;

use crate::claims::Contact;

/// What is known of the other nodes.
#[derive(Debug)]
pub(crate) struct Liveness {
    started: Duration,
    dead_after: Duration,
    lease: Duration,
    peers: BTreeMap<NodeId, Peer>,
    contacts: Contact,
}

#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    /// When anything came from it last.
    heard: Option<Duration>,
    /// When the newest pulse was sent that it has answered.
    heard_us: Option<Duration>,
    /// Which start of its process that was.
    incarnation: Option<u64>,
    /// The contact in which it hears us, and when the first pulse of it was sent. 0 is none.
    contact: Contact,
    contact_since: Duration,
}

impl Liveness {
    pub(crate) fn new(started: Duration, dead_after: Duration, lease: Duration) -> Self {
        assert!(lease < dead_after, "a lease that outlives the others' patience would let two nodes serve");
        Self { started, dead_after, lease, peers: BTreeMap::new(), contacts: 0 }
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
            peer.contact = 0;
        }
        peer.incarnation = Some(incarnation);
        restarted
    }

    /// A node has answered, by `now`, a pulse that was sent at `sent`.
    pub(crate) fn answered(&mut self, node: NodeId, sent: Duration, now: Duration) {
        let peer = self.peers.entry(node).or_default();
        // Between the two pulses it may have heard nothing for as long as this.
        let unbroken = peer.heard_us.is_some_and(|before| now.saturating_sub(before) < self.dead_after);
        if peer.contact == 0 || !unbroken {
            self.contacts += 1;
            (peer.contact, peer.contact_since) = (self.contacts, sent);
        }
        peer.heard_us = peer.heard_us.max(Some(sent));
    }

    /// The contact in which a node certainly votes for nobody but those whom it follows; `None` if it may have missed us.
    pub(crate) fn contact(&self, node: NodeId, now: Duration) -> Option<Contact> {
        self.peers.get(&node).filter(|_| self.is_bound(node, now)).map(|peer| peer.contact)
    }

    /// The same, if a pulse that was sent at `sent` belongs to it.
    pub(crate) fn contact_at(&self, node: NodeId, sent: Duration, now: Duration) -> Option<Contact> {
        let since = self.peers.get(&node).map(|peer| peer.contact_since)?;
        self.contact(node, now).filter(|_| sent >= since)
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

    /// Whether a node has heard us so lately that it does not take us for dead.
    fn is_bound(&self, node: NodeId, now: Duration) -> bool {
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
        liveness.answered(A, ms(10), ms(11));
        assert!(liveness.is_bound(A, ms(100)));
        assert!(liveness.heard(A, 8, ms(110)));
        assert!(!liveness.is_bound(A, ms(111)));
        assert!(!liveness.heard(A, 8, ms(120)));
    }

    #[test]
    fn a_break_ends_a_contact_and_a_late_answer_belongs_to_none() {
        let mut liveness = Liveness::new(ms(0), DEAD, LEASE);
        liveness.answered(A, ms(0), ms(10));
        let first = liveness.contact(A, ms(20)).unwrap();
        liveness.answered(A, ms(900), ms(990));
        assert_eq!(liveness.contact(A, ms(1000)), Some(first));
        assert_eq!(liveness.contact(A, ms(1700)), None, "the lease is over");
        // The pulse was sent in time and arrived who knows when.
        liveness.answered(A, ms(1800), ms(1900));
        let second = liveness.contact(A, ms(1900)).unwrap();
        assert_ne!(first, second);
        assert_eq!(liveness.contact_at(A, ms(1800), ms(1900)), Some(second));
        assert_eq!(liveness.contact_at(A, ms(1799), ms(1900)), None);
        assert!(!liveness.heard(A, 7, ms(1900)) && liveness.heard(A, 8, ms(1901)));
        liveness.answered(A, ms(1902), ms(1903));
        assert_ne!(liveness.contact(A, ms(1904)), Some(second));
    }

    proptest! {
        /// A contact that goes on: the follower has taken the leader for alive all the time since its first pulse arrived.
        #[test]
        fn within_a_contact_a_node_has_never_given_the_leader_up(
            pulses in vec((0u64..700, 0u64..900, 0u64..900, proptest::bool::weighted(0.8)), 1..40),
        ) {
            let (mut events, mut sent) = (Vec::new(), 0);
            for (gap, there, back, arrives) in pulses {
                sent += gap;
                if arrives {
                    events.push((sent + there, sent, false));
                    events.push((sent + there + back, sent, true));
                }
            }
            events.sort_unstable();
            let mut leader = Liveness::new(ms(0), DEAD, LEASE);
            // When the follower heard the leader.
            let mut heard: Vec<u64> = Vec::new();
            for (at, sent, answer) in events {
                if !answer {
                    heard.push(at);
                    continue;
                }
                leader.answered(A, ms(sent), ms(at));
                let Some(peer) = leader.peers.get(&A).filter(|_| leader.is_bound(A, ms(at))) else { continue };
                let since = peer.contact_since.as_millis() as u64;
                let within: Vec<u64> = heard.iter().copied().filter(|heard| *heard >= since).collect();
                // The first of them is that of the first pulse, or earlier.
                let calm = within.windows(2).all(|pair| pair[1] - pair[0] < 1000);
                prop_assert!(calm && within.last().is_some_and(|last| at - last < 1000), "{within:?} at {at}");
            }
        }

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
                for &(at, sent, answer) in events.iter().filter(|(at, ..)| *at <= probe) {
                    match answer {
                        true => leader.answered(A, ms(sent), ms(at)),
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
