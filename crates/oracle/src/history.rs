use std::fmt;

use types::{NodeId, SequenceNumber, ShardId, StreamName};

/// What a record carries to be recognised by: unique among all puts of a run; a retry carries that of the first try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PayloadId(pub u64);

/// A client that puts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// A client that reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReaderId(pub u64);

/// A shard of a stream.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShardRef {
    /// The stream.
    pub stream: StreamName,
    /// The shard.
    pub shard: ShardId,
}

impl fmt::Display for ShardRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stream, self.shard)
    }
}

/// A record as a reader saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadRecord {
    /// Its sequence number.
    pub number: SequenceNumber,
    /// What it carried. Bytes that no client ever put get an id that none ever used.
    pub payload: PayloadId,
}

/// Where an iterator was asked to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// TRIM_HORIZON.
    TrimHorizon,
    /// LATEST.
    Latest,
    /// AT_SEQUENCE_NUMBER.
    At(SequenceNumber),
    /// AFTER_SEQUENCE_NUMBER.
    After(SequenceNumber),
    /// AT_TIMESTAMP, in milliseconds.
    AtTimestamp(u64),
    /// Not recorded: the iterator's beginning is not judged.
    Unknown,
}

/// Something that happened. `at` and the like are the harness' true time in milliseconds, whatever the nodes' clocks say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client is about to send a put; again before each retry.
    PutAttempt {
        /// Who.
        client: ClientId,
        /// Where to.
        stream: StreamName,
        /// The partition key.
        key: String,
        /// What.
        payload: PayloadId,
        /// Before the request left.
        at: u64,
    },
    /// A put succeeded.
    PutAcked {
        /// The shard in the reply.
        shard: ShardRef,
        /// The sequence number in the reply.
        number: SequenceNumber,
        /// What was put.
        payload: PayloadId,
        /// After the reply came.
        at: u64,
    },
    /// A put failed or got no reply: it may have happened.
    PutUnknown {
        /// What was put.
        payload: PayloadId,
        /// When the client gave up.
        at: u64,
    },
    /// A reader got a new iterator; its reads of the shard from here on form a chain.
    IteratorOpened {
        /// Who.
        reader: ReaderId,
        /// Of which shard.
        shard: ShardRef,
        /// From where.
        start: Start,
        /// After the reply came; before it LATEST is undecided.
        at: u64,
        /// Before the request left.
        asked_at: u64,
    },
    /// A reader read with the newest iterator of its chain.
    Read {
        /// Who.
        reader: ReaderId,
        /// What of.
        shard: ShardRef,
        /// The records, in the order of the reply.
        records: Vec<ReadRecord>,
        /// After the reply came.
        at: u64,
    },
    /// A reader forgot its iterators.
    ReaderRestarted {
        /// Who.
        reader: ReaderId,
        /// When.
        at: u64,
    },
    /// A node crashed. Excuses nothing; for whoever reads the history.
    NodeCrashed {
        /// Which.
        node: NodeId,
        /// When.
        at: u64,
    },
    /// A stream's retention was changed.
    RetentionSet {
        /// Which.
        stream: StreamName,
        /// Milliseconds from now on.
        retention_ms: u64,
        /// Before the request left.
        asked_at: u64,
        /// After the reply came.
        at: u64,
    },
    /// A shard was read completely, from its trim horizon to its end. At least one for each shard, at the run's end.
    FinalRead {
        /// Which.
        shard: ShardRef,
        /// All its records, in the order of the replies.
        records: Vec<ReadRecord>,
        /// Before the first request left.
        started_at: u64,
        /// After the last reply came.
        at: u64,
    },
}

/// What the run allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Milliseconds for which streams keep records until a [`Event::RetentionSet`] says otherwise.
    pub retention_ms: u64,
    /// Milliseconds after the retention within which a record must be gone.
    pub grace_ms: u64,
    /// Milliseconds by which a node's clock may be wrong. Within it a shard may trim early or late.
    pub clock_error_ms: u64,
}

/// The recorder: events in the order in which they happened.
#[derive(Debug, Clone)]
pub struct History {
    /// What the run allows.
    pub rules: Rules,
    /// What happened.
    pub events: Vec<Event>,
}

impl History {
    /// Nothing has happened.
    #[must_use]
    pub fn new(rules: Rules) -> History {
        History { rules, events: Vec::new() }
    }

    /// Notes the next event.
    pub fn record(&mut self, event: Event) {
        self.events.push(event);
    }
}
