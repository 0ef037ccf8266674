"""The main job on real input: every flight is put while the server is killed, and every acknowledged one is read back."""

import threading
import zlib
from concurrent.futures import ThreadPoolExecutor

import flights
from clients import create_stream, kinesis, read_shard
from history import Progress, Writer, compare

STREAM = "flights"
SHARDS = 4
# More than one, so that a put is in flight at any instant; few, so that they leave the server a core.
WRITERS = 4
# Where the server is killed, as parts of the whole.
KILLS = (0.25, 0.5, 0.75)
INTERRUPT_SECONDS_MAX = 240


def test_all_flights_survive_kill_9_in_the_middle_of_puts(start_thalweg):
    node = start_thalweg()
    records = [(flights.partition_key(row), row) for row in flights.rows()]
    shards = create_stream(kinesis(node.endpoint), STREAM, SHARDS)

    def kill_and_restart(progress):
        for part in KILLS:
            # Killed while a put is in flight; restarted while the writers retry.
            progress.interrupt(int(len(records) * part), node.kill9, INTERRUPT_SECONDS_MAX)
            node.start()

    writers = put_by_key([node.endpoint], records, kill_and_restart)
    # What was acknowledged last has had no time to reach anything but the journal.
    node.kill9()
    node.start()

    assert sum(writer.rejected_records for writer in writers) == 0, "limits are off"
    read = read_all(node.endpoint, shards)
    copies = sum(len(part) for part in read.values())
    interrupted = sum(writer.interrupted_batches for writer in writers)
    print(f"{len(records)} records acknowledged, {len(KILLS)} kills, {interrupted} batches interrupted, {copies} records read")
    assert interrupted > 0
    compare(writers, read)
    assert {record["Data"] for part in read.values() for record in part} == {data for _, data in records}
    assert_input_order(records, writers, read)


def test_throttled_records_are_rejected_one_by_one_and_arrive_when_sent_again(start_thalweg):
    node = start_thalweg(limits="aws")
    # Three times what one shard takes in a second.
    records = [(flights.partition_key(row), row) for row in flights.rows()[:3_000]]
    (shard,) = create_stream(kinesis(node.endpoint), STREAM)
    batches = [records[start : start + 500] for start in range(0, len(records), 500)]
    writers = [Writer(kinesis(node.endpoint), STREAM, Progress()) for _ in batches]
    pause = threading.Event()

    def put(writer, batch):
        while batch := writer.put_once(batch):
            # The reply says that the shard is over its rate: a client that backs off is what is simulated here.
            pause.wait(0.1)

    # All at once, so that they meet the limit however slow the machine is.
    with ThreadPoolExecutor(len(batches)) as pool:
        list(pool.map(put, writers, batches))
    assert sum(writer.rejected_records for writer in writers) > 0, "3,000 records went through a shard of 1,000 records/s at once"
    read = read_shard(kinesis(node.endpoint), STREAM, shard)
    assert sorted(record["Data"] for record in read) == sorted(data for _, data in records)
    acknowledged = {item.sequence_number for writer in writers for item in writer.acknowledged}
    assert {int(record["SequenceNumber"]) for record in read} == acknowledged


def put_by_key(endpoints, records, interrupt):
    """Puts all records with several writers, each with its own keys, while `interrupt(progress)` runs. Returns the writers."""
    progress = Progress()
    clients = [kinesis(endpoints[i % len(endpoints)]) for i in range(WRITERS)]
    writers = [Writer(client, STREAM, progress) for client in clients]
    shares = [[] for _ in writers]
    for key, data in records:
        shares[zlib.crc32(key.encode()) % WRITERS].append((key, data))
    failures = []

    def put(writer, share):
        try:
            writer.put_all(share)
        except BaseException as error:
            failures.append(error)
            progress.fail(error)

    threads = [threading.Thread(target=put, args=pair, daemon=True) for pair in zip(writers, shares)]
    for thread in threads:
        thread.start()
    interrupt(progress)
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return writers


def read_all(endpoint, shards):
    return {shard: read_shard(kinesis(endpoint), STREAM, shard) for shard in shards}


def assert_input_order(records, writers, read):
    """A key whose records were all sent once is read in the order of the file."""
    attempts = {}
    for writer in writers:
        attempts.update(writer.attempts)
    retried = {key for key, data in records if attempts[data] > 1}
    wanted, found = {}, {}
    for key, data in records:
        wanted.setdefault(key, []).append(data)
    for part in read.values():
        for record in part:
            found.setdefault(record["PartitionKey"], []).append(record["Data"])
    assert found.keys() == wanted.keys()
    calm = wanted.keys() - retried
    assert calm, "every key was retried: nothing is left to compare"
    for key in calm:
        assert found[key] == wanted[key], f"{key} is out of order"
