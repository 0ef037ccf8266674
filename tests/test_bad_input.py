"""Bad requests: each gets the error that AWS gives, nothing is lost, and the server goes on serving."""

import base64
import json

import pytest

from clients import assert_serves, create_stream, error_of, kinesis, post, read_shard

STREAM = "bad-input"
DATA = base64.b64encode(b"data").decode()
NOTHING = "shardId-000000000099"


@pytest.fixture(scope="module")
def shard(shared_thalweg):
    """The only shard of a stream with one record."""
    client = kinesis(shared_thalweg.endpoint)
    (shard,) = create_stream(client, STREAM)
    client.put_record(StreamName=STREAM, PartitionKey="before", Data=b"before all tests")
    return shard


@pytest.fixture
def call(shared_thalweg, shard):
    """Sends a raw request; after the test the server must serve, and the record from before must be the only one."""

    def send(operation, body, **options):
        return post(shared_thalweg.api_port, operation, body, **options)

    yield send
    assert_serves(shared_thalweg.endpoint)
    records = read_shard(kinesis(shared_thalweg.endpoint), STREAM, shard)
    assert [record["Data"] for record in records] == [b"before all tests"]


def put(**changes):
    return {"StreamName": STREAM, "PartitionKey": "k", "Data": DATA} | changes


def iterator(shard, **changes):
    return {"StreamName": STREAM, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"} | changes


def without(body, field):
    return {name: value for name, value in body.items() if name != field}


@pytest.mark.parametrize(
    "body",
    ["", "{", "[", "nul", '{"StreamName":', '{"StreamName": "a" "b"}', "\x00", '"text"', "[]", "7", "[" * 100_000],
)
def test_a_body_that_is_no_object_is_a_serialization_error(call, body):
    reply = call("PutRecord", body)
    assert reply[0] == 400
    assert error_of(reply)[0] == "SerializationException"


def test_bytes_that_are_no_utf8_are_a_serialization_error(call):
    reply = call("PutRecord", b'{"StreamName":"\xff\xfe"}')
    assert reply[0] == 400 and error_of(reply)[0] == "SerializationException"


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("CreateStream", {"StreamName": 5, "ShardCount": 1}),
        ("CreateStream", {"StreamName": "a", "ShardCount": "one"}),
        ("CreateStream", {"StreamName": ["a"], "ShardCount": 1}),
        ("PutRecord", put(Data=5)),
        ("PutRecord", put(Data="not base64!")),
        ("PutRecord", put(Data="YQ")),
        ("PutRecord", put(PartitionKey={})),
        ("PutRecord", put(PartitionKey=True)),
        ("PutRecords", {"StreamName": STREAM, "Records": "all"}),
        ("PutRecords", {"StreamName": STREAM, "Records": {"Data": DATA}}),
        ("PutRecords", {"StreamName": STREAM, "Records": ["record"]}),
        ("GetRecords", {"ShardIterator": 1}),
        ("GetShardIterator", {"StreamName": STREAM, "ShardId": False, "ShardIteratorType": "LATEST"}),
    ],
)
def test_a_field_of_the_wrong_type_is_a_serialization_error(call, operation, body):
    reply = call(operation, body)
    assert reply[0] == 400
    assert error_of(reply)[0] == "SerializationException"


@pytest.mark.parametrize("field", ["PartitionKey", "Data"])
def test_a_missing_field_is_named(call, field):
    reply = call("PutRecord", without(put(), field))
    name = field[0].lower() + field[1:]
    message = f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null"
    assert reply[0] == 400
    assert error_of(reply) == ("ValidationException", message)


def test_several_failed_constraints_come_as_one_error(call):
    reply = call("PutRecord", {"StreamName": "", "PartitionKey": "", "Data": DATA})
    code, message = error_of(reply)
    assert code == "ValidationException"
    assert "validation errors detected: " in message and "'partitionKey'" in message and "'streamName'" in message


def test_fields_that_nobody_knows_are_ignored(call):
    body = {"StreamName": STREAM, "Unknown": {"deep": [1, None, {"x": "y"}]}, "another": 1e300}
    status, _, reply = call("DescribeStreamSummary", body)
    assert status == 200, reply


@pytest.mark.parametrize(
    "changes",
    [
        {"PartitionKey": ""},
        {"PartitionKey": "k" * 257},
        {"ExplicitHashKey": "abc"},
        {"ExplicitHashKey": "-1"},
        {"ExplicitHashKey": str(2**128)},
        {"StreamName": "a b"},
        {"StreamName": "a" * 129},
        {"StreamName": "../../etc"},
        {"SequenceNumberForOrdering": "not a number"},
    ],
)
def test_a_value_out_of_its_bounds_is_refused(call, changes):
    reply = call("PutRecord", put(**changes))
    assert reply[0] == 400
    assert error_of(reply)[0] in ("ValidationException", "InvalidArgumentException")


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("CreateStream", {"StreamName": "new", "ShardCount": 0}),
        ("CreateStream", {"StreamName": "new", "ShardCount": -1}),
        ("CreateStream", {"StreamName": "", "ShardCount": 1}),
        ("CreateStream", {"StreamName": "a/b", "ShardCount": 1}),
        ("ListStreams", {"Limit": 0}),
        ("ListStreams", {"Limit": 10_001}),
        ("GetShardIterator", {"StreamName": STREAM, "ShardId": "shardId-000000000000", "ShardIteratorType": "FIRST"}),
        ("GetRecords", {"ShardIterator": ""}),
        ("GetRecords", {"ShardIterator": "x", "Limit": 0}),
        ("GetRecords", {"ShardIterator": "x", "Limit": 10_001}),
    ],
)
def test_a_constraint_of_the_model_is_checked(call, operation, body):
    reply = call(operation, body)
    assert reply[0] == 400
    assert error_of(reply)[0] == "ValidationException"


def test_counts_of_records_out_of_bounds_are_refused(call):
    for count in (0, 501):
        records = [{"PartitionKey": "k", "Data": DATA}] * count
        reply = call("PutRecords", {"StreamName": STREAM, "Records": records})
        code, message = error_of(reply)
        assert (reply[0], code) == (400, "ValidationException")
        assert "'records'" in message and ("than or equal to 500" in message or "than or equal to 1" in message)


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("PutRecord", put(StreamName="absent")),
        ("PutRecords", {"StreamName": "absent", "Records": [{"PartitionKey": "k", "Data": DATA}]}),
        ("DescribeStream", {"StreamName": "absent"}),
        ("DescribeStreamSummary", {"StreamName": "absent"}),
        ("ListShards", {"StreamName": "absent"}),
        ("DeleteStream", {"StreamName": "absent"}),
        ("GetShardIterator", iterator("shardId-000000000000", StreamName="absent")),
        ("IncreaseStreamRetentionPeriod", {"StreamName": "absent", "RetentionPeriodHours": 48}),
        ("DecreaseStreamRetentionPeriod", {"StreamName": "absent", "RetentionPeriodHours": 24}),
    ],
)
def test_an_unknown_stream_is_not_found(call, operation, body):
    reply = call(operation, body)
    code, message = error_of(reply)
    assert (reply[0], code) == (400, "ResourceNotFoundException")
    assert message.startswith("Stream absent under account ") and message.endswith(" not found.")


def test_an_unknown_shard_is_not_found(call):
    reply = call("GetShardIterator", iterator(NOTHING))
    assert reply[0] == 400
    code, message = error_of(reply)
    assert code == "ResourceNotFoundException" and NOTHING in message


@pytest.mark.parametrize("token", ["x", "AAAA", "A" * 200, "é", "A" * 512, base64.b64encode(b"\x00" * 128).decode()])
def test_an_iterator_that_is_none_is_refused(call, token):
    reply = call("GetRecords", {"ShardIterator": token})
    assert reply[0] == 400
    assert error_of(reply)[0] == "InvalidArgumentException"


def test_an_iterator_with_a_byte_changed_is_refused_wherever_it_is(call, shard):
    token = json.loads(call("GetShardIterator", iterator(shard))[2])["ShardIterator"]
    assert call("GetRecords", {"ShardIterator": token})[0] == 200
    assert call("GetRecords", {"ShardIterator": f'"{token}"'})[0] == 200, "AWS accepts it in quotes"
    # The last two characters may carry bits that base64 ignores.
    for at in range(0, len(token) - 3, 5):
        forged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        reply = call("GetRecords", {"ShardIterator": forged})
        assert reply[0] == 400, at
        assert error_of(reply)[0] == "InvalidArgumentException"


def test_an_iterator_of_another_server_is_refused(call, start_thalweg, shard):
    other = kinesis(start_thalweg().endpoint)
    assert create_stream(other, STREAM) == [shard]
    token = other.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    reply = call("GetRecords", {"ShardIterator": token["ShardIterator"]})
    assert reply[0] == 400 and error_of(reply)[0] == "InvalidArgumentException"


def test_a_sequence_number_that_is_none_is_refused(call, shard):
    for number in ("abc", "", "1" * 300, "-5"):
        body = iterator(shard, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number)
        reply = call("GetShardIterator", body)
        assert reply[0] == 400
        assert error_of(reply)[0] in ("InvalidArgumentException", "ValidationException")
    reply = call("GetShardIterator", iterator(shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER"))
    assert reply[0] == 400


def test_a_record_over_the_limit_is_refused_and_one_at_it_is_taken(shared_thalweg, call):
    mebibyte = 1 << 20
    too_large = put(Data=base64.b64encode(bytes(mebibyte + 1)).decode())
    reply = call("PutRecord", too_large)
    assert reply[0] == 400
    assert error_of(reply)[0] in ("ValidationException", "InvalidArgumentException")

    client = kinesis(shared_thalweg.endpoint)
    (shard,) = create_stream(client, "large")
    # Data and key together.
    client.put_record(StreamName="large", PartitionKey="k", Data=bytes(mebibyte - 1))
    records = read_shard(client, "large", shard)
    assert [record["Data"] for record in records] == [bytes(mebibyte - 1)]
    client.delete_stream(StreamName="large")


def test_records_over_the_limit_of_a_request_are_refused_together(call):
    # Eleven records of one MiB less the key, 11 MiB in all.
    records = [{"PartitionKey": "k", "Data": base64.b64encode(bytes((1 << 20) - 1)).decode()}] * 11
    reply = call("PutRecords", {"StreamName": STREAM, "Records": records})
    assert reply[0] in (400, 413)


def test_retention_out_of_its_bounds_is_refused(call):
    for operation, hours in [
        ("IncreaseStreamRetentionPeriod", 8_761),
        ("IncreaseStreamRetentionPeriod", 23),
        ("DecreaseStreamRetentionPeriod", 23),
        ("DecreaseStreamRetentionPeriod", 0),
        ("DecreaseStreamRetentionPeriod", -24),
    ]:
        reply = call(operation, {"StreamName": STREAM, "RetentionPeriodHours": hours})
        assert reply[0] == 400, (operation, hours)
        assert error_of(reply)[0] in ("InvalidArgumentException", "ValidationException")


@pytest.mark.parametrize("target", ["Conquer", "", "putrecord", "PutRecord2", "PutRecord;DeleteStream"])
def test_an_unknown_operation_is_named_so(call, target):
    reply = call(target, put())
    assert reply[0] == 400 and error_of(reply)[0] == "UnknownOperationException"


def test_requests_that_are_not_of_the_protocol_are_refused(call):
    for options in (
        {"headers": {"X-Amz-Target": None}},
        {"headers": {"X-Amz-Target": "DynamoDB_20120810.ListTables"}},
        {"headers": {"Content-Type": None}},
        {"headers": {"Content-Type": "text/html"}},
        {"method": "PUT"},
        {"method": "GET"},
        {"method": "DELETE"},
    ):
        status, _, _ = call("PutRecord", put(), **options)
        assert 400 <= status < 500, options


def test_every_reply_carries_its_request_id(call):
    for status, headers, _ in (call("ListStreams", {}), call("ListStreams", "{"), call("Conquer", {})):
        assert headers["x-amzn-requestid"] and headers["x-amz-id-2"], status


def test_boto3_without_its_own_validation_gets_the_servers_errors(shared_thalweg, call):
    client = kinesis(shared_thalweg.endpoint, parameter_validation=False)
    with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
        client.put_records(StreamName=STREAM, Records=[])
    with pytest.raises(client.exceptions.ClientError, match="ValidationException"):
        client.put_record(StreamName=STREAM, Data=b"x")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_stream(StreamName="absent")
    with pytest.raises(client.exceptions.InvalidArgumentException):
        client.get_records(ShardIterator="forged")
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_stream(StreamName=STREAM, ShardCount=1)
