"""Another node joins, and takes over replicas and leaders while puts go on."""

from faults.base import Base

NODES_MAX = 5


class Fault(Base):
    part = "members"

    def missing(self):
        return None if len(self.cluster.members) < NODES_MAX else f"there are {NODES_MAX} nodes already"

    def begin(self):
        node = self.cluster.add()
        node.launch()
        self.load.probe(node.number, node.endpoint)
        return f"{node} joins"
