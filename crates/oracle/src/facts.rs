//! A history, sorted by what the invariants ask for.

use std::collections::BTreeMap;

use types::{SequenceNumber, StreamName};

use crate::retention::RetentionHistory;
use crate::{Event, History, PayloadId, ReadRecord, ReaderId, Rules, ShardRef, Start};

/// All attempts to put one payload.
#[derive(Debug)]
pub(crate) struct Attempts {
    pub(crate) stream: StreamName,
    pub(crate) first_at: u64,
    pub(crate) count: u32,
}

/// A successful put.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub(crate) number: SequenceNumber,
    pub(crate) payload: PayloadId,
    pub(crate) at: u64,
}

/// What is known of one sequence number.
#[derive(Debug)]
pub(crate) struct Sighting {
    /// The payload that was first seen with it.
    pub(crate) payload: PayloadId,
    /// Another payload that was seen with it: there must be none.
    pub(crate) other: Option<PayloadId>,
    /// When it was first known to be committed: acknowledged or read.
    pub(crate) seen_at: u64,
    /// When it was first acknowledged.
    pub(crate) acked_at: Option<u64>,
}

/// The reads of one reader with iterators that came each from the one before.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) reader: ReaderId,
    pub(crate) start: Start,
    pub(crate) asked_at: u64,
    pub(crate) opened_at: u64,
    /// The records in the order in which they came, each with the time of its read.
    pub(crate) records: Vec<(ReadRecord, u64)>,
}

/// A complete read.
#[derive(Debug)]
pub(crate) struct FinalRead<'a> {
    pub(crate) records: &'a [ReadRecord],
    pub(crate) started_at: u64,
    pub(crate) at: u64,
}

/// All that was seen of one shard.
#[derive(Debug, Default)]
pub(crate) struct ShardFacts<'a> {
    pub(crate) acks: Vec<Ack>,
    pub(crate) log: BTreeMap<SequenceNumber, Sighting>,
    pub(crate) chains: Vec<Chain>,
    pub(crate) finals: Vec<FinalRead<'a>>,
}

/// All that was seen.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) rules: Rules,
    pub(crate) attempts: BTreeMap<PayloadId, Attempts>,
    pub(crate) shards: BTreeMap<ShardRef, ShardFacts<'a>>,
    retention: BTreeMap<StreamName, RetentionHistory>,
    default_retention: RetentionHistory,
}

impl<'a> Facts<'a> {
    pub(crate) fn of(history: &'a History) -> Facts<'a> {
        let mut facts = Facts {
            rules: history.rules,
            attempts: BTreeMap::new(),
            shards: BTreeMap::new(),
            retention: BTreeMap::new(),
            default_retention: RetentionHistory::new(history.rules.retention_ms),
        };
        // Which of its shard's chains a reader is on.
        let mut current = BTreeMap::new();
        for event in &history.events {
            facts.add(event, &mut current);
        }
        facts
    }

    fn add(&mut self, event: &'a Event, current: &mut BTreeMap<(ReaderId, ShardRef), usize>) {
        match event {
            Event::PutAttempt { stream, payload, at, .. } => {
                let first = Attempts { stream: stream.clone(), first_at: *at, count: 0 };
                let attempts = self.attempts.entry(*payload).or_insert(first);
                attempts.count += 1;
                attempts.first_at = attempts.first_at.min(*at);
            }
            Event::PutAcked { shard, number, payload, at } => {
                let seen = self.shard(shard);
                seen.acks.push(Ack { number: *number, payload: *payload, at: *at });
                let sighting = seen.sight(*number, *payload, *at);
                sighting.acked_at = Some(sighting.acked_at.unwrap_or(*at).min(*at));
            }
            Event::IteratorOpened { reader, shard, start, at, asked_at } => {
                let chain = Chain::new(*reader, *start, *asked_at, *at);
                let index = self.shard(shard).begin(chain);
                current.insert((*reader, shard.clone()), index);
            }
            Event::Read { reader, shard, records, at } => {
                let seen = self.shard(shard);
                let index = *current
                    .entry((*reader, shard.clone()))
                    .or_insert_with(|| seen.begin(Chain::new(*reader, Start::Unknown, *at, *at)));
                for record in records {
                    seen.sight(record.number, record.payload, *at);
                    seen.chains[index].records.push((*record, *at));
                }
            }
            Event::ReaderRestarted { reader, .. } => current.retain(|(who, _), _| who != reader),
            Event::RetentionSet { stream, retention_ms, asked_at, at } => {
                let retention = self.retention.entry(stream.clone()).or_insert(self.default_retention.clone());
                retention.set(*retention_ms, *asked_at, *at);
            }
            Event::FinalRead { shard, records, started_at, at } => {
                let seen = self.shard(shard);
                for record in records {
                    seen.sight(record.number, record.payload, *at);
                }
                seen.finals.push(FinalRead { records, started_at: *started_at, at: *at });
            }
            Event::PutUnknown { .. } | Event::NodeCrashed { .. } => {}
        }
    }

    fn shard(&mut self, shard: &ShardRef) -> &mut ShardFacts<'a> {
        if !self.shards.contains_key(shard) {
            self.shards.insert(shard.clone(), ShardFacts::default());
        }
        self.shards.entry(shard.clone()).or_default()
    }

    fn retention(&self, stream: &StreamName) -> &RetentionHistory {
        self.retention.get(stream).unwrap_or(&self.default_retention)
    }

    /// Whether a record may have been trimmed by `now`. It arrived when it was first tried or later, and not much before
    /// the second that its number tells.
    pub(crate) fn may_be_gone(&self, shard: &ShardRef, number: SequenceNumber, payload: PayloadId, now: u64) -> bool {
        let tried_at = self.attempts.get(&payload).map_or(0, |attempts| attempts.first_at);
        let told = (number.arrival_sec() * 1_000).saturating_sub(self.rules.clock_error_ms);
        // A fast clock ages it early. That counts from its arrival, not up to now: the retention may have been raised in between.
        let arrived = tried_at.max(told).saturating_sub(self.rules.clock_error_ms);
        self.retention(&shard.stream).may_be_gone(arrived, now)
    }

    /// Whether a record must have been trimmed by `now`. It arrived before it was first seen, and not much after the
    /// second that its number tells.
    pub(crate) fn must_be_gone(&self, shard: &ShardRef, number: SequenceNumber, seen_at: u64, now: u64) -> bool {
        let told = (number.arrival_sec() + 1) * 1_000 + self.rules.clock_error_ms;
        let grace_ms = self.rules.grace_ms + self.rules.clock_error_ms;
        self.retention(&shard.stream).must_be_gone(seen_at.min(told), now, grace_ms)
    }
}

impl ShardFacts<'_> {
    fn sight(&mut self, number: SequenceNumber, payload: PayloadId, at: u64) -> &mut Sighting {
        let first = Sighting { payload, other: None, seen_at: at, acked_at: None };
        let sighting = self.log.entry(number).or_insert(first);
        sighting.seen_at = sighting.seen_at.min(at);
        if sighting.payload != payload {
            sighting.other = Some(payload);
        }
        sighting
    }

    fn begin(&mut self, chain: Chain) -> usize {
        self.chains.push(chain);
        self.chains.len() - 1
    }
}

impl Chain {
    fn new(reader: ReaderId, start: Start, asked_at: u64, opened_at: u64) -> Chain {
        Chain { reader, start, asked_at, opened_at, records: Vec::new() }
    }
}
