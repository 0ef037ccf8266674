"""Three nodes: what one acknowledges all have, whichever dies."""

import time

import flights
from clients import create_stream, kinesis, read_shard
from history import compare
from test_flights import INTERRUPT_SECONDS_MAX, SHARDS, STREAM, assert_input_order, put_by_key, read_all

# Where a node is killed, as parts of the whole: each node twice.
KILLS = (0.1, 0.25, 0.4, 0.55, 0.7, 0.85)
# Where a node is restarted, as parts of the whole: each once.
RESTARTS = (0.15, 0.4, 0.65)
ROLLING_RECORDS = 150_000
# What an administrator would wait for before touching the next node.
CAUGHT_UP_SECONDS_MAX = 60
# A dead leader is missed after a second and replaced within another.
TAKEN_OVER_SECONDS_MAX = 10


def test_all_flights_survive_each_node_killed_in_turn(start_cluster):
    nodes = start_cluster(3)
    records = [(flights.partition_key(row), row) for row in flights.rows()]
    shards = create_stream(kinesis(nodes[1].endpoint), STREAM, SHARDS)

    def kill_in_turn(progress):
        for turn, part in enumerate(KILLS):
            node = nodes[turn % len(nodes)]
            progress.interrupt(int(len(records) * part), node.kill9, INTERRUPT_SECONDS_MAX)
            node.start()

    writers = put_by_key([node.endpoint for node in nodes], records, kill_in_turn)
    # All at once, power to the process and all: what was acknowledged is on disk on a majority.
    for node in nodes:
        node.kill9()
    for node in nodes:
        node.start()
    read = read_all(nodes[2].endpoint, shards)
    copies = sum(len(part) for part in read.values())
    interrupted = sum(writer.interrupted_batches for writer in writers)
    print(f"{len(records)} records acknowledged, {len(KILLS)} kills, {interrupted} batches interrupted, {copies} records read")
    assert interrupted >= len(KILLS)
    # Whoever has a living endpoint sees no error at all, not even of single records, whichever node leads their shards.
    assert sum(writer.rejected_records for writer in writers) == 0, "limits are off"
    compare(writers, read)
    assert {record["Data"] for part in read.values() for record in part} == {data for _, data in records}
    assert_input_order(records, writers, read)


def test_any_node_takes_any_request_and_two_of_three_go_on(start_cluster):
    nodes = start_cluster(3)
    clients = [kinesis(node.endpoint) for node in nodes]
    shards = create_stream(clients[2], "s", 6)
    sent = {}

    def put(client, number):
        data = f"record {number}".encode()
        reply = client.put_record(StreamName="s", PartitionKey=str(number), Data=data)
        sent[data] = reply["SequenceNumber"]

    for number in range(30):
        put(clients[number % 3], number)
    nodes[0].kill9()
    since = time.monotonic()
    # The client's own retries carry it over the change of leaders: no error is seen.
    for number in range(30, 60):
        put(clients[1 + number % 2], number)
    assert time.monotonic() - since < TAKEN_OVER_SECONDS_MAX
    found = {}
    for shard in shards:
        for record in read_shard(clients[1], "s", shard):
            found[record["Data"]] = record["SequenceNumber"]
    assert found == sent
    nodes[0].start()
    for number in range(60, 70):
        put(clients[0], number)
    # The node that was away serves as leader again, and has what it missed.
    deadline = time.monotonic() + CAUGHT_UP_SECONDS_MAX
    nodes[1].kill9()
    for shard in shards:
        for record in read_shard(clients[0], "s", shard, seconds_max=deadline - time.monotonic()):
            found[record["Data"]] = record["SequenceNumber"]
    assert found == sent
    clients[0].delete_stream(StreamName="s")
    clients[2].get_waiter("stream_not_exists").wait(StreamName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def test_a_rolling_restart_under_load_fails_no_put(start_cluster):
    nodes = start_cluster(3)
    records = [(flights.partition_key(row), row) for row in flights.rows()[:ROLLING_RECORDS]]
    shards = create_stream(kinesis(nodes[1].endpoint), STREAM, SHARDS)

    def restart_in_turn(progress):
        for turn, part in enumerate(RESTARTS):
            progress.interrupt(int(len(records) * part), lambda: None, INTERRUPT_SECONDS_MAX)
            nodes[turn].restart()

    # Each writer has one endpoint, which is away for a moment: that is all it may notice. A record that is answered with an error
    # fails the test.
    writers = put_by_key([node.endpoint for node in nodes], records, restart_in_turn)
    assert sum(writer.rejected_records for writer in writers) == 0, "limits are off"
    read = read_all(nodes[2].endpoint, shards)
    compare(writers, read)
    assert_input_order(records, writers, read)
    for node in nodes:
        assert "other nodes lead what this one led" in node.log()
