//! Segments: immutable files with the applied entries of many groups, sorted by group.
//!
//! One group's part is an *extent*: its entries back to back, each as an assignment (`first_record u64, arrival u64, count u32,
//! crc32c u32`, little endian, checksum over the first 20 bytes) and the frame as it stood in the journal. Behind the last extent
//! stands the footer (bincode), behind it a trailer: `footer_len u64, footer_crc u32, version u32, magic u64`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use env::File;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use types::{GroupId, RecordNumber, TimestampMs};

use crate::frame::{FRAME_HEADER_LEN, Frame};
use crate::open_files::OpenFiles;
use crate::tail::{AppliedFrame, Assigned};
use crate::{Damage, Error, LogId, layout};

const MAGIC: u64 = u64::from_le_bytes(*b"THALWEGS");
const VERSION: u32 = 1;
const TRAILER_LEN: u64 = 24;
/// Bytes of an entry's assignment.
const ASSIGNMENT_LEN: usize = 24;

/// A point of an extent's sparse index: where an entry begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexPoint {
    pub(crate) index: u64,
    pub(crate) first_record: u64,
    pub(crate) arrival: u64,
    /// From the beginning of the file.
    pub(crate) offset: u64,
}

/// What the footer says of one extent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExtentFields {
    pub(crate) group: u64,
    pub(crate) first: LogId,
    pub(crate) last: LogId,
    pub(crate) first_record: u64,
    pub(crate) end_record: u64,
    pub(crate) first_arrival: u64,
    pub(crate) last_arrival: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// At least the extent's beginning.
    pub(crate) points: Vec<IndexPoint>,
}

/// What ends a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Footer {
    pub(crate) extents: Vec<ExtentFields>,
}

/// Encodes a segment piece by piece.
pub(crate) struct SegmentEncoder {
    offset: u64,
    index_every: u64,
    footer: Footer,
}

impl SegmentEncoder {
    pub(crate) fn new(index_every: u64) -> Self {
        Self { offset: 0, index_every, footer: Footer { extents: Vec::new() } }
    }

    /// Where the next piece goes.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Encodes one entry: the two slices to write. Entries come sorted by group, then by index.
    pub(crate) fn entry(&mut self, frame: &Frame, assigned: Assigned) -> [Bytes; 2] {
        self.note(frame, assigned);
        let mut head = BytesMut::with_capacity(ASSIGNMENT_LEN + FRAME_HEADER_LEN);
        head.put_u64_le(assigned.first_record.0);
        head.put_u64_le(assigned.arrival.0);
        head.put_u32_le(assigned.count);
        let crc = crc32c::crc32c(&head);
        head.put_u32_le(crc);
        frame.put_header(&mut head);
        self.offset += (head.len() + frame.payload.len()) as u64;
        [head.freeze(), frame.payload.clone()]
    }

    fn note(&mut self, frame: &Frame, assigned: Assigned) {
        let point = IndexPoint {
            index: frame.log_id.index,
            first_record: assigned.first_record.0,
            arrival: assigned.arrival.0,
            offset: self.offset,
        };
        let length = (ASSIGNMENT_LEN + frame.encoded_len()) as u64;
        match self.footer.extents.last_mut().filter(|extent| extent.group == frame.group.0) {
            Some(extent) => {
                assert_eq!(frame.log_id.index, extent.last.index + 1, "an extent has no holes");
                let newest = extent.points.last().map_or(0, |point| point.offset);
                if self.offset - newest >= self.index_every {
                    extent.points.push(point);
                }
                extent.last = frame.log_id;
                extent.end_record = assigned.end_record();
                extent.last_arrival = assigned.arrival.0;
                extent.length += length;
            }
            None => self.footer.extents.push(ExtentFields {
                group: frame.group.0,
                first: frame.log_id,
                last: frame.log_id,
                first_record: assigned.first_record.0,
                end_record: assigned.end_record(),
                first_arrival: assigned.arrival.0,
                last_arrival: assigned.arrival.0,
                offset: self.offset,
                length,
                points: vec![point],
            }),
        }
    }

    /// The footer and trailer, to be written behind the last entry.
    pub(crate) fn finish(self) -> (Bytes, Footer) {
        let mut bytes = crate::stored::encode(&self.footer);
        let crc = crc32c::crc32c(&bytes);
        let length = bytes.len() as u64;
        bytes.put_u64_le(length);
        bytes.put_u32_le(crc);
        bytes.put_u32_le(VERSION);
        bytes.put_u64_le(MAGIC);
        (bytes.into(), self.footer)
    }
}

/// Ranges of a segment that hold nothing retained.
#[derive(Default)]
struct Dead {
    /// Not yet known to be so by a checkpoint: a crash may bring them back to life.
    fresh: Vec<(u64, u64)>,
    fresh_bytes: u64,
    /// To be given back once the checkpoint being written is durable.
    doomed: Vec<(u64, u64)>,
}

/// An open segment.
pub(crate) struct Segment {
    pub(crate) id: u64,
    pub(crate) bytes: u64,
    files: Arc<OpenFiles>,
    /// Extents that still hold retained entries.
    pub(crate) live_extents: AtomicU64,
    dead: Mutex<Dead>,
}

impl Segment {
    pub(crate) fn path(&self) -> String {
        layout::segment_file(self.id)
    }

    /// Opens a segment and reads its footer.
    pub(crate) async fn open(files: &Arc<OpenFiles>, id: u64) -> Result<(Arc<Self>, Footer), Error> {
        let path = layout::segment_file(id);
        let damage = |offset, what: &str| Damage { file: path.clone(), offset, what: what.into() };
        let file = files.get(id).await?;
        let bytes = file.len().await?;
        let trailer_at =
            bytes.checked_sub(TRAILER_LEN).ok_or_else(|| Error::Damaged(damage(0, "the file is cut off")))?;
        let mut trailer = file.read_at(trailer_at, TRAILER_LEN as usize).await?;
        if trailer.len() as u64 != TRAILER_LEN || trailer[16..] != MAGIC.to_le_bytes() {
            return Err(Error::Damaged(damage(trailer_at, "the trailer is damaged")));
        }
        let length = trailer.get_u64_le();
        let crc = trailer.get_u32_le();
        let version = trailer.get_u32_le();
        if version != VERSION {
            return Err(Error::Damaged(damage(trailer_at, "the trailer names an unknown version")));
        }
        let footer_at = trailer_at
            .checked_sub(length)
            .ok_or_else(|| Error::Damaged(damage(trailer_at, "the trailer's length is damaged")))?;
        let footer = file.read_at(footer_at, length as usize).await?;
        if footer.len() as u64 != length || crc32c::crc32c(&footer) != crc {
            return Err(Error::Damaged(damage(footer_at, "the footer is damaged")));
        }
        let footer: Footer = crate::stored::decode(&footer)
            .ok_or_else(|| Error::Damaged(damage(footer_at, "the footer cannot be read")))?;
        Ok((Arc::new(Self::new(id, bytes, Arc::clone(files), footer.extents.len() as u64)), footer))
    }

    fn new(id: u64, bytes: u64, files: Arc<OpenFiles>, live: u64) -> Self {
        Self { id, bytes, files, live_extents: AtomicU64::new(live), dead: Mutex::default() }
    }

    async fn file(&self) -> Result<Arc<dyn File>, Error> {
        self.files.get(self.id).await.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Damaged(missing(self.id)),
            _ => error.into(),
        })
    }

    /// Whether a checkpoint would free much of its space.
    pub(crate) fn is_mostly_dead(&self) -> bool {
        self.live_extents.load(Ordering::Acquire) == 0 || self.dead.lock().fresh_bytes * 2 >= self.bytes
    }

    /// A checkpoint is about to be collected that shows what is dead now to be so.
    pub(crate) fn doom_dead(&self) {
        let mut dead = self.dead.lock();
        dead.fresh_bytes = 0;
        let fresh = std::mem::take(&mut dead.fresh);
        dead.doomed.extend(fresh);
    }

    /// The checkpoint is durable: gives the space back. What cannot be given back is kept until the whole segment goes.
    pub(crate) async fn punch_doomed(&self) -> Result<(), Error> {
        let doomed = std::mem::take(&mut self.dead.lock().doomed);
        if doomed.is_empty() {
            return Ok(());
        }
        let file = self.file().await?;
        for (offset, length) in doomed {
            file.punch_hole(offset, length).await?;
        }
        Ok(())
    }
}

pub(crate) fn missing(id: u64) -> Damage {
    Damage { file: layout::segment_file(id), offset: 0, what: "the segment is missing".into() }
}

/// One group's part of a segment.
pub(crate) struct Extent {
    pub(crate) segment: Arc<Segment>,
    pub(crate) fields: ExtentFields,
}

impl Extent {
    /// The extent's entries are retained no longer.
    pub(crate) fn retire(&self) {
        let mut dead = self.segment.dead.lock();
        dead.fresh.push((self.fields.offset, self.fields.length));
        dead.fresh_bytes += self.fields.length;
        self.segment.live_extents.fetch_sub(1, Ordering::Release);
    }

    fn end(&self) -> u64 {
        self.fields.offset + self.fields.length
    }

    /// The index point from which a search for the first entry that is not `before` begins.
    pub(crate) fn point_for(&self, before: impl Fn(&IndexPoint) -> bool) -> usize {
        self.fields.points.partition_point(before).saturating_sub(1)
    }

    /// Bytes from index point `point` to the one from which every entry has an index of at least `end`.
    pub(crate) fn bytes_until(&self, point: usize, end: u64) -> u64 {
        let after = self.fields.points.partition_point(|point| point.index < end);
        let end = self.fields.points.get(after).map_or(self.end(), |point| point.offset);
        end.saturating_sub(self.fields.points[point].offset)
    }

    /// Reads entries from index point `point` on, about `max_bytes` of them but at least up to the next point.
    pub(crate) async fn read(&self, point: usize, max_bytes: u64) -> Result<Vec<AppliedFrame>, Error> {
        let start = self.fields.points[point].offset;
        let next_point = self.fields.points.get(point + 1).map_or(self.end(), |next| next.offset);
        let wanted_end = start.saturating_add(max_bytes).clamp(next_point, self.end());
        // Ends at a point, so that the last entry is whole.
        let after = self.fields.points.partition_point(|point| point.offset < wanted_end);
        let end = self.fields.points.get(after).map_or(self.end(), |point| point.offset);
        let bytes = self.segment.file().await?.read_at(start, (end - start) as usize).await?;
        self.parse(bytes, start, end)
    }

    fn parse(&self, mut bytes: Bytes, start: u64, end: u64) -> Result<Vec<AppliedFrame>, Error> {
        let mut entries = Vec::new();
        let mut at = start;
        while at < end {
            let Some(entry) = self.parse_one(&bytes) else {
                return Err(Error::Damaged(Damage {
                    file: self.segment.path(),
                    offset: at,
                    what: format!("an entry of group {} is damaged", self.fields.group),
                }));
            };
            let length = ASSIGNMENT_LEN + entry.frame.encoded_len();
            bytes.advance(length);
            at += length as u64;
            entries.push(entry);
        }
        Ok(entries)
    }

    fn parse_one(&self, bytes: &Bytes) -> Option<AppliedFrame> {
        let mut head = bytes.get(..ASSIGNMENT_LEN)?;
        let crc = crc32c::crc32c(&head[..ASSIGNMENT_LEN - 4]);
        let first_record = RecordNumber(head.get_u64_le());
        let arrival = TimestampMs(head.get_u64_le());
        let count = head.get_u32_le();
        if head.get_u32_le() != crc {
            return None;
        }
        let frame = Frame::read(&bytes.slice(ASSIGNMENT_LEN..))?;
        (frame.group == GroupId(self.fields.group)).then_some(AppliedFrame { frame, first_record, count, arrival })
    }

    /// Reads everything and checks it, for inspection.
    pub(crate) async fn verify(&self) -> Result<u64, Error> {
        let mut entries = 0;
        for point in 0..self.fields.points.len() {
            entries += self.read(point, 0).await?.len() as u64;
        }
        Ok(entries)
    }
}
