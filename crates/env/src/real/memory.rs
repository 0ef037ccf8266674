use std::io;

use rustix::thread::disable_transparent_huge_pages;

/// Has the kernel back memory with small pages, for the rest of the process' life. A Raft group sets aside more than a MiB for queues
/// of which it uses a few slots; the allocator asks for huge pages, and one used slot then takes two MiB.
///
/// # Errors
/// Where the kernel doesn't know the request.
pub fn refuse_huge_pages() -> io::Result<()> {
    Ok(disable_transparent_huge_pages(true)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_takes_it() {
        refuse_huge_pages().unwrap();
        assert!(rustix::thread::transparent_huge_pages_are_disabled().unwrap());
    }
}
