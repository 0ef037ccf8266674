"""Packets of one node overtake each other."""

from faults.base import Base


class Fault(Base):
    part = "network"

    def begin(self):
        node = self.pick_one()
        percent = self.dice.choice((10, 30, 60))
        bad = {"delay_ms": 5, "jitter_ms": 10, "reorder": percent / 100, "seed": self.dice.getrandbits(32)}
        self.cluster.world.wire(node.number, **bad)
        return f"{node}: {percent} % of packets out of order"
