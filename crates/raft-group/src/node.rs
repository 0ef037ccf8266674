//! All groups of one node: where messages from other nodes find their replica, who is alive, and who must elect a leader.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use env::Env;
use journal::GroupLog;
use parking_lot::Mutex;
use telemetry::Telemetry;
use tokio::sync::{Notify, watch};
use transport::{Identity, Transport};
use types::{GroupId, NodeId, ReplicaId};

use crate::claims::{Contact, Urgent};
use crate::elections::Campaigns;
use crate::liveness::Liveness;
use crate::member::Member;
use crate::messages::{Pulse, PulseReply};
use crate::service::{PULSE, PulseService, RAFT, RaftService};
use crate::{Error, Machine, Options, RaftGroup, pulse};

/// The Raft groups of one node. Clones share them.
///
/// No group has a clock of its own: an idle one costs nothing. Each pair of nodes tells each other that it is alive (a *pulse*), and
/// where a node has gone, the replicas that followed it campaign.
#[derive(Clone)]
pub struct RaftNode {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) env: Env,
    pub(crate) node: NodeId,
    pub(crate) transport: Transport,
    pub(crate) options: Options,
    /// Drawn at each start: another one tells the others that this process has forgotten what it led.
    pub(crate) incarnation: u64,
    members: Mutex<BTreeMap<GroupId, Arc<Member>>>,
    peers: Mutex<BTreeSet<NodeId>>,
    liveness: Mutex<Liveness>,
    pub(crate) campaigns: Mutex<Campaigns>,
    /// Has pulses sent at once.
    pub(crate) urgent: Arc<Urgent>,
    /// Wakes the loop when there is something new to look at.
    pub(crate) wake: Notify,
    /// Set once this node is about to stop: it takes no office any more.
    leaving: AtomicBool,
    /// Set to end the loop, which holds a receiver as long as it runs.
    stop: watch::Sender<bool>,
}

impl RaftNode {
    /// Begins to answer other nodes, through `transport`, and to watch over them. Call it where `env` may spawn.
    pub fn start(env: Env, node: NodeId, transport: Transport, options: Options) -> RaftNode {
        let (stop, stopping) = watch::channel(false);
        let liveness = Liveness::new(env.clock.monotonic(), options.dead_after, options.lease);
        let incarnation = env.random.u64();
        let inner = Arc::new(Inner {
            env,
            node,
            transport,
            options,
            incarnation,
            members: Mutex::default(),
            peers: Mutex::default(),
            liveness: Mutex::new(liveness),
            campaigns: Mutex::default(),
            urgent: Arc::default(),
            wake: Notify::new(),
            leaving: AtomicBool::new(false),
            stop,
        });
        inner.transport.serve(RAFT, Arc::new(RaftService(Arc::clone(&inner))));
        inner.transport.serve(PULSE, Arc::new(PulseService(Arc::clone(&inner))));
        inner.env.spawn.task("pulse", Box::pin(pulse::run(Arc::clone(&inner), stopping)));
        RaftNode { inner }
    }

    /// The groups of a node that knows no others: for tests of what lies above.
    ///
    /// # Panics
    /// Never: the cluster's name is one.
    pub fn alone(env: Env, node: NodeId) -> RaftNode {
        let identity = Identity::new("alone", node).expect("it is a name");
        let transport = Transport::new(env.clone(), identity, transport::Options::default(), &Telemetry::new(), None);
        RaftNode::start(env, node, transport, Options::default())
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.inner.node
    }

    /// The way to the other nodes, which the groups share with whatever else nodes say to each other.
    pub fn transport(&self) -> &Transport {
        &self.inner.transport
    }

    /// The other nodes and their addresses, `host:port`. Those that are missing have left.
    pub fn set_peers(&self, peers: &BTreeMap<NodeId, String>) {
        let others: BTreeSet<NodeId> = peers.keys().copied().filter(|peer| *peer != self.inner.node).collect();
        for (peer, address) in peers.iter().filter(|(peer, _)| **peer != self.inner.node) {
            self.inner.transport.set_peer(*peer, address);
        }
        let before = std::mem::replace(&mut *self.inner.peers.lock(), others.clone());
        for gone in before.difference(&others) {
            self.inner.transport.remove_peer(*gone);
            self.inner.liveness.lock().forget(*gone);
        }
        self.inner.wake.notify_one();
    }

    /// Opens a replica of `group` with what is stored of it, or a new one. One that is the only voter of its group begins to lead at once;
    /// others campaign when they find nobody leading. The log may be filed under another number than the group's, which only the
    /// other replicas see.
    ///
    /// # Errors
    /// If the stored state cannot be restored, or the log cannot be read.
    pub async fn open(
        &self,
        group: GroupId,
        log: GroupLog,
        replica: ReplicaId,
        machine: impl Machine,
    ) -> Result<RaftGroup, Error> {
        RaftGroup::open(&self.inner, group, log, replica, machine).await
    }

    /// Whether a node is taken for alive: this one always is.
    pub fn is_alive(&self, node: NodeId) -> bool {
        node == self.inner.node || self.inner.is_alive(node)
    }

    /// For how long nothing has been heard of a node.
    pub fn silence(&self, node: NodeId) -> Duration {
        if node == self.inner.node {
            return Duration::ZERO;
        }
        self.inner.liveness.lock().silence(node, self.inner.now())
    }

    /// This node is about to stop: from here on none of its replicas campaigns, whoever asks. It goes on voting and following, and
    /// leads what it leads until that is handed over, see [`RaftGroup::hand_over`].
    pub fn leave(&self) {
        self.inner.leaving.store(true, Ordering::Relaxed);
    }

    /// Ends the loop. Groups are shut down one by one, by their owners, before.
    pub async fn close(&self) {
        self.inner.stop.send_replace(true);
        self.inner.stop.closed().await;
    }
}

impl Inner {
    pub(crate) fn now(&self) -> Duration {
        self.env.clock.monotonic()
    }

    pub(crate) fn member(&self, group: GroupId) -> Option<Arc<Member>> {
        self.members.lock().get(&group).cloned()
    }

    pub(crate) fn members(&self) -> Vec<Arc<Member>> {
        self.members.lock().values().cloned().collect()
    }

    pub(crate) fn add(&self, member: &Arc<Member>) {
        self.members.lock().insert(member.group, Arc::clone(member));
        self.wake.notify_one();
    }

    pub(crate) fn remove(&self, member: &Arc<Member>) {
        let mut members = self.members.lock();
        if members.get(&member.group).is_some_and(|known| Arc::ptr_eq(known, member)) {
            members.remove(&member.group);
        }
    }

    pub(crate) fn peers(&self) -> BTreeSet<NodeId> {
        self.peers.lock().clone()
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Relaxed)
    }

    pub(crate) fn is_alive(&self, node: NodeId) -> bool {
        self.liveness.lock().is_alive(node, self.now())
    }

    /// Whether a quorum of each member list follows this leader for certain, so that there is no other one.
    pub(crate) fn is_bound_quorum(&self, member: &Member) -> bool {
        let (now, term) = (self.now(), member.vote().term);
        let bound = |voter: ReplicaId| {
            let contact = || self.liveness.lock().contact(voter.node(), now);
            voter == member.replica
                || contact().is_some_and(|contact| member.claims.is_confirmed(term, voter.node(), contact))
        };
        member.is_quorum(bound)
    }

    /// The groups led here that a node has yet to confirm, with the term.
    pub(crate) fn claims_on(&self, peer: NodeId) -> Vec<(GroupId, u64)> {
        let contact = self.liveness.lock().contact(peer, self.now());
        let open = |member: &Arc<Member>| {
            let term = member.vote().term;
            let confirmed = contact.is_some_and(|contact| member.claims.is_confirmed(term, peer, contact));
            (!confirmed && member.has_voter_on(peer)).then_some((member.group, term))
        };
        let led = self.members().into_iter().filter(|member| member.is_leader());
        led.filter_map(|member| open(&member)).collect()
    }

    /// A pulse of another node has come.
    pub(crate) fn take_pulse(&self, from: NodeId, pulse: &Pulse) -> PulseReply {
        self.heard(from, pulse.incarnation);
        self.tell_committed(from, &pulse.waiting);
        pulse.claims.iter().for_each(|(group, term)| self.trust(*group, *term, from));
        let not_led = pulse.audit.iter().filter(|(group, term)| !self.leads(*group, *term)).map(|(group, _)| *group);
        let followed =
            pulse.claims.iter().filter(|(group, term)| self.follows(*group, *term, from)).map(|(group, _)| *group);
        PulseReply { incarnation: self.incarnation, not_led: not_led.collect(), followed: followed.collect() }
    }

    /// Has the followers of groups that are led here hear how far they have committed.
    fn tell_committed(&self, from: NodeId, groups: &[GroupId]) {
        for member in groups.iter().filter_map(|group| self.member(*group)).filter(|member| member.is_leader()) {
            tracing::debug!(group = %member.group, node = %from, "a follower waits to hear what is committed");
            let told = async move { drop(member.raft.trigger().heartbeat().await) };
            self.env.spawn.task("tell-committed", Box::pin(told));
        }
    }

    /// Whether the replica here votes for nobody else as long as it hears that leader.
    fn follows(&self, group: GroupId, term: u64, leader: NodeId) -> bool {
        self.member(group).is_some_and(|member| member.stands_by(leader, term) && !member.is_doubted())
    }

    fn leads(&self, group: GroupId, term: u64) -> bool {
        self.member(group).is_some_and(|member| member.is_leader() && member.vote().term >= term)
    }

    /// An answer to the pulse that was sent at `sent` has come.
    pub(crate) fn take_pulse_reply(&self, from: NodeId, sent: Duration, pulse: &Pulse, reply: &PulseReply) {
        self.heard(from, reply.incarnation);
        let contact = {
            let (mut liveness, now) = (self.liveness.lock(), self.now());
            liveness.answered(from, sent, now);
            liveness.contact_at(from, sent, now)
        };
        if let Some(contact) = contact {
            self.confirm(from, contact, pulse, reply);
        }
        let not_led: BTreeSet<GroupId> = reply.not_led.iter().copied().collect();
        for (group, term) in pulse.audit.iter().filter(|(group, _)| not_led.contains(group)) {
            self.doubt(*group, *term);
        }
    }

    fn confirm(&self, from: NodeId, contact: Contact, pulse: &Pulse, reply: &PulseReply) {
        let followed: BTreeSet<GroupId> = reply.followed.iter().copied().collect();
        for (group, term) in pulse.claims.iter().filter(|(group, _)| followed.contains(group)) {
            if let Some(member) = self.member(*group) {
                member.claims.confirm(*term, from, contact);
            }
        }
    }

    fn heard(&self, from: NodeId, incarnation: u64) {
        let now = self.now();
        let (was_alive, restarted) = {
            let mut liveness = self.liveness.lock();
            (liveness.is_alive(from, now), liveness.heard(from, incarnation, now))
        };
        if restarted {
            let led = self.members().into_iter().filter(|member| member.leader() == Some(from));
            led.for_each(|member| self.doubt(member.group, member.vote().term));
        }
        if restarted || !was_alive {
            tracing::info!(node = %from, restarted, "node is back");
            self.hurry(from);
        }
    }

    fn doubt(&self, group: GroupId, term: u64) {
        if let Some(member) = self.member(group) {
            member.doubt(term);
            self.wake.notify_one();
        }
    }

    /// A leader that was restarted, and elected again before its first pulse came, is doubted for the term that it leads: its claim puts that
    /// right.
    fn trust(&self, group: GroupId, term: u64, leader: NodeId) {
        if let Some(member) = self.member(group).filter(|member| member.stands_by(leader, term)) {
            member.trust(term);
        }
    }

    /// Replication to a node that is back need not wait any longer.
    fn hurry(&self, node: NodeId) {
        for member in self.members().into_iter().filter(|member| member.is_leader()) {
            let replicas = member.replicas_on(node);
            if !replicas.is_empty() {
                let hurried = async move { drop(member.raft.trigger().reset_backoff(replicas).await) };
                self.env.spawn.task("reset-backoff", Box::pin(hurried));
            }
        }
    }
}
