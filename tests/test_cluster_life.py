"""A node comes and another goes, while records are written: nobody notices."""

import json
import threading
import time

from clients import create_stream, kinesis, read_shard
from history import Progress, Writer, compare
from node import run

STREAM, SHARDS, WRITERS = "flights", 12, 2
BATCH, PAUSE_SECONDS = 20, 0.05
# What an operator waits for; nothing here takes more than a few seconds on an idle machine.
COMMAND_SECONDS_MAX = 180


class Load:
    """Writers in threads of their own, who put until they are told to stop."""

    def __init__(self, endpoints):
        self.progress = Progress()
        self.writers = [Writer(kinesis(endpoint), STREAM, self.progress) for endpoint in endpoints]
        self.failures = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._put, args=item) for item in enumerate(self.writers)]
        for thread in self._threads:
            thread.start()

    def _put(self, number, writer):
        try:
            for batch in range(1_000_000):
                if self._stop.wait(PAUSE_SECONDS):
                    return
                keys = [f"{number}-{record}" for record in range(BATCH)]
                # Once: botocore's own retries are all that a client needs.
                again = writer.put_once([(key, f"{key} in batch {batch}".encode()) for key in keys])
                assert not again, f"{len(again)} records have to be sent again"
        except BaseException as failure:  # noqa: BLE001
            self.failures.append(failure)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures


class Operator:
    """Gives commands through one node's admin address."""

    def __init__(self, binary, node):
        self.binary = binary
        self.node = node

    def run(self, *words):
        began = time.monotonic()
        wait = [] if words[0] in ("status", "activate") else ["--timeout-seconds", str(COMMAND_SECONDS_MAX)]
        endpoint = ["--admin-endpoint", self.node.admin_endpoint]
        result = run(self.binary, "cluster", *words, *wait, *endpoint, seconds_max=COMMAND_SECONDS_MAX + 30)
        if words[0] != "status":
            print(f"{' '.join(words)}: {time.monotonic() - began:.1f} s\n{result.stderr}{result.stdout}")
        return result

    def must(self, *words):
        result = self.run(*words)
        assert result.returncode == 0, (words, result)
        return result.stdout

    def refused(self, *words):
        result = self.run(*words)
        assert result.returncode == 1, (words, result)
        return result.stderr

    def status(self):
        return json.loads(self.must("status", "--json"))


def by_node(status, what):
    return {node["id"]: node[what] for node in status["nodes"]}


def test_a_fourth_node_takes_over_from_the_first_under_load(start_cluster, binary):
    nodes = start_cluster(3)
    shards = create_stream(kinesis(nodes[0].endpoint), STREAM, SHARDS)
    second = Operator(binary, nodes[1])
    load = Load([node.endpoint for node in nodes[1:][:WRITERS]])
    try:
        assert "there would be 2 nodes for shards that should have 3 replicas" in second.refused("decommission", "1")
        assert "node 4 is no member" in second.refused("replace", "1", "--with", "4")
        start_cluster(1)
        assert second.must("rebalance").startswith("balanced: nodes 1, 2, 3, 4 ")
        even = second.status()
        assert by_node(even, "replicas") == {1: 9, 2: 9, 3: 9, 4: 9}
        assert set(by_node(even, "leaders").values()) <= {2, 3, 4}
        # The node itself may be asked; it leads the catalog perhaps.
        first = Operator(binary, nodes[0])
        for _ in range(2):
            assert "node 1 leads nothing" in first.must("drain", "1")
        drained = second.status()
        assert by_node(drained, "leaders")[1] == 0 and drained["catalog"]["leader"] != 1
        assert by_node(drained, "state")[1] == "draining"
        # Another one at the same time would stop what both hold.
        assert "would be without a majority" in second.refused("drain", "2")
        first.must("activate", "1")
        first.must("rebalance")
        assert by_node(second.status(), "leaders")[1] > 0
        assert "give --admin-endpoint of another node" in first.refused("decommission", "1")
        for _ in range(2):
            assert "node 1 has left the cluster" in second.must("decommission", "1")
        assert nodes[0].terminate() == 0
        second.must("rebalance")
    finally:
        load.stop()
    status = second.status()
    assert status["removed_nodes"] == [1] and by_node(status, "replicas") == {2: 12, 3: 12, 4: 12}
    assert set(by_node(status, "leaders").values()) <= {3, 4, 5}
    assert (status["waiting"], status["troubled"], status["balanced"]) == ([], [], True)
    assert sorted(status["catalog"]["voters"]) == [2, 3, 4]
    client = kinesis(nodes[3].endpoint)
    read = {shard: read_shard(client, STREAM, shard) for shard in shards}
    compare(load.writers, read)
    acknowledged = sum(len(writer.acknowledged) for writer in load.writers)
    print(f"{acknowledged} records acknowledged and read, {sum(writer.interrupted_batches for writer in load.writers)} batches tried again")
    assert acknowledged > 1_000


def test_a_dead_node_is_replaced_by_a_new_one(start_cluster, binary):
    nodes = start_cluster(3)
    client = kinesis(nodes[0].endpoint)
    (shard,) = create_stream(client, STREAM)
    put = client.put_record(StreamName=STREAM, PartitionKey="k", Data=b"before")
    nodes[2].kill9()
    start_cluster(1)
    operator = Operator(binary, nodes[0])
    assert "node 3 can't replace itself" in operator.refused("replace", "3", "--with", "3")
    assert "node 4 has taken the place of node 3, with 1 replicas" in operator.must("replace", "3", "--with", "4")
    status = operator.status()
    assert (by_node(status, "replicas"), status["removed_nodes"]) == ({1: 1, 2: 1, 4: 1}, [3])
    # What it was given is really there: of the other two one alone would be no majority.
    nodes[1].kill9()
    (record,) = read_shard(kinesis(nodes[3].endpoint), STREAM, shard)
    assert (record["SequenceNumber"], record["Data"]) == (put["SequenceNumber"], b"before")
