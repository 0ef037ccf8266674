"""Clear-text HTTP/2 with prior knowledge, as the JavaScript SDK speaks it, on the port that also speaks HTTP/1.1."""

import base64
import json

import httpx
import pytest

from clients import JSON_TYPE, TARGET, create_stream, kinesis, post, read_shard

STREAM = "http2"


@pytest.fixture
def call(thalweg):
    """Calls an operation over one HTTP/2 connection."""
    with httpx.Client(http1=False, http2=True, base_url=thalweg.endpoint, trust_env=False, timeout=30) as connection:

        def send(operation, **fields):
            headers = {"content-type": JSON_TYPE, "x-amz-target": TARGET + operation}
            reply = connection.post("/", content=json.dumps(fields), headers=headers)
            assert reply.http_version == "HTTP/2"
            assert reply.headers["x-amzn-requestid"]
            return reply

        yield send


def test_records_put_over_http2_are_read_over_http2_and_http1(thalweg, client, call):
    (shard,) = create_stream(client, STREAM)
    records = [{"PartitionKey": f"k{n}", "Data": base64.b64encode(bytes([n]) * n).decode()} for n in range(100)]
    one = call("PutRecord", StreamName=STREAM, PartitionKey="first", Data=base64.b64encode(b"one").decode())
    assert one.status_code == 200 and one.json()["ShardId"] == shard
    many = call("PutRecords", StreamName=STREAM, Records=records)
    assert many.status_code == 200 and many.json()["FailedRecordCount"] == 0

    token = call("GetShardIterator", StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    reply = call("GetRecords", ShardIterator=token.json()["ShardIterator"]).json()
    expected = [b"one"] + [bytes([n]) * n for n in range(100)]
    assert [base64.b64decode(record["Data"]) for record in reply["Records"]] == expected
    assert [record["Data"] for record in read_shard(kinesis(thalweg.endpoint), STREAM, shard)] == expected


def test_an_error_over_http2_is_the_error_of_http1(thalweg, call):
    over_http2 = call("DescribeStream", StreamName="absent")
    status, _, body = post(thalweg.api_port, "DescribeStream", {"StreamName": "absent"})
    assert (over_http2.status_code, over_http2.json()) == (status, json.loads(body))
    assert over_http2.json()["__type"].endswith("ResourceNotFoundException")
