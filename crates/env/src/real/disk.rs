use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use rustix::fs::FlockOperation;

use super::file::RealFile;
use super::path::resolve;
use crate::{BoxFuture, DirLock, Disk, File};

/// A directory of the machine's file system.
#[derive(Clone)]
pub struct RealDisk {
    root: Arc<Path>,
    mode: Mode,
    /// The directories that were ever synced, a handful, held open: making a name durable must not fail for want of a file descriptor.
    dirs: Arc<Mutex<BTreeMap<PathBuf, Arc<std::fs::File>>>>,
}

/// Who makes the system calls.
#[derive(Clone, Copy)]
pub(super) enum Mode {
    /// The thread that polls the future.
    Blocking,
    /// A thread of tokio's blocking pool.
    Offloading,
}

impl Mode {
    /// Runs `call` in this mode. Once polled it runs to its end, also when the future is dropped.
    pub(super) fn run<T: Send + 'static>(
        self,
        call: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<T>> {
        match self {
            Mode::Blocking => Box::pin(async move { call() }),
            Mode::Offloading => {
                Box::pin(async move { tokio::task::spawn_blocking(call).await.map_err(io::Error::other)? })
            }
        }
    }
}

impl RealDisk {
    /// Makes system calls inline: for dedicated threads and for start-up.
    pub fn blocking(root: PathBuf) -> Self {
        Self { root: root.into(), mode: Mode::Blocking, dirs: Arc::default() }
    }

    /// Makes system calls on the blocking pool of the tokio runtime that polls: for tasks on the shared executor.
    pub fn offloading(root: PathBuf) -> Self {
        Self { root: root.into(), mode: Mode::Offloading, dirs: Arc::default() }
    }

    fn run<T: Send + 'static>(
        &self,
        path: &str,
        call: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<T>> {
        let path = resolve(&self.root, path);
        self.mode.run(move || call(&path?))
    }

    fn open_with(&self, path: &str, options: OpenOptions) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let mode = self.mode;
        self.run(path, move |path| Ok(Arc::new(RealFile::new(options.open(path)?, mode)) as Arc<dyn File>))
    }
}

fn read_write() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options
}

impl Disk for RealDisk {
    fn create(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let mut options = read_write();
        options.create_new(true);
        self.open_with(path, options)
    }

    fn open(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let mode = self.mode;
        self.run(path, move |path| {
            let opened = match read_write().open(path) {
                // To look at what may not be changed, such as a backup.
                Err(error) if matches!(error.kind(), ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied) => {
                    OpenOptions::new().read(true).open(path)
                }
                opened => opened,
            };
            Ok(Arc::new(RealFile::new(opened?, mode)) as Arc<dyn File>)
        })
    }

    fn create_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        self.run(path, |path| std::fs::create_dir_all(path))
    }

    fn list(&self, path: &str) -> BoxFuture<'static, io::Result<Vec<String>>> {
        self.run(path, list)
    }

    fn rename(&self, from: &str, to: &str) -> BoxFuture<'static, io::Result<()>> {
        let to = resolve(&self.root, to);
        self.run(from, move |from| std::fs::rename(from, to?))
    }

    fn remove(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        self.run(path, |path| std::fs::remove_file(path))
    }

    fn sync_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let dirs = Arc::clone(&self.dirs);
        self.run(path, move |path| held_dir(&dirs, path)?.sync_all())
    }

    fn free_bytes(&self) -> BoxFuture<'static, io::Result<u64>> {
        self.run("", |root| {
            let stat = rustix::fs::statvfs(root)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        })
    }

    fn lock(&self, path: &str) -> BoxFuture<'static, io::Result<Box<dyn DirLock>>> {
        self.run(path, |path| {
            let file = read_write().create(true).truncate(false).open(path)?;
            rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
            Ok(Box::new(RealLock { _file: file }) as Box<dyn DirLock>)
        })
    }

    fn for_dedicated(self: Arc<Self>) -> Arc<dyn Disk> {
        Arc::new(Self { mode: Mode::Blocking, ..Self::clone(&self) })
    }
}

fn held_dir(dirs: &Mutex<BTreeMap<PathBuf, Arc<std::fs::File>>>, path: &Path) -> io::Result<Arc<std::fs::File>> {
    let mut dirs = dirs.lock();
    if let Some(dir) = dirs.get(path) {
        return Ok(Arc::clone(dir));
    }
    let dir = Arc::new(std::fs::File::open(path)?);
    dirs.insert(path.to_path_buf(), Arc::clone(&dir));
    Ok(dir)
}

fn list(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let name = entry?.file_name().into_string();
        names.push(name.map_err(|name| io::Error::new(io::ErrorKind::InvalidData, format!("{name:?} is not UTF-8")))?);
    }
    names.sort_unstable();
    Ok(names)
}

/// `flock`ed until the file is closed.
struct RealLock {
    _file: std::fs::File,
}

impl DirLock for RealLock {}
