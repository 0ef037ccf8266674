"""Unmodified clients of AWS, and the raw requests that no client would send."""

import http.client
import json
import time

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACTIVE_SECONDS_MAX = 30
TARGET = "Kinesis_20131202."
JSON_TYPE = "application/x-amz-json-1.1"


def kinesis(endpoint, **config):
    """A boto3 client as a user makes it; its retries are botocore's default."""
    return boto3.client("kinesis", endpoint_url=endpoint, region_name=REGION, config=Config(**config))


def create_stream(client, name, shards=1):
    """Creates a stream, waits until it is ACTIVE and returns its shard ids in order."""
    client.create_stream(StreamName=name, ShardCount=shards)
    waiter = client.get_waiter("stream_exists")
    waiter.wait(StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": ACTIVE_SECONDS_MAX})
    ids = [shard["ShardId"] for shard in client.list_shards(StreamName=name)["Shards"]]
    assert len(ids) == shards
    return sorted(ids)


def read_shard(client, stream, shard, seconds_max=60, limit=10_000):
    """Everything in a shard from its trim horizon to its tip, in the order in which it comes."""
    iterator = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    token = iterator["ShardIterator"]
    records = []
    deadline = time.monotonic() + seconds_max
    while token:
        reply = client.get_records(ShardIterator=token, Limit=limit)
        records.extend(reply["Records"])
        if not reply["Records"] and reply["MillisBehindLatest"] == 0:
            break
        assert time.monotonic() < deadline, f"{shard} not read within {seconds_max} s, {len(records)} records so far"
        token = reply.get("NextShardIterator")
    return records


def assert_serves(endpoint):
    """A put and a get on a stream of their own: the server is well."""
    client = kinesis(endpoint)
    name = f"well-{time.monotonic_ns()}"
    (shard,) = create_stream(client, name)
    put = client.put_record(StreamName=name, PartitionKey="k", Data=b"still here")
    (record,) = read_shard(client, name, shard)
    assert (record["Data"], record["SequenceNumber"]) == (b"still here", put["SequenceNumber"])
    client.delete_stream(StreamName=name)


def post(port, operation, body, headers=None, method="POST", path="/", target=TARGET):
    """One raw request over HTTP/1.1. Returns status, headers (names in small letters) and the body's bytes."""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    fields = {"Content-Type": JSON_TYPE, "X-Amz-Target": target + operation}
    fields.update(headers or {})
    fields = {name: value for name, value in fields.items() if value is not None}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body=body, headers=fields)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def error_of(reply):
    """The error's name (without a namespace) and message of a raw reply."""
    status, _, body = reply
    assert status >= 400, (status, body)
    fields = json.loads(body)
    message = fields.get("message", fields.get("Message", ""))
    return fields["__type"].rsplit("#", 1)[-1], message
