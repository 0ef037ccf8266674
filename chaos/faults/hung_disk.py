"""The disk of one node hangs: writes and syncs neither succeed nor fail, while the process and its network are well."""

from faults.base import Base


class Fault(Base):
    part = "disk"
    # A process that waits for such a disk can't be killed.
    alone = True

    def begin(self):
        node = self.pick_one()
        node.disk.freeze()
        return f"{node}: disk hangs"
