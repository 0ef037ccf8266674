//! The open files of segments: those that were used last. What is stored grows for as long as there is disk, and file descriptors don't.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use env::{Disk, File, Shortage};
use parking_lot::Mutex;

use crate::layout;

/// Segments that are open at once, reads in flight aside: an eighth of the 1,024 descriptors that a process has where nobody raised
/// the limit. Opening one again costs some ten microseconds, less than the read that follows.
pub(crate) const SEGMENT_FILES_MAX: usize = 128;

pub(crate) struct OpenFiles {
    disk: Arc<dyn Disk>,
    max: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// By segment, with the time of its last use.
    files: BTreeMap<u64, (u64, Arc<dyn File>)>,
    /// The segments by that time.
    by_use: BTreeMap<u64, u64>,
    now: u64,
}

impl OpenFiles {
    pub(crate) fn new(disk: Arc<dyn Disk>, max: usize) -> Arc<Self> {
        Arc::new(Self { disk, max, open: Mutex::default() })
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// The segment's file, opened if need be. It stays usable for as long as the caller holds it.
    pub(crate) async fn get(&self, id: u64) -> io::Result<Arc<dyn File>> {
        if let Some(file) = self.open.lock().touch(id) {
            return Ok(file);
        }
        let path = layout::segment_file(id);
        let file = match self.disk.open(&path).await {
            Err(error) if Shortage::of(&error) == Some(Shortage::Handles) => {
                *self.open.lock() = Open::default();
                self.disk.open(&path).await?
            }
            opened => opened?,
        };
        self.open.lock().insert(id, Arc::clone(&file), self.max);
        Ok(file)
    }

    /// The segment has been removed: its space is given back once nobody holds its file.
    pub(crate) fn forget(&self, id: u64) {
        self.open.lock().remove(id);
    }
}

impl Open {
    fn touch(&mut self, id: u64) -> Option<Arc<dyn File>> {
        let (used, file) = self.files.get_mut(&id)?;
        self.by_use.remove(used);
        *used = self.now;
        self.by_use.insert(self.now, id);
        self.now += 1;
        Some(Arc::clone(file))
    }

    fn insert(&mut self, id: u64, file: Arc<dyn File>, max: usize) {
        self.remove(id);
        self.files.insert(id, (self.now, file));
        self.by_use.insert(self.now, id);
        self.now += 1;
        while self.files.len() > max {
            let Some((_, oldest)) = self.by_use.pop_first() else { return };
            self.files.remove(&oldest);
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some((used, _)) = self.files.remove(&id) {
            self.by_use.remove(&used);
        }
    }
}

#[cfg(test)]
mod tests {
    use env::sim::{FaultDisk, FaultPlan};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_used_stay_open_and_the_others_are_opened_again() {
        let disk = FaultDisk::new(1, FaultPlan { handles_max: 3, ..FaultPlan::default() });
        let mount = disk.mount();
        mount.create_dir(layout::SEGMENT_DIR).await.unwrap();
        for id in 0..5 {
            mount.create(&layout::segment_file(id)).await.unwrap();
        }
        let files = OpenFiles::new(Arc::clone(&mount), 2);
        let held = files.get(0).await.unwrap();
        for id in [1, 2, 1, 3, 4, 1, 0] {
            files.get(id).await.unwrap();
        }
        assert_eq!(files.open.lock().files.keys().copied().collect::<Vec<_>>(), [0, 1]);
        assert_eq!(held.len().await.unwrap(), 0, "a read in flight keeps its file");
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_file_can_be_opened_the_idle_ones_give_way() {
        let disk = FaultDisk::new(1, FaultPlan { handles_max: 2, ..FaultPlan::default() });
        let mount = disk.mount();
        mount.create_dir(layout::SEGMENT_DIR).await.unwrap();
        for id in 0..4 {
            mount.create(&layout::segment_file(id)).await.unwrap();
        }
        let files = OpenFiles::new(mount, 100);
        for id in 0..4 {
            files.get(id).await.unwrap();
        }
        assert!(files.open.lock().files.len() <= 2);
    }
}
