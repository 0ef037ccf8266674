use std::io::{self, IoSlice};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use rustix::buffer::spare_capacity;
use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use super::disk::Mode;
use crate::{BoxFuture, File};

/// Slices that Linux takes in one `pwritev` (`IOV_MAX`).
const SLICES_PER_CALL: usize = 1024;

/// An open file of the machine.
pub(super) struct RealFile {
    file: Arc<std::fs::File>,
    mode: Mode,
}

impl RealFile {
    pub(super) fn new(file: std::fs::File, mode: Mode) -> Self {
        Self { file: Arc::new(file), mode }
    }

    fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce(&std::fs::File) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, io::Result<T>> {
        let file = Arc::clone(&self.file);
        self.mode.run(move || call(&file))
    }
}

impl File for RealFile {
    fn len(&self) -> BoxFuture<'static, io::Result<u64>> {
        self.run(|file| Ok(file.metadata()?.len()))
    }

    fn read_at(&self, offset: u64, length: usize) -> BoxFuture<'static, io::Result<Bytes>> {
        self.run(move |file| read_at(file, offset, length))
    }

    fn write_at(&self, offset: u64, slices: Vec<Bytes>) -> BoxFuture<'static, io::Result<()>> {
        self.run(move |file| write_at(file, offset, slices))
    }

    fn sync(&self) -> BoxFuture<'static, io::Result<()>> {
        // Never repeated, not even after EINTR: what a failed sync leaves behind is unknown.
        self.run(|file| Ok(rustix::fs::fdatasync(file)?))
    }

    fn punch_hole(&self, offset: u64, length: u64) -> BoxFuture<'static, io::Result<()>> {
        self.run(move |file| punch_hole(file, offset, length))
    }
}

fn read_at(file: &std::fs::File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let position = offset + bytes.len() as u64;
        match rustix::io::pread(file, spare_capacity(&mut bytes), position) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // The allocator may have given more than asked for.
    bytes.truncate(length);
    Ok(bytes.into())
}

/// Writes everything, however few bytes the kernel takes at a time.
fn write_at(file: &std::fs::File, offset: u64, mut slices: Vec<Bytes>) -> io::Result<()> {
    let mut position = offset;
    let mut first = 0;
    loop {
        while first < slices.len() && slices[first].is_empty() {
            first += 1;
        }
        if first == slices.len() {
            return Ok(());
        }
        let end = slices.len().min(first + SLICES_PER_CALL);
        let views: Vec<IoSlice<'_>> = slices[first..end].iter().map(|slice| IoSlice::new(slice)).collect();
        let written = match rustix::io::pwritev(file, &views, position) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => written,
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        };
        position += written as u64;
        first = advance(&mut slices, first, written);
    }
}

/// Cuts `written` bytes off the slices from `first` on, and returns the first one with something left.
fn advance(slices: &mut [Bytes], mut first: usize, mut written: usize) -> usize {
    while written > 0 {
        let taken = written.min(slices[first].len());
        slices[first].advance(taken);
        written -= taken;
        if slices[first].is_empty() {
            first += 1;
        }
    }
    first
}

fn punch_hole(file: &std::fs::File, offset: u64, length: u64) -> io::Result<()> {
    if length == 0 {
        return Ok(());
    }
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    loop {
        match rustix::fs::fallocate(file, flags, offset, length) {
            Ok(()) => return Ok(()),
            // A file system without holes: the bytes stay, which the contract allows.
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(slices: &[Bytes], first: usize) -> Vec<u8> {
        slices[first..].concat()
    }

    #[test]
    fn a_partial_write_leaves_exactly_the_rest() {
        let whole: Vec<u8> = (0..60).collect();
        for written in 0..=whole.len() {
            let mut slices = vec![
                Bytes::copy_from_slice(&whole[..10]),
                Bytes::new(),
                Bytes::copy_from_slice(&whole[10..11]),
                Bytes::copy_from_slice(&whole[11..]),
            ];
            let first = advance(&mut slices, 0, written);
            assert_eq!(left(&slices, first), &whole[written..], "after {written} bytes");
        }
    }
}
