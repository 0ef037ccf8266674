//! The journal against a naive model, on a disk that loses power: whatever was acknowledged is there afterwards, nothing else is.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use env::sim::{self, Call, FaultDisk, FaultPlan, ProcessEnd, SeededRandom, SimClock};
use env::{Env, Random};
use journal::{Assigned, Frame, FrameKind, GroupLog, Journal, LogId, Options, Snapshot, Vote};
use types::{GroupId, RecordNumber, TimestampMs};

const GROUPS: u64 = 3;

fn options() -> Options {
    Options {
        file_bytes: 96 << 10,
        files_max: 5,
        flush_bytes: 40 << 10,
        tail_budget_bytes: 64 << 10,
        block_bytes_max: 16 << 10,
        free_bytes_reserve: 0,
        index_every_bytes: 2 << 10,
        maintenance_interval: Duration::from_millis(50),
    }
}

/// What is known of one group over all lives of the process.
#[derive(Default)]
struct Model {
    /// Every entry that was appended and not truncated, by index.
    entries: BTreeMap<u64, (u64, Bytes)>,
    /// Entries below this are durable.
    acked: Arc<AtomicU64>,
    /// Entries below this have been applied.
    applied: u64,
    purged: Option<LogId>,
    purge_tried: Option<LogId>,
    vote: Option<Vote>,
    vote_tried: Option<Vote>,
    term: u64,
    /// Whether nothing is applied in this life, as without a quorum.
    waits: bool,
}

impl Model {
    fn next(&self) -> u64 {
        self.entries.keys().next_back().map_or(0, |last| last + 1)
    }
}

struct Dice(SeededRandom);

impl Dice {
    fn below(&self, n: u64) -> u64 {
        self.0.u64() % n
    }
}

fn state_at(index: u64) -> Bytes {
    Bytes::from(index.to_string())
}

/// Every entry has one record whose number is its index.
fn assigned(index: u64) -> Assigned {
    Assigned { index, first_record: RecordNumber(index), count: 1, arrival: TimestampMs(1000 + index / 4) }
}

async fn step(log: &GroupLog, model: &mut Model, dice: &Dice) {
    match dice.below(12) {
        0..6 => append(log, model, dice),
        6..9 => apply(log, model).await,
        9 => {
            let vote = Vote { term: model.term + 1, node: 1, committed: dice.below(2) == 0 };
            model.term += 1;
            model.vote_tried = Some(vote);
            log.save_vote(vote).await.unwrap();
            model.vote = Some(vote);
        }
        10 => purge(log, model, dice).await,
        _ => truncate(log, model, dice).await,
    }
}

fn append(log: &GroupLog, model: &mut Model, dice: &Dice) {
    let mut frames = Vec::new();
    for _ in 0..1 + dice.below(4) {
        let index = model.next();
        let payload = Bytes::from(vec![index as u8; dice.below(3000) as usize]);
        let log_id = LogId { term: model.term, index };
        frames.push(Frame::new(log.id(), FrameKind::Normal, log_id, 0, payload.clone()));
        model.entries.insert(index, (model.term, payload));
    }
    let (acked, end) = (Arc::clone(&model.acked), model.next());
    log.append(
        frames,
        Box::new(move |result| {
            if result.is_ok() {
                acked.store(end, Ordering::SeqCst)
            }
        }),
    );
}

async fn apply(log: &GroupLog, model: &mut Model) {
    if model.waits {
        return;
    }
    // Sometimes everything appended has become durable by now, sometimes nothing.
    tokio::time::sleep(Duration::from_millis(3)).await;
    let acked = model.acked.load(Ordering::SeqCst);
    let assigned: Vec<_> = (model.applied..acked).map(assigned).collect();
    if let Some(last) = assigned.last() {
        log.applied(&assigned, Some(state_at(last.index)));
        model.applied = acked;
    }
}

async fn purge(log: &GroupLog, model: &mut Model, dice: &Dice) {
    let Some(index) = model.applied.checked_sub(1 + dice.below(40)) else { return };
    let upto = LogId { term: model.entries[&index].0, index };
    if model.purge_tried.is_none_or(|purged| purged < upto) {
        log.save_snapshot(Snapshot { log_id: upto, state: state_at(index) }).await.unwrap();
        model.purge_tried = Some(upto);
        log.purge(upto).await.unwrap();
        model.purged = Some(upto);
    }
}

async fn truncate(log: &GroupLog, model: &mut Model, dice: &Dice) {
    let next = model.next();
    if next <= model.applied || model.applied == 0 {
        return;
    }
    let keep = model.applied - 1 + dice.below(next - model.applied + 1);
    let last = LogId { term: model.entries[&keep].0, index: keep };
    // From here on the entries may be gone; after a crash in between they may still be there.
    model.acked = Arc::new(AtomicU64::new(model.acked.load(Ordering::SeqCst).min(keep + 1)));
    log.truncate_after(Some(last)).await.unwrap();
    model.acked.store(keep + 1, Ordering::SeqCst);
    model.entries.split_off(&(keep + 1));
}

/// Compares a recovered log with the model, then makes the model what was recovered.
async fn check(log: &GroupLog, model: &mut Model) {
    let acked = model.acked.load(Ordering::SeqCst);
    let recovered_next = log.last().map_or(0, |last| last.index + 1);
    assert!(recovered_next >= acked, "{}: acknowledged to {acked}, recovered to {recovered_next}", log.id());
    assert!(recovered_next <= model.next(), "phantom entries");
    assert!(log.vote() == model.vote || log.vote() == model.vote_tried, "vote {:?}", log.vote());
    assert!(log.purged() == model.purged || log.purged() == model.purge_tried, "purge point");
    let snapshot = log.snapshot().map(|snapshot| snapshot.log_id);
    assert!(snapshot >= log.purged(), "snapshot {snapshot:?} behind the purge point {:?}", log.purged());

    let first = log.purged().map_or(0, |purged| purged.index + 1);
    let mut next = first;
    while next < recovered_next {
        let frames = log.read(next..recovered_next, 5000).await.unwrap();
        assert!(!frames.is_empty(), "hole at {next}");
        for frame in frames {
            let (term, payload) = &model.entries[&next];
            assert_eq!((frame.log_id, &frame.payload), (LogId { term: *term, index: next }, payload));
            next += 1;
        }
    }
    let checkpoint = log.checkpoint();
    let restored = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.log_id.index + 1);
    if let Some(checkpoint) = checkpoint {
        assert_eq!(checkpoint.state, state_at(checkpoint.log_id.index), "the state is not that of its entry");
    }
    assert!(restored <= recovered_next, "the state is ahead of the log");
    model.entries.split_off(&recovered_next);
    model.acked.store(recovered_next, Ordering::SeqCst);
    model.applied = restored.max(first);
    (model.vote, model.vote_tried) = (log.vote(), log.vote());
    (model.purged, model.purge_tried) = (log.purged(), log.purged());
    apply(log, model).await;
    check_records(log, model, first).await;
}

/// Every applied record that was not purged can be read, from any position on.
async fn check_records(log: &GroupLog, model: &Model, first: u64) {
    let mut next = first;
    while next < model.applied {
        let frames = log.read_records(RecordNumber(next), 4000).await.unwrap();
        assert!(!frames.is_empty(), "record {next} of {} is not readable", model.applied);
        for frame in frames {
            assert_eq!(frame.first_record.0, next, "skipped or repeated");
            assert_eq!(frame.frame.payload, model.entries[&next].1);
            assert_eq!(frame.arrival, assigned(next).arrival);
            next += 1;
        }
    }
    assert!(log.read_records(RecordNumber(next), 4000).await.unwrap().is_empty());
    if model.applied > first {
        let at = first + (model.applied - first) / 2;
        let seek = log.seek_arrival(assigned(at).arrival).await.unwrap();
        let wanted = (first..model.applied).find(|index| assigned(*index).arrival >= assigned(at).arrival);
        assert_eq!(Some(seek.first_record.0), wanted);
        let before = seek.before.map(|before| before.next_record.0);
        assert_eq!(before.unwrap_or(first), wanted.unwrap());
    }
}

fn env(seed: u64, disk: &FaultDisk, end: ProcessEnd) -> Env {
    sim::env(seed, SimClock::new(1_700_000_000_000), disk.mount(), end)
}

/// One life of the process, up to the moment in which the test ends it.
async fn live(env: Env, models: &mut [Model], dice: &Dice, steps: u64, telemetry: &telemetry::Telemetry) {
    let (journal, report) = match Journal::open(env, options(), telemetry.clone()).await {
        // A process whose disk fails at start ends there.
        Err(journal::Error::Io(error)) if error.to_string().contains("injected") => return,
        opened => opened.unwrap(),
    };
    assert!(report.damage.is_empty(), "{report:?}");
    let logs: Vec<_> = (0..GROUPS).map(|id| journal.group(GroupId(id)).unwrap()).collect();
    for (log, model) in logs.iter().zip(models.iter_mut()) {
        check(log, model).await;
    }
    for _ in 0..steps {
        let at = dice.below(GROUPS) as usize;
        step(&logs[at], &mut models[at], dice).await;
        if journal.admission().is_err() {
            // What waits for ever makes no room.
            tokio::time::sleep(Duration::from_millis(if models[0].waits { 10 } else { 200 })).await;
            for (log, model) in logs.iter().zip(models.iter_mut()) {
                apply(log, model).await;
            }
        }
    }
    for (log, model) in logs.iter().zip(models.iter_mut()) {
        check_records(log, model, model.purged.map_or(0, |purged| purged.index + 1)).await;
    }
    if dice.below(4) == 0 {
        journal.close().await;
    }
}

fn run_seed(seed: u64) -> (u64, u64) {
    let disk = FaultDisk::new(seed, FaultPlan::default());
    let dice = Dice(SeededRandom::new(seed));
    let telemetry = telemetry::Telemetry::new();
    let mut models: Vec<Model> = (0..GROUPS).map(|_| Model::default()).collect();
    for life in 0..6 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        models[0].waits = dice.below(3) > 0;
        let (cut, mut aborted) = (disk.clone(), tokio::sync::watch::channel(false));
        let end = ProcessEnd::new(move |_| {
            cut.process_crash();
            let _ = aborted.0.send(true);
        });
        if dice.below(3) == 0 {
            disk.fail_nth(if dice.below(4) == 0 { Call::SyncDir } else { Call::Sync }, 1 + dice.below(60));
        }
        runtime.block_on(async {
            let world = env(seed * 100 + life, &disk, end.clone());
            tokio::select! {
                biased;
                _ = aborted.1.wait_for(|aborted| *aborted) => {}
                () = live(world, &mut models, &dice, 150, &telemetry) => {}
            }
        });
        drop(runtime);
        if dice.below(2) == 0 { disk.power_loss() } else { disk.process_crash() }
    }
    (telemetry.flushes.get(), telemetry.journal_blocks.get())
}

#[test]
fn nothing_acknowledged_is_lost_over_crashes_and_power_losses() {
    let (mut flushes, mut blocks) = (0, 0);
    let seeds = std::env::var("JOURNAL_SEEDS").map_or(60, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let (f, b) = std::panic::catch_unwind(|| run_seed(seed)).unwrap_or_else(|_| panic!("seed {seed}"));
        flushes += f;
        blocks += b;
    }
    assert!(flushes > 60 && blocks > 6000, "the test reached too little: {flushes} flushes, {blocks} blocks");
}

#[test]
fn a_batch_larger_than_a_file_is_there_after_power_loss() {
    let payload = |index: u64| Bytes::from(vec![index as u8; 5_000]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let disk = FaultDisk::new(1, FaultPlan::default());
        let telemetry = telemetry::Telemetry::new();
        let world = |start| env(start, &disk, ProcessEnd::default());
        let (journal, _) = Journal::open(world(1), options(), telemetry.clone()).await.unwrap();
        let log = journal.group(GroupId(1)).unwrap();
        // Of four files, as a replica that catches up may get them at once.
        let frame = |index| Frame::new(GroupId(1), FrameKind::Normal, LogId { term: 1, index }, 0, payload(index));
        let (done, durable) = tokio::sync::oneshot::channel();
        log.append((0..70).map(frame).collect(), Box::new(move |result| drop(done.send(result))));
        durable.await.unwrap().unwrap();
        disk.power_loss();
        let (journal, report) = Journal::open(world(2), options(), telemetry.clone()).await.unwrap();
        assert!(report.damage.is_empty() && !report.torn_tail, "{report:?}");
        let read = journal.group(GroupId(1)).unwrap().read(0..70, u64::MAX).await.unwrap();
        assert!(read.iter().map(|frame| frame.payload.clone()).eq((0..70).map(payload)), "{} entries", read.len());
    });
}
