use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use types::GroupId;

use crate::Error;
use crate::error::NoService;
use crate::shard::Shard;

/// What there is of one shard on this node.
#[derive(Clone)]
enum Slot {
    /// It is being opened or dropped.
    Busy,
    Open(Arc<Shard>),
    /// Its data is damaged.
    Corrupt(String),
}

/// The shards of this node.
#[derive(Default)]
pub(crate) struct Slots {
    slots: Mutex<BTreeMap<GroupId, Slot>>,
}

/// A shard that is being opened or dropped by whoever holds this. Dropped without [`Claim::settle`], nothing is left of it.
pub(crate) struct Claim<'a> {
    slots: &'a Slots,
    group: GroupId,
}

/// What opening a shard begins with.
pub(crate) enum Opening<'a> {
    New(Claim<'a>),
    Open(Arc<Shard>),
}

impl Slots {
    /// The shard, if it can serve.
    pub(crate) fn get(&self, group: GroupId) -> Result<Arc<Shard>, NoService> {
        match self.slots.lock().get(&group) {
            Some(Slot::Open(shard)) => Ok(Arc::clone(shard)),
            Some(Slot::Busy) => Err(NoService::Unavailable("it is being opened or dropped".into())),
            Some(Slot::Corrupt(reason)) => Err(NoService::Corrupt(reason.clone())),
            None => Err(NoService::UnknownShard),
        }
    }

    /// Begins to open a shard.
    pub(crate) fn begin_open(&self, group: GroupId) -> Result<Opening<'_>, Error> {
        let mut slots = self.slots.lock();
        match slots.get(&group) {
            Some(Slot::Open(shard)) => return Ok(Opening::Open(Arc::clone(shard))),
            Some(Slot::Busy) => return Err(Error::Busy(group)),
            Some(Slot::Corrupt(reason)) => return Err(Error::Corrupt { group, reason: reason.clone() }),
            None => {}
        }
        slots.insert(group, Slot::Busy);
        Ok(Opening::New(Claim { slots: self, group }))
    }

    /// Begins to drop a shard, or whatever is there of it.
    pub(crate) fn begin_drop(&self, group: GroupId) -> Result<(Claim<'_>, Option<Arc<Shard>>), Error> {
        let mut slots = self.slots.lock();
        let shard = match slots.get(&group) {
            Some(Slot::Busy) => return Err(Error::Busy(group)),
            Some(Slot::Open(shard)) => Some(Arc::clone(shard)),
            Some(Slot::Corrupt(_)) | None => None,
        };
        slots.insert(group, Slot::Busy);
        Ok((Claim { slots: self, group }, shard))
    }

    /// The shards that are open.
    pub(crate) fn open_shards(&self) -> Vec<Arc<Shard>> {
        let slots = self.slots.lock();
        let open = slots.values().filter_map(|slot| if let Slot::Open(shard) = slot { Some(shard) } else { None });
        open.map(Arc::clone).collect()
    }
}

impl Claim<'_> {
    /// The shard is open.
    pub(crate) fn settle(self, shard: Arc<Shard>) {
        self.put(Slot::Open(shard));
    }

    /// The shard's data is damaged.
    pub(crate) fn corrupt(self, reason: String) {
        self.put(Slot::Corrupt(reason));
    }

    fn put(self, slot: Slot) {
        self.slots.slots.lock().insert(self.group, slot);
        std::mem::forget(self);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.slots.slots.lock().remove(&self.group);
    }
}
