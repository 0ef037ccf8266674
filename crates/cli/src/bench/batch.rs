//! The body of PutRecords: built once, then patched for each request.

use bytes::{Bytes, BytesMut};

use super::payload::{IDENTITY_CHARS, Payload, RecordId};

/// Characters of a partition key.
const KEY_CHARS: usize = 16;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A body whose records get new identities and random partition keys in place.
pub(crate) struct Batch {
    /// The body, while no request has it.
    body: BytesMut,
    /// Where the first record's data begins, and the distance to the next one's.
    first: usize,
    stride: usize,
    key_offset: usize,
    count: usize,
}

impl Batch {
    /// A body for `count` records.
    pub(crate) fn new(stream: &str, payload: &Payload, count: usize) -> Self {
        let head = format!("{{\"StreamName\":{},\"Records\":[", serde_json::Value::from(stream));
        let before_key = format!("{}{}\",\"PartitionKey\":\"", "A".repeat(IDENTITY_CHARS), payload.filler_base64());
        let record = format!("{{\"Data\":\"{before_key}{}\"}},", "0".repeat(KEY_CHARS));
        let mut body = BytesMut::with_capacity(head.len() + record.len() * count + 2);
        body.extend_from_slice(head.as_bytes());
        for _ in 0..count {
            body.extend_from_slice(record.as_bytes());
        }
        // The last comma goes.
        body.truncate(body.len() - 1);
        body.extend_from_slice(b"]}");
        let first = head.len() + "{\"Data\":\"".len();
        Self { body, first, stride: record.len(), key_offset: before_key.len(), count }
    }

    /// The number of records.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// The body with the records `number..number + count` of `worker`, and partition keys that are 16 hexadecimal digits each.
    pub(crate) fn fill(
        &mut self,
        payload: &Payload,
        worker: u16,
        number: u64,
        mut next_key: impl FnMut() -> u64,
    ) -> Bytes {
        for index in 0..self.count {
            let data = self.first + index * self.stride;
            let id = RecordId { worker, number: number + index as u64 };
            payload.patch(id, &mut self.body[data..data + IDENTITY_CHARS]);
            let key = data + self.key_offset;
            write_hex(next_key(), &mut self.body[key..key + KEY_CHARS]);
        }
        std::mem::take(&mut self.body).freeze()
    }

    /// Takes the body back when its request is done.
    pub(crate) fn put_back(&mut self, body: Bytes) {
        // A connection that has just failed may still hold it; then it is copied.
        self.body = body.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
    }
}

fn write_hex(number: u64, target: &mut [u8]) {
    for (index, character) in target.iter_mut().enumerate() {
        *character = HEX[(number >> (60 - 4 * index)) as usize & 15];
    }
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;
    use serde::Deserialize;

    use super::super::payload::{Verdict, split_mix};
    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        stream_name: String,
        records: Vec<Record>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Record {
        data: String,
        partition_key: String,
    }

    #[test]
    fn each_patched_body_is_a_request_with_the_records_asked_for() {
        for record_bytes in [12, 13, 14, 100] {
            let payload = Payload::new(7, record_bytes);
            let mut batch = Batch::new("a \"stream\"", &payload, 3);
            let mut keys = 5;
            for start in [0, 3, 1 << 40] {
                let body = batch.fill(&payload, 9, start, || split_mix(&mut keys));
                let request: Request = serde_json::from_slice(&body).unwrap();
                assert_eq!(request.stream_name, "a \"stream\"");
                assert_eq!(request.records.len(), 3);
                for (index, record) in request.records.iter().enumerate() {
                    let data = STANDARD.decode_to_vec(&record.data).unwrap();
                    let id = RecordId { worker: 9, number: start + index as u64 };
                    assert_eq!(payload.judge(&data), Verdict::Ours(id));
                    assert_eq!(record.partition_key.len(), 16);
                }
                assert_ne!(request.records[0].partition_key, request.records[1].partition_key);
                batch.put_back(body);
            }
        }
    }
}
