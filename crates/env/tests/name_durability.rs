//! Random creations, renames and removals on the fault disk against a naive model of what power loss may leave.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; they share their support")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use env::Disk;
use env::sim::FaultDisk;
use proptest::prelude::*;
use support::{mixed, now, strict, write};

const DIRS: [&str; 2] = ["one", "two"];
const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Debug)]
enum Step {
    Create(String),
    Rename(String, String),
    Remove(String),
    SyncDir(usize),
    PowerLoss,
}

fn path() -> impl Strategy<Value = String> {
    (0..DIRS.len(), 0..NAMES.len()).prop_map(|(dir, name)| format!("{}/{}", DIRS[dir], NAMES[name]))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => path().prop_map(Step::Create),
        4 => (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        2 => path().prop_map(Step::Remove),
        2 => (0..DIRS.len()).prop_map(Step::SyncDir),
        1 => Just(Step::PowerLoss),
    ]
}

/// A file is known by its first byte, which is synced as soon as it is made.
type Tag = u8;

#[derive(Default)]
struct Model {
    now: BTreeMap<String, Tag>,
    /// What each name may stand for after a power loss, besides what it stands for now.
    before: BTreeMap<String, BTreeSet<Option<Tag>>>,
    /// Files with a durable name that were only renamed since.
    safe: BTreeSet<Tag>,
    next: Tag,
}

impl Model {
    fn set(&mut self, path: &str, tag: Option<Tag>) {
        let old = match tag {
            Some(tag) => self.now.insert(path.to_owned(), tag),
            None => self.now.remove(path),
        };
        self.before.entry(path.to_owned()).or_default().insert(old);
    }

    fn sync_dir(&mut self, dir: &str) {
        let inside = |path: &str| path.starts_with(dir);
        self.before.retain(|path, _| !inside(path));
        self.safe.extend(self.now.iter().filter(|(path, _)| inside(path)).map(|(_, tag)| *tag));
    }

    fn check_after_power_loss(&self, found: &BTreeMap<String, Tag>) -> Result<(), TestCaseError> {
        let paths: BTreeSet<&String> = self.now.keys().chain(self.before.keys()).chain(found.keys()).collect();
        for path in paths {
            let (is, was) = (found.get(path).copied(), self.now.get(path).copied());
            let possible = is == was || self.before.get(path).is_some_and(|before| before.contains(&is));
            prop_assert!(possible, "{path} stands for {is:?}, and stood for {was:?} or {:?}", self.before.get(path));
        }
        for tag in 0..self.next {
            let names = found.values().filter(|found| **found == tag).count();
            prop_assert!(names <= 1, "file {tag} has {names} names");
            prop_assert!(names == 1 || !self.safe.contains(&tag), "file {tag} was renamed and is gone");
        }
        Ok(())
    }

    fn settle(&mut self, found: BTreeMap<String, Tag>) {
        self.safe = found.values().copied().collect();
        self.before.clear();
        self.now = found;
    }
}

fn apply(disk: &FaultDisk, mount: &Arc<dyn Disk>, model: &mut Model, step: &Step) -> Result<(), TestCaseError> {
    match step {
        Step::Create(path) => {
            let created = now(mount.create(path));
            prop_assert_eq!(created.is_ok(), !model.now.contains_key(path));
            if let Ok(file) = created {
                write(&file, 0, &[model.next]).unwrap();
                now(file.sync()).unwrap();
                model.set(path, Some(model.next));
                model.next += 1;
            }
        }
        Step::Rename(from, to) => {
            prop_assert_eq!(now(mount.rename(from, to)).is_ok(), model.now.contains_key(from));
            if let Some(tag) = model.now.get(from).copied().filter(|_| from != to) {
                if let Some(replaced) = model.now.get(to) {
                    model.safe.remove(replaced);
                }
                model.set(from, None);
                model.set(to, Some(tag));
            }
        }
        Step::Remove(path) => {
            prop_assert_eq!(now(mount.remove(path)).is_ok(), model.now.contains_key(path));
            if let Some(tag) = model.now.get(path) {
                model.safe.remove(tag);
                model.set(path, None);
            }
        }
        Step::SyncDir(dir) => {
            now(mount.sync_dir(DIRS[*dir])).unwrap();
            model.sync_dir(DIRS[*dir]);
        }
        Step::PowerLoss => {
            disk.power_loss();
            let found = tags(disk);
            model.check_after_power_loss(&found)?;
            model.settle(found);
        }
    }
    Ok(())
}

fn tags(disk: &FaultDisk) -> BTreeMap<String, Tag> {
    disk.files().into_iter().map(|(path, bytes)| (path, bytes[0])).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn names_are_durable_once_their_directory_is_synced_and_renames_lose_no_file(
        seed in any::<u64>(),
        loses_all in any::<bool>(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let disk = FaultDisk::new(seed, if loses_all { strict() } else { mixed() });
        let mut mount = disk.mount();
        for dir in DIRS {
            now(mount.create_dir(dir)).unwrap();
        }
        now(mount.sync_dir("")).unwrap();
        let mut model = Model::default();
        for step in steps.iter().chain([&Step::PowerLoss]) {
            apply(&disk, &mount, &mut model, step)?;
            prop_assert_eq!(&tags(&disk), &model.now);
            mount = disk.mount();
        }
    }
}
