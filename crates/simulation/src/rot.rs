//! Rot of the disk, aimed where it must be noticed.
//!
//! A rotten last block looks like a write that was interrupted, and is cut: that window is documented. So rot of the journal aims at a
//! block that has others behind it: pages that were written in an earlier interval, and not since, while others were.

use std::collections::BTreeMap;

use bytes::Bytes;
use env::sim::FaultDisk;

use crate::dice::Dice;

const JOURNAL: &str = "journal/";
const PAGE_BYTES: usize = 4_096;
/// Time between two looks at the journal.
const LOOK_EVERY_MS: u64 = 120;
/// The first pages of a file hold its header, twice.
const HEADER_PAGES: usize = 2;

/// A page of a file.
type Page = (String, usize);

pub(crate) struct Rot {
    disk: FaultDisk,
    dice: Dice,
    looked_at_ms: u64,
    /// The journal at the last look.
    seen: BTreeMap<String, Bytes>,
    /// Pages written between the last two looks.
    written: Vec<Page>,
    happened: bool,
}

impl Rot {
    pub(crate) fn new(disk: FaultDisk, dice: Dice) -> Self {
        Self { disk, dice, looked_at_ms: 0, seen: BTreeMap::new(), written: Vec::new(), happened: false }
    }

    /// Whether anything has rotted.
    pub(crate) fn happened(&self) -> bool {
        self.happened
    }

    /// Looks at what has been written, now and then.
    pub(crate) fn watch(&mut self, now_ms: u64) {
        if now_ms >= self.looked_at_ms + LOOK_EVERY_MS {
            self.looked_at_ms = now_ms;
            let now = self.journal_files();
            self.written = changed(&self.seen, &now);
            self.seen = now;
        }
    }

    fn journal_files(&self) -> BTreeMap<String, Bytes> {
        let mut files = self.disk.files();
        files.retain(|path, _| path.starts_with(JOURNAL));
        files
    }

    /// Rots a synced block of the journal that others follow; false if there is none now.
    pub(crate) fn journal(&mut self) -> bool {
        let since = changed(&self.seen, &self.journal_files());
        let candidates: Vec<&Page> = self.written.iter().filter(|page| !since.contains(page)).collect();
        if since.is_empty() || candidates.is_empty() {
            return false;
        }
        let (path, page) = self.dice.pick(&candidates).clone();
        let offset = page * PAGE_BYTES + self.dice.below(PAGE_BYTES as u64) as usize;
        let rotted = self.disk.rot(&path, offset as u64);
        self.happened |= rotted;
        rotted
    }

    /// Rots a few bytes of the files below `dir`; false if there is none.
    pub(crate) fn files(&mut self, dir: &str) -> bool {
        let rotted = !self.disk.rot_random(dir, 1 + self.dice.below(3) as usize).is_empty();
        self.happened |= rotted;
        rotted
    }
}

/// The pages of journal files, headers excepted, that differ.
fn changed(before: &BTreeMap<String, Bytes>, now: &BTreeMap<String, Bytes>) -> Vec<Page> {
    let mut pages = Vec::new();
    for (path, bytes) in now {
        let old = before.get(path).map(|bytes| &bytes[..]).unwrap_or_default();
        for (page, content) in bytes.chunks(PAGE_BYTES).enumerate().skip(HEADER_PAGES) {
            let start = page * PAGE_BYTES;
            let same = match old.get(start..start + content.len()) {
                Some(old) => old == content,
                None => content.iter().all(|byte| *byte == 0),
            };
            if !same {
                pages.push((path.clone(), page));
            }
        }
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_pages_are_found_and_headers_are_left_out() {
        let file = |marks: &[usize]| {
            let mut bytes = vec![0; 5 * PAGE_BYTES];
            marks.iter().for_each(|at| bytes[*at] = 1);
            BTreeMap::from([("journal/000000.journal".to_owned(), Bytes::from(bytes))])
        };
        let pages = |before: &BTreeMap<_, _>, now: &BTreeMap<_, _>| -> Vec<usize> {
            changed(before, now).into_iter().map(|(_, page)| page).collect()
        };
        let before = file(&[2 * PAGE_BYTES]);
        assert!(pages(&before, &before).is_empty());
        assert_eq!(pages(&before, &file(&[0, 2 * PAGE_BYTES, 4 * PAGE_BYTES + 7])), [4]);
        assert_eq!(
            pages(&BTreeMap::new(), &before),
            [2],
            "a new file is zeroed, and only what is not zero was written"
        );
    }
}
