//! The one loop that keeps time for all groups of a node: pulses to the other nodes, and campaigns where leaders are gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use transport::{Lane, Request};
use types::{GroupId, NodeId};

use crate::messages::{self, Pulse, PulseReply};
use crate::node::Inner;
use crate::service::PULSE;

/// Between pulses that cannot wait: many groups get new leaders at about the same time.
const URGENT_PAUSE: Duration = Duration::from_millis(10);

pub(crate) async fn run(node: Arc<Inner>, mut stop: watch::Receiver<bool>) {
    let mut next_pulse = node.now();
    let (mut last_pulse, mut last_look) = (next_pulse, next_pulse);
    let mut count = 0u32;
    loop {
        if node.urgent.take() {
            next_pulse = next_pulse.min(last_pulse + URGENT_PAUSE);
        }
        if node.now() >= next_pulse {
            count = count.wrapping_add(1);
            // What is committed is soon heard of: between urgent pulses nobody has waited long.
            let waiting = match node.now() >= last_look + node.options.pulse_interval {
                true => {
                    last_look = node.now();
                    waiting(&node)
                }
                false => BTreeMap::new(),
            };
            send_pulses(&node, count.is_multiple_of(node.options.pulses_per_audit.max(1)), waiting);
            last_pulse = node.now();
            next_pulse = last_pulse + node.options.pulse_interval;
        }
        campaign(&node).await;
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            () = wait(&node, next_pulse) => {}
            () = node.wake.notified() => {}
            () = node.urgent.wake.notified() => {}
        }
    }
}

/// Until there is something to do; without other nodes there is nothing to keep time for.
async fn wait(node: &Inner, next_pulse: Duration) {
    let pulse = (!node.peers().is_empty()).then_some(next_pulse);
    let campaign = node.campaigns.lock().next_due();
    match pulse.into_iter().chain(campaign).min() {
        Some(due) => node.env.clock.sleep(due.saturating_sub(node.now())).await,
        None => std::future::pending().await,
    }
}

fn send_pulses(node: &Arc<Inner>, is_audit: bool, mut waiting: BTreeMap<NodeId, Vec<GroupId>>) {
    for peer in node.peers() {
        let audit = if is_audit && node.is_alive(peer) { followed(node, peer) } else { Vec::new() };
        let (claims, waiting) = (node.claims_on(peer), waiting.remove(&peer).unwrap_or_default());
        let pulse = Pulse { incarnation: node.incarnation, audit, claims, waiting };
        node.env.spawn.task("pulse", Box::pin(send(Arc::clone(node), peer, pulse)));
    }
}

/// The groups that this node takes to be led by another, with the term.
fn followed(node: &Inner, leader: NodeId) -> Vec<(GroupId, u64)> {
    let followed = node.members().into_iter().filter(|member| member.leader() == Some(leader));
    followed.map(|member| (member.group, member.vote().term)).collect()
}

/// The groups here that wait to hear what is committed, by the node that leads them.
fn waiting(node: &Inner) -> BTreeMap<NodeId, Vec<GroupId>> {
    let mut waiting = BTreeMap::<NodeId, Vec<GroupId>>::new();
    for member in node.members().into_iter().filter(|member| member.is_kept_waiting()) {
        if let Some(leader) = member.leader().filter(|leader| *leader != node.node) {
            waiting.entry(leader).or_default().push(member.group);
        }
    }
    waiting
}

async fn send(node: Arc<Inner>, peer: NodeId, pulse: Pulse) {
    let sent = node.now();
    let request = Request { service: PULSE, group: GroupId::CATALOG, head: messages::encode(&pulse), body: Vec::new() };
    // A late answer is worth nothing, and there are more pulses.
    match node.transport.call(peer, Lane::Control, request, node.options.dead_after).await {
        Ok(answer) => match messages::decode::<PulseReply>(&answer.head) {
            Some(reply) => node.take_pulse_reply(peer, sent, &pulse, &reply),
            None => tracing::warn!(%peer, "a node answers pulses with nonsense"),
        },
        Err(error) => tracing::trace!(%peer, %error, "no answer to a pulse"),
    }
}

/// Looks for groups without a leader, and has those campaign whose time has come.
async fn campaign(node: &Inner) {
    let members = if node.is_leaving() { Vec::new() } else { node.members() };
    let leaderless = members.iter().filter(|member| member.standing().is_leaderless(|peer| node.is_alive(peer)));
    let leaderless: Vec<GroupId> = leaderless.map(|member| member.group).collect();
    let (options, random, now) = (&node.options, || node.env.random.u64(), node.now());
    let spread = |groups| options.election_spread + options.election_spread_each * groups as u32;
    let due = {
        let mut campaigns = node.campaigns.lock();
        campaigns.update(leaderless, now, spread, random);
        campaigns.take_due(now, options.election_retry, random)
    };
    for group in due {
        let Some(member) = node.member(group) else { continue };
        tracing::debug!(%group, replica = %member.replica, "nobody leads the group: campaigning");
        // Asks first whether it could win, so that a replica that is cut off disturbs nobody. An error means that the group has
        // died, which its owner hears.
        drop(member.raft.trigger().elect(true).await);
    }
}
