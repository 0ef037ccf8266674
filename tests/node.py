"""One real Thalweg process: started, killed, restarted, and its output kept."""

import os
import queue
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30
LOG_BYTES_SHOWN = 8_000


class Thalweg:
    """`thalweg dev` on its own data directory and ports; both stay the same over restarts."""

    def __init__(self, binary, folder, limits="off", variables=None, ports=None):
        self.binary = binary
        self.data_dir = Path(folder) / "data"
        self.log_path = Path(folder) / "thalweg.log"
        self.limits = limits
        self.variables = variables or {}
        self.api_port, self.admin_port = ports or free_ports(2)
        self.ready_line = None
        self._process = None
        self._lines = None

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def admin_endpoint(self):
        return f"http://127.0.0.1:{self.admin_port}"

    @property
    def pid(self):
        return self._process.pid

    def command(self):
        return [
            self.binary, "dev",
            "--data-dir", str(self.data_dir),
            "--api-addr", f"127.0.0.1:{self.api_port}",
            "--admin-addr", f"127.0.0.1:{self.admin_port}",
            "--limits", self.limits,
        ]  # fmt: skip

    def start(self):
        """Returns when the process says that it is ready; raises with its log when it doesn't."""
        assert not self.is_running(), "already running"
        self._lines = queue.Queue()
        with open(self.log_path, "ab") as log:
            log.write(f"--- {' '.join(self.command())}\n".encode())
            log.flush()
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=os.environ | self.variables,
            )
        threading.Thread(target=self._follow, args=(self._process, self._lines), daemon=True).start()
        self.ready_line = self._wait_ready()
        return self

    def is_running(self):
        return self._process is not None and self._process.poll() is None

    def kill9(self):
        """Kills the process as a crash would: nothing runs after this, nothing is flushed."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(STOP_SECONDS_MAX)

    def terminate(self, by=signal.SIGTERM, seconds_max=STOP_SECONDS_MAX):
        """Asks the process to leave and returns its exit code."""
        self._process.send_signal(by)
        return self._process.wait(seconds_max)

    def restart(self):
        """Leaves cleanly and starts again on the same data and ports."""
        assert self.terminate() == 0, self.log_tail()
        return self.start()

    def stop(self):
        """Ends the process whatever state it is in; for the end of a test."""
        if self.is_running():
            self.kill9()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def log_tail(self):
        if not self.log_path.exists():
            return "(no log)"
        return self.log_path.read_bytes()[-LOG_BYTES_SHOWN:].decode(errors="replace")

    def _follow(self, process, lines):
        with open(self.log_path, "ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()
                lines.put(line.decode(errors="replace").rstrip("\n"))
        lines.put(None)

    def _wait_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                self.stop()
                raise AssertionError(f"not ready within {START_SECONDS_MAX} s:\n{self.log_tail()}") from None
            if line is None:
                code = self._process.wait(STOP_SECONDS_MAX)
                raise AssertionError(f"exit code {code} before it was ready:\n{self.log_tail()}")
            if line.startswith("ready "):
                return line


def run(binary, *arguments, seconds_max=60):
    """Runs a command of the binary that ends by itself; returns its result with output as text."""
    return subprocess.run(
        [binary, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds_max
    )


def free_ports(count):
    """Ports that nobody listens on, all different.

    Not by binding port 0: that gives a port of the range from which outgoing connections take theirs, and a client that
    reconnects while the server is down can then be given the server's own port and keep it from starting again.
    """
    lowest_ephemeral = _lowest_ephemeral_port()
    sockets = []
    try:
        for port in range(lowest_ephemeral - 1, 1024, -1):
            candidate = socket.socket()
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                candidate.close()
                continue
            sockets.append(candidate)
            if len(sockets) == count:
                return [bound.getsockname()[1] for bound in sockets]
    finally:
        for bound in sockets:
            bound.close()
    raise AssertionError("no free ports")


def free_port_range(count):
    """The first of `count` ports in a row on which nobody listens; below those of outgoing connections, as in `free_ports`."""
    ports = free_ports(1)
    first = ports[0] - count
    while not all(_is_free(port) for port in range(first, first + count)):
        first -= count
        assert first > 1024, "no free ports in a row"
    return first


def _is_free(port):
    with socket.socket() as candidate:
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _lowest_ephemeral_port():
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
    except OSError:
        return 32_768
    return int(re.match(r"\d+", text).group())
