"""What the clients did, written down as they did it: one JSON line for each request, one file for each process."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path


class Ledger:
    """Shared by the threads of one process."""

    def __init__(self, path):
        self._file = open(path, "a", buffering=1)
        self._lock = threading.Lock()

    def put(self, producer, began, took, node, sends, records):
        """A put: `records` are `((key, number), outcome)`."""
        rows = [[key, number, outcome] for (key, number), outcome in records]
        self._write(["put", producer, began, took, node, sends, rows])

    def chain(self, chain, shard, after):
        """A reader has begun at the trim horizon, or after a sequence number."""
        self._write(["chain", chain, shard, after])

    def got(self, chain, began, took, node, records):
        """A reader got `records`: sequence numbers with the names that their bytes say, None for bytes that are no record's."""
        self._write(["got", chain, began, took, node, records])

    def failed(self, chain, began, took, node, code):
        """A reader got an error."""
        self._write(["failed", chain, began, took, node, code])

    def _write(self, line):
        text = json.dumps(line, separators=(",", ":"))
        with self._lock:
            self._file.write(text + "\n")


@dataclass
class Put:
    producer: str
    began: float
    took: float
    node: int
    sends: int
    # (key, number, outcome); the outcome has `shard` and `seq`, or `code` and `sure`.
    records: list


@dataclass
class Chain:
    """What one reader saw from one start on."""

    shard: str
    after: int | None
    # (sequence number, name or None)
    records: list


@dataclass
class History:
    puts: list
    chains: dict
    # (began, took, node, code or None)
    reads: list


def load(folder):
    """Everything in a folder's ledgers; puts by the time at which they began."""
    history = History([], {}, [])
    for path in sorted(Path(folder).glob("*.jsonl")):
        with open(path) as lines:
            for line in lines:
                # The last line of a process that was ended may be half a line.
                if line.endswith("\n"):
                    _take(history, json.loads(line))
    history.puts.sort(key=lambda put: put.began)
    return history


def _take(history, line):
    kind, *rest = line
    if kind == "put":
        history.puts.append(Put(*rest))
    elif kind == "chain":
        chain, shard, after = rest
        history.chains[chain] = Chain(shard, after, [])
    elif kind == "got":
        chain, began, took, node, records = rest
        history.reads.append((began, took, node, None))
        history.chains[chain].records.extend((number, tuple(name) if name else None) for number, name in records)
    else:
        _, began, took, node, code = rest
        history.reads.append((began, took, node, code))
