use std::convert::Infallible;
use std::io;

use tokio::runtime::{Builder, Handle};

use crate::{BoxFuture, Spawn};

/// Runs `main` to its end on a multi-threaded executor with one worker per core: the runtime that [`super::env`] asks for.
///
/// # Errors
/// When the operating system gives no threads or no event queue.
pub fn run<T>(main: impl Future<Output = T>) -> io::Result<T> {
    Ok(Builder::new_multi_thread().enable_all().build()?.block_on(main))
}

/// Tasks on the shared executor, threads of the operating system.
pub struct RealSpawn {
    /// Kept, since a dedicated thread has a small executor of its own, where shared tasks would starve behind its blocking calls.
    shared: Handle,
}

impl RealSpawn {
    /// Takes the executor it is called in as the shared one.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new() -> Self {
        Self { shared: Handle::current() }
    }
}

impl Default for RealSpawn {
    fn default() -> Self {
        Self::new()
    }
}

impl Spawn for RealSpawn {
    fn task(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        self.shared.spawn(named(name, task));
    }

    fn dedicated(&self, name: &'static str, task: BoxFuture<'static, ()>) {
        let thread = move || match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime.block_on(named(name, task)),
            Err(error) => abort(&format!("no executor for the thread {name}: {error}")),
        };
        if let Err(error) = std::thread::Builder::new().name(name.to_owned()).spawn(thread) {
            // Start-up can't go on without it, and later nothing would ever be acknowledged again.
            abort(&format!("no thread for {name}: {error}"));
        }
    }

    fn abort(&self, reason: &str) -> BoxFuture<'static, Infallible> {
        abort(reason)
    }
}

fn abort(reason: &str) -> ! {
    tracing::error!(reason, "aborting the process");
    std::process::abort()
}

/// Runs `task`; should it panic, the log says which one it was.
async fn named(name: &'static str, task: BoxFuture<'static, ()>) {
    let _guard = NameOnPanic(name);
    task.await;
}

struct NameOnPanic(&'static str);

impl Drop for NameOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!(task = self.0, "task panicked");
        }
    }
}
