//! Collecting a request's body into one contiguous buffer.

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body;

use super::Refusal;
use super::budget::{Budget, Exhausted, Lease};

/// A body is given at most this much ahead of its bytes, whatever its head promises. Fits the usual PutRecords of 500 records of 1 KiB.
const AHEAD_BYTES_MAX: usize = 1 << 20;

/// A body that is too large is read and thrown away up to this much, since many clients look for the answer only when they have sent
/// everything.
const DISCARD_BYTES_MAX: u64 = 32 << 20;

/// Reads a body of at most `bytes_max` bytes. `lease` grows with the bytes that have come, so that a promise alone costs nothing.
///
/// The caller sets the deadline.
pub(crate) async fn collect<B>(
    body: &mut B,
    bytes_max: usize,
    budget: &Budget,
    lease: &mut Lease,
) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let promised = body.size_hint().exact();
    if promised.is_some_and(|promised| promised > DISCARD_BYTES_MAX) {
        return Err(Refusal::BodyTooLarge);
    }
    if promised.is_some_and(|promised| promised > bytes_max as u64) {
        return Err(discard(body, 0).await);
    }
    let promised = promised.and_then(|promised| usize::try_from(promised).ok()).unwrap_or(0);
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::BodyBroken)?;
        // Trailers mean nothing here.
        let Ok(data) = frame.into_data() else { continue };
        let length = whole.len() + parts.len() + data.len();
        if length > bytes_max {
            return Err(discard(body, length as u64).await);
        }
        lease.add(budget.take(data.len()).map_err(|Exhausted| Refusal::Overloaded)?);
        if whole.is_empty() && parts.is_empty() {
            // Often the only one, and then nothing is copied.
            whole = data;
            continue;
        }
        if parts.is_empty() {
            parts.reserve(promised.min(AHEAD_BYTES_MAX).max(length));
            parts.extend_from_slice(&std::mem::take(&mut whole));
        }
        parts.extend_from_slice(&data);
    }
    Ok(if parts.is_empty() { whole } else { parts.freeze() })
}

async fn discard<B: Body<Data = Bytes> + Unpin>(body: &mut B, mut bytes: u64) -> Refusal {
    while bytes <= DISCARD_BYTES_MAX {
        match body.frame().await {
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(_)) => return Refusal::BodyBroken,
            None => break,
        }
    }
    Refusal::BodyTooLarge
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;
    use proptest::prelude::*;

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
            std::task::Poll::Ready(value) => value,
            std::task::Poll::Pending => panic!("waited"),
        }
    }

    fn chunked(chunks: Vec<Vec<u8>>) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(stream::iter(chunks.into_iter().map(|chunk| Ok(Frame::data(Bytes::from(chunk))))))
    }

    proptest! {
        #[test]
        fn chunks_come_together_in_order_up_to_the_bound(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..8),
            bytes_max in 0usize..200,
            budget_bytes in 0usize..200,
        ) {
            let budget = Budget::new(budget_bytes + (4 << 10));
            let mut lease = budget.request().ok().unwrap();
            let expected = chunks.concat();
            let got = now(collect(&mut chunked(chunks), bytes_max, &budget, &mut lease));
            if expected.len() <= bytes_max.min(budget_bytes) {
                prop_assert_eq!(got.unwrap(), expected.clone());
                prop_assert_eq!(budget.used(), expected.len() + (4 << 10));
            } else {
                let refusal = got.unwrap_err();
                prop_assert!(matches!(refusal, Refusal::BodyTooLarge | Refusal::Overloaded));
                prop_assert!(refusal != Refusal::BodyTooLarge || expected.len() > bytes_max);
            }
            drop(lease);
            prop_assert_eq!(budget.used(), 0);
        }
    }

    #[test]
    fn a_promise_over_the_bound_is_refused_without_being_kept() {
        let budget = Budget::new(8 << 10);
        let mut lease = budget.request().ok().unwrap();
        let mut body = Full::new(Bytes::from(vec![0; 100]));
        assert_eq!(now(collect(&mut body, 99, &budget, &mut lease)), Err(Refusal::BodyTooLarge));
        assert_eq!(budget.used(), 4 << 10);
    }
}
