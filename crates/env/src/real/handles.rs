use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets the process open as many files and sockets as it may: shells and service managers start with a low soft limit for the sake
/// of programs that use `select`. Returns how many that are; `u64::MAX` without a limit.
///
/// # Errors
/// When the kernel refuses; the old limit stays.
pub fn raise_handle_limit() -> io::Result<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum.unwrap_or(u64::MAX))
}

/// How many files and sockets the process may have open now; `u64::MAX` without a limit.
pub fn handle_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let limit = raise_handle_limit().unwrap();
        assert_eq!(handle_limit(), limit);
        assert!(limit > 16);
    }
}
