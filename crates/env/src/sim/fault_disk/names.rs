use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, ErrorKind};

use super::content::Chance;
use super::dice::{Fate, Fates};

/// Number of a file or directory; never used again.
pub(super) type Id = u64;

/// The root directory.
const ROOT: Id = 0;

/// Unsynced operations kept apart; the file system commits the oldest by itself when there are more, so that a workload that never
/// syncs a directory doesn't fill the memory.
const PENDING_MAX: usize = 1_000;

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entry {
    File(Id),
    Dir(Id),
}

type Entries = BTreeMap<String, Entry>;

#[derive(Default)]
struct Dir {
    cached: Entries,
    stored: Entries,
}

/// One name that an operation sets or removes.
struct Change {
    dir: Id,
    name: String,
    entry: Option<Entry>,
}

/// All directories, in the cache and on the disk.
///
/// Operations are durable or not as a whole, as in every journaling file system: a rename never leaves both names or none. They become
/// durable in any order, but those about the same name or file in their own.
pub(super) struct Names {
    dirs: BTreeMap<Id, Dir>,
    /// Operations since the last sync of their directory, oldest first.
    pending: VecDeque<Vec<Change>>,
    next_id: Id,
}

impl Names {
    pub(super) fn new() -> Self {
        Self { dirs: BTreeMap::from([(ROOT, Dir::default())]), pending: VecDeque::new(), next_id: ROOT + 1 }
    }

    pub(super) fn create(&mut self, path: &str) -> io::Result<Id> {
        let (dir, name) = self.parent(path)?;
        if self.entry(dir, name).is_some() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let id = self.new_id();
        self.change(vec![Change { dir, name: name.to_owned(), entry: Some(Entry::File(id)) }]);
        Ok(id)
    }

    pub(super) fn file(&self, path: &str) -> io::Result<Id> {
        let (dir, name) = self.parent(path)?;
        match self.entry(dir, name) {
            Some(Entry::File(id)) => Ok(id),
            Some(Entry::Dir(_)) => Err(ErrorKind::IsADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    pub(super) fn create_dir(&mut self, path: &str) -> io::Result<()> {
        let mut dir = ROOT;
        for name in segments(path)? {
            dir = match self.entry(dir, name) {
                Some(Entry::Dir(id)) => id,
                Some(Entry::File(_)) => return Err(ErrorKind::NotADirectory.into()),
                None => {
                    let id = self.new_id();
                    self.dirs.insert(id, Dir::default());
                    self.change(vec![Change { dir, name: name.to_owned(), entry: Some(Entry::Dir(id)) }]);
                    id
                }
            };
        }
        Ok(())
    }

    pub(super) fn list(&self, path: &str) -> io::Result<Vec<String>> {
        let dir = self.dir(segments(path)?)?;
        Ok(self.dirs[&dir].cached.keys().cloned().collect())
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let id = self.file(from)?;
        let (from_dir, from_name) = self.parent(from)?;
        let (to_dir, to_name) = self.parent(to)?;
        match self.entry(to_dir, to_name) {
            Some(Entry::Dir(_)) => return Err(ErrorKind::IsADirectory.into()),
            Some(Entry::File(same)) if same == id => return Ok(()),
            _ => {}
        }
        let removed = Change { dir: from_dir, name: from_name.to_owned(), entry: None };
        let added = Change { dir: to_dir, name: to_name.to_owned(), entry: Some(Entry::File(id)) };
        self.change(vec![removed, added]);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &str) -> io::Result<()> {
        self.file(path)?;
        let (dir, name) = self.parent(path)?;
        self.change(vec![Change { dir, name: name.to_owned(), entry: None }]);
        Ok(())
    }

    pub(super) fn sync_dir(&mut self, path: &str) -> io::Result<()> {
        let dir = self.dir(segments(path)?)?;
        let durable = self.pending.iter().map(|changes| changes.iter().any(|change| change.dir == dir)).collect();
        self.store_pending(durable);
        Ok(())
    }

    pub(super) fn lose_power(&mut self, chance: &mut Chance<'_>) {
        let pending = self.pending.len();
        let fates = Fates::draw(chance.dice, chance.plan, pending as u64);
        // The journal of a file system has no half operations: what is torn is lost.
        let kept = (0..pending).map(|at| fates.of(at as u64, chance.dice, chance.plan) == Fate::Kept).collect();
        self.store_pending(kept);
        chance.counts.names_kept += (pending - self.pending.len()) as u64;
        chance.counts.names_lost += self.pending.len() as u64;
        self.pending.clear();

        for dir in self.dirs.values_mut() {
            dir.cached = dir.stored.clone();
        }
        let mut reachable = BTreeSet::from([ROOT]);
        self.walk(&mut |_, entry| {
            if let Entry::Dir(id) = entry {
                reachable.insert(id);
            }
        });
        self.dirs.retain(|id, _| reachable.contains(id));
    }

    /// Files that a name leads to: now, on the disk, or after some power loss.
    pub(super) fn referenced(&self) -> BTreeSet<Id> {
        let named = self.dirs.values().flat_map(|dir| dir.cached.values().chain(dir.stored.values()));
        let pending = self.pending.iter().flatten().filter_map(|change| change.entry.as_ref());
        let file = |entry: &Entry| match entry {
            Entry::File(id) => Some(*id),
            Entry::Dir(_) => None,
        };
        named.chain(pending).filter_map(file).collect()
    }

    /// Every file as the running system sees it, sorted by path.
    pub(super) fn files(&self) -> Vec<(String, Id)> {
        let mut files = Vec::new();
        self.walk(&mut |path, entry| {
            if let Entry::File(id) = entry {
                files.push((path, id));
            }
        });
        files.sort_unstable();
        files
    }

    fn walk(&self, visit: &mut dyn FnMut(String, Entry)) {
        let mut todo = vec![(String::new(), ROOT)];
        while let Some((prefix, dir)) = todo.pop() {
            for (name, entry) in &self.dirs[&dir].cached {
                visit(format!("{prefix}{name}"), *entry);
                if let Entry::Dir(id) = entry {
                    todo.push((format!("{prefix}{name}/"), *id));
                }
            }
        }
    }

    fn new_id(&mut self) -> Id {
        self.next_id += 1;
        self.next_id - 1
    }

    fn entry(&self, dir: Id, name: &str) -> Option<Entry> {
        self.dirs[&dir].cached.get(name).copied()
    }

    /// The directory that `path` lies in, and its last name.
    fn parent<'p>(&self, path: &'p str) -> io::Result<(Id, &'p str)> {
        let mut segments = segments(path)?;
        let name = segments.pop().ok_or(ErrorKind::IsADirectory)?;
        Ok((self.dir(segments)?, name))
    }

    fn dir(&self, segments: Vec<&str>) -> io::Result<Id> {
        segments.into_iter().try_fold(ROOT, |dir, name| match self.entry(dir, name) {
            Some(Entry::Dir(id)) => Ok(id),
            Some(Entry::File(_)) => Err(ErrorKind::NotADirectory.into()),
            None => Err(ErrorKind::NotFound.into()),
        })
    }

    fn change(&mut self, changes: Vec<Change>) {
        for change in &changes {
            if let Some(dir) = self.dirs.get_mut(&change.dir) {
                set(&mut dir.cached, change);
            }
        }
        self.pending.push_back(changes);
        if self.pending.len() > PENDING_MAX
            && let Some(oldest) = self.pending.pop_front()
        {
            self.store(&oldest);
        }
    }

    /// Makes the `chosen` of the pending operations durable, with all that they depend on.
    fn store_pending(&mut self, mut chosen: Vec<bool>) {
        for later in (0..chosen.len()).rev() {
            if chosen[later] {
                for (earlier, chosen) in self.pending.iter().zip(&mut chosen[..later]) {
                    *chosen |= depends(&self.pending[later], earlier);
                }
            }
        }
        for (changes, chosen) in std::mem::take(&mut self.pending).into_iter().zip(chosen) {
            if chosen {
                self.store(&changes);
            } else {
                self.pending.push_back(changes);
            }
        }
    }

    fn store(&mut self, changes: &[Change]) {
        for change in changes {
            if let Some(dir) = self.dirs.get_mut(&change.dir) {
                set(&mut dir.stored, change);
            }
        }
    }
}

/// Whether `later` can't be durable without `earlier`: they are about the same name or the same file.
fn depends(later: &[Change], earlier: &[Change]) -> bool {
    later.iter().any(|later| {
        earlier.iter().any(|earlier| {
            (later.dir == earlier.dir && later.name == earlier.name)
                || (later.entry.is_some() && later.entry == earlier.entry)
        })
    })
}

fn set(entries: &mut Entries, change: &Change) {
    match change.entry {
        Some(entry) => entries.insert(change.name.clone(), entry),
        None => entries.remove(&change.name),
    };
}

fn segments(path: &str) -> io::Result<Vec<&str>> {
    let segments: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
    if path.starts_with('/') || segments.contains(&"..") {
        return Err(io::Error::new(ErrorKind::InvalidInput, format!("{path} leads out of the data directory")));
    }
    Ok(segments)
}
