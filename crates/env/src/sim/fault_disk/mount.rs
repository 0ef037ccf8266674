use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::MutexGuard;

use super::FaultDisk;
use super::block::BLOCK_BYTES;
use super::content::Content;
use super::handle::Handle;
use super::plan::Call;
use super::state::{State, Timing};
use crate::{BoxFuture, DirLock, Disk, File};

/// A disk as one start of a process sees it.
#[derive(Clone)]
pub(super) struct Mount {
    pub(super) disk: FaultDisk,
    pub(super) generation: u64,
}

/// The error of a call by a process that has crashed.
fn dead() -> io::Error {
    io::Error::other("the process that made this call has crashed")
}

pub(super) async fn pause(duration: Duration) {
    // No timer for nothing, so that a disk without latency also works where there is none.
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}

impl Mount {
    /// The disk, as long as the process lives.
    pub(super) fn enter(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.disk.state.lock();
        if state.generation != self.generation {
            state.counts.dead_calls += 1;
            return Err(dead());
        }
        Ok(state)
    }

    pub(super) fn timing(&self, is_sync: bool) -> io::Result<Timing> {
        Ok(self.enter()?.timing(is_sync))
    }

    /// Runs `call` on the living disk, after and before its share of the latency. What `call` owns is dropped under the disk's lock,
    /// so it may not own a handle.
    pub(super) async fn timed<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let timing = self.timing(false)?;
        pause(timing.before).await;
        let result = call(&mut *self.enter()?);
        pause(timing.after).await;
        result
    }

    fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&mut State) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<T>> {
        let mount = self.clone();
        Box::pin(async move { mount.timed(call).await })
    }

    /// Opens the file that `find` gives.
    fn open_with(
        &self,
        find: impl FnOnce(&mut State) -> io::Result<u64> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let mount = self.clone();
        self.run(move |state| {
            state.check_handles()?;
            let id = find(state)?;
            state.opened(id);
            Ok(Arc::new(Handle::new(mount, id)) as Arc<dyn File>)
        })
    }
}

fn create(state: &mut State, path: &str) -> io::Result<u64> {
    if state.free_blocks() == 0 {
        state.counts.refused_full += 1;
        return Err(ErrorKind::StorageFull.into());
    }
    let id = state.names.create(path)?;
    state.files.insert(id, Content::default());
    Ok(id)
}

impl Disk for Mount {
    fn create(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let path = path.to_owned();
        self.open_with(move |state| create(state, &path))
    }

    fn open(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let path = path.to_owned();
        self.open_with(move |state| state.names.file(&path))
    }

    fn create_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let path = path.to_owned();
        self.run(move |state| state.names.create_dir(&path))
    }

    fn list(&self, path: &str) -> BoxFuture<'static, io::Result<Vec<String>>> {
        let path = path.to_owned();
        self.run(move |state| state.names.list(&path))
    }

    fn rename(&self, from: &str, to: &str) -> BoxFuture<'static, io::Result<()>> {
        let (from, to) = (from.to_owned(), to.to_owned());
        self.run(move |state| state.names.rename(&from, &to))
    }

    fn remove(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let path = path.to_owned();
        self.run(move |state| state.names.remove(&path))
    }

    fn sync_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let mount = self.clone();
        let path = path.to_owned();
        Box::pin(async move {
            let timing = mount.timing(true)?;
            pause(timing.before).await;
            sync_dir(&mut *mount.enter()?, &path)?;
            pause(timing.after).await;
            Ok(())
        })
    }

    fn free_bytes(&self) -> BoxFuture<'static, io::Result<u64>> {
        self.run(|state| Ok(state.free_blocks() * BLOCK_BYTES as u64))
    }

    fn lock(&self, path: &str) -> BoxFuture<'static, io::Result<Box<dyn DirLock>>> {
        let mount = self.clone();
        let path = path.to_owned();
        self.run(move |state| {
            match state.names.file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => drop(create(state, &path)?),
                other => drop(other?),
            }
            if !state.locks.insert(path.clone()) {
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(Box::new(Lock { mount, path }) as Box<dyn DirLock>)
        })
    }

    fn for_dedicated(self: Arc<Self>) -> Arc<dyn Disk> {
        self
    }
}

fn sync_dir(state: &mut State, path: &str) -> io::Result<()> {
    if state.fails(Call::SyncDir) {
        return Err(io::Error::other("injected: sync of the directory failed"));
    }
    state.names.sync_dir(path)?;
    state.counts.dir_syncs += 1;
    // The durable directory no longer names what was removed.
    state.free_unreferenced();
    Ok(())
}

struct Lock {
    mount: Mount,
    path: String,
}

impl DirLock for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut state = self.mount.disk.state.lock();
        if state.generation == self.mount.generation {
            state.locks.remove(&self.path);
        }
    }
}
