"""One node: the real program in its own namespace, on its own disk, with its own wall clock."""

import mmap
import os
import signal
import struct
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from disks import Disk
from machine import die_with_parent, enter_namespace, run
from world import address, namespace

API_PORT, ADMIN_PORT, PEER_PORT = 4567, 4568, 4569
KEY, SECRET = "AKIDCHAOS", "secret-of-chaos"
# A start includes reading the journal and being let into the cluster.
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40
# Small files and budgets, so that minutes suffice to rotate, flush, recycle and read back from segments.
CONFIG = """\
node_id = {number}
cluster = "chaos"
data_dir = "{data_dir}"
api_addr = "{address}:{api}"
admin_addr = "{address}:{admin}"
peer_addr = "{address}:{peer}"
seeds = "{seeds}"
access_key_id = "{key}"
secret_access_key = "{secret}"
limits = "off"

[journal]
file_bytes = 16777216
files_max = 4
flush_bytes = 2097152
free_bytes_reserve = 67108864
"""


# Bugs to prove that a run finds them: what is put before the program.
PLANTS = {
    # After its first thirty, the syncs of a thread say that they succeeded and do nothing: those of the journal, before long.
    "no-sync": ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null",
                "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:retval=0:when=30+"],
}  # fmt: skip


def compile_clock(folder):
    library = Path(folder) / "clock.so"
    run("cc", "-shared", "-fPIC", "-O2", "-o", library, Path(__file__).with_name("clock.c"))
    return library


class Node:
    """A node that is started, killed, stopped and started again; its log goes on over its lives."""

    def __init__(self, number, command, folder, clock_library, seeds=""):
        self.number = number
        self.folder = Path(folder)
        self.disk = Disk(folder, number)
        self.log_path = self.folder / f"node-{number}.log"
        self.config_path = self.folder / f"node-{number}.toml"
        self.gone = False
        # Set by faults that may end the process; otherwise an end is a finding.
        self.may_end = False
        # Its stored bytes were turned: what nobody has read since may still be damaged.
        self.rotten = False
        self._command = command
        self._library = clock_library
        self._seeds = seeds
        self._process = None
        self._clock = None

    def __str__(self):
        return f"node {self.number}"

    @property
    def endpoint(self):
        return f"http://{address(self.number)}:{API_PORT}"

    @property
    def admin_endpoint(self):
        return f"http://{address(self.number)}:{ADMIN_PORT}"

    @property
    def data_dir(self):
        return self.disk.mount_point / "data"

    @property
    def pid(self):
        return self._process.pid

    def make(self):
        self.disk.make()
        self._clock = _shared_number(self.folder / f"clock-{self.number}")
        words = {"number": self.number, "data_dir": self.data_dir, "address": address(self.number), "seeds": self._seeds}
        ports = {"api": API_PORT, "admin": ADMIN_PORT, "peer": PEER_PORT}
        self.config_path.write_text(CONFIG.format(key=KEY, secret=SECRET, **words, **ports))

    def launch(self):
        """Starts the process, without waiting until it serves."""
        assert not self.is_running(), f"{self} runs already"
        self.may_end = False
        variables = {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self.folder / f"clock-{self.number}")}
        with open(self.log_path, "ab") as log:
            log.write(f"--- started at {time.strftime('%H:%M:%S')}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                [*self._command, "server", "--config", str(self.config_path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "RUST_BACKTRACE": "1"} | variables,
                preexec_fn=self._into_namespace,
            )

    def start(self, seconds_max=START_SECONDS_MAX):
        """Returns when the node says that it is ready."""
        self.launch()
        self.wait_ready(seconds_max)

    def wait_ready(self, seconds_max=START_SECONDS_MAX):
        deadline = time.monotonic() + seconds_max
        while not self.is_ready():
            if not self.is_running():
                raise RuntimeError(f"{self} ended with {self._process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self} is not ready after {seconds_max} s")
            time.sleep(0.05)

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def is_ready(self):
        try:
            return self.get("/health/ready", seconds_max=2) is not None
        except OSError:
            return False

    def get(self, path, seconds_max=5):
        """The body of a page of the admin address."""
        with urllib.request.urlopen(self.admin_endpoint + path, timeout=seconds_max) as reply:
            return reply.read().decode()

    def metric(self, name):
        """The sum of a metric over its labels."""
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def ended_by_itself(self):
        """The exit code of a process that nobody asked to end."""
        if self._process is None or self.may_end:
            return None
        return self._process.poll()

    def kill9(self):
        self.may_end = True
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS_MAX)

    def terminate(self):
        """Asks the node to leave; returns its exit code."""
        self.may_end = True
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(STOP_SECONDS_MAX)

    def pause(self):
        self._process.send_signal(signal.SIGSTOP)

    def resume(self):
        if self.is_running():
            self._process.send_signal(signal.SIGCONT)

    def wait_end(self, seconds_max):
        """The exit code, or None when it goes on."""
        try:
            return self._process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            return None

    def set_clock(self, offset_seconds):
        """Moves the wall clock that this node sees."""
        struct.pack_into("q", self._clock, 0, int(offset_seconds * 1e9))

    def _into_namespace(self):
        os.setsid()
        enter_namespace(namespace(self.number))
        die_with_parent(signal.SIGKILL)


def _shared_number(path):
    """Eight bytes that another process maps too."""
    path.write_bytes(bytes(8))
    with open(path, "r+b") as file:
        return mmap.mmap(file.fileno(), 8)
