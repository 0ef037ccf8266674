"""Data directories that a node must not touch: it says why and what to do, and leaves with an error."""

import pytest

from clients import assert_serves, create_stream, kinesis, read_shard
from node import Thalweg, free_ports

STREAM = "directories"


def refusal(node):
    """Starts a node that must refuse; returns what it says."""
    before = node.log_tail() if node.log_path.exists() else ""
    try:
        with pytest.raises(AssertionError, match="exit code 1 before it was ready"):
            node.start()
    finally:
        node.stop()
    said = node.log_tail().removeprefix(before).lower()
    assert "panicked" not in said, said
    return said


def test_a_directory_that_another_process_uses_is_refused(thalweg, binary, tmp_path):
    client = kinesis(thalweg.endpoint)
    (shard,) = create_stream(client, STREAM)
    client.put_record(StreamName=STREAM, PartitionKey="k", Data=b"first")
    folder = tmp_path / "second"
    folder.mkdir()
    second = Thalweg(binary, folder)
    second.data_dir = thalweg.data_dir
    said = refusal(second)
    assert "in use" in said and "another process" in said
    # The first one hasn't noticed.
    assert [record["Data"] for record in read_shard(client, STREAM, shard)] == [b"first"]
    assert_serves(thalweg.endpoint)


def test_a_directory_of_another_version_is_refused_and_left_as_it_is(thalweg):
    create_stream(kinesis(thalweg.endpoint), STREAM)
    assert thalweg.terminate() == 0
    mark = thalweg.data_dir / "FORMAT"
    ours = mark.read_text()
    mark.write_text(ours.rstrip().rstrip("0123456789") + "999\n")
    said = refusal(thalweg)
    assert "format 999" in said and "version" in said
    mark.write_text(ours)
    thalweg.start()
    assert kinesis(thalweg.endpoint).list_streams()["StreamNames"] == [STREAM]


def test_a_directory_that_cannot_be_made_is_refused(binary, tmp_path):
    node = Thalweg(binary, tmp_path)
    (tmp_path / "file").write_text("not a folder")
    node.data_dir = tmp_path / "file" / "data"
    assert str(node.data_dir).lower() in refusal(node)


def test_a_port_that_is_taken_is_refused(thalweg, binary, tmp_path):
    folder = tmp_path / "second"
    folder.mkdir()
    second = Thalweg(binary, folder)
    second.api_port = thalweg.api_port
    assert str(thalweg.api_port) in refusal(second)
    assert_serves(thalweg.endpoint)


def test_the_ports_of_two_nodes_differ():
    assert len(set(free_ports(4))) == 4
