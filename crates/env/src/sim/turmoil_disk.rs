use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use turmoil::fs::shim::tokio::fs;

use crate::{BoxFuture, DirLock, Disk, File};

/// turmoil's simulated file system (its feature `unstable-fs`) as a [`Disk`]: a second opinion beside [`super::FaultDisk`]. Works only
/// inside a turmoil host; faults and latency are set with `turmoil::Builder::fs`.
///
/// turmoil knows a file by its path only, so this adds what a handle needs: it follows renames, and keeps the bytes of a removed file.
/// For the same reason renames and removals are durable at once, with the files concerned, which the contract allows.
#[derive(Clone)]
pub struct TurmoilDisk {
    root: Arc<Path>,
    capacity_bytes: u64,
    table: Arc<Mutex<Table>>,
}

#[derive(Default)]
struct Table {
    /// Files with a handle, by path.
    open: BTreeMap<PathBuf, Weak<Mutex<Place>>>,
    locks: BTreeSet<PathBuf>,
}

/// Where the bytes of an open file are.
enum Place {
    Path(PathBuf),
    Removed(Vec<u8>),
}

impl TurmoilDisk {
    /// The directory `/data` of the host, for one start of its process. `capacity_bytes` is what `Builder::fs().capacity` was given,
    /// which can't be asked for (`u64::MAX` if none).
    pub fn new(capacity_bytes: u64) -> Self {
        Self { root: Path::new("/data").into(), capacity_bytes, table: Arc::default() }
    }

    fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        let mut resolved = self.root.to_path_buf();
        for name in path.split('/').filter(|name| !name.is_empty() && *name != ".") {
            if path.starts_with('/') || name == ".." {
                let message = format!("{path} leads out of the data directory");
                return Err(io::Error::new(ErrorKind::InvalidInput, message));
            }
            resolved.push(name);
        }
        Ok(resolved)
    }

    fn open_with(&self, path: &str, create: bool) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        let disk = self.clone();
        let path = self.resolve(path);
        Box::pin(async move {
            let path = path?;
            let is_dir = fs::metadata(&path).await.is_ok_and(|found| found.is_dir());
            match (is_dir, create) {
                (true, true) => return Err(ErrorKind::AlreadyExists.into()),
                (true, false) => return Err(ErrorKind::IsADirectory.into()),
                _ => fs::OpenOptions::new().read(true).write(true).create_new(create).open(&path).await?,
            };
            Ok(Arc::new(TurmoilFile { place: disk.place(path) }) as Arc<dyn File>)
        })
    }

    /// The place shared by all handles of `path`.
    fn place(&self, path: PathBuf) -> Arc<Mutex<Place>> {
        let mut table = self.table.lock();
        table.open.retain(|_, place| place.strong_count() > 0);
        if let Some(place) = table.open.get(&path).and_then(Weak::upgrade) {
            return place;
        }
        let place = Arc::new(Mutex::new(Place::Path(path.clone())));
        table.open.insert(path, Arc::downgrade(&place));
        place
    }

    /// The handles of `path` keep its bytes: the name is about to go.
    async fn detach(&self, path: &Path) -> io::Result<()> {
        settle(path).await?;
        let Some(place) = self.taken(path) else { return Ok(()) };
        let bytes = fs::read(path).await?;
        *place.lock() = Place::Removed(bytes);
        Ok(())
    }

    fn taken(&self, path: &Path) -> Option<Arc<Mutex<Place>>> {
        self.table.lock().open.remove(path)?.upgrade()
    }

    async fn rename_file(&self, from: PathBuf, to: PathBuf) -> io::Result<()> {
        require_file(&from).await?;
        if from == to {
            return Ok(());
        }
        if fs::try_exists(&to).await? {
            require_file(&to).await?;
            self.detach(&to).await?;
        }
        settle(&from).await?;
        fs::rename(&from, &to).await?;
        sync_parent(&from).await?;
        sync_parent(&to).await?;
        if let Some(place) = self.taken(&from) {
            *place.lock() = Place::Path(to.clone());
            self.table.lock().open.insert(to, Arc::downgrade(&place));
        }
        Ok(())
    }

    async fn used_bytes(&self) -> io::Result<u64> {
        let mut used = 0;
        let mut todo = vec![self.root.to_path_buf()];
        while let Some(dir) = todo.pop() {
            for entry in fs::read_dir(&dir).await? {
                let entry = entry?;
                let found = entry.metadata()?;
                if found.is_dir() {
                    todo.push(entry.path());
                } else {
                    used += found.len();
                }
            }
        }
        Ok(used)
    }
}

/// Makes the file `path` and its name durable. turmoil keeps what is unsynced as a list of changes by path, and replays it over
/// whatever has the path by then.
async fn settle(path: &Path) -> io::Result<()> {
    open(path).await?.sync_data().await?;
    sync_parent(path).await
}

async fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) => fs::sync_dir(parent).await,
        None => Ok(()),
    }
}

async fn require_file(path: &Path) -> io::Result<()> {
    match fs::metadata(path).await {
        Ok(found) if found.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Ok(_) => Ok(()),
        Err(_) => Err(ErrorKind::NotFound.into()),
    }
}

async fn require_dir(path: &Path) -> io::Result<()> {
    match fs::metadata(path).await {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(ErrorKind::NotADirectory.into()),
        Err(_) => Err(ErrorKind::NotFound.into()),
    }
}

async fn open(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().read(true).write(true).open(path).await
}

impl Disk for TurmoilDisk {
    fn create(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        self.open_with(path, true)
    }

    fn open(&self, path: &str) -> BoxFuture<'static, io::Result<Arc<dyn File>>> {
        self.open_with(path, false)
    }

    fn create_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let path = self.resolve(path);
        Box::pin(async move { fs::create_dir_all(path?).await })
    }

    fn list(&self, path: &str) -> BoxFuture<'static, io::Result<Vec<String>>> {
        let path = self.resolve(path);
        Box::pin(async move {
            let path = path?;
            require_dir(&path).await?;
            let mut names = Vec::new();
            for entry in fs::read_dir(&path).await? {
                names.push(entry?.file_name().to_string_lossy().into_owned());
            }
            names.sort_unstable();
            Ok(names)
        })
    }

    fn rename(&self, from: &str, to: &str) -> BoxFuture<'static, io::Result<()>> {
        let disk = self.clone();
        let (from, to) = (self.resolve(from), self.resolve(to));
        Box::pin(async move { disk.rename_file(from?, to?).await })
    }

    fn remove(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let disk = self.clone();
        let path = self.resolve(path);
        Box::pin(async move {
            let path = path?;
            require_file(&path).await?;
            disk.detach(&path).await?;
            fs::remove_file(&path).await?;
            sync_parent(&path).await
        })
    }

    fn sync_dir(&self, path: &str) -> BoxFuture<'static, io::Result<()>> {
        let path = self.resolve(path);
        Box::pin(async move {
            let path = path?;
            require_dir(&path).await?;
            fs::sync_dir(&path).await
        })
    }

    fn free_bytes(&self) -> BoxFuture<'static, io::Result<u64>> {
        let disk = self.clone();
        Box::pin(async move { Ok(disk.capacity_bytes.saturating_sub(disk.used_bytes().await?)) })
    }

    fn lock(&self, path: &str) -> BoxFuture<'static, io::Result<Box<dyn DirLock>>> {
        let table = Arc::clone(&self.table);
        let path = self.resolve(path);
        Box::pin(async move {
            let path = path?;
            fs::OpenOptions::new().write(true).create(true).open(&path).await?;
            if !table.lock().locks.insert(path.clone()) {
                return Err(ErrorKind::WouldBlock.into());
            }
            Ok(Box::new(Lock { table, path }) as Box<dyn DirLock>)
        })
    }

    fn for_dedicated(self: Arc<Self>) -> Arc<dyn Disk> {
        self
    }
}

struct Lock {
    table: Arc<Mutex<Table>>,
    path: PathBuf,
}

impl DirLock for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        self.table.lock().locks.remove(&self.path);
    }
}

struct TurmoilFile {
    place: Arc<Mutex<Place>>,
}

impl TurmoilFile {
    /// Runs `removed` on the bytes of a removed file, or gives the path of one that has a name.
    fn path_or<T>(place: &Mutex<Place>, removed: impl FnOnce(&mut Vec<u8>) -> T) -> Result<PathBuf, T> {
        match &mut *place.lock() {
            Place::Path(path) => Ok(path.clone()),
            Place::Removed(bytes) => Err(removed(bytes)),
        }
    }
}

impl File for TurmoilFile {
    fn len(&self) -> BoxFuture<'static, io::Result<u64>> {
        let place = Arc::clone(&self.place);
        Box::pin(async move {
            match Self::path_or(&place, |bytes| bytes.len() as u64) {
                Ok(path) => Ok(fs::metadata(path).await?.len()),
                Err(len) => Ok(len),
            }
        })
    }

    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'static, io::Result<Bytes>> {
        let place = Arc::clone(&self.place);
        Box::pin(async move {
            match Self::path_or(&place, |bytes| read_removed(bytes, offset, length)) {
                Ok(path) => read(&path, offset, length).await,
                Err(bytes) => Ok(bytes),
            }
        })
    }

    fn write_at(&self, offset: u64, slices: Vec<Bytes>) -> BoxFuture<'static, io::Result<()>> {
        let place = Arc::clone(&self.place);
        Box::pin(async move {
            // In one piece, or there would be a torn write wherever the caller cut its slices.
            let bytes = slices.concat();
            match Self::path_or(&place, |removed| write_removed(removed, offset, &bytes)) {
                Ok(path) => write(&path, offset, &bytes).await,
                Err(()) => Ok(()),
            }
        })
    }

    fn sync(&self) -> BoxFuture<'static, io::Result<()>> {
        let place = Arc::clone(&self.place);
        Box::pin(async move {
            match Self::path_or(&place, |_| ()) {
                Ok(path) => open(&path).await?.sync_data().await,
                Err(()) => Ok(()),
            }
        })
    }

    fn punch_hole(&self, offset: u64, length: u64) -> BoxFuture<'static, io::Result<()>> {
        let place = Arc::clone(&self.place);
        Box::pin(async move {
            let zeros = |len: u64| vec![0; len.saturating_sub(offset).min(length) as usize];
            match Self::path_or(&place, |bytes| write_removed(bytes, offset, &zeros(bytes.len() as u64))) {
                Ok(path) => {
                    let zeros = zeros(fs::metadata(&path).await?.len());
                    write(&path, offset, &zeros).await
                }
                Err(()) => Ok(()),
            }
        })
    }
}

async fn read(path: &Path, offset: u64, length: usize) -> io::Result<Bytes> {
    let left = fs::metadata(path).await?.len().saturating_sub(offset);
    let mut bytes = BytesMut::zeroed(left.min(length as u64) as usize);
    let read = open(path).await?.read_at(&mut bytes, offset).await?;
    bytes.truncate(read);
    Ok(bytes.freeze())
}

async fn write(path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let written = open(path).await?.write_at(bytes, offset).await.map_err(named_if_full)?;
    if written == bytes.len() { Ok(()) } else { Err(ErrorKind::WriteZero.into()) }
}

/// turmoil tells a full disk by its message only.
fn named_if_full(error: io::Error) -> io::Error {
    if error.to_string().to_lowercase().contains("no space") { ErrorKind::StorageFull.into() } else { error }
}

fn read_removed(bytes: &[u8], offset: u64, length: usize) -> Bytes {
    let start = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
    let end = bytes.len().min(start.saturating_add(length));
    Bytes::copy_from_slice(&bytes[start..end])
}

fn write_removed(bytes: &mut Vec<u8>, offset: u64, new: &[u8]) {
    let start = usize::try_from(offset).unwrap_or(usize::MAX);
    let end = start.saturating_add(new.len());
    if !new.is_empty() && bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[start.min(end)..end].copy_from_slice(new);
}
