"""Fixtures: real servers, and the binary they are made of."""

import os
import shutil
from pathlib import Path

import pytest

from clients import kinesis
from node import Thalweg, free_ports

# Clients must see neither the account nor the proxy of whoever runs the tests.
os.environ.update(
    AWS_ACCESS_KEY_ID="test",
    AWS_SECRET_ACCESS_KEY="test",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    AWS_EC2_METADATA_DISABLED="true",
    AWS_PAGER="",
    NO_PROXY="127.0.0.1",
    no_proxy="127.0.0.1",
)
for variable in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS"):
    os.environ.pop(variable, None)

NODES = pytest.StashKey()
# What the largest test writes, and what a node wants to see free beyond it before it takes records.
FREE_BYTES_MIN = 6 << 30


@pytest.fixture(scope="session", autouse=True)
def room(tmp_path_factory):
    """Says so at once where the disk is too small; a node would refuse records in the middle of a test."""
    folder = tmp_path_factory.getbasetemp()
    free = shutil.disk_usage(folder).free
    assert free >= FREE_BYTES_MIN, f"{folder} has {free >> 20} MiB free, the tests need {FREE_BYTES_MIN >> 20} MiB"


@pytest.fixture(scope="session")
def binary():
    """The path of `thalweg`, from THALWEG_BIN."""
    path = os.environ.get("THALWEG_BIN")
    assert path, "set THALWEG_BIN to the thalweg binary, or run `cargo xtask test`"
    assert Path(path).is_file() and shutil.which(path), f"{path} is not a program"
    return str(Path(path).resolve())


@pytest.fixture
def start_thalweg(binary, tmp_path, request):
    """Starts servers, each with its own data; all end with the test."""
    nodes = request.node.stash.setdefault(NODES, [])

    def start(limits="off"):
        folder = tmp_path / f"node-{len(nodes)}"
        folder.mkdir()
        node = Thalweg(binary, folder, limits)
        nodes.append(node)
        return node.start()

    yield start
    for node in nodes:
        node.stop()


@pytest.fixture
def start_cluster(binary, tmp_path, request):
    """Starts so many nodes of one cluster, each with its own data; called again, as many more join. All end with the test."""
    nodes = request.node.stash.setdefault(NODES, [])
    seeds, taken = [], set()

    def start(count):
        for _ in range(count):
            number = len(nodes) + 1
            folder = tmp_path / f"node-{number}"
            folder.mkdir()
            # Not those of a node that is down: it comes back.
            peer, *own = [port for port in free_ports(3 + len(taken)) if port not in taken][:3]
            taken.update([peer, *own])
            variables = {"THALWEG_NODE_ID": str(number), "THALWEG_PEER_ADDR": f"127.0.0.1:{peer}"}
            if seeds:
                variables["THALWEG_SEEDS"] = seeds[0]
            seeds.append(f"127.0.0.1:{peer}")
            nodes.append(Thalweg(binary, folder, variables=variables, ports=own))
            nodes[-1].start()
        return nodes

    yield start
    for node in nodes:
        node.stop()


@pytest.fixture
def thalweg(start_thalweg):
    """A running server of this test alone, without limits."""
    return start_thalweg()


@pytest.fixture(scope="module")
def shared_thalweg(binary, tmp_path_factory):
    """A running server that the tests of a module share, for those that must leave it well."""
    node = Thalweg(binary, tmp_path_factory.mktemp("shared"))
    node.start()
    yield node
    node.stop()


@pytest.fixture
def client(thalweg):
    """A boto3 client of `thalweg`."""
    return kinesis(thalweg.endpoint)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Shows the server's last words beside a failure."""
    report = (yield).get_result()
    if report.failed:
        nodes = list(item.stash.get(NODES, []))
        shared = getattr(item, "funcargs", {}).get("shared_thalweg")
        for node in nodes + ([shared] if shared else []):
            report.sections.append((f"end of {node.log_path}", node.log_tail()))
