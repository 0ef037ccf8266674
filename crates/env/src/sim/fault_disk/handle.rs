use std::io::{self, ErrorKind};
use std::sync::Arc;

use bytes::Bytes;

use super::mount::{Mount, pause};
use super::names::Id;
use super::plan::Call;
use super::state::State;
use crate::{BoxFuture, File};

/// An open file of a [`Mount`].
pub(super) struct Handle {
    inner: Arc<Inner>,
}

/// Kept by the handle and by its running calls: the file is closed after the last of them.
struct Inner {
    mount: Mount,
    id: Id,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let mut state = self.mount.disk.state.lock();
        if state.generation == self.mount.generation {
            state.closed(self.id);
        }
    }
}

impl Handle {
    /// A handle that the disk already counts as opened.
    pub(super) fn new(mount: Mount, id: Id) -> Self {
        Self { inner: Arc::new(Inner { mount, id }) }
    }

    fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut State, Id) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<T>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.mount.timed(|state| call(state, inner.id)).await })
    }
}

impl File for Handle {
    fn len(&self) -> BoxFuture<'static, io::Result<u64>> {
        self.run(|state, id| Ok(state.content(id)?.0.len()))
    }

    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'static, io::Result<Bytes>> {
        self.run(move |state, id| read_at(state, id, offset, length))
    }

    fn write_at(&self, offset: u64, slices: Vec<Bytes>) -> BoxFuture<'static, io::Result<()>> {
        self.run(move |state, id| write_at(state, id, offset, slices))
    }

    fn sync(&self) -> BoxFuture<'static, io::Result<()>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(sync(inner))
    }

    fn punch_hole(&self, offset: u64, length: u64) -> BoxFuture<'static, io::Result<()>> {
        self.run(move |state, id| punch_hole(state, id, offset, length))
    }
}

fn read_at(state: &mut State, id: Id, offset: u64, length: usize) -> io::Result<Bytes> {
    if state.fails(Call::Read) {
        return Err(io::Error::other("injected: read failed"));
    }
    state.maybe_rot(id, offset, length as u64)?;
    let bytes = state.content(id)?.0.read(offset, length);
    state.counts.reads += 1;
    Ok(bytes)
}

fn write_at(state: &mut State, id: Id, offset: u64, mut slices: Vec<Bytes>) -> io::Result<()> {
    let length: u64 = slices.iter().map(|slice| slice.len() as u64).sum();
    offset.checked_add(length).ok_or(ErrorKind::FileTooLarge)?;
    let fails = state.fails(Call::Write);
    if fails {
        cut(&mut slices, state.below(length + 1));
    }

    let free_before = state.free_blocks();
    let mut free = free_before;
    let (content, mut chance) = state.content(id)?;
    let result = content.write(offset, &slices, &mut free, &mut chance);
    state.note_free_blocks(free_before, free);

    match result {
        Err(error) => {
            state.counts.refused_full += 1;
            Err(error)
        }
        Ok(()) if fails => Err(io::Error::other("injected: write failed")),
        Ok(()) => {
            state.counts.writes += 1;
            Ok(())
        }
    }
}

/// Leaves the first `length` bytes of `slices`.
fn cut(slices: &mut [Bytes], mut length: u64) {
    for slice in slices {
        let kept = length.min(slice.len() as u64);
        slice.truncate(kept as usize);
        length -= kept;
    }
}

fn punch_hole(state: &mut State, id: Id, offset: u64, length: u64) -> io::Result<()> {
    let free_before = state.free_blocks();
    let mut free = free_before;
    state.content(id)?.0.punch(offset, length, &mut free);
    state.note_free_blocks(free_before, free);
    Ok(())
}

/// Makes durable what was written before it began, at one moment of the time it takes.
async fn sync(inner: Arc<Inner>) -> io::Result<()> {
    let (mount, id) = (&inner.mount, inner.id);
    let timing = mount.timing(true)?;
    let set = mount.enter()?.content(id)?.0.begin_sync();
    pause(timing.before).await;
    {
        let mut state = mount.enter()?;
        let fails = state.fails(Call::Sync);
        let (content, mut chance) = state.content(id)?;
        if fails {
            content.fail_sync(set, &mut chance);
            return Err(io::Error::other("injected: sync failed"));
        }
        content.finish_sync(set);
        state.counts.syncs += 1;
    }
    pause(timing.after).await;
    Ok(())
}
