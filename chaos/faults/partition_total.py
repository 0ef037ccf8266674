"""Every node is cut off from every other, while clients reach them all: nobody may acknowledge anything."""

from faults.base import Base


class Fault(Base):
    part = "network"
    alone = True

    def begin(self):
        for node in self.cluster.members:
            for other in self.cluster.members:
                if node is not other:
                    self.cluster.world.block(node.number, other.number)
        return "all nodes cut off from each other"
