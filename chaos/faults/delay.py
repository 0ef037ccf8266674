"""Packets of one node, or of all, come late, by up to a few hundred milliseconds."""

from faults.base import Base


class Fault(Base):
    part = "network"

    def begin(self):
        delay, jitter = self.dice.choice(((20, 5), (60, 40), (150, 100)))
        nodes = self.cluster.members if self.dice.random() < 0.3 else [self.pick_one()]
        for node in nodes:
            self.cluster.world.wire(node.number, delay_ms=delay, jitter_ms=jitter, seed=self.dice.getrandbits(32))
        who = "all nodes" if len(nodes) > 1 else nodes[0]
        return f"{who}: {delay} to {delay + jitter} ms later each way"
