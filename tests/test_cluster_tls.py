"""Nodes with certificates: they form a cluster, and whoever has none of their authority stays outside and is told why."""

import os
import signal
import subprocess

import pytest

from clients import assert_serves
from conftest import NODES
from dev_cluster import wait
from node import STOP_SECONDS_MAX, Thalweg, free_ports, run

WORDS_SECONDS_MAX = 30


def make_certificates(binary, folder, nodes):
    made = run(binary, "cluster", "certs", str(folder), "--nodes", str(nodes))
    assert made.returncode == 0, made
    return folder


@pytest.fixture
def make_node(binary, tmp_path, request):
    """Makes node `number`, with the certificates in `certificates` or without any; the first founds, the others join it."""
    made = request.node.stash.setdefault(NODES, [])
    peers = free_ports(4)
    others = free_ports(12)[4:]

    def make(number, certificates):
        folder = tmp_path / f"node-{number}"
        folder.mkdir()
        variables = {
            "THALWEG_NODE_ID": str(number),
            "THALWEG_PEER_ADDR": f"127.0.0.1:{peers[number - 1]}",
            "THALWEG_SEEDS": f"127.0.0.1:{peers[0]}" if number > 1 else "",
        }
        if certificates:
            variables |= {
                "THALWEG_PEER_TLS_CA_FILE": str(certificates / "ca.pem"),
                "THALWEG_PEER_TLS_CERT_FILE": str(certificates / f"node-{number}.pem"),
                "THALWEG_PEER_TLS_KEY_FILE": str(certificates / f"node-{number}-key.pem"),
            }
        made.append(Thalweg(binary, folder, variables=variables, ports=(others.pop(), others.pop())))
        return made[-1]

    yield make
    for node in made:
        node.stop()


def assert_stays_outside(node, first, words):
    """Both sides say why: the stranger that it is not let in, the member that it refused a connection."""
    before = len(first.log())
    with open(node.log_path, "wb") as log:
        stranger = subprocess.Popen(node.command(), stdout=log, stderr=log, env=os.environ | node.variables)
    try:
        refused = lambda: any("refused" in line and words in line for line in first.log()[before:].splitlines())  # noqa: E731
        wait(refused, f"a line with '{words}'", first, WORDS_SECONDS_MAX)
        wait(lambda: "not let in yet" in node.log(), "not let in", node, WORDS_SECONDS_MAX)
        assert "ready " not in node.log()
    finally:
        stranger.send_signal(signal.SIGTERM)
        assert stranger.wait(STOP_SECONDS_MAX) == 0


def test_nodes_with_certificates_form_a_cluster_and_strangers_stay_outside(make_node, binary, tmp_path):
    ours = make_certificates(binary, tmp_path / "ours", 3)
    theirs = make_certificates(binary, tmp_path / "theirs", 4)
    first, second = make_node(1, ours).start(), make_node(2, ours).start()
    assert_serves(second.endpoint)
    assert_stays_outside(make_node(3, None), first, "does not speak TLS")
    assert_stays_outside(make_node(4, theirs), first, "does not trust the authority")
    # Members are unmoved, and find each other again after a restart.
    second.restart()
    assert_serves(first.endpoint)
    assert_serves(second.endpoint)


def test_files_of_another_node_and_missing_ones_are_named_at_the_start(make_node, binary, tmp_path):
    certificates = make_certificates(binary, tmp_path / "certificates", 2)
    (certificates / "node-3.pem").write_bytes((certificates / "node-2.pem").read_bytes())
    node = make_node(3, certificates)
    (certificates / "node-3-key.pem").write_bytes((certificates / "node-2-key.pem").read_bytes())
    with pytest.raises(AssertionError, match="exit code 1"):
        node.start()
    assert "node-3.thalweg.thalweg" in node.log_tail() and "thalweg cluster certs" in node.log_tail()
    del node.variables["THALWEG_PEER_TLS_KEY_FILE"]
    with pytest.raises(AssertionError, match="exit code 1"):
        node.start()
    assert "peer_tls.key_file is missing" in node.log_tail()
