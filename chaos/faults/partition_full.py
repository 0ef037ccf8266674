"""One node is cut off from all others, in both directions; clients still reach it."""

from faults.base import Base


class Fault(Base):
    part = "network"

    def begin(self):
        node = self.pick_one()
        for other in self.cluster.members:
            if other is not node:
                self.cluster.world.block(node.number, other.number)
                self.cluster.world.block(other.number, node.number)
        return f"{node} cut off"
