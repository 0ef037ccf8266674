"""Packets of one node are lost, its clients' too."""

from faults.base import Base


class Fault(Base):
    part = "network"

    def begin(self):
        node = self.pick_one()
        percent = self.dice.choice((2, 10, 25))
        self.cluster.world.wire(node.number, loss=percent / 100, seed=self.dice.getrandbits(32))
        return f"{node}: {percent} % of packets lost"
