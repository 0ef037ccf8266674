"""SIGTERM of one node, as an upgrade does it: it leaves in order, with exit code 0, and is started again."""

from faults.base import Base


class Fault(Base):
    part = "process"

    def begin(self):
        node = self.pick_one()
        code = node.terminate()
        if code != 0:
            raise AssertionError(f"{node} left with exit code {code} after SIGTERM")
        return f"SIGTERM of {node}"
