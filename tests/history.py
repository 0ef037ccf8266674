"""What was tried and what was acknowledged, kept by the writers; and the comparison with what was read."""

import threading
from collections import Counter
from dataclasses import dataclass

import botocore.exceptions

BATCH_RECORDS_MAX = 500
RESENDS_MAX = 100


@dataclass(frozen=True)
class Acknowledged:
    shard: str
    sequence_number: int
    key: str
    data: bytes


class Writer:
    """Puts records through one boto3 client and keeps their history.

    One writer puts one batch after another, so what it has acknowledged for a key is ordered. A record is sent again until it
    is acknowledged, as a careful user's program does: by botocore's default retries first, and by this class after those.
    """

    def __init__(self, client, stream, progress):
        self.client = client
        self.stream = stream
        self.progress = progress
        self.attempts = Counter()
        self.acknowledged = []
        self.interrupted_batches = 0
        self.rejected_records = 0
        self._sent = 0
        # Counts every time a request leaves, botocore's own retries included.
        client.meta.events.register("before-send.kinesis.PutRecords", self._count)

    def put_all(self, records):
        """Puts `(key, data)` records in order, in batches."""
        for start in range(0, len(records), BATCH_RECORDS_MAX):
            self.put(records[start : start + BATCH_RECORDS_MAX])

    def put(self, batch):
        """Puts a batch until each of its records is acknowledged."""
        for _ in range(RESENDS_MAX):
            batch = self.put_once(batch)
            if not batch:
                return
        raise AssertionError(f"{len(batch)} records not acknowledged after {RESENDS_MAX} times: {self.progress}")

    def put_once(self, batch):
        """Puts a batch, with botocore's retries, and returns the records that have to be sent again."""
        entries = [{"PartitionKey": key, "Data": data} for key, data in batch]
        self._sent = 0
        try:
            with self.progress.in_flight():
                reply = self.client.put_records(StreamName=self.stream, Records=entries)
        except (botocore.exceptions.HTTPClientError, botocore.exceptions.ConnectionError):
            # Neither acknowledged nor absent: unknown.
            self._count_attempts(batch)
            self.interrupted_batches += 1
            return batch
        self._count_attempts(batch)
        self.interrupted_batches += self._sent > 1
        assert len(reply["Records"]) == len(batch)
        again = [record for record, outcome in zip(batch, reply["Records"]) if not self._take(record, outcome)]
        assert reply["FailedRecordCount"] == len(again)
        self.rejected_records += len(again)
        self.progress.add(len(batch) - len(again))
        return again

    def _take(self, record, outcome):
        if "ErrorCode" in outcome:
            assert outcome["ErrorCode"] == "ProvisionedThroughputExceededException", outcome
            assert "SequenceNumber" not in outcome and outcome["ErrorMessage"], outcome
            return False
        key, data = record
        self.acknowledged.append(Acknowledged(outcome["ShardId"], int(outcome["SequenceNumber"]), key, data))
        return True

    def _count(self, **_):
        self._sent += 1

    def _count_attempts(self, batch):
        for _, data in batch:
            self.attempts[data] += self._sent


class Progress:
    """How far all writers are, for the one who interrupts them."""

    def __init__(self):
        self._changed = threading.Condition()
        self._acknowledged = 0
        self._in_flight = 0
        self._failure = None

    def __str__(self):
        return f"{self._acknowledged} records acknowledged, {self._in_flight} requests in flight"

    def add(self, records):
        with self._changed:
            self._acknowledged += records
            self._changed.notify_all()

    def in_flight(self):
        return _InFlight(self)

    def fail(self, error):
        """A writer gave up: whoever waits is told."""
        with self._changed:
            self._failure = error
            self._changed.notify_all()

    def interrupt(self, records, action, seconds_max):
        """Runs `action` once `records` are acknowledged and while a put is in flight; no put is counted as done meanwhile."""
        with self._changed:
            reached = self._changed.wait_for(
                lambda: self._failure or (self._acknowledged >= records and self._in_flight > 0), seconds_max
            )
            assert reached, f"{records} records not reached within {seconds_max} s: {self}"
            if self._failure:
                raise self._failure
            action()

    def _move(self, requests):
        with self._changed:
            self._in_flight += requests
            self._changed.notify_all()


class _InFlight:
    def __init__(self, progress):
        self.progress = progress

    def __enter__(self):
        self.progress._move(+1)

    def __exit__(self, *_):
        self.progress._move(-1)


def compare(writers, read):
    """Asserts that `read`, a list of records for each shard id, is what the writers' history allows, and all of it.

    Every acknowledged record is there under its sequence number, byte for byte; once where it was sent once, at most as often
    as it was sent otherwise; nothing is there that was never sent; sequence numbers increase; each key is in order.
    """
    stored = _by_sequence_number(read)
    attempts = sum((writer.attempts for writer in writers), Counter())
    acknowledged = [item for writer in writers for item in writer.acknowledged]
    _compare_acknowledged(acknowledged, stored)
    _compare_copies(acknowledged, attempts, stored)
    for writer in writers:
        _compare_order(writer.acknowledged)


def _by_sequence_number(read):
    stored = {}
    for shard, records in read.items():
        last = -1
        for record in records:
            number = int(record["SequenceNumber"])
            assert number > last, f"{shard}: {number} after {last}"
            assert number not in stored, f"{number} in {shard} and {stored[number].shard}"
            last = number
            stored[number] = Acknowledged(shard, number, record["PartitionKey"], record["Data"])
    return stored


def _compare_acknowledged(acknowledged, stored):
    numbers = Counter(item.sequence_number for item in acknowledged)
    twice = [number for number, count in numbers.items() if count > 1]
    assert not twice, f"{len(twice)} sequence numbers acknowledged twice, such as {twice[:3]}"
    lost = [item for item in acknowledged if item.sequence_number not in stored]
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged records lost, such as {lost[:3]}"
    changed = [(item, stored[item.sequence_number]) for item in acknowledged if stored[item.sequence_number] != item]
    assert not changed, f"{len(changed)} acknowledged records changed, such as {changed[:3]}"


def _compare_copies(acknowledged, attempts, stored):
    copies = Counter(item.data for item in stored.values())
    phantoms = [data for data in copies if data not in attempts]
    assert not phantoms, f"{len(phantoms)} records were never put, such as {phantoms[:3]}"
    too_many = [(data, copies[data], attempts[data]) for data in copies if copies[data] > attempts[data]]
    assert not too_many, f"{len(too_many)} records are there more often than they were sent, such as {too_many[:3]}"
    done = {item.data for item in acknowledged}
    keys = {item.data: item.key for item in acknowledged}
    assert done == attempts.keys(), "the writers left records unacknowledged"
    strangers = [item for item in stored.values() if item.key != keys[item.data]]
    assert not strangers, f"{len(strangers)} records have another's partition key, such as {strangers[:3]}"


def _compare_order(acknowledged):
    """A key's records were acknowledged one after another, so their numbers increase, in one shard."""
    last = {}
    for item in acknowledged:
        before = last.get(item.key)
        if before is not None:
            assert item.shard == before.shard, f"{item.key} moved from {before.shard} to {item.shard}"
            assert item.sequence_number > before.sequence_number, f"{item} after {before}"
        last[item.key] = item
