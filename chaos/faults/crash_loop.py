"""One node is killed again and again, soon after each start: in the middle of recovery, of joining, of catching up."""

import time

from faults.base import Base

LIVES_SECONDS = (0.05, 0.15, 0.3, 0.6, 1.5)


class Fault(Base):
    part = "process"
    alone = True

    def begin(self):
        self._node = self.pick_one()
        self._node.kill9()
        self._dies = 0.0
        return f"kill -9 of {self._node} again and again"

    def tick(self):
        if not self._node.is_running():
            self._node.launch()
            self._dies = time.monotonic() + self.dice.choice(LIVES_SECONDS)
        elif time.monotonic() >= self._dies:
            self._node.kill9()
