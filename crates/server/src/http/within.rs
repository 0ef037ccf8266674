use std::time::Duration;

use env::Clock;

/// The value of `future` unless `limit` passes first.
pub(crate) async fn within<T>(clock: &dyn Clock, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        // The work first: a timer that is never polled costs nothing.
        biased;
        value = future => Some(value),
        () = clock.sleep(limit) => None,
    }
}
