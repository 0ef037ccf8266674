"""The disk of one node dies: every read, write and sync fails with EIO, and what was not synced is lost. Then it is back."""

from faults.base import Base


class Fault(Base):
    part = "disk"

    def begin(self):
        self._node = self.pick_one()
        self._node.may_end = True
        self._node.disk.cut_power()
        return f"{self._node}: disk dead"

    def end(self):
        if self._node.is_running():
            self._node.kill9()
        self._node.disk.unmount()
        self._node.disk.mount()
