//! What survives a power loss, a crash and a failed sync on the fault disk.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; they share their support")]

mod support;

use std::time::Duration;

use env::sim::{Call, FaultDisk, FaultPlan, Latency};
use proptest::prelude::*;
use support::{content, durable_file, mixed, now, strict, write};

const BLOCK: usize = 4096;
const SECTOR: usize = 512;

#[test]
fn what_is_synced_survives_and_what_is_not_is_lost() {
    let disk = FaultDisk::new(1, strict());
    let mount = disk.mount();
    let file = durable_file(&mount, "file");
    write(&file, 0, &[1; 10_000]).unwrap();
    now(file.sync()).unwrap();
    write(&file, 5_000, &[2; 10_000]).unwrap();

    disk.power_loss();

    assert_eq!(content(&disk, "file"), [1; 10_000]);
    assert_eq!(disk.counts().lengths_cut, 1);
    assert_eq!(disk.counts().blocks_lost, 3);
}

#[test]
fn a_crash_of_the_process_loses_nothing() {
    let disk = FaultDisk::new(1, strict());
    let mount = disk.mount();
    now(mount.create_dir("new")).unwrap();
    let file = now(mount.create("new/file")).unwrap();
    write(&file, 0, &[1; 10_000]).unwrap();

    disk.process_crash();

    assert_eq!(content(&disk, "new/file"), [1; 10_000]);
}

#[test]
fn synced_content_without_a_synced_name_is_lost() {
    let disk = FaultDisk::new(1, strict());
    let mount = disk.mount();
    now(mount.create_dir("dir")).unwrap();
    now(mount.sync_dir("")).unwrap();
    for name in ["dir/unsynced", "dir/synced"] {
        let file = now(mount.create(name)).unwrap();
        write(&file, 0, b"content").unwrap();
        now(file.sync()).unwrap();
        if name == "dir/unsynced" {
            continue;
        }
        now(mount.sync_dir("dir")).unwrap();
    }
    let late = now(mount.create("dir/late")).unwrap();
    now(late.sync()).unwrap();

    disk.power_loss();

    let names: Vec<String> = disk.files().into_keys().collect();
    assert_eq!(names, ["dir/synced", "dir/unsynced"], "one sync of the directory covers all names before it");
    assert_eq!(disk.counts().names_lost, 1);
}

#[test]
fn a_rename_is_durable_as_a_whole_or_not_at_all() {
    let mut seen = [0; 2];
    for seed in 0..200 {
        let disk = FaultDisk::new(seed, mixed());
        let mount = disk.mount();
        for (name, bytes) in [("target", b"old"), ("temporary", b"new")] {
            let file = durable_file(&mount, name);
            write(&file, 0, bytes).unwrap();
            now(file.sync()).unwrap();
        }
        now(mount.rename("temporary", "target")).unwrap();
        disk.power_loss();

        let files = disk.files();
        if files.contains_key("temporary") {
            assert_eq!((&files["target"][..], &files["temporary"][..]), (&b"old"[..], &b"new"[..]));
            seen[0] += 1;
        } else {
            assert_eq!(&files["target"][..], b"new");
            seen[1] += 1;
        }
    }
    assert!(seen.iter().all(|times| *times > 20), "lost and kept renames: {seen:?}");
}

#[test]
fn a_removal_may_come_back_until_the_directory_is_synced() {
    let mut back = 0;
    for seed in 0..100 {
        for synced in [false, true] {
            let disk = FaultDisk::new(seed, mixed());
            let mount = disk.mount();
            let file = durable_file(&mount, "file");
            write(&file, 0, b"content").unwrap();
            now(file.sync()).unwrap();
            drop(file);
            now(mount.remove("file")).unwrap();
            if synced {
                now(mount.sync_dir("")).unwrap();
            }
            disk.power_loss();
            match disk.files().get("file") {
                Some(bytes) => {
                    assert!(!synced, "a removal was undone after the sync");
                    assert_eq!(&bytes[..], b"content");
                    back += 1;
                }
                None => continue,
            }
        }
    }
    assert!((20..80).contains(&back), "{back} of 100 unsynced removals were undone");
}

/// Shapes that a power loss leaves of a file of old blocks overwritten with new ones.
#[derive(Debug, Default)]
struct Shapes {
    all_old: u32,
    all_new: u32,
    prefix: u32,
    hole_in_the_middle: u32,
    torn: u32,
}

#[test]
fn unsynced_blocks_survive_in_every_shape_over_the_seeds() {
    let mut shapes = Shapes::default();
    for seed in 0..300 {
        let disk = FaultDisk::new(seed, FaultPlan { garbage_rate: 0.0, ..mixed() });
        let mount = disk.mount();
        let file = durable_file(&mount, "file");
        write(&file, 0, &[1; 8 * BLOCK]).unwrap();
        now(file.sync()).unwrap();
        write(&file, 0, &[2; 8 * BLOCK]).unwrap();
        disk.power_loss();

        let bytes = content(&disk, "file");
        assert!(bytes.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])), "half a sector");
        let sums: Vec<usize> =
            bytes.chunks(BLOCK).map(|block| block.iter().filter(|byte| **byte == 2).count()).collect();
        let kept = sums.iter().take_while(|sum| **sum == BLOCK).count();
        shapes.torn += u32::from(sums.iter().any(|sum| *sum > 0 && *sum < BLOCK));
        shapes.all_old += u32::from(sums.iter().all(|sum| *sum == 0));
        shapes.all_new += u32::from(kept == 8);
        shapes.prefix += u32::from((1..8).contains(&kept) && sums[kept + 1..].iter().all(|sum| *sum == 0));
        shapes.hole_in_the_middle += u32::from(sums[kept..].contains(&BLOCK));
    }
    let Shapes { all_old, all_new, prefix, hole_in_the_middle, torn } = shapes;
    let rarest = [all_old, all_new, prefix, hole_in_the_middle, torn].into_iter().min().unwrap();
    assert!(rarest > 20, "{shapes:?}");
}

#[test]
fn after_a_failed_sync_a_good_one_proves_nothing() {
    let mut lost = 0;
    for seed in 0..100 {
        let disk = FaultDisk::new(seed, strict());
        let mount = disk.mount();
        let file = durable_file(&mount, "file");
        write(&file, 0, &[1; 4 * BLOCK]).unwrap();
        now(file.sync()).unwrap();
        write(&file, 0, &[2; 4 * BLOCK]).unwrap();
        disk.fail_nth(Call::Sync, 1);
        assert!(now(file.sync()).is_err());
        now(file.sync()).unwrap();
        assert_eq!(now(file.read_at(0, 4 * BLOCK)).unwrap(), [2; 4 * BLOCK].as_slice(), "the cache still shows it");
        disk.power_loss();
        lost += u32::from(content(&disk, "file") != [2; 4 * BLOCK]);
    }
    assert!(lost > 80, "only {lost} of 100 disks lost what the failed sync had forgotten");
}

#[test]
fn a_block_written_again_after_a_failed_sync_is_synced_again() {
    for seed in 0..50 {
        let disk = FaultDisk::new(seed, strict());
        let mount = disk.mount();
        let file = durable_file(&mount, "file");
        write(&file, 0, &[1; BLOCK]).unwrap();
        disk.fail_nth(Call::Sync, 1);
        assert!(now(file.sync()).is_err());
        write(&file, 0, &[2; BLOCK + 1]).unwrap();
        now(file.sync()).unwrap();
        disk.power_loss();
        assert_eq!(content(&disk, "file"), [2; BLOCK + 1]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_during_a_sync_is_not_part_of_it() {
    let latency = Latency { min: Duration::from_millis(10), max: Duration::from_millis(10) };
    for seed in 0..20 {
        let disk = FaultDisk::new(seed, FaultPlan { sync_latency: latency, ..strict() });
        let mount = disk.mount();
        let file = mount.create("file").await.unwrap();
        mount.sync_dir("").await.unwrap();
        file.write_at(0, vec![vec![1; BLOCK].into()]).await.unwrap();
        let write_in_between = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            file.write_at(0, vec![vec![2; 2 * BLOCK].into()]).await.unwrap();
        };
        let (synced, ()) = tokio::join!(file.sync(), write_in_between);
        synced.unwrap();
        disk.power_loss();
        assert_eq!(content(&disk, "file"), [1; BLOCK], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_syncs_at_once_neither_undoes_the_other() {
    for seed in 0..200 {
        let latency = Latency { min: Duration::ZERO, max: Duration::from_millis(10) };
        let disk = FaultDisk::new(seed, FaultPlan { sync_latency: latency, ..strict() });
        let mount = disk.mount();
        let file = mount.create("file").await.unwrap();
        mount.sync_dir("").await.unwrap();
        file.write_at(0, vec![vec![1; BLOCK].into()]).await.unwrap();
        let second = async {
            file.punch_hole(0, BLOCK as u64).await.unwrap();
            file.write_at(1, vec![vec![2; 9].into()]).await.unwrap();
            file.sync().await.unwrap();
        };
        let (first, ()) = tokio::join!(file.sync(), second);
        first.unwrap();
        disk.power_loss();
        let mut expected = vec![0; BLOCK];
        expected[1..10].fill(2);
        assert_eq!(content(&disk, "file"), expected, "seed {seed}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write { offset: usize, length: usize, value: u8 },
    Punch { offset: usize, length: usize },
    Sync,
    ProcessCrash,
    PowerLoss,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..30_000_usize, 1..9_000_usize, 1..=255_u8)
            .prop_map(|(offset, length, value)| Step::Write { offset, length, value }),
        1 => (0..30_000_usize, 0..20_000_usize).prop_map(|(offset, length)| Step::Punch { offset, length }),
        3 => Just(Step::Sync),
        1 => Just(Step::ProcessCrash),
        2 => Just(Step::PowerLoss),
    ]
}

/// The naive model: per byte, every value that it may have after a power loss, the newest last.
#[derive(Default)]
struct Model {
    bytes: Vec<Vec<u8>>,
    synced_len: usize,
}

impl Model {
    fn write(&mut self, offset: usize, length: usize, value: u8) {
        let len = self.bytes.len().max(offset + length);
        self.bytes.resize_with(len, || vec![0]);
        for values in &mut self.bytes[offset..offset + length] {
            values.push(value);
        }
    }

    fn punch(&mut self, offset: usize, length: usize) {
        let end = self.bytes.len().min(offset + length);
        for values in &mut self.bytes[offset.min(end)..end] {
            values.push(0);
        }
    }

    fn newest(&self) -> Vec<u8> {
        self.bytes.iter().map(|values| values[values.len() - 1]).collect()
    }

    /// Everything that `bytes` says is durable.
    fn settle(&mut self, bytes: &[u8]) {
        self.synced_len = bytes.len();
        self.bytes = bytes.iter().map(|byte| vec![*byte]).collect();
    }

    fn check_after_power_loss(&self, found: &[u8], with_garbage: bool) -> Result<(), TestCaseError> {
        prop_assert!(found.len() >= self.synced_len, "{} of {} synced bytes", found.len(), self.synced_len);
        prop_assert!(found.len() <= self.bytes.len());
        for (at, (byte, values)) in found.iter().zip(&self.bytes).enumerate() {
            let changed = values.len() > 1;
            prop_assert!(
                values.contains(byte) || (changed && with_garbage),
                "byte {at} is {byte}, and was only ever {values:?}"
            );
        }
        Ok(())
    }
}

/// Runs `steps` on a disk and on the model; returns the bytes that every power loss left.
fn run(seed: u64, plan: FaultPlan, steps: &[Step]) -> Result<Vec<Vec<u8>>, TestCaseError> {
    let with_garbage = plan.garbage_rate > 0.0;
    let disk = FaultDisk::new(seed, plan);
    let mut mount = disk.mount();
    let mut file = durable_file(&mount, "file");
    let mut model = Model::default();
    let mut survived = Vec::new();
    for step in steps {
        match *step {
            Step::Write { offset, length, value } => {
                write(&file, offset as u64, &vec![value; length]).unwrap();
                model.write(offset, length, value);
            }
            Step::Punch { offset, length } => {
                now(file.punch_hole(offset as u64, length as u64)).unwrap();
                model.punch(offset, length);
            }
            Step::Sync => {
                now(file.sync()).unwrap();
                model.settle(&model.newest());
            }
            Step::ProcessCrash => disk.process_crash(),
            Step::PowerLoss => {
                disk.power_loss();
                let found = content(&disk, "file");
                model.check_after_power_loss(&found, with_garbage)?;
                model.settle(&found);
                survived.push(found);
            }
        }
        mount = disk.mount();
        file = now(mount.open("file")).unwrap();
        prop_assert_eq!(content(&disk, "file"), model.newest());
        let allocated = (1 << 40) - now(mount.free_bytes()).unwrap();
        prop_assert!(allocated <= model.bytes.len().next_multiple_of(BLOCK) as u64);
    }
    Ok(survived)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn every_synced_byte_survives_and_every_other_is_one_that_was_written(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..30),
    ) {
        run(seed, FaultPlan { writeback_rate: 0.5, garbage_rate: 0.0, ..mixed() }, &steps)?;
    }

    #[test]
    fn garbage_is_only_where_unsynced_bytes_were_being_written(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..30),
    ) {
        run(seed, FaultPlan { garbage_rate: 1.0, tear_rate: 0.6, ..mixed() }, &steps)?;
    }

    #[test]
    fn the_same_seed_and_calls_give_the_same_disk(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 1..30),
    ) {
        let plan = FaultPlan { writeback_rate: 0.5, garbage_rate: 0.5, ..mixed() };
        prop_assert_eq!(run(seed, plan.clone(), &steps)?, run(seed, plan, &steps)?);
    }
}
