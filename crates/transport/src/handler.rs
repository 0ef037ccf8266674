use env::BoxFuture;

use crate::{Answer, Call};

/// Answers the calls to one service.
pub trait Handler: Send + Sync + 'static {
    /// Takes `call` and returns the future of its answer.
    ///
    /// The contract of order: `handle` itself is called by the connection's only reader, in the order in which the calls arrived on
    /// that connection, one after another. So what it does before it returns happens in that order; it must not block, nor take
    /// long, since all calls of the connection wait meanwhile. The futures then run concurrently, and answers may overtake
    /// each other.
    ///
    /// The future is dropped when the caller's deadline has passed or its connection has ended: nobody would receive the answer. Work
    /// that must go on all the same belongs into a task of its own.
    fn handle(&self, call: Call) -> BoxFuture<'static, Answer>;
}
