use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use types::{GroupId, ReplicaId};

use crate::Error;
use crate::error::NoService;
use crate::shard::Shard;

/// What there is of one shard on this node.
#[derive(Clone)]
enum Slot {
    /// It is being opened or dropped.
    Busy,
    Open(Arc<Shard>),
    /// The data of this replica is damaged.
    Corrupt(ReplicaId, String),
}

/// The shards of this node.
#[derive(Default)]
pub(crate) struct Slots {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    slots: BTreeMap<GroupId, Slot>,
    closed: bool,
}

/// A shard that is being opened or dropped by whoever holds this. Dropped without [`Claim::settle`], nothing is left of it.
pub(crate) struct Claim<'a> {
    slots: &'a Slots,
    group: GroupId,
    replica: ReplicaId,
    settled: bool,
}

/// What opening a shard begins with.
pub(crate) enum Opening<'a> {
    New(Claim<'a>),
    Open(Arc<Shard>),
}

impl Slots {
    /// The shard, if it can serve.
    pub(crate) fn get(&self, group: GroupId) -> Result<Arc<Shard>, NoService> {
        match self.state.lock().slots.get(&group) {
            Some(Slot::Open(shard)) => Ok(Arc::clone(shard)),
            Some(Slot::Busy) => Err(NoService::Unavailable("it is being opened or dropped".into())),
            Some(Slot::Corrupt(_, reason)) => Err(NoService::Corrupt(reason.clone())),
            None => Err(NoService::UnknownShard),
        }
    }

    /// Begins to open a shard.
    pub(crate) fn begin_open(&self, group: GroupId, replica: ReplicaId) -> Result<Opening<'_>, Error> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        match state.slots.get(&group) {
            Some(Slot::Open(shard)) if shard.replica == replica => return Ok(Opening::Open(Arc::clone(shard))),
            // The other replica has to go first.
            Some(Slot::Open(_) | Slot::Busy) => return Err(Error::Busy(group)),
            Some(Slot::Corrupt(damaged, reason)) if *damaged == replica => {
                return Err(Error::Corrupt { group, reason: reason.clone() });
            }
            Some(Slot::Corrupt(..)) | None => {}
        }
        state.slots.insert(group, Slot::Busy);
        Ok(Opening::New(Claim { slots: self, group, replica, settled: false }))
    }

    /// Begins to drop a shard's replica, or whatever is there of it. There is no claim where the shard has another replica here, which
    /// stays.
    pub(crate) fn begin_drop(
        &self,
        group: GroupId,
        replica: ReplicaId,
    ) -> Result<(Option<Claim<'_>>, Option<Arc<Shard>>), Error> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::Closed);
        }
        let shard = match state.slots.get(&group) {
            Some(Slot::Busy) => return Err(Error::Busy(group)),
            Some(Slot::Open(shard)) if shard.replica == replica => Some(Arc::clone(shard)),
            Some(Slot::Corrupt(damaged, _)) if *damaged == replica => None,
            Some(Slot::Open(_) | Slot::Corrupt(..)) => return Ok((None, None)),
            None => None,
        };
        state.slots.insert(group, Slot::Busy);
        Ok((Some(Claim { slots: self, group, replica, settled: false }), shard))
    }

    /// The replicas whose stored data is damaged.
    pub(crate) fn corrupt(&self) -> Vec<(GroupId, ReplicaId)> {
        let state = self.state.lock();
        let corrupt = |(group, slot): (&GroupId, &Slot)| match slot {
            Slot::Corrupt(replica, _) => Some((*group, *replica)),
            Slot::Busy | Slot::Open(_) => None,
        };
        state.slots.iter().filter_map(corrupt).collect()
    }

    /// Lets no shard be opened or dropped from now on, those under way included.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
    }

    /// The shards that are open.
    pub(crate) fn open_shards(&self) -> Vec<Arc<Shard>> {
        let state = self.state.lock();
        let open =
            state.slots.values().filter_map(|slot| if let Slot::Open(shard) = slot { Some(shard) } else { None });
        open.map(Arc::clone).collect()
    }
}

impl Claim<'_> {
    /// The shard is open; `false` if the data plane has been closed meanwhile, and the shard is not among the open ones.
    #[must_use]
    pub(crate) fn settle(self, shard: Arc<Shard>) -> bool {
        self.put(Slot::Open(shard))
    }

    /// The shard's data is damaged.
    pub(crate) fn corrupt(self, reason: String) {
        let replica = self.replica;
        self.put(Slot::Corrupt(replica, reason));
    }

    fn put(mut self, slot: Slot) -> bool {
        let slots = self.slots;
        let mut state = slots.state.lock();
        if !state.closed {
            state.slots.insert(self.group, slot);
            self.settled = true;
        }
        // Before the claim is dropped, which takes the lock again if nothing was settled.
        drop(state);
        self.settled
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.slots.state.lock().slots.remove(&self.group);
        }
    }
}
