"""All nodes together."""

import subprocess
import time

from nodes import PEER_PORT, PLANTS, Node, compile_clock
from world import World, address


class Cluster:
    """Nodes 1 to `size` at first; others may join and leave."""

    def __init__(self, binary, folder, plant=None):
        self.binary = binary
        self._command = [*PLANTS.get(plant, []), binary]
        self.folder = folder
        self.world = World()
        self.nodes = []
        self._library = compile_clock(folder)

    @property
    def members(self):
        """The nodes that belong to the cluster now."""
        return [node for node in self.nodes if not node.gone]

    def add(self):
        """Makes the next node; it is not started."""
        number = len(self.nodes) + 1
        seeds = ",".join(f"{address(node.number)}:{PEER_PORT}" for node in self.members)
        self.world.add_node(number)
        node = Node(number, self._command, self.folder, self._library, seeds)
        node.make()
        self.nodes.append(node)
        return node

    def offers(self, verb):
        """Whether the program has `thalweg cluster VERB`."""
        words = [self.binary, "cluster", verb, "--help"]
        return subprocess.run(words, capture_output=True, timeout=30, stdin=subprocess.DEVNULL).returncode == 0

    def command(self, verb, *words, through, seconds_max):
        """`thalweg cluster VERB` by the admin address of the node `through`. An exit code other than 0 is a finding."""
        command = [self.binary, "cluster", verb, *map(str, words), "--admin-endpoint", through.admin_endpoint]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds_max, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace").strip()
            raise AssertionError(f"{' '.join(command[1:])} has not ended after {seconds_max} s: {said[-400:]}") from None
        if done.returncode:
            raise AssertionError(f"{' '.join(command[1:])} failed with {done.returncode}: {done.stderr.strip()[-400:]}")

    def heal(self):
        """Undoes what any fault can have done, and starts what does not run. Returns what had ended by itself, with exit codes."""
        ended = self.ended_by_themselves()
        self.world.heal([node.number for node in self.nodes])
        for node in self.members:
            node.disk.thaw()
            node.resume()
            node.disk.empty()
            node.set_clock(0)
        for node in self.members:
            if not node.is_running():
                node.launch()
        return ended

    def ended_by_themselves(self):
        found = [(node, node.ended_by_itself()) for node in self.members]
        return [(node, code) for node, code in found if code is not None]

    def cut_power(self):
        """All disks at once, then the processes: nothing that was not synced remains."""
        for node in self.members:
            node.may_end = True
        for node in self.members:
            node.disk.cut_power()
        for node in self.members:
            if node.is_running():
                node.kill9()
        for node in self.members:
            node.disk.unmount()
            node.disk.mount()

    def start(self, seconds_max):
        """Starts what does not run and waits until all are ready."""
        for node in self.members:
            if not node.is_running():
                node.launch()
        deadline = time.monotonic() + seconds_max
        for node in self.members:
            node.wait_ready(max(1.0, deadline - time.monotonic()))

    def end(self):
        """Ends all processes, whatever state they are in."""
        self.world.heal([node.number for node in self.nodes])
        for node in self.nodes:
            node.disk.thaw()
            if node.is_running():
                node.kill9()
