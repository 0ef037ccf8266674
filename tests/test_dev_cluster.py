"""`thalweg dev --nodes 3`: a cluster for whoever tries Thalweg out, and `--chaos`, which kills its nodes while it is in use."""

import os
import re
import signal

import pytest

from clients import create_stream, kinesis, read_shard
from conftest import NODES as STARTED
from dev_cluster import DevCluster, is_alive, wait
from node import STOP_SECONDS_MAX, Thalweg

STREAM = "dev-cluster"
KILLS = 2
# All nodes come back, everything is read, all nodes stop.
CHECK_SECONDS_MAX = 120


@pytest.fixture
def make_cluster(binary, tmp_path, request):
    """Makes the cluster of this test; it ends with the test."""
    made = request.node.stash.setdefault(STARTED, [])

    def make(*options):
        made.append(DevCluster(binary, tmp_path, *options))
        return made[-1]

    yield make
    for cluster in made:
        cluster.stop()


def put(endpoint, *data):
    client = kinesis(endpoint)
    for part in data:
        client.put_record(StreamName=STREAM, PartitionKey="k", Data=part)


def read(endpoint, shard):
    return [record["Data"] for record in read_shard(kinesis(endpoint), STREAM, shard)]


def test_a_dead_node_is_started_again_and_everything_is_found_at_the_next_start(make_cluster):
    cluster = make_cluster()
    cluster.start()
    one, two, three = cluster.endpoints
    assert all(endpoint in cluster.ready_line for endpoint in cluster.endpoints), cluster.ready_line
    (shard,) = create_stream(kinesis(one), STREAM)
    put(two, b"1")
    before = cluster.processes()
    assert sorted(before) == ["node-1", "node-2", "node-3"]
    os.kill(before["node-2"], signal.SIGKILL)
    # The clients' own retries carry them over.
    put(three, b"2")
    wait(lambda: cluster.processes().get("node-2", before["node-2"]) != before["node-2"], "another node-2", cluster)
    put(two, b"3")
    assert read(one, shard) == [b"1", b"2", b"3"]
    assert "node-2 has died" in cluster.log() and "node-3 | " in cluster.log()
    last = cluster.processes()
    assert cluster.terminate() == 0
    assert not [pid for pid in last.values() if is_alive(pid)]
    cluster.start()
    assert read(three, shard) == [b"1", b"2", b"3"]


def test_no_node_outlives_the_process_that_started_it(make_cluster):
    cluster = make_cluster()
    cluster.start()
    nodes = cluster.processes()
    assert len(nodes) == 3
    cluster.kill9()
    wait(lambda: not [pid for pid in nodes.values() if is_alive(pid)], "all nodes end", cluster, STOP_SECONDS_MAX)
    # Nothing of them is in the way of the next start.
    cluster.start()


def refusal(node):
    """What a node or a cluster says that must not start."""
    with pytest.raises(AssertionError, match="exit code 1 before it was ready"):
        node.start()
    return node.log_tail()


def test_a_clusters_directory_is_refused_for_a_single_node_and_the_other_way_round(make_cluster, thalweg, binary, tmp_path):
    cluster = make_cluster()
    cluster.start()
    assert cluster.terminate() == 0
    folder = tmp_path / "single"
    folder.mkdir()
    single = Thalweg(binary, folder)
    single.data_dir = cluster.data_dir
    assert "holds a cluster: start it with --nodes 3" in refusal(single)
    assert thalweg.terminate() == 0
    cluster.data_dir = thalweg.data_dir
    assert "holds the data of a single node" in refusal(cluster)


def test_a_taken_port_is_named_with_the_node_that_needs_it(make_cluster, thalweg):
    cluster = make_cluster()
    cluster.admin_port = thalweg.api_port
    said = refusal(cluster)
    assert f"127.0.0.1:{thalweg.api_port}, the admin address of node 1" in said


def test_chaos_says_what_clients_notice_and_loses_nothing(make_cluster):
    cluster = make_cluster("--chaos", "--chaos-seconds", "3")
    cluster.start()
    cluster.wait_log(lambda log: len(re.findall(r"chaos: kill \d+: node-[123]", log)) >= KILLS, "kills")
    assert cluster.terminate(signal.SIGINT, CHECK_SECONDS_MAX) == 0, cluster.log_tail()
    log = cluster.log()
    assert len(re.findall(r"longest gap of acknowledged writes \d+ ms, \d+ errors after retries", log)) >= KILLS
    checked = re.search(r"(\d+) acknowledged, (\d+) read, 0 lost, 0 corrupted, 0 repeated without a retry, 0 never sent", log)
    assert checked, cluster.log_tail()
    acknowledged, found = map(int, checked.groups())
    assert 100 < acknowledged <= found
    assert " 0 out of order" in log
