"""One sync of one node's disk fails with EIO, once; what it should have made durable is not known to be. The node must end itself.

Injected by strace, since the program's syncs are system calls of its own, which a library loaded before libc does not see. While
strace is attached, the node is slow as well.
"""

import signal
import subprocess

from faults.base import Base

END_SECONDS_MAX = 15


class Fault(Base):
    part = "disk"
    alone = True

    def begin(self):
        node = self.pick_one()
        node.may_end = True
        strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(node.pid),
             "-e", "trace=fdatasync,fsync", "-e", "inject=fdatasync,fsync:error=EIO:when=1"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        code = node.wait_end(END_SECONDS_MAX)
        strace.send_signal(signal.SIGTERM)
        strace.wait(10)
        if code is None:
            raise AssertionError(f"{node} goes on though a sync of its journal has failed")
        return f"{node}: EIO on a sync, it ended with {code}"
