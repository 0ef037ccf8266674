//! A refusal on the wire, the head of a frame of that kind: `code u8`, then text for a reader that doesn't know the code.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};

use crate::{Refused, Service};

const NO_SERVICE: u8 = 1;
const ANSWER_TOO_LARGE: u8 = 2;
/// For tests of what a later version may send.
const OTHER: u8 = 255;

/// As it is written. The service stands in the frame's header.
pub(crate) fn encode(refused: &Refused) -> Bytes {
    let code = match refused {
        Refused::NoService(_) => NO_SERVICE,
        Refused::AnswerTooLarge => ANSWER_TOO_LARGE,
        Refused::Other(_) => OTHER,
    };
    let mut out = BytesMut::new();
    out.put_u8(code);
    out.put_slice(refused.to_string().as_bytes());
    out.freeze()
}

/// Reads any bytes: a refusal that says nothing is still one.
pub(crate) fn decode(service: Service, head: &[u8]) -> Refused {
    match head.split_first() {
        Some((&NO_SERVICE, _)) => Refused::NoService(service),
        Some((&ANSWER_TOO_LARGE, _)) => Refused::AnswerTooLarge,
        Some((_, text)) => Refused::Other(Arc::from(&*String::from_utf8_lossy(text))),
        None => Refused::Other("for no reason".into()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn layout_on_the_wire_is_as_documented() {
        assert_eq!(encode(&Refused::NoService(Service(7))), "\u{1}the node does not serve calls of kind 7");
        assert_eq!(encode(&Refused::AnswerTooLarge), "\u{2}the answer is too large");
        assert_eq!(decode(Service(7), b"\x09too early"), Refused::Other("too early".into()));
    }

    proptest! {
        #[test]
        fn reading_returns_what_was_written(service: u8, text: String) {
            let service = Service(service);
            for refused in [Refused::NoService(service), Refused::AnswerTooLarge, Refused::Other(text.into())] {
                prop_assert_eq!(decode(service, &encode(&refused)), refused);
            }
        }

        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            let _ = decode(Service(0), &bytes);
        }
    }
}
