//! The fault disk's other faults: I/O errors, a full disk, rot, and calls of a dead process.
#![allow(dead_code, clippy::unwrap_used, reason = "tests; they share their support")]

mod support;

use std::io::ErrorKind;

use env::sim::{Call, FaultDisk, FaultPlan};
use support::{content, durable_file, mixed, now, strict, write};

const BLOCK: u64 = 4096;

#[test]
fn the_nth_call_of_its_kind_fails_once() {
    let disk = FaultDisk::new(1, strict());
    let mount = disk.mount();
    let file = durable_file(&mount, "file");
    disk.fail_nth(Call::Write, 3);
    disk.fail_nth(Call::Read, 1);
    disk.fail_nth(Call::SyncDir, 2);

    let writes: Vec<bool> = (0..5).map(|_| write(&file, 0, b"bytes").is_ok()).collect();
    assert_eq!(writes, [true, true, false, true, true]);
    let reads: Vec<bool> = (0..3).map(|_| now(file.read_at(0, 5)).is_ok()).collect();
    assert_eq!(reads, [false, true, true]);
    let dir_syncs: Vec<bool> = (0..3).map(|_| now(mount.sync_dir("")).is_ok()).collect();
    assert_eq!(dir_syncs, [true, false, true]);

    let counts = disk.counts();
    assert_eq!((counts.write_errors, counts.read_errors, counts.sync_dir_errors, counts.sync_errors), (1, 1, 1, 0));
}

#[test]
fn a_failed_write_leaves_a_part_of_it() {
    let mut lengths = Vec::new();
    for seed in 0..50 {
        let disk = FaultDisk::new(seed, strict());
        let file = durable_file(&disk.mount(), "file");
        disk.fail_nth(Call::Write, 1);
        assert!(write(&file, 0, &[1; 9_000]).is_err());
        let written = content(&disk, "file");
        assert!(written.iter().all(|byte| *byte == 1));
        lengths.push(written.len());
    }
    lengths.sort_unstable();
    lengths.dedup();
    assert!(lengths.len() > 30 && lengths[lengths.len() - 1] <= 9_000, "{lengths:?}");
}

#[test]
fn errors_come_at_their_rates() {
    let plan = FaultPlan { write_error_rate: 0.1, read_error_rate: 0.2, sync_error_rate: 0.3, ..mixed() };
    let disk = FaultDisk::new(1, plan);
    let file = durable_file(&disk.mount(), "file");
    for _ in 0..1_000 {
        let _ = (write(&file, 0, b"bytes"), now(file.read_at(0, 5)), now(file.sync()));
    }
    let counts = disk.counts();
    assert!((60..140).contains(&counts.write_errors), "{counts:?}");
    assert!((150..250).contains(&counts.read_errors), "{counts:?}");
    assert!((240..360).contains(&counts.sync_errors), "{counts:?}");
    assert_eq!(counts.write_errors + counts.writes, 1_000);
}

#[test]
fn a_process_with_all_its_handles_opens_no_file_and_keeps_those_it_has() {
    let disk = FaultDisk::new(1, FaultPlan { handles_max: 2, ..strict() });
    let mount = disk.mount();
    let file = durable_file(&mount, "file");
    let other = now(mount.create("other")).unwrap();
    let refused = now(mount.open("other")).err().unwrap();
    assert_eq!(env::Shortage::of(&refused), Some(env::Shortage::Handles));
    assert!(now(mount.create("third")).is_err());
    write(&file, 0, b"bytes").unwrap();
    drop(other);
    now(mount.open("other")).unwrap();
}

#[test]
fn a_full_disk_refuses_growth_but_not_overwrites_and_recovers() {
    let disk = FaultDisk::new(1, FaultPlan { capacity_bytes: 4 * BLOCK, ..strict() });
    let mount = disk.mount();
    let file = durable_file(&mount, "file");
    assert_eq!(write(&file, 0, &[1; 5 * BLOCK as usize]).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(now(file.len()).unwrap(), 4 * BLOCK, "what fitted is written");
    assert_eq!(now(mount.free_bytes()).unwrap(), 0);
    assert_eq!(now(mount.create("other")).err().unwrap().kind(), ErrorKind::StorageFull);
    write(&file, 0, &[2; 4 * BLOCK as usize]).unwrap();
    now(file.sync()).unwrap();

    now(file.punch_hole(0, 2 * BLOCK)).unwrap();
    assert_eq!(now(mount.free_bytes()).unwrap(), 2 * BLOCK);
    let other = now(mount.create("other")).unwrap();
    write(&other, 0, &[3; 2 * BLOCK as usize]).unwrap();
    assert_eq!(write(&file, 0, b"back").unwrap_err().kind(), ErrorKind::StorageFull, "a hole needs space again");

    drop(file);
    now(mount.remove("file")).unwrap();
    now(mount.sync_dir("")).unwrap();
    assert_eq!(now(mount.free_bytes()).unwrap(), 2 * BLOCK, "a removed file gives its space back");
    disk.set_capacity_bytes(8 * BLOCK);
    assert_eq!(now(mount.free_bytes()).unwrap(), 6 * BLOCK);
    assert!(disk.counts().refused_full >= 3);
}

#[test]
fn a_removed_file_takes_space_until_its_last_handle_is_gone() {
    let disk = FaultDisk::new(1, strict());
    let mount = disk.mount();
    let free = now(mount.free_bytes()).unwrap();
    let file = durable_file(&mount, "file");
    write(&file, 0, &[1; 3 * BLOCK as usize]).unwrap();
    now(mount.remove("file")).unwrap();
    now(mount.sync_dir("")).unwrap();
    assert_eq!(now(mount.free_bytes()).unwrap(), free - 3 * BLOCK);
    drop(file);
    assert_eq!(now(mount.free_bytes()).unwrap(), free);
}

#[test]
fn rot_stays_over_syncs_and_power_loss_until_it_is_overwritten() {
    let disk = FaultDisk::new(1, strict());
    let mount = disk.mount();
    let file = durable_file(&mount, "file");
    write(&file, 0, &[7; 10_000]).unwrap();
    assert!(!disk.rot("file", 5_000), "what is not on the disk can't rot there");
    now(file.sync()).unwrap();
    assert!(disk.rot("file", 5_000));
    assert!(!disk.rot("file", 10_000) && !disk.rot("none", 0));

    let damaged = |disk: &FaultDisk| -> Vec<usize> {
        content(disk, "file").iter().enumerate().filter(|(_, byte)| **byte != 7).map(|(at, _)| at).collect()
    };
    assert_eq!(damaged(&disk), [5_000]);
    assert_eq!(now(file.read_at(5_000, 1)).unwrap()[0].count_ones().abs_diff(7_u8.count_ones()), 1, "one bit");
    now(file.sync()).unwrap();
    disk.power_loss();
    assert_eq!(damaged(&disk), [5_000]);

    let mount = disk.mount();
    write(&now(mount.open("file")).unwrap(), 5_000, &[7]).unwrap();
    assert_eq!(damaged(&disk), Vec::<usize>::new());
}

#[test]
fn rot_under_an_unsynced_block_shows_after_the_power_loss() {
    let disk = FaultDisk::new(1, strict());
    let file = durable_file(&disk.mount(), "file");
    write(&file, 0, &[7; 100]).unwrap();
    now(file.sync()).unwrap();
    write(&file, 0, &[8; 100]).unwrap();
    assert!(disk.rot("file", 50));
    assert_eq!(content(&disk, "file"), [8; 100]);
    disk.power_loss();
    let bytes = content(&disk, "file");
    assert!(bytes[50] != 7 && bytes.iter().filter(|byte| **byte != 7).count() == 1, "{bytes:?}");
}

#[test]
fn random_rot_says_where_it_is() {
    let disk = FaultDisk::new(3, strict());
    let mount = disk.mount();
    for name in ["journal-1", "segment-1", "segment-2"] {
        let file = durable_file(&mount, name);
        write(&file, 0, &[7; 6_000]).unwrap();
        now(file.sync()).unwrap();
    }
    let mut places = disk.rot_random("segment-", 20);
    assert_eq!(places.len(), 20);
    let mut found = Vec::new();
    for (name, bytes) in disk.files() {
        found.extend(bytes.iter().enumerate().filter(|(_, byte)| **byte != 7).map(|(at, _)| (name.clone(), at as u64)));
    }
    places.sort();
    assert_eq!(found, places);
    assert!(found.iter().all(|(name, _)| name.starts_with("segment-")));
}

#[test]
fn reads_rot_bytes_at_their_rate_for_good() {
    let disk = FaultDisk::new(1, FaultPlan { rot_rate: 0.5, ..strict() });
    let file = durable_file(&disk.mount(), "file");
    write(&file, 0, &[7; 10_000]).unwrap();
    now(file.sync()).unwrap();
    for _ in 0..20 {
        now(file.read_at(2_000, 1_000)).unwrap();
    }
    let rotted = disk.counts().bytes_rotted;
    assert!((4..=16).contains(&rotted), "{rotted}");
    let bytes = content(&disk, "file");
    assert!(bytes[2_000..3_000].iter().any(|byte| *byte != 7));
    assert!(bytes[..2_000].iter().chain(&bytes[3_000..]).all(|byte| *byte == 7), "rot outside of what was read");
}

#[test]
fn a_dead_process_reaches_neither_the_disk_nor_its_files() {
    for power_loss in [false, true] {
        let disk = FaultDisk::new(1, strict());
        let old = disk.mount();
        let file = durable_file(&old, "file");
        write(&file, 0, b"bytes").unwrap();
        now(file.sync()).unwrap();
        let lock = now(old.lock("LOCK")).unwrap();
        if power_loss {
            disk.power_loss()
        } else {
            disk.process_crash()
        }

        assert!(write(&file, 0, b"ghost").is_err() && now(file.sync()).is_err() && now(file.read_at(0, 5)).is_err());
        assert!(now(file.len()).is_err() && now(file.punch_hole(0, 5)).is_err());
        assert!(now(old.create("new")).is_err() && now(old.open("file")).is_err() && now(old.list("")).is_err());
        assert!(now(old.remove("file")).is_err() && now(old.rename("file", "other")).is_err());
        assert!(now(old.sync_dir("")).is_err() && now(old.lock("LOCK")).is_err() && now(old.free_bytes()).is_err());
        assert_eq!(disk.counts().dead_calls, 13);

        let new = disk.mount();
        let again = now(new.lock("LOCK")).unwrap();
        drop((lock, file));
        assert!(now(new.lock("LOCK")).is_err(), "the dead process' lock took the new one with it");
        assert_eq!(content(&disk, "file"), b"bytes");
        drop(again);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_when_the_process_dies_has_no_effect() {
    use std::time::Duration;
    let latency = env::sim::Latency { min: Duration::from_millis(10), max: Duration::from_millis(10) };
    let mut before = 0;
    for seed in 0..40 {
        let disk = FaultDisk::new(seed, FaultPlan { latency, ..strict() });
        let file = disk.mount().create("file").await.unwrap();
        let crash = async {
            tokio::time::sleep(Duration::from_millis(5)).await;
            disk.process_crash();
            let len = disk.files()["file"].len();
            tokio::time::sleep(Duration::from_millis(50)).await;
            (len, disk.files()["file"].len())
        };
        let (_, (at_crash, later)) = tokio::join!(file.write_at(0, vec![b"bytes"[..].into()]), crash);
        assert_eq!(at_crash, later, "a dead process wrote");
        before += u32::from(at_crash == 0);
        drop(file);
    }
    assert!((5..35).contains(&before), "the crash came before the effect {before} times of 40");
}

#[tokio::test(start_paused = true)]
async fn a_handle_dropped_while_its_call_runs_is_closed_afterwards() {
    let latency =
        env::sim::Latency { min: std::time::Duration::from_millis(1), max: std::time::Duration::from_millis(9) };
    let disk = FaultDisk::new(1, FaultPlan { latency, ..strict() });
    let mount = disk.mount();
    let free = mount.free_bytes().await.unwrap();
    for _ in 0..10 {
        let file = mount.create("file").await.unwrap();
        let writing = file.write_at(0, vec![vec![1; 5_000].into()]);
        drop(file);
        writing.await.unwrap();
        mount.remove("file").await.unwrap();
        mount.sync_dir("").await.unwrap();
    }
    assert_eq!(mount.free_bytes().await.unwrap(), free);
}
