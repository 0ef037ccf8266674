//! PutRecord

use router::{InvalidArgument, RouterError};
use types::SEQUENCE_NUMBER_DIGITS;
use wire::ops::{PutRecord, PutRecordReply};
use wire::{AwsError, Protocol};

use super::put_entry::Entry;
use crate::Api;
use crate::dispatch::Outcome;
use crate::respond::body;
use crate::shapes::{SHARD_ID_ROOM, shard_id_text, stream_ref};

pub(crate) async fn put_record(api: &Api, protocol: Protocol, request: PutRecord<'_>) -> Outcome {
    let entry = Entry {
        data: &request.data,
        partition_key: &request.partition_key,
        explicit_hash_key: request.explicit_hash_key.as_deref(),
    };
    let ordering = request.sequence_number_for_ordering.as_deref();
    let put =
        api.router().put_record(stream_ref(request.stream()), entry, ordering).await.map_err(|error| match error {
            // PutRecord has no place in a list to name.
            RouterError::InvalidArgument(InvalidArgument::RecordTooLarge { max_bytes, .. }) => {
                AwsError::record_too_large(None, max_bytes)
            }
            error => api.refuse(error),
        })?;
    let (mut shard, mut digits) = (SHARD_ID_ROOM, [0; SEQUENCE_NUMBER_DIGITS]);
    let reply = PutRecordReply {
        shard_id: shard_id_text(put.shard, &mut shard).into(),
        sequence_number: put.sequence.write_digits(&mut digits).into(),
    };
    Ok(body(protocol, &reply))
}
