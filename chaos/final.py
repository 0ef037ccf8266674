"""Everything that is in the stream at the end."""

import time

from clients import STREAM, kinesis
from followers import named

READ_SECONDS_MAX = 180
LIMIT = 10_000


def read_all(endpoint, shards):
    """For each shard its records from the trim horizon to the tip, by name."""
    client = kinesis(endpoint)
    deadline = time.monotonic() + READ_SECONDS_MAX
    return {shard: named(_read(client, shard, deadline)) for shard in shards}


def _read(client, shard, deadline):
    reply = client.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    token, records = reply["ShardIterator"], []
    while True:
        reply = client.get_records(ShardIterator=token, Limit=LIMIT)
        records.extend(reply["Records"])
        if not reply["Records"] and reply["MillisBehindLatest"] == 0:
            return records
        if time.monotonic() > deadline:
            raise TimeoutError(f"{shard} not read within {READ_SECONDS_MAX} s, {len(records)} records so far")
        token = reply["NextShardIterator"]
