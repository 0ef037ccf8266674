use std::time::Duration;

use env::Clock;

/// What `future` gives, or `None` once `duration` has passed.
pub(crate) async fn within<T>(clock: &dyn Clock, duration: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        value = future => Some(value),
        () = clock.sleep(duration) => None,
    }
}
