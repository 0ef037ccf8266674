//! Names in the data directory, and the format mark at its root.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use env::Disk;

use crate::Error;

/// The format of the whole directory. A change to any stored layout raises it.
pub const FORMAT: u32 = 7;

pub(crate) const LOCK: &str = "LOCK";
pub(crate) const JOURNAL_DIR: &str = "journal";
pub(crate) const SEGMENT_DIR: &str = "segments";
pub(crate) const CHECKPOINT_DIR: &str = "checkpoints";
const FORMAT_FILE: &str = "FORMAT";
const FORMAT_PREFIX: &str = "thalweg data format ";

pub(crate) fn journal_file(number: u64) -> String {
    format!("{JOURNAL_DIR}/{number:06}.journal")
}

pub(crate) fn journal_draft(number: u64) -> String {
    format!("{JOURNAL_DIR}/{number:06}.draft")
}

pub(crate) fn segment_file(id: u64) -> String {
    format!("{SEGMENT_DIR}/{id:016}.segment")
}

pub(crate) fn checkpoint_file(number: u64) -> String {
    format!("{CHECKPOINT_DIR}/{number:016}.checkpoint")
}

pub(crate) fn checkpoint_draft(number: u64) -> String {
    format!("{CHECKPOINT_DIR}/{number:016}.draft")
}

/// The number in a file name of this module, if it is one with that ending.
pub(crate) fn number_of(name: &str, ending: &str) -> Option<u64> {
    name.strip_suffix(ending)?.strip_suffix('.')?.parse().ok()
}

/// The number of a segment's path.
pub(crate) fn segment_number(path: &str) -> Option<u64> {
    number_of(path.strip_prefix(SEGMENT_DIR)?.strip_prefix('/')?, "segment")
}

/// The paths of all segments that there are, whatever the checkpoint says.
pub(crate) async fn segments(disk: &Arc<dyn Disk>) -> Result<Vec<String>, Error> {
    Ok(disk.list(SEGMENT_DIR).await?.into_iter().map(|name| format!("{SEGMENT_DIR}/{name}")).collect())
}

/// Checks the format mark, or writes it into a directory that has nothing in it yet. The mark is written last of all that makes a
/// directory ours, so a start interrupted before it begins anew.
pub(crate) async fn claim(disk: &Arc<dyn Disk>) -> Result<(), Error> {
    for dir in [JOURNAL_DIR, SEGMENT_DIR, CHECKPOINT_DIR] {
        disk.create_dir(dir).await?;
    }
    match check_format(disk).await {
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::NotFound => write_format(disk).await,
        other => other,
    }
}

/// Whether the directory is of the format that this build reads; `NotFound` if it has no mark.
pub(crate) async fn check_format(disk: &Arc<dyn Disk>) -> Result<(), Error> {
    let file = disk.open(FORMAT_FILE).await?;
    let text = file.read_at(0, 64).await?;
    let found = std::str::from_utf8(&text).ok().and_then(|text| text.strip_prefix(FORMAT_PREFIX)).map(str::trim);
    match found {
        Some(version) if version == FORMAT.to_string() => Ok(()),
        Some(version) => Err(Error::Format { found: format!("format {version}"), expected: FORMAT }),
        // An empty or torn mark: the directory's first start was interrupted before anything was stored.
        None if text.iter().all(|byte| *byte == 0) || FORMAT_PREFIX.as_bytes().starts_with(&text) => {
            Err(io::Error::from(io::ErrorKind::NotFound).into())
        }
        None => Err(Error::Format { found: "an unknown FORMAT file".into(), expected: FORMAT }),
    }
}

async fn write_format(disk: &Arc<dyn Disk>) -> Result<(), Error> {
    let file = match disk.create(FORMAT_FILE).await {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => disk.open(FORMAT_FILE).await?,
        other => other?,
    };
    file.write_at(0, vec![Bytes::from(format!("{FORMAT_PREFIX}{FORMAT}\n"))]).await?;
    file.sync().await?;
    Ok(disk.sync_dir("").await?)
}
