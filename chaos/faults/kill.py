"""kill -9 of one node: nothing runs after it, the page cache stays."""

from faults.base import Base


class Fault(Base):
    part = "process"

    def begin(self):
        node = self.pick_one()
        node.kill9()
        return f"kill -9 of {node}"
