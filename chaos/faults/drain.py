"""A restart as an administrator does it: one node is drained, stopped, started and activated again. Nobody should notice."""

from faults.base import Base

COMMAND_SECONDS_MAX = 60


class Fault(Base):
    part = "members"
    alone = True

    def missing(self):
        return None if self.cluster.offers("drain") else "this program has no `thalweg cluster drain`"

    def begin(self):
        self._node = self.pick_one()
        self._command("drain")
        code = self._node.terminate()
        if code != 0:
            raise AssertionError(f"{self._node} left with exit code {code} after it was drained")
        return f"{self._node} drained and stopped"

    def end(self):
        if not self._node.is_running():
            self._node.start()
        self._command("activate")

    def _command(self, verb):
        other = next(node for node in self.cluster.members if node is not self._node)
        self.cluster.command(verb, self._node.number, through=other, seconds_max=COMMAND_SECONDS_MAX)
