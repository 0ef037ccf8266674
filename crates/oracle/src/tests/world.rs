//! A service that does everything right, in memory, and clients that note what they see.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use types::{NodeId, RecordNumber, SequenceNumber, ShardId, StreamName};

use crate::{ClientId, Event, History, PayloadId, ReadRecord, ReaderId, Rules, ShardRef, Start};

/// Seconds rather than hours, so that short runs trim.
pub(crate) const RULES: Rules = Rules { retention_ms: 20_000, grace_ms: 5_000, clock_error_ms: 0 };
const CREATED_SEC: u64 = 1_000;
const SHARDS: u32 = 2;

#[derive(Debug, Clone)]
pub(crate) enum Step {
    Put { shard: u32, fate: Fate },
    Wait { ms: u64 },
    Trim,
    Open { reader: u64, shard: u32, start: u8, at: prop::sample::Index },
    Read { reader: u64, shard: u32, limit: usize },
    Restart { reader: u64 },
    Crash,
    Retain { ms: u64 },
    ReadAll { shard: u32 },
}

/// What became of a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Acked,
    /// It happened, but the client doesn't know, and tries again.
    LostReplyThenAcked,
    LostReply,
    LostRequest,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fate = prop_oneof![
        6 => Just(Fate::Acked),
        1 => Just(Fate::LostReplyThenAcked),
        1 => Just(Fate::LostReply),
        1 => Just(Fate::LostRequest),
    ];
    let (shard, reader) = (0..SHARDS, 0u64..3);
    let step = prop_oneof![
        10 => (shard.clone(), fate).prop_map(|(shard, fate)| Step::Put { shard, fate }),
        3 => (0u64..4_000).prop_map(|ms| Step::Wait { ms }),
        2 => Just(Step::Trim),
        2 => (reader.clone(), shard.clone(), 0u8..5, any::<prop::sample::Index>())
            .prop_map(|(reader, shard, start, at)| Step::Open { reader, shard, start, at }),
        6 => (reader.clone(), shard.clone(), 0usize..6)
            .prop_map(|(reader, shard, limit)| Step::Read { reader, shard, limit }),
        1 => reader.prop_map(|reader| Step::Restart { reader }),
        1 => Just(Step::Crash),
        1 => (5_000u64..40_000).prop_map(|ms| Step::Retain { ms }),
        1 => shard.prop_map(|shard| Step::ReadAll { shard }),
    ];
    vec(step, 0..80)
}

#[derive(Debug, Clone, Copy)]
struct Stored {
    record: ReadRecord,
    arrival: u64,
}

#[derive(Debug, Default)]
struct Shard {
    log: Vec<Stored>,
    trimmed: usize,
}

pub(crate) struct World {
    now: u64,
    payloads: u64,
    retention_ms: u64,
    shards: Vec<Shard>,
    /// Next position in the log of each reader's chain.
    cursors: BTreeMap<(u64, u32), usize>,
    pub(crate) history: History,
}

pub(crate) fn shard_ref(shard: u32) -> ShardRef {
    ShardRef { stream: StreamName::parse("flights").unwrap(), shard: ShardId(shard) }
}

pub(crate) fn world_of(steps: &[Step]) -> World {
    let mut world = World {
        now: CREATED_SEC * 1_000,
        payloads: 0,
        retention_ms: RULES.retention_ms,
        shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        cursors: BTreeMap::new(),
        history: History::new(RULES),
    };
    steps.iter().for_each(|step| world.step(step));
    world
}

impl World {
    /// The end of a run: whatever has expired is trimmed, every shard is read.
    pub(crate) fn finish(mut self) -> History {
        self.trim();
        (0..SHARDS).for_each(|shard| self.read_all(shard));
        self.history
    }

    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Put { shard, fate } => self.put(*shard, *fate),
            Step::Wait { ms } => {
                self.now += ms;
                // A shard that doesn't trim within the grace would break invariant 8.
                self.trim();
            }
            Step::Trim => self.trim(),
            Step::Open { reader, shard, start, at } => self.open(*reader, *shard, *start, at),
            Step::Read { reader, shard, limit } => self.read(*reader, *shard, *limit),
            Step::Restart { reader } => {
                self.cursors.retain(|(who, _), _| who != reader);
                let at = self.tick();
                self.history.record(Event::ReaderRestarted { reader: ReaderId(*reader), at });
            }
            Step::Crash => {
                let at = self.tick();
                self.history.record(Event::NodeCrashed { node: NodeId(1), at });
            }
            Step::Retain { ms } => {
                let (asked_at, stream) = (self.tick(), shard_ref(0).stream);
                self.retention_ms = *ms;
                let at = self.tick();
                self.history.record(Event::RetentionSet { stream, retention_ms: *ms, asked_at, at });
            }
            Step::ReadAll { shard } => self.read_all(*shard),
        }
    }

    fn put(&mut self, shard: u32, fate: Fate) {
        self.payloads += 1;
        let payload = PayloadId(self.payloads);
        self.attempt(payload);
        match fate {
            Fate::Acked => self.append_and_ack(shard, payload),
            Fate::LostReplyThenAcked => {
                self.append(shard, payload);
                self.attempt(payload);
                self.append_and_ack(shard, payload);
            }
            Fate::LostReply => {
                self.append(shard, payload);
            }
            Fate::LostRequest => {}
        }
        if matches!(fate, Fate::LostReply | Fate::LostRequest) {
            let at = self.tick();
            self.history.record(Event::PutUnknown { payload, at });
        }
    }

    fn attempt(&mut self, payload: PayloadId) {
        let (client, key, at) = (ClientId(1), format!("key {}", payload.0), self.tick());
        self.history.record(Event::PutAttempt { client, stream: shard_ref(0).stream, key, payload, at });
    }

    fn append(&mut self, shard: u32, payload: PayloadId) -> SequenceNumber {
        let arrival = self.tick();
        let log = &mut self.shards[shard as usize].log;
        let record = RecordNumber(log.len() as u64 + 1);
        let number = SequenceNumber::new(CREATED_SEC, record, arrival / 1_000, ShardId(shard));
        log.push(Stored { record: ReadRecord { number, payload }, arrival });
        number
    }

    fn append_and_ack(&mut self, shard: u32, payload: PayloadId) {
        let number = self.append(shard, payload);
        let at = self.tick();
        self.history.record(Event::PutAcked { shard: shard_ref(shard), number, payload, at });
    }

    fn trim(&mut self) {
        for shard in &mut self.shards {
            while shard.log.get(shard.trimmed).is_some_and(|stored| stored.arrival + self.retention_ms <= self.now) {
                shard.trimmed += 1;
            }
        }
    }

    fn open(&mut self, reader: u64, shard: u32, start: u8, at: &prop::sample::Index) {
        let asked_at = self.tick();
        let log = &self.shards[shard as usize];
        let some = (!log.log.is_empty()).then(|| at.index(log.log.len()));
        let (start, cursor) = match (start, some) {
            (1, _) => (Start::Latest, log.log.len()),
            (2, Some(i)) => (Start::At(log.log[i].record.number), i),
            (3, Some(i)) => (Start::After(log.log[i].record.number), i + 1),
            (4, Some(i)) => {
                let time = log.log[i].arrival;
                (Start::AtTimestamp(time), log.log.partition_point(|stored| stored.arrival < time))
            }
            _ => (Start::TrimHorizon, log.trimmed),
        };
        self.cursors.insert((reader, shard), cursor);
        let (reader, shard, at) = (ReaderId(reader), shard_ref(shard), self.tick());
        self.history.record(Event::IteratorOpened { reader, shard, start, at, asked_at });
    }

    fn read(&mut self, reader: u64, shard: u32, limit: usize) {
        let log = &self.shards[shard as usize];
        let Some(cursor) = self.cursors.get_mut(&(reader, shard)) else { return };
        let from = (*cursor).max(log.trimmed).min(log.log.len());
        let to = (from + limit).min(log.log.len());
        let records = log.log[from..to].iter().map(|stored| stored.record).collect();
        if to > from {
            *cursor = to;
        }
        let (reader, shard, at) = (ReaderId(reader), shard_ref(shard), self.tick());
        self.history.record(Event::Read { reader, shard, records, at });
    }

    fn read_all(&mut self, shard: u32) {
        let started_at = self.tick();
        let log = &self.shards[shard as usize];
        let records = log.log[log.trimmed..].iter().map(|stored| stored.record).collect();
        let at = self.tick();
        self.history.record(Event::FinalRead { shard: shard_ref(shard), records, started_at, at });
    }
}
