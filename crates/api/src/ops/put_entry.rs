//! The records of a put as the router takes them: nothing is copied before the data is decoded to where it stays.

use router::{InvalidData, PutEntry};
use wire::Blob;

/// A record of either put.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'r> {
    pub(crate) data: &'r Blob<'r>,
    pub(crate) partition_key: &'r str,
    pub(crate) explicit_hash_key: Option<&'r str>,
}

impl PutEntry for Entry<'_> {
    fn partition_key(&self) -> &str {
        self.partition_key
    }

    fn explicit_hash_key(&self) -> Option<&str> {
        self.explicit_hash_key
    }

    fn data_len(&self) -> usize {
        self.data.decoded_len()
    }

    fn decode_into(&self, out: &mut [u8]) -> Result<(), InvalidData> {
        self.data.decode_into(out).map_err(|_| InvalidData)
    }
}
