"""`thalweg dev --nodes 3`: one process to start, and its nodes."""

import time
from pathlib import Path

from node import START_SECONDS_MAX, Thalweg, free_port_range

NODES = 3
PORTS_PER_NODE = 3


class DevCluster(Thalweg):
    """The parent process. What is inherited means the parent, or its first node where there is only one to mean."""

    def __init__(self, binary, folder, *options):
        self.first_port = free_port_range(NODES * PORTS_PER_NODE)
        super().__init__(binary, folder, ports=(self.first_port, self.first_port + 1))
        self.options = options

    def command(self):
        return [*super().command(), "--nodes", str(NODES), *self.options]

    @property
    def endpoints(self):
        return [f"http://127.0.0.1:{self.first_port + PORTS_PER_NODE * index}" for index in range(NODES)]

    def processes(self):
        """The process number of each node that runs, by the node's name."""
        found = {}
        for pid in children(self.pid):
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"--data-dir" in arguments:
                path = arguments[arguments.index(b"--data-dir") + 1].decode()
                found[Path(path).name] = pid
        return found

    def wait_log(self, is_enough, what):
        """Waits until `is_enough(log)`; a condition with a deadline, not a hope."""
        wait(lambda: is_enough(self.log()), what, self)


def children(parent):
    """The numbers of its child processes that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = path.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue  # It has ended meanwhile.
        if int(ppid) == parent and state != "Z":
            found.append(int(path.parent.name))
    return found


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait(is_so, what, node, seconds_max=START_SECONDS_MAX):
    deadline = time.monotonic() + seconds_max
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not within {seconds_max} s\n{node.log_tail()}"
        time.sleep(0.05)
