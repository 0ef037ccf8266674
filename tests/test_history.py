"""The comparison must find each kind of loss: it is shown one of each."""

from collections import Counter
from types import SimpleNamespace

import pytest

from history import Acknowledged, compare


def history(*items, attempts=None):
    sent = Counter(attempts or {data: 1 for _, _, _, data in items})
    return SimpleNamespace(attempts=sent, acknowledged=[Acknowledged(*item) for item in items])


def read(*items):
    shards = {}
    for shard, number, key, data in items:
        shards.setdefault(shard, []).append({"SequenceNumber": str(number), "PartitionKey": key, "Data": data})
    return shards


A = ("shard-0", 1, "key", b"a")
B = ("shard-0", 2, "key", b"b")


def test_what_was_acknowledged_is_what_was_read():
    compare([history(A, B)], read(A, B))


def test_a_retried_record_may_be_there_twice():
    compare([history(A, B, attempts={b"a": 2, b"b": 1})], read(("shard-0", 0, "key", b"a"), A, B))


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        pytest.param([A], "lost", id="lost"),
        pytest.param([A, ("shard-0", 2, "key", b"x")], "changed", id="other bytes"),
        pytest.param([A, ("shard-0", 2, "other", b"b")], "changed", id="other key"),
        pytest.param([A, ("shard-1", 2, "key", b"b")], "changed", id="other shard"),
        pytest.param([A, B, ("shard-0", 3, "key", b"c")], "never put", id="phantom"),
        pytest.param([A, B, ("shard-0", 3, "key", b"b")], "more often", id="sent once and there twice"),
        pytest.param([B, A], "after", id="out of order"),
        pytest.param([A, A, B], "after", id="number given twice"),
        pytest.param([A, B, ("shard-1", 2, "key", b"b")], "in shard-1 and shard-0", id="number in two shards"),
    ],
)
def test_each_kind_of_damage_is_found(stored, message):
    with pytest.raises(AssertionError, match=message):
        compare([history(A, B)], read(*stored))


def test_numbers_that_decrease_within_a_key_are_found():
    swapped = history(("shard-0", 2, "key", b"a"), ("shard-0", 1, "key", b"b"))
    with pytest.raises(AssertionError, match="after"):
        compare([swapped], read(("shard-0", 1, "key", b"b"), ("shard-0", 2, "key", b"a")))


def test_one_number_for_two_acknowledged_records_is_found():
    with pytest.raises(AssertionError, match="acknowledged twice"):
        compare([history(A, ("shard-0", 1, "key", b"b"))], read(A))


def test_a_strange_partition_key_on_an_unacknowledged_copy_is_found():
    retried = history(A, attempts={b"a": 2})
    with pytest.raises(AssertionError, match="another's partition key"):
        compare([retried], read(A, ("shard-0", 2, "stranger", b"a")))
