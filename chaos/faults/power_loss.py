"""All nodes lose power at the same moment: what was not synced is gone on every one of them. Then all start again."""

from faults.base import Base


class Fault(Base):
    part = "process"
    alone = True

    def begin(self):
        self.cluster.cut_power()
        return "power loss of all nodes"
