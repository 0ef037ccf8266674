//! When this node's replicas campaign: pure.

use std::collections::BTreeMap;
use std::time::Duration;

use types::{GroupId, NodeId};

/// What a replica knows of its group's leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether it may be elected: a voter of a group that has members.
    pub(crate) eligible: bool,
    /// Whether it leads.
    pub(crate) leads: bool,
    /// The node of the leader it knows.
    pub(crate) leader: Option<NodeId>,
    /// Whether that node is known not to lead the group any more.
    pub(crate) doubted: bool,
}

impl Standing {
    /// Whether somebody must be elected.
    pub(crate) fn is_leaderless(&self, is_alive: impl Fn(NodeId) -> bool) -> bool {
        let led = self.leader.is_some_and(|leader| !self.doubted && is_alive(leader));
        self.eligible && !self.leads && !led
    }
}

/// The groups that wait for their next campaign.
#[derive(Debug, Default)]
pub(crate) struct Campaigns {
    due: BTreeMap<GroupId, Duration>,
}

impl Campaigns {
    /// Takes note of the groups that need a leader, and forgets those that need none any more. A new one campaigns at a random moment
    /// within `spread`; `random` is drawn once for each.
    pub(crate) fn update(
        &mut self,
        leaderless: impl IntoIterator<Item = GroupId>,
        now: Duration,
        spread: impl Fn(usize) -> Duration,
        random: impl Fn() -> u64,
    ) {
        let known = std::mem::take(&mut self.due);
        let mut fresh = Vec::new();
        for group in leaderless {
            match known.get(&group) {
                Some(due) => drop(self.due.insert(group, *due)),
                None => fresh.push(group),
            }
        }
        let spread = spread(fresh.len());
        for group in fresh {
            self.due.insert(group, now + share_of(spread, random()));
        }
    }

    /// The groups whose time has come; each is due again after `retry` and a random part of it.
    pub(crate) fn take_due(&mut self, now: Duration, retry: Duration, random: impl Fn() -> u64) -> Vec<GroupId> {
        let mut taken = Vec::new();
        for (group, due) in &mut self.due {
            if *due <= now {
                *due = now + retry + share_of(retry, random());
                taken.push(*group);
            }
        }
        taken
    }

    /// When the next campaign is due.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.due.values().min().copied()
    }
}

/// A random part of `whole`.
fn share_of(whole: Duration, random: u64) -> Duration {
    whole.mul_f64((random >> 11) as f64 / (1u64 << 53) as f64)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    const SPREAD: Duration = Duration::from_millis(300);
    const RETRY: Duration = Duration::from_millis(500);

    fn standing() -> Standing {
        Standing { eligible: true, leads: false, leader: Some(NodeId(2)), doubted: false }
    }

    #[test]
    fn a_group_is_leaderless_when_its_leader_is_dead_doubted_or_unknown() {
        let (alive, dead) = (|_| true, |_| false);
        assert!(!standing().is_leaderless(alive));
        assert!(standing().is_leaderless(dead));
        assert!(Standing { doubted: true, ..standing() }.is_leaderless(alive));
        assert!(Standing { leader: None, ..standing() }.is_leaderless(alive));
        assert!(!Standing { eligible: false, leader: None, ..standing() }.is_leaderless(dead));
        assert!(!Standing { leads: true, ..standing() }.is_leaderless(dead));
    }

    proptest! {
        #[test]
        fn every_leaderless_group_campaigns_in_time_and_again_and_no_other_does(
            rounds in vec((btree_set(0u64..6, 0..6), 1u64..400), 1..60),
            seed: u64,
        ) {
            let state = Cell::new(seed);
            let random = || {
                state.set(state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
                state.get()
            };
            let mut campaigns = Campaigns::default();
            let mut waiting: BTreeMap<u64, Duration> = BTreeMap::new();
            let mut now = Duration::ZERO;
            for (leaderless, step) in rounds {
                waiting.retain(|group, _| leaderless.contains(group));
                campaigns.update(leaderless.iter().map(|group| GroupId(*group)), now, |_| SPREAD, random);
                for group in &leaderless {
                    waiting.entry(*group).or_insert(now + SPREAD);
                }
                if let Some(due) = campaigns.next_due() {
                    prop_assert!(!leaderless.is_empty() && due <= now + RETRY * 2);
                }
                now += Duration::from_millis(step);
                let taken: Vec<u64> = campaigns.take_due(now, RETRY, random).into_iter().map(|group| group.0).collect();
                for (group, latest) in &mut waiting {
                    prop_assert!(taken.contains(group) || *latest > now, "group {} has missed its time", group);
                    if taken.contains(group) {
                        *latest = now + RETRY * 2;
                    }
                }
                prop_assert!(taken.iter().all(|group| leaderless.contains(group)));
            }
        }
    }
}
