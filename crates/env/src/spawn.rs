use std::convert::Infallible;

use crate::BoxFuture;

/// Tasks and threads.
pub trait Spawn: Send + Sync + 'static {
    /// Runs `task` on the shared executor until it ends or the process does. `name` shows in diagnostics.
    fn task(&self, name: &'static str, task: BoxFuture<'static, ()>);

    /// Runs `task` on a thread of its own, where it may block: for the journal and the segment writer, which spend their time in
    /// `write` and `fdatasync`. In the simulation it is an ordinary task.
    fn dedicated(&self, name: &'static str, task: BoxFuture<'static, ()>);

    /// Ends the process at once, as after a failed `fdatasync`, when the state of the page cache is unknown and nothing that is
    /// still in memory may be acknowledged. The returned future never completes.
    fn abort(&self, reason: &str) -> BoxFuture<'static, Infallible>;
}
