"""The network: a namespace for each node and one for the clients, joined by a bridge in a namespace of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from machine import PREFIX, die_with_parent, enter_namespace, run

HUB = PREFIX + "hub"
CLIENTS = PREFIX + "clients"
NETWORK = "10.77.7"
CLIENTS_ADDRESS = f"{NETWORK}.100"


def namespace(number):
    return f"{PREFIX}node-{number}"


def address(number):
    return f"{NETWORK}.{number}"


class World:
    """Namespaces and cables. The host's own network is left as it is."""

    def __init__(self):
        self._wires = {}

    def make(self):
        run("ip", "netns", "add", HUB)
        run("ip", "-n", HUB, "link", "add", "bridge", "type", "bridge")
        run("ip", "-n", HUB, "link", "set", "bridge", "up")
        self._join(CLIENTS, "clients", CLIENTS_ADDRESS)

    def add_node(self, number):
        self._join(namespace(number), f"node{number}", address(number))

    def block(self, hearer, speaker):
        """What `speaker` sends does not reach `hearer`, silently. The other way stays as it is."""
        self._iptables(hearer, "-A", "INPUT", "-s", address(speaker), "-j", "DROP")

    def unblock_all(self, number):
        self._iptables(number, "-F", "INPUT")

    def wire(self, number, **bad):
        """Puts a bad cable between a node and the bridge; `bad` are the options of wire.py."""
        outer = f"node{number}"
        run("ip", "-n", HUB, "link", "add", f"in{number}", "type", "veth", "peer", "name", f"out{number}")
        for name in (f"in{number}", f"out{number}"):
            run("ip", "-n", HUB, "link", "set", name, "up")
        options = [f"--{name.replace('_', '-')}={value}" for name, value in bad.items()]
        self._wires[number] = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("wire.py")), outer, f"in{number}", *options],
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: _inside(HUB),
        )
        run("ip", "-n", HUB, "link", "set", outer, "nomaster")
        run("ip", "-n", HUB, "link", "set", f"out{number}", "master", "bridge")

    def unwire(self, number):
        wire = self._wires.pop(number, None)
        if wire is None:
            return
        died = wire.poll()
        wire.kill()
        wire.wait(10)
        run("ip", "-n", HUB, "link", "set", f"node{number}", "master", "bridge")
        run("ip", "-n", HUB, "link", "delete", f"in{number}")
        if died is not None:
            raise RuntimeError(f"the cable of node {number} ended with {died}")

    def heal(self, numbers):
        for number in numbers:
            self.unblock_all(number)
            self.unwire(number)

    def _join(self, name, cable, own_address):
        run("ip", "netns", "add", name)
        run("ip", "-n", HUB, "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "-n", HUB, "link", "set", cable, "master", "bridge", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        run("ip", "-n", name, "address", "add", f"{own_address}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        tool = "import machine; machine.offloads_off('eth0')"
        run("ip", "netns", "exec", name, "env", f"PYTHONPATH={Path(__file__).parent}", sys.executable, "-c", tool)

    def _iptables(self, number, *words):
        run("ip", "netns", "exec", namespace(number), "iptables", "-w", *words)


def _inside(name):
    os.setsid()
    enter_namespace(name)
    die_with_parent(signal.SIGKILL)
