use std::io;

use rustix::io::Errno;

/// What a file system has too little of for a moment: the call has changed nothing that counts, and may work later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// Space, or what is left of a quota.
    Space,
    /// File descriptors, of the process or of the machine.
    Handles,
}

impl Shortage {
    /// The shortage that an error is about, if it is about one.
    pub fn of(error: &io::Error) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => return Some(Self::Space),
            _ => {}
        }
        let of_handles = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
        error.raw_os_error().filter(|number| of_handles.contains(number)).map(|_| Self::Handles)
    }

    /// The error of a call that found no file descriptor.
    pub fn of_handles() -> io::Error {
        io::Error::from_raw_os_error(Errno::MFILE.raw_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_quota_is_a_full_disk_and_other_errors_are_none() {
        let of = |errno: Errno| Shortage::of(&errno.into());
        assert_eq!([of(Errno::NOSPC), of(Errno::DQUOT)], [Some(Shortage::Space); 2]);
        assert_eq!([of(Errno::MFILE), of(Errno::NFILE)], [Some(Shortage::Handles); 2]);
        assert_eq!([of(Errno::IO), of(Errno::NOENT)], [None; 2]);
        assert_eq!(Shortage::of(&io::ErrorKind::StorageFull.into()), Some(Shortage::Space));
    }
}
