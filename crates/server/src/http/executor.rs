use std::sync::Arc;

use env::Spawn;
use hyper::rt::Executor;

/// Lets hyper run the streams of an HTTP/2 connection as tasks of this node.
#[derive(Clone)]
pub(crate) struct EnvExecutor(pub(crate) Arc<dyn Spawn>);

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for EnvExecutor {
    fn execute(&self, task: F) {
        self.0.task("http2 stream", Box::pin(task));
    }
}
