"""Starting, stopping and looking into a node: what an operator and a supervisor rely on."""

import mmap
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from clients import assert_serves, create_stream, kinesis, read_shard
from node import START_SECONDS_MAX, STOP_SECONDS_MAX, run

STREAM = "lifecycle"


def get(node, path):
    with urllib.request.urlopen(node.admin_endpoint + path, timeout=10) as reply:
        return reply.status, reply.read().decode()


def fill(node, records=200):
    """Puts `records` records of 10 kB and returns their data in order, and the shard."""
    client = kinesis(node.endpoint)
    (shard,) = create_stream(client, STREAM)
    data = [f"{n:08}".encode() * 1_250 for n in range(records)]
    # Many small batches: damage in an early one has synced ones behind it, so it is no torn end.
    for start in range(0, records, 20):
        batch = [{"PartitionKey": "k", "Data": part} for part in data[start : start + 20]]
        assert client.put_records(StreamName=STREAM, Records=batch)["FailedRecordCount"] == 0
    return data, shard


def read(node, shard):
    return [record["Data"] for record in read_shard(kinesis(node.endpoint), STREAM, shard)]


def test_sigterm_leaves_cleanly_and_the_data_is_found_again(thalweg):
    data, shard = fill(thalweg)
    thalweg.restart()
    assert read(thalweg, shard) == data
    thalweg.restart()
    assert read(thalweg, shard) == data
    assert thalweg.terminate() == 0


def test_puts_in_flight_at_sigterm_are_answered_or_refused_and_never_lost(thalweg):
    client = kinesis(thalweg.endpoint, retries={"total_max_attempts": 1})
    (shard,) = create_stream(client, STREAM)
    acknowledged, enough = [], threading.Event()

    def put():
        try:
            for n in range(100_000):
                reply = client.put_record(StreamName=STREAM, PartitionKey="k", Data=str(n).encode())
                acknowledged.append((reply["SequenceNumber"], str(n).encode()))
                if n == 50:
                    enough.set()
        except Exception:
            enough.set()

    writer = threading.Thread(target=put, daemon=True)
    writer.start()
    assert enough.wait(60) and len(acknowledged) > 50
    assert thalweg.terminate() == 0
    writer.join(60)
    assert not writer.is_alive()
    thalweg.start()
    records = read_shard(kinesis(thalweg.endpoint), STREAM, shard)
    found = [(record["SequenceNumber"], record["Data"]) for record in records]
    assert found[: len(acknowledged)] == acknowledged
    # The one that was in flight may be there; its client doesn't know.
    assert len(found) <= len(acknowledged) + 1


def test_output_that_nobody_takes_is_no_reason_to_die(thalweg):
    thalweg.terminate()
    with open("/dev/full", "wb") as full:
        process = subprocess.Popen(thalweg.command(), stdin=subprocess.DEVNULL, stdout=full, stderr=full)
    try:
        wait_ready(thalweg, process)
        assert_serves(thalweg.endpoint)
        process.terminate()
        assert process.wait(STOP_SECONDS_MAX) == 0
    finally:
        process.kill()
        process.wait()


def wait_ready(node, process):
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return get(node, "/health/ready")
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"not ready, exit code {process.poll()}")


def test_no_limit_is_still_a_number_that_sdks_can_read(thalweg):
    limits = kinesis(thalweg.endpoint).describe_limits()
    assert limits["ShardLimit"] <= 1_000_000 and limits["OnDemandStreamCountLimit"] <= 1_000_000


def test_a_shard_takes_little_memory(thalweg):
    client = kinesis(thalweg.endpoint)
    create_stream(client, "few", 1)
    before = memory_bytes(thalweg)
    create_stream(client, "many", 200)
    assert (memory_bytes(thalweg) - before) / 200 < 512 << 10


def memory_bytes(node):
    """What the process has in memory."""
    (line,) = [line for line in Path(f"/proc/{node.pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) << 10


def test_iterators_and_sequence_numbers_outlive_a_restart(thalweg):
    client = kinesis(thalweg.endpoint)
    (shard,) = create_stream(client, STREAM)
    first = client.put_record(StreamName=STREAM, PartitionKey="k", Data=b"1")
    token = client.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="LATEST")["ShardIterator"]
    thalweg.kill9()
    thalweg.start()
    second = client.put_record(StreamName=STREAM, PartitionKey="k", Data=b"2")
    assert int(second["SequenceNumber"]) > int(first["SequenceNumber"])
    assert [record["Data"] for record in client.get_records(ShardIterator=token)["Records"]] == [b"2"]


def test_the_node_says_that_it_is_alive_and_ready(thalweg):
    assert get(thalweg, "/health/live")[0] == 200
    assert get(thalweg, "/health/ready")[0] == 200
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(thalweg, "/health/absent")


def test_the_metrics_are_what_prometheus_reads_and_they_count(thalweg):
    before = samples(thalweg)
    fill(thalweg)
    after = samples(thalweg)
    assert before and all(name.startswith(("thalweg_", "process_")) for name, _ in after)
    grown = [key for key, value in after.items() if value > before.get(key, 0.0)]
    assert any("fsync" in name or "fdatasync" in name or "sync" in name for name, _ in grown), grown
    assert any("record" in name for name, _ in grown), grown


def samples(node):
    status, text = get(node, "/metrics")
    assert status == 200
    families = list(text_string_to_metric_families(text))
    without_help = [family.name for family in families if not family.documentation]
    assert not without_help, without_help
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def test_inspect_finds_a_stopped_node_sound(thalweg, binary):
    fill(thalweg)
    assert thalweg.terminate() == 0
    result = run(binary, "inspect", str(thalweg.data_dir))
    assert result.returncode == 0, result
    assert result.stdout.strip()


def test_inspect_finds_a_killed_node_sound(thalweg, binary):
    fill(thalweg)
    thalweg.kill9()
    result = run(binary, "inspect", str(thalweg.data_dir))
    assert result.returncode == 0, result


def test_inspect_changes_nothing(thalweg, binary):
    data, shard = fill(thalweg)
    thalweg.kill9()
    before = contents(thalweg)
    run(binary, "inspect", str(thalweg.data_dir))
    assert contents(thalweg) == before
    thalweg.start()
    assert read(thalweg, shard) == data


def test_inspect_names_the_first_damage(thalweg, binary):
    data, _ = fill(thalweg)
    thalweg.kill9()
    flip_inside(thalweg, data[len(data) // 2])
    result = run(binary, "inspect", str(thalweg.data_dir))
    assert result.returncode == 2, result
    assert "damage" in (result.stdout + result.stderr).lower()


def test_a_record_that_rots_is_refused_and_never_served_wrong(thalweg):
    data, shard = fill(thalweg)
    thalweg.kill9()
    flip_inside(thalweg, data[len(data) // 2])
    try:
        thalweg.start()
    except AssertionError:
        # Refusing to start at all is safe too, when it says why.
        assert not thalweg.is_running()
        assert any(word in thalweg.log_tail().lower() for word in ("corrupt", "damage"))
        return
    client = kinesis(thalweg.endpoint, retries={"total_max_attempts": 1})
    try:
        served = [record["Data"] for record in read_shard(client, STREAM, shard)]
    except Exception:
        served = []
    assert served == data[: len(served)], "a damaged record was served"
    assert len(served) < len(data)
    assert_serves(thalweg.endpoint)


def contents(node):
    """A checksum of each file; the files themselves may be large."""
    return {path: checksum(path) for path in files(node)}


def files(node):
    return [path for path in sorted(node.data_dir.rglob("*")) if path.is_file()]


def checksum(path):
    total = 0
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            total = zlib.crc32(part, total)
    return total


def flip_inside(node, data):
    """Flips a byte in the middle of every copy of `data` on disk."""
    flipped = 0
    for path in files(node):
        if path.stat().st_size == 0:
            continue
        with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as stored:
            at = stored.find(data)
            while at >= 0:
                stored[at + len(data) // 2] ^= 0xFF
                flipped += 1
                at = stored.find(data, at)
    assert flipped, "the record is on disk nowhere"
