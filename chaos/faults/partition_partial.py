"""Two nodes can't reach each other, and both reach the third: no two nodes agree on who is alive."""

from faults.base import Base


class Fault(Base):
    part = "network"

    def begin(self):
        one, other = self.pick(2)
        self.cluster.world.block(one.number, other.number)
        if self.dice.random() < 0.7:
            self.cluster.world.block(other.number, one.number)
            return f"{one} and {other} apart"
        return f"{one} does not hear {other}"
