"""Those who put: each in a thread, one request at a time, and everything that was tried is written down."""

import random
import time

from clients import FAILURES, NOT_STORED, STREAM, code_of, kinesis
from payload import payload

# How often a careful user's program sends a record again before it gives up; half of them do not even try.
RESENDS_MAX = 8
BATCH_RECORDS_MAX = 60
PAUSE_AFTER_FAILURE_SECONDS = 0.2
# What a prober waits for an answer. Short, as it asks nothing else meanwhile: a gap is measured no finer than this.
PROBE_SECONDS_MAX = 2.5
BATCH_SECONDS_MAX = 15


class Producer:
    """Puts records under keys of its own. What it did stands in its ledger, one line for each request.

    A line: when it began and how long it took (seconds of the machine's monotonic clock), the node, how often it was sent (the
    SDK's own retries included), and for each record its key, number and what became of it: its shard and sequence number, or
    the error's name. `sure` says that a refusal leaves nothing stored.
    """

    def __init__(self, name, keys, endpoints, ledger, board, seed, records_per_second, batch, **config):
        self.name = name
        self.keys = keys
        self.batch = batch
        self.pause_seconds = batch / 2 / records_per_second if batch > 1 else 1 / records_per_second
        self.dice = random.Random(f"{seed} {name}")
        self.numbers = dict.fromkeys(keys, 0)
        self.ledger = ledger
        self.board = board
        self.home = 0
        self.nodes = [node for node, _ in endpoints]
        self._sends = 0
        self._clients = [kinesis(endpoint, **config) for _, endpoint in endpoints]
        for client in self._clients:
            client.meta.events.register("before-send.kinesis", self._count)

    def run(self, stop):
        again, resends = [], 0
        while not stop.is_set():
            records = again or self._next()
            again = self._put(records)
            if again:
                stop.wait(PAUSE_AFTER_FAILURE_SECONDS)
                resends += 1
                if resends > RESENDS_MAX or (resends == 1 and self.dice.random() < 0.5):
                    again = []
            else:
                resends = 0
                stop.wait(self.pause_seconds * self.dice.uniform(0.5, 1.5))

    def _next(self):
        count = self.dice.randint(1, self.batch)
        records = []
        for _ in range(count):
            key = self.dice.choice(self.keys)
            records.append((key, self.numbers[key]))
            self.numbers[key] += 1
        return records

    def _put(self, records):
        """Returns the records that were not acknowledged."""
        client = self._clients[self.home]
        node = self.nodes[self.home]
        self._sends = 0
        began = time.monotonic()
        try:
            outcomes = self._request(client, records)
        except FAILURES as error:
            outcomes = [_refused(code_of(error))] * len(records)
            # As a balancer before the nodes would do it.
            self.home = (self.home + 1) % len(self._clients)
        took = time.monotonic() - began
        self.ledger.put(self.name, began, took, node, self._sends, list(zip(records, outcomes)))
        if self.batch == 1 and "seq" in outcomes[0]:
            self.board.note(self.name, began + took)
        return [record for record, outcome in zip(records, outcomes) if "seq" not in outcome]

    def _request(self, client, records):
        entries = [{"PartitionKey": key, "Data": payload(self.name, key, number)} for key, number in records]
        if self.batch == 1:
            reply = client.put_record(StreamName=STREAM, **entries[0])
            return [{"shard": reply["ShardId"], "seq": int(reply["SequenceNumber"])}]
        reply = client.put_records(StreamName=STREAM, Records=entries)
        return [_outcome(entry) for entry in reply["Records"]]

    def _count(self, **_):
        self._sends += 1


def prober(node, shard, keys, endpoint, ledger, board, seed, rate):
    """Asks again and again whether one shard takes a put through one node: small requests, no retries, no other node."""
    never = {"retries": {"total_max_attempts": 1}, "connect_timeout": 2, "read_timeout": PROBE_SECONDS_MAX}
    return Producer(f"probe-{node}-{shard}", keys, [(node, endpoint)], ledger, board, seed, rate, 1, **never)


def batcher(number, keys, endpoints, ledger, board, seed, rate):
    """A producer as a user's program: PutRecords with the SDK's default retries, and another node where one fails."""
    patience = {"connect_timeout": 3, "read_timeout": BATCH_SECONDS_MAX}
    return Producer(f"batch-{number}", keys, endpoints, ledger, board, seed, rate, BATCH_RECORDS_MAX, **patience)


def _outcome(entry):
    if "ErrorCode" in entry:
        return _refused(entry["ErrorCode"])
    return {"shard": entry["ShardId"], "seq": int(entry["SequenceNumber"])}


def _refused(code):
    return {"code": code, "sure": code in NOT_STORED}
