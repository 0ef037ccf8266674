"""Bits flip in what nodes have stored. A minority mends itself from the others; a majority is refused, and nothing of it is touched."""

import random
import threading
import time

import pytest

from clients import create_stream, kinesis
from history import Progress, Writer, compare
from test_cluster_life import Operator
from test_flights import read_all

STREAM, SHARDS = "flights", 6
BATCHES, BATCH = 12, 100
# Where bits are flipped in the journals of the nodes in turn, as parts of what is written there; `None`: at all of them and at many
# places more, at once.
PLACES = (0.0, 0.1, 0.25, 0.4, 0.5, 0.65, 0.8, 0.9, None)
PAGE = 4096
SEED = 7
# A replica is made anew within a second; a debug build on a busy machine takes longer.
WELL_SECONDS_MAX = 90


class Rot:
    """Flips bits in the journal files of a node that does not run, and flips them back."""

    def __init__(self, node):
        self.pages = [
            (path, page)
            for path in sorted((node.data_dir / "journal").glob("*.journal"))
            for page in range(path.stat().st_size // PAGE)
            if any(read(path, page * PAGE, PAGE))
        ]
        self.flipped = []

    def flip(self, part, dice):
        """Two bits of one page: one in its front, where a block's header and table may be, one anywhere."""
        path, page = self.pages[int(part * (len(self.pages) - 1))]
        for offset in (dice.randrange(128), dice.randrange(PAGE)):
            flip(path, page * PAGE + offset, bit := 1 << dice.randrange(8))
            self.flipped.append((path, page * PAGE + offset, bit))

    def undo(self):
        for place in self.flipped:
            flip(*place)


def read(path, offset, length):
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(length)


def flip(path, offset, bit):
    byte = read(path, offset, 1)[0]
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(bytes([byte ^ bit]))


def fill(nodes):
    """Puts some records into each shard. Returns the writer."""
    writer = Writer(kinesis(nodes[0].endpoint), STREAM, Progress())
    for batch in range(BATCHES):
        writer.put_all([(f"key-{number}", f"{batch} {number} ".encode() * 20) for number in range(BATCH)])
    return writer


def wait_well(operator):
    """Waits until nothing is amiss. Returns all kinds of trouble that the status has shown on the way."""
    seen, deadline = set(), time.monotonic() + WELL_SECONDS_MAX
    while True:
        status = operator.status()
        seen.update(trouble for shard in status["troubled"] for trouble in shard["troubles"])
        if status["balanced"] and not status["troubled"] and not status["waiting"]:
            return seen
        assert time.monotonic() < deadline, status
        time.sleep(0.02)


def test_a_damaged_journal_of_one_node_of_three_mends_itself(start_cluster, binary):
    nodes = start_cluster(3)
    shards = create_stream(kinesis(nodes[0].endpoint), STREAM, SHARDS)
    writer = fill(nodes)
    dice = random.Random(SEED)
    seen, started_over = set(), 0
    for turn, part in enumerate(PLACES):
        node, other = nodes[turn % 3], nodes[(turn + 1) % 3]
        operator = Operator(binary, other)
        wait_well(operator)
        node.kill9()
        rot = Rot(node)
        for place in [part] if part is not None else [number / 40 for number in range(40)]:
            rot.flip(place, dice)
        # Looked at all the time, since it is soon over.
        looking = threading.Thread(target=node.start)
        looking.start()
        while looking.is_alive():
            seen.update(trouble for shard in operator.status()["troubled"] for trouble in shard["troubles"])
        looking.join()
        seen |= wait_well(operator)
        started_over += "starts over with an empty directory" in node.log().rsplit("--- ", 1)[1]
        # What it has been given is really there: of the other two one alone would be no majority.
        other.kill9()
        found = read_all(node.endpoint, shards)
        other.start()
        compare([writer], found)
    print(f"{started_over} of {len(PLACES)} times a node started over; troubles shown meanwhile: {sorted(seen)}")
    assert 0 < started_over < len(PLACES), "the flips hit only one kind of place"
    assert seen & {"damaged", "rebuilding"}, "the status has not shown it"


def test_damage_to_a_majority_is_refused_and_changes_nothing(start_cluster, binary):
    nodes = start_cluster(3)
    shards = create_stream(kinesis(nodes[0].endpoint), STREAM, SHARDS)
    writer = fill(nodes)
    dice = random.Random(SEED)
    for node in nodes[:2]:
        node.kill9()
    rots = [Rot(node) for node in nodes[:2]]
    for rot in rots:
        for number in range(40):
            rot.flip(number / 40, dice)
    refused = []

    def start(node):
        with pytest.raises(AssertionError, match="exit code 1 before it was ready"):
            node.start()
        refused.append(node.log_tail())

    starts = [threading.Thread(target=start, args=(node,)) for node in nodes[:2]]
    for thread in starts:
        thread.start()
    for thread in starts:
        thread.join()
    assert len(refused) == 2
    for log in refused:
        assert "no majority of the cluster has agreed to give it all to this node again" in log and "is damaged" in log
    # An operator who has the bytes from elsewhere can put them back.
    for rot in rots:
        rot.undo()
    for node in nodes[:2]:
        node.start()
    wait_well(Operator(binary, nodes[2]))
    compare([writer], read_all(nodes[0].endpoint, shards))


def test_a_founder_whose_data_was_deleted_founds_no_second_cluster(start_cluster, binary):
    nodes = start_cluster(3)
    shards = create_stream(kinesis(nodes[0].endpoint), STREAM, SHARDS)
    writer = fill(nodes)
    founder, other = nodes[0], Operator(binary, nodes[1])
    wait_well(other)
    cluster = other.status()["cluster_id"]
    for _ in range(2):
        founder.kill9()
        for folder in ("journal", "segments", "checkpoints"):
            for path in (founder.data_dir / folder).iterdir():
                path.unlink()
        founder.start()
        assert Operator(binary, founder).status()["cluster_id"] == cluster
        wait_well(other)
    nodes[2].kill9()
    compare([writer], read_all(founder.endpoint, shards))
