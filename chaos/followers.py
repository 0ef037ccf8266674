"""Those who read while faults happen: each follows one shard, keeps its iterator over failures, and begins anew at times."""

import random
import time

from clients import FAILURES, STREAM, code_of, kinesis
from payload import name_of

POLL_SECONDS = 0.3
READ_SECONDS_MAX = 5
# How often, for each answer, a reader goes back to a record it has seen and reads on from there; and how many answers at most.
GO_BACK = 0.03
GO_BACK_MAX = 30
LIMITS = (7, 100, 1_000)


def named(records):
    """Sequence numbers, with the names of the records whose bytes and keys these are."""
    return [(int(record["SequenceNumber"]), name_of(record["Data"], record["PartitionKey"])) for record in records]


class Follower:
    """One reader of one shard."""

    def __init__(self, name, shard, endpoints, ledger, seed):
        self.name = name
        self.shard = shard
        self.ledger = ledger
        self.dice = random.Random(f"{seed} {name}")
        patience = {"connect_timeout": 2, "read_timeout": READ_SECONDS_MAX, "retries": {"total_max_attempts": 1}}
        self._clients = [(node, kinesis(endpoint, **patience)) for node, endpoint in endpoints]
        self._home = self.dice.randrange(len(self._clients))
        self._chains = 0
        self._chain = None
        self._token = None
        self._after = None
        self._seen = []

    def run(self, stop):
        while not stop.is_set():
            node, client = self._clients[self._home]
            began = time.monotonic()
            try:
                if self._token is None:
                    self._begin(client)
                reply = client.get_records(ShardIterator=self._token, Limit=self.dice.choice(LIMITS))
            except FAILURES as error:
                self._fail(error, began, node)
                stop.wait(POLL_SECONDS)
                continue
            self._take(reply, began, node)
            if not reply["Records"]:
                stop.wait(POLL_SECONDS)

    def _begin(self, client):
        """Asks for an iterator; only when it is there does the chain begin."""
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": str(self._after)}
        reply = client.get_shard_iterator(StreamName=STREAM, ShardId=self.shard, **where)
        self._token = reply["ShardIterator"]
        self._chains += 1
        self._chain = f"{self.name}-{self._chains}"
        self.ledger.chain(self._chain, self.shard, self._after)

    def _take(self, reply, began, node):
        records = named(reply["Records"])
        self.ledger.got(self._chain, began, time.monotonic() - began, node, records)
        self._token = reply["NextShardIterator"]
        if records:
            self._after = records[-1][0]
            self._seen.append(records[0][0])
        if self._seen and self.dice.random() < GO_BACK:
            self._token, self._after = None, self.dice.choice(self._seen[-GO_BACK_MAX:])

    def _fail(self, error, began, node):
        code = code_of(error)
        self.ledger.failed(self._chain, began, time.monotonic() - began, node, code)
        self._home = (self._home + 1) % len(self._clients)
        if code == "ExpiredIteratorException":
            self._token = None
