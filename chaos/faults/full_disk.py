"""The disk of one node fills up: to its last byte, or to less than the reserve that the node keeps."""

from faults.base import Base

SPARE_BYTES = (0, 64 << 10, 5 << 20, 50 << 20)


class Fault(Base):
    part = "disk"

    def begin(self):
        node = self.pick_one()
        spare = self.dice.choice(SPARE_BYTES)
        # With nothing left it may end itself rather than guess what was written.
        node.may_end = True
        node.disk.fill(spare)
        return f"{node}: disk full, {spare >> 10} KiB left"
