"""The unmodified AWS command line, as a user pastes it."""

import base64
import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import pytest

STREAM = "cli-stream"


@pytest.fixture
def aws(thalweg):
    """Runs `aws kinesis …` against the server; returns its JSON, or None where it prints nothing."""
    program = Path(sys.executable).parent / "aws"
    assert program.exists(), "the AWS CLI is not in this environment"
    environment = {**os.environ, "AWS_ENDPOINT_URL": thalweg.endpoint}

    def run(*arguments, fails=None):
        result = subprocess.run(
            [program, "kinesis", *arguments, "--output", "json"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if fails:
            assert result.returncode != 0 and fails in result.stderr, (arguments, result)
            return None
        assert result.returncode == 0, (arguments, result.stderr)
        return json.loads(result.stdout) if result.stdout.strip() else None

    return run


@pytest.fixture
def stream(aws):
    """A stream of two shards that is ACTIVE."""
    aws("create-stream", "--stream-name", STREAM, "--shard-count", "2")
    aws("wait", "stream-exists", "--stream-name", STREAM)
    return STREAM


def read(aws, stream, shard, *position):
    token = aws("get-shard-iterator", "--stream-name", stream, "--shard-id", shard, "--shard-iterator-type", *position)
    reply = aws("get-records", "--shard-iterator", token["ShardIterator"])
    return [base64.b64decode(record["Data"]) for record in reply["Records"]], reply


def test_a_stream_is_created_described_listed_and_deleted(aws, stream):
    described = aws("describe-stream", "--stream-name", stream)["StreamDescription"]
    assert described["StreamStatus"] == "ACTIVE"
    assert described["StreamARN"].endswith(f":stream/{stream}")
    assert described["RetentionPeriodHours"] == 24
    assert described["EncryptionType"] == "NONE"
    ranges = [shard["HashKeyRange"] for shard in described["Shards"]]
    assert [(r["StartingHashKey"], r["EndingHashKey"]) for r in ranges] == [
        ("0", str(2**127 - 1)),
        (str(2**127), str(2**128 - 1)),
    ]

    summary = aws("describe-stream-summary", "--stream-name", stream)["StreamDescriptionSummary"]
    assert (summary["StreamStatus"], summary["OpenShardCount"]) == ("ACTIVE", 2)
    assert summary["StreamARN"] == described["StreamARN"]
    assert aws("describe-stream-summary", "--stream-arn", described["StreamARN"])["StreamDescriptionSummary"] == summary

    assert aws("list-streams")["StreamNames"] == [stream]
    shards = [shard["ShardId"] for shard in aws("list-shards", "--stream-name", stream)["Shards"]]
    assert shards == ["shardId-000000000000", "shardId-000000000001"]

    aws("delete-stream", "--stream-name", stream)
    aws("wait", "stream-not-exists", "--stream-name", stream)
    aws("describe-stream", "--stream-name", stream, fails="ResourceNotFoundException")
    assert aws("list-streams")["StreamNames"] == []


def test_a_name_that_is_taken_is_refused(aws, stream):
    aws("create-stream", "--stream-name", stream, "--shard-count", "1", fails="ResourceInUseException")


def test_a_stream_without_a_shard_count_is_on_demand_with_four_shards(aws):
    aws("create-stream", "--stream-name", STREAM, "--stream-mode-details", "StreamMode=ON_DEMAND")
    aws("wait", "stream-exists", "--stream-name", STREAM)
    summary = aws("describe-stream-summary", "--stream-name", STREAM)["StreamDescriptionSummary"]
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert summary["OpenShardCount"] == 4


def test_records_are_put_and_read_from_all_five_positions(aws, stream):
    # Explicit hash keys put all of them into the second shard.
    put = [
        aws("put-record", "--stream-name", stream, "--partition-key", "k", "--data", data, "--explicit-hash-key", str(2**127))
        for data in ("one", "two")
    ]
    shard = "shardId-000000000001"
    assert {reply["ShardId"] for reply in put} == {shard}
    first, second = (reply["SequenceNumber"] for reply in put)
    assert int(first) < int(second) and len(first) == len(second) == 56

    latest = aws("get-shard-iterator", "--stream-name", stream, "--shard-id", shard, "--shard-iterator-type", "LATEST")
    third = json.dumps([{"PartitionKey": "k", "Data": "three", "ExplicitHashKey": str(2**128 - 1)}])
    assert aws("put-records", "--stream-name", stream, "--records", third)["FailedRecordCount"] == 0
    reply = aws("get-records", "--shard-iterator", latest["ShardIterator"])
    assert [base64.b64decode(record["Data"]) for record in reply["Records"]] == [b"three"]

    data, reply = read(aws, stream, shard, "TRIM_HORIZON")
    assert data == [b"one", b"two", b"three"]
    assert reply["NextShardIterator"] and reply["MillisBehindLatest"] == 0
    assert all(record["PartitionKey"] == "k" and "EncryptionType" not in record for record in reply["Records"])
    assert [record["SequenceNumber"] for record in reply["Records"][:2]] == [first, second]

    at, after = "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"
    assert read(aws, stream, shard, at, "--starting-sequence-number", second)[0] == [b"two", b"three"]
    assert read(aws, stream, shard, after, "--starting-sequence-number", second)[0] == [b"three"]
    started = datetime(2020, 1, 1, tzinfo=timezone.utc).isoformat()
    assert read(aws, stream, shard, "AT_TIMESTAMP", "--timestamp", started)[0] == [b"one", b"two", b"three"]
    assert read(aws, stream, "shardId-000000000000", "TRIM_HORIZON")[0] == []


def test_put_records_spreads_keys_over_the_shards(aws, stream):
    records = json.dumps([{"PartitionKey": f"key-{n}", "Data": f"data-{n}"} for n in range(40)])
    reply = aws("put-records", "--stream-name", stream, "--records", records)
    assert reply["FailedRecordCount"] == 0 and len(reply["Records"]) == 40
    shards = sorted({record["ShardId"] for record in reply["Records"]})
    assert shards == ["shardId-000000000000", "shardId-000000000001"]
    data = [read(aws, stream, shard, "TRIM_HORIZON")[0] for shard in shards]
    assert sorted(data[0] + data[1]) == sorted(f"data-{n}".encode() for n in range(40))


def test_retention_is_raised_and_lowered_within_its_bounds(aws, stream):
    def hours():
        return aws("describe-stream-summary", "--stream-name", stream)["StreamDescriptionSummary"]["RetentionPeriodHours"]

    raise_to = ("increase-stream-retention-period", "--stream-name", stream, "--retention-period-hours")
    lower_to = ("decrease-stream-retention-period", "--stream-name", stream, "--retention-period-hours")
    aws(*raise_to, "8760")
    assert hours() == 8760
    aws(*lower_to, "48")
    assert hours() == 48
    aws(*raise_to, "47", fails="InvalidArgumentException")
    aws(*lower_to, "49", fails="InvalidArgumentException")
    aws(*lower_to, "23", fails="An error occurred")
    aws(*raise_to, "8761", fails="An error occurred")
    assert hours() == 48
