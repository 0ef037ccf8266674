//! The owner of a shard: the one task that proposes its puts.
//!
//! One entry is in flight at a time. What arrives meanwhile gathers into the next, so that batches grow with the load and nobody
//! waits for a timer; and a put that is answered before another is sent has the smaller numbers.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use raft_group::ProposeError;
use shard_state::{Batch, Outcome, encode_put};
use tokio::sync::{mpsc, oneshot, watch};
use types::RecordNumber;

use crate::budget::Lease;
use crate::gather::{EntryLimit, Gathering, shares};
use crate::shard::{Shard, stopped};
use crate::{AppendError, Appended, reply};

/// The answer to one put.
pub(crate) type Answer = Result<Appended, AppendError>;

/// A put that was admitted.
pub(crate) struct Put {
    pub(crate) batch: Batch,
    /// If its records may be in the log already: one at or before the first of them.
    pub(crate) repeated_since: Option<RecordNumber>,
    pub(crate) waiting: Waiting,
}

/// Who put it.
pub(crate) struct Waiting {
    pub(crate) answer: oneshot::Sender<Answer>,
    /// Held until the put is answered, and longer where its entry is still in flight.
    pub(crate) lease: Lease,
}

impl Waiting {
    fn answer(self, answer: Answer) -> Lease {
        // Nobody listens if the client has gone; the records stay.
        let _ = self.answer.send(answer);
        self.lease
    }
}

pub(crate) struct Owner {
    pub(crate) shard: Arc<Shard>,
    pub(crate) puts: mpsc::UnboundedReceiver<Put>,
    /// Set to end; held as long as this runs.
    pub(crate) stop: watch::Receiver<bool>,
    pub(crate) limit: EntryLimit,
}

impl Owner {
    /// Runs until `stop` is set and every put that was admitted before is answered.
    pub(crate) async fn run(mut self) {
        let mut ahead = None;
        while let Some(first) = self.next(&mut ahead).await {
            let Some(first) = self.settle_repeated(first).await else { continue };
            let mut gathering = Gathering::new(self.limit);
            let mut next = Some(first);
            while let Some(put) = next.take() {
                if let Err((batch, waiting)) = gathering.offer(put.batch, put.waiting) {
                    ahead = Some(Put { batch, repeated_since: put.repeated_since, waiting });
                    break;
                }
                next = self.puts.try_recv().ok();
                // Searched for when nothing is in flight.
                ahead = next.take_if(|put| put.repeated_since.is_some());
            }
            self.carry_out(gathering, &mut ahead).await;
        }
    }

    /// Answers a put whose records are in the log already; gives back one whose aren't. Here nothing of this shard is in flight, and all
    /// that earlier leaders have committed is applied, so that what is not found never will be.
    async fn settle_repeated(&self, put: Put) -> Option<Put> {
        let found = match self.shard.serves() {
            Ok(()) => self.shard.found_again(put.batch.id, put.repeated_since).await,
            Err(reason) => Err(reason.into()),
        };
        let answer = match found {
            Ok(None) => return Some(put),
            Ok(Some(appended)) => Ok(appended),
            Err(error) => Err(error),
        };
        drop(put.waiting.answer(answer));
        None
    }

    /// The next put; `None` when there will be none.
    async fn next(&mut self, ahead: &mut Option<Put>) -> Option<Put> {
        if let Some(put) = ahead.take() {
            return Some(put);
        }
        tokio::select! {
            biased;
            put = self.puts.recv() => put,
            () = stopped(&mut self.stop) => {
                self.puts.close();
                self.puts.recv().await
            }
        }
    }

    async fn carry_out(&mut self, gathering: Gathering<Waiting>, ahead: &mut Option<Put>) {
        if let Err(reason) = self.shard.serves() {
            let answer = AppendError::from(reason);
            gathering.into_waiting().into_iter().for_each(|(_, waiting)| drop(waiting.answer(Err(answer.clone()))));
            return;
        }
        let arrival = self.shard.clock.now().max(self.shard.published().last_arrival);
        let entry = encode_put(arrival, gathering.batches());
        self.shard.telemetry.put_entry_batches.observe(gathering.batches().len() as f64);
        let entry_bytes = entry.len();
        let waiting = gathering.into_waiting();
        if let Some(result) = self.propose(entry, waiting, ahead).await {
            self.settle(result, entry_bytes);
        }
    }

    /// Proposes the entry and answers who waits for it. A disk that is stuck must not keep them: when the deadline has passed, they
    /// are answered without knowing, and those behind them are refused, again and again, until the entry comes through.
    async fn propose(
        &mut self,
        entry: Bytes,
        waiting: Vec<(u32, Waiting)>,
        ahead: &mut Option<Put>,
    ) -> Option<(Result<Bytes, ProposeError>, Vec<(u32, Waiting)>)> {
        let shard = Arc::clone(&self.shard);
        let mut proposal = pin!(shard.group.propose(entry));
        tokio::select! {
            biased;
            result = &mut proposal => return Some((result, waiting)),
            () = shard.env.clock.sleep(shard.append_deadline) => {}
        }
        tracing::warn!(group = %shard.group_id, "a put has had no answer within its deadline: is the disk stuck?");
        let unknown = || AppendError::Unknown(format!("no answer within {:?}", shard.append_deadline));
        // Their bytes are still in memory: they count until the entry is through.
        let _leases: Vec<Lease> = waiting.into_iter().map(|(_, waiting)| waiting.answer(Err(unknown()))).collect();
        loop {
            let refused = ahead.take().into_iter().chain(std::iter::from_fn(|| self.puts.try_recv().ok()));
            refused.for_each(|put| drop(put.waiting.answer(Err(AppendError::Overloaded))));
            tokio::select! {
                biased;
                _ = &mut proposal => return None,
                // The end of the group ends the proposal.
                () = stopped(&mut self.stop) => return None,
                () = shard.env.clock.sleep(shard.append_deadline) => {}
            }
        }
    }

    fn settle(&self, (result, waiting): (Result<Bytes, ProposeError>, Vec<(u32, Waiting)>), entry_bytes: usize) {
        let records: u32 = waiting.iter().map(|(count, _)| count).sum();
        let applied = match result {
            Ok(answer) => match reply::decode(&answer) {
                Some(applied) if applied.outcome == Outcome::Accepted && applied.count == records => Ok(applied),
                Some(applied) if applied.outcome == Outcome::RejectedClosed => Err(AppendError::Closed),
                _ => Err(AppendError::Unknown("the state machine's answer makes no sense".into())),
            },
            Err(ProposeError::NotLeader { leader }) => Err(AppendError::NotLeader { leader }),
            Err(error) => Err(AppendError::Unknown(error.to_string())),
        };
        match applied {
            Ok(applied) => {
                self.shard.telemetry.put_records.inc_by(u64::from(records));
                self.shard.telemetry.put_bytes.inc_by(entry_bytes as u64);
                for (first_record, accepted, waiting) in shares(applied.first_record, waiting) {
                    drop(waiting.answer(Ok(Appended { first_record, arrival: applied.arrival, accepted })));
                }
            }
            Err(error) => {
                waiting.into_iter().for_each(|(_, waiting)| drop(waiting.answer(Err(error.clone()))));
            }
        }
    }
}
