"""The disk of one node is slow: again and again all its writes and syncs wait for some hundred milliseconds."""

import threading

from faults.base import Base


class Fault(Base):
    part = "disk"

    def begin(self):
        node = self.pick_one()
        frozen = self.dice.choice((0.05, 0.2, 0.6))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(node.disk, frozen), daemon=True)
        self._thread.start()
        return f"{node}: disk waits {frozen * 1000:.0f} ms of each {frozen * 1000 + 50:.0f} ms"

    def end(self):
        self._stop.set()
        self._thread.join(30)

    def _run(self, disk, frozen):
        while not self._stop.is_set():
            try:
                disk.freeze()
            except OSError:
                # Another fault has killed the disk meanwhile.
                return
            self._stop.wait(frozen)
            disk.thaw()
            self._stop.wait(0.05)
