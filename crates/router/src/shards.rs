//! The shards of the cluster, wherever they are led.
//!
//! Each request is taken to the node that leads; a stale idea of who that is is corrected on the way, and tried again. Where nobody
//! knows whether records were stored, since a leader has died, the next one finds out: the request's id stands in the log beside them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_plane::{AppendError, Appended, DataPlane, Positions, ReadBatch, ReadError};
use env::Env;
use futures_util::future::join_all;
use raft_group::RaftNode;
use shard_state::{Batch, RequestId};
use transport::{CallError, Lane, Refused, Request, Transport};
use types::{GroupId, NodeId, RecordNumber, TimestampMs};

use crate::leaders::{Leaders, Round};
use crate::route::RoutedShard;
use crate::shard_calls::{Answer, Append, Part, Question, decode, encode};
use crate::shard_service::{SHARDS, ShardService};

/// How long a request looks for a shard's leader: a dead one is replaced within a second or two.
const SEARCH_MAX: Duration = Duration::from_secs(8);
/// Pause between two rounds of asking every replica, doubled up to the second one; half of it is by chance.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(320);
/// An answer comes within the append deadline of the other node's data plane, 10 s, and its way.
const CALL_DEADLINE: Duration = Duration::from_secs(12);

/// What became of the records of one shard.
pub(crate) type PartOutcome = Result<Appended, AppendError>;

pub(crate) struct Shards {
    env: Env,
    raft: RaftNode,
    transport: Transport,
    data: DataPlane,
    leaders: Leaders,
}

/// A batch on its way to the leader.
struct Errand<'a> {
    shard: &'a RoutedShard,
    batch: Batch,
    round: Round,
    outcome: PartOutcome,
    /// Why a try may have stored the records, if one may.
    unknown: Option<String>,
    done: bool,
}

impl Errand<'_> {
    /// What becomes of it. After a try with an unknown outcome only success says what is stored: a refusal is one of this try alone.
    fn end(self) -> PartOutcome {
        match (self.outcome, self.unknown) {
            (Err(_), Some(reason)) => Err(AppendError::Unknown(reason)),
            (outcome, _) => outcome,
        }
    }
}

impl Shards {
    /// Also begins to answer other nodes.
    pub(crate) fn new(env: Env, raft: RaftNode, data: DataPlane) -> Shards {
        let transport = raft.transport().clone();
        transport.serve(SHARDS, Arc::new(ShardService(data.clone())));
        Shards { env, raft, transport, data, leaders: Leaders::default() }
    }

    /// Appends each batch to its shard, all at once, one call for each node concerned.
    pub(crate) async fn append(&self, parts: Vec<(&RoutedShard, Batch)>) -> Vec<PartOutcome> {
        let errand = |(shard, batch): (_, Batch)| Errand {
            shard,
            batch: batch.of_request(self.request_id()),
            round: Round::default(),
            outcome: Err(AppendError::NotLeader { leader: None }),
            unknown: None,
            done: false,
        };
        let mut errands: Vec<Errand<'_>> = parts.into_iter().map(errand).collect();
        let mut search = Search::new(self);
        loop {
            let sent = self.append_once(&mut errands, &search).await;
            if errands.iter().all(|errand| errand.done) || search.is_over() {
                break;
            }
            if !sent {
                search.pause().await;
                errands.iter_mut().for_each(|errand| errand.round = Round::default());
            }
        }
        errands.into_iter().map(Errand::end).collect()
    }

    /// Takes each open errand to the next node; false if there is none to be asked in this round.
    async fn append_once(&self, errands: &mut [Errand<'_>], search: &Search<'_>) -> bool {
        let mut by_node: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        for (at, errand) in errands.iter_mut().enumerate().filter(|(_, errand)| !errand.done) {
            if let Some(node) = self.next_node(errand.shard, &mut errand.round) {
                by_node.entry(node).or_default().push(at);
            }
        }
        let append = |errand: &Errand<'_>| Append {
            group: errand.shard.group,
            batch: errand.batch.clone(),
            tried_for: errand.unknown.as_ref().map(|_| search.lasts()),
        };
        let calls = by_node
            .iter()
            .map(|(node, places)| self.append_on(*node, places.iter().map(|at| append(&errands[*at])).collect()));
        let outcomes = join_all(calls).await;
        for ((node, places), outcomes) in by_node.iter().zip(outcomes) {
            for (at, outcome) in places.iter().zip(outcomes) {
                let errand = &mut errands[*at];
                if let Err(AppendError::Unknown(reason)) = &outcome {
                    errand.unknown = Some(reason.clone());
                }
                // Refused or not, an earlier try may have stored them: whoever leads next can tell.
                let is_open = || errand.unknown.is_some().then_some(Elsewhere { leader: None });
                let place = outcome.as_ref().err().and_then(|error| Elsewhere::of_append(error).or_else(is_open));
                errand.done = !self.learn(errand.shard, *node, place, &mut errand.round);
                errand.outcome = outcome;
            }
        }
        !by_node.is_empty()
    }

    async fn append_on(&self, node: NodeId, appends: Vec<Append>) -> Vec<PartOutcome> {
        if node == self.raft.node() {
            let append = |Append { group, batch, tried_for }| self.data.append(group, batch, tried_for);
            return join_all(appends.into_iter().map(append)).await;
        }
        let count = appends.len();
        let question = Question::Append(appends.iter().map(Part::of).collect());
        let body = appends.into_iter().map(|append| append.batch.bytes).collect();
        let all = |error: AppendError| vec![Err(error); count];
        match self.ask_node(node, &question, body).await {
            Ok((Some(Answer::Append(results)), _)) if results.len() == count => {
                results.into_iter().map(|result| result.map(Into::into).map_err(Into::into)).collect()
            }
            Ok((Some(Answer::Nonsense), _)) => all(AppendError::Unavailable("the node does not understand".into())),
            Ok(_) => all(AppendError::Unknown("the node's answer makes no sense".into())),
            Err(CallError::Unknown(reason)) => all(AppendError::Unknown(reason.to_string())),
            Err(CallError::Refused(reason @ Refused::AnswerTooLarge)) => all(AppendError::Unknown(reason.to_string())),
            // Nothing has been done: another node may lead, or this one again in a moment.
            Err(CallError::NotSent(_) | CallError::Refused(_)) => all(AppendError::NotLeader { leader: None }),
        }
    }

    /// See [`DataPlane::read`].
    pub(crate) async fn read(
        &self,
        shard: &RoutedShard,
        from: RecordNumber,
        max_records: u32,
        max_bytes: u64,
    ) -> Result<ReadBatch, ReadError> {
        match self.ask(shard, &Question::Read { group: shard.group, from, max_records, max_bytes }).await? {
            Told::Batch(batch) => Ok(batch),
            _ => Err(nonsense()),
        }
    }

    /// See [`DataPlane::position`].
    pub(crate) async fn position(&self, shard: &RoutedShard) -> Result<Positions, ReadError> {
        match self.ask(shard, &Question::Position { group: shard.group }).await? {
            Told::Positions(positions) => Ok(positions),
            _ => Err(nonsense()),
        }
    }

    /// See [`DataPlane::seek_arrival`].
    pub(crate) async fn seek_arrival(&self, shard: &RoutedShard, at: TimestampMs) -> Result<RecordNumber, ReadError> {
        match self.ask(shard, &Question::SeekArrival { group: shard.group, at }).await? {
            Told::Record(record) => Ok(record),
            _ => Err(nonsense()),
        }
    }

    async fn ask(&self, shard: &RoutedShard, question: &Question) -> Result<Told, ReadError> {
        let mut search = Search::new(self);
        let mut last = ReadError::NotLeader { leader: None };
        loop {
            let mut round = Round::default();
            while let Some(node) = self.next_node(shard, &mut round) {
                let told = self.ask_about(node, question).await;
                let place = told.as_ref().err().and_then(Elsewhere::of_read);
                let again = self.learn(shard, node, place, &mut round);
                match told {
                    Err(error) if again => last = error,
                    told => return told,
                }
            }
            if search.is_over() {
                return Err(last);
            }
            search.pause().await;
        }
    }

    async fn ask_about(&self, node: NodeId, question: &Question) -> Result<Told, ReadError> {
        if node == self.raft.node() {
            return self.tell(question).await;
        }
        match self.ask_node(node, question, Vec::new()).await {
            Ok((Some(Answer::Read(page)), body)) => page?.into_batch(body).map(Told::Batch).ok_or_else(nonsense),
            Ok((Some(Answer::Position(place)), _)) => Ok(Told::Positions(place?.into())),
            Ok((Some(Answer::SeekArrival(record)), _)) => Ok(Told::Record(record?)),
            Ok(_) => Err(nonsense()),
            // Asking again changes nothing, so that even an unknown outcome is none.
            Err(_) => Err(ReadError::NotLeader { leader: None }),
        }
    }

    async fn tell(&self, question: &Question) -> Result<Told, ReadError> {
        match *question {
            Question::Read { group, from, max_records, max_bytes } => {
                self.data.read(group, from, max_records, max_bytes).await.map(Told::Batch)
            }
            Question::Position { group } => self.data.position(group).map(Told::Positions),
            Question::SeekArrival { group, at } => self.data.seek_arrival(group, at).await.map(Told::Record),
            Question::Append(_) => Err(nonsense()),
        }
    }

    /// The answer, `None` if this version can't read it, and the bytes that it came with.
    async fn ask_node(
        &self,
        node: NodeId,
        question: &Question,
        body: Vec<Bytes>,
    ) -> Result<(Option<Answer>, Bytes), CallError> {
        let group = GroupId::CATALOG;
        let request = Request { service: SHARDS, group, head: encode(question, &body), body };
        let reply = self.transport.call(node, Lane::Data, request, CALL_DEADLINE).await?;
        Ok((decode(&reply.head, &reply.body), reply.body))
    }

    fn request_id(&self) -> RequestId {
        let random = &self.env.random;
        RequestId(u128::from(random.u64()) << 64 | u128::from(random.u64()))
    }

    fn next_node(&self, shard: &RoutedShard, round: &mut Round) -> Option<NodeId> {
        let (hint, here) = (self.leaders.get(shard.group), self.raft.node());
        round.next(hint, here, &shard.nodes, |node| self.raft.is_alive(node))
    }

    /// Takes note of what a node's answer says of the leader; whether another one is worth asking.
    fn learn(&self, shard: &RoutedShard, node: NodeId, place: Option<Elsewhere>, round: &mut Round) -> bool {
        let Some(Elsewhere { leader }) = place else {
            self.leaders.learn(shard.group, node);
            return false;
        };
        self.leaders.forget(shard.group, node);
        if let Some(leader) = leader.filter(|leader| *leader != node) {
            if self.leaders.get(shard.group) != Some(leader) {
                round.again(leader);
            }
            self.leaders.learn(shard.group, leader);
        }
        // With one replica, on this node, there is nobody else to ask.
        *shard.nodes != [self.raft.node()]
    }
}

/// What the leader says.
enum Told {
    Batch(ReadBatch),
    Positions(Positions),
    Record(RecordNumber),
}

fn nonsense() -> ReadError {
    ReadError::Unavailable("the node's answer makes no sense".into())
}

/// An answer that says nothing about the shard, only that another replica should be asked.
struct Elsewhere {
    leader: Option<NodeId>,
}

impl Elsewhere {
    fn of_append(error: &AppendError) -> Option<Elsewhere> {
        match error {
            AppendError::NotLeader { leader } => Some(Elsewhere { leader: *leader }),
            // Being opened there, or closed, or damaged; nothing was done.
            AppendError::UnknownShard | AppendError::Corrupt(_) | AppendError::Unavailable(_) => {
                Some(Elsewhere { leader: None })
            }
            _ => None,
        }
    }

    fn of_read(error: &ReadError) -> Option<Elsewhere> {
        match error {
            ReadError::NotLeader { leader } => Some(Elsewhere { leader: *leader }),
            ReadError::UnknownShard | ReadError::Corrupt(_) | ReadError::Unavailable(_) => {
                Some(Elsewhere { leader: None })
            }
            ReadError::Throttled => None,
        }
    }
}

/// The pauses of one request's search for a leader.
struct Search<'a> {
    shards: &'a Shards,
    since: Duration,
    pause: Duration,
}

impl Search<'_> {
    fn new(shards: &Shards) -> Search<'_> {
        Search { shards, since: shards.env.clock.monotonic(), pause: PAUSE_MIN }
    }

    fn lasts(&self) -> Duration {
        self.shards.env.clock.monotonic().saturating_sub(self.since)
    }

    fn is_over(&self) -> bool {
        self.lasts() >= SEARCH_MAX
    }

    /// Waits before the next round.
    async fn pause(&mut self) {
        let env = &self.shards.env;
        let chance = (env.random.u64() >> 40) as f64 / (1u64 << 24) as f64;
        env.clock.sleep(self.pause.mul_f64(0.5 + 0.5 * chance)).await;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}
