"""SIGSTOP of one node: its connections stay open and nothing answers; then it goes on in the belief that it still leads."""

from faults.base import Base


class Fault(Base):
    part = "process"

    def begin(self):
        node = self.pick_one()
        node.pause()
        return f"SIGSTOP of {node}"
