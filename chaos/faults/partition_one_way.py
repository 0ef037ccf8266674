"""One node hears the others and is not heard, or is heard and does not hear."""

from faults.base import Base


class Fault(Base):
    part = "network"

    def begin(self):
        node = self.pick_one()
        deaf = self.dice.random() < 0.5
        for other in self.cluster.members:
            if other is not node:
                hearer, speaker = (node, other) if deaf else (other, node)
                self.cluster.world.block(hearer.number, speaker.number)
        return f"{node} {'hears nobody' if deaf else 'is heard by nobody'}"
