//! The reply of PutRecords.

use crate::{AwsError, Protocol, json};

/// Writes a reply of PutRecords into one buffer, one entry per record in the order of the request, without an allocation
/// per entry. `EncryptionType` is only sent for encrypted streams.
#[derive(Debug)]
pub struct PutRecordsWriter<'o> {
    out: &'o mut Vec<u8>,
    protocol: Protocol,
    is_empty: bool,
    failed: u64,
}

impl<'o> PutRecordsWriter<'o> {
    /// Begins a reply at the end of `out`.
    #[must_use]
    pub fn new(protocol: Protocol, out: &'o mut Vec<u8>) -> Self {
        match protocol {
            Protocol::Json => out.extend_from_slice(b"{\"Records\":["),
        }
        Self { out, protocol, is_empty: true, failed: 0 }
    }

    /// The next record is stored.
    pub fn stored(&mut self, sequence_number: &str, shard_id: &str) {
        self.entry(("SequenceNumber", sequence_number), ("ShardId", shard_id));
    }

    /// The next record has failed.
    pub fn failed(&mut self, error: &AwsError) {
        self.failed += 1;
        self.entry(("ErrorCode", error.code()), ("ErrorMessage", error.message().unwrap_or_default()));
    }

    fn entry(&mut self, first: (&'static str, &str), second: (&'static str, &str)) {
        match self.protocol {
            Protocol::Json => {
                self.out.extend_from_slice(if self.is_empty { b"{\"" } else { b",{\"" });
                self.out.extend_from_slice(first.0.as_bytes());
                self.out.extend_from_slice(b"\":");
                json::write_string(self.out, first.1);
                self.out.extend_from_slice(b",\"");
                self.out.extend_from_slice(second.0.as_bytes());
                self.out.extend_from_slice(b"\":");
                json::write_string(self.out, second.1);
                self.out.push(b'}');
            }
        }
        self.is_empty = false;
    }

    /// Ends the reply with the number of failed records.
    pub fn finish(self) {
        match self.protocol {
            Protocol::Json => {
                self.out.extend_from_slice(b"],\"FailedRecordCount\":");
                json::write_integer(self.out, self.failed);
                self.out.push(b'}');
            }
        }
    }
}
