"""One node leaves for good, while there are more than three."""

from faults.base import Base

LEAVE_SECONDS_MAX = 120
NODES_MIN = 4


class Fault(Base):
    part = "members"
    alone = True

    def missing(self):
        if not self.cluster.offers("decommission"):
            return "this program has no `thalweg cluster decommission`"
        return None if len(self.cluster.members) >= NODES_MIN else f"there are fewer than {NODES_MIN} nodes"

    def begin(self):
        node = self.pick_one()
        through = next(other for other in self.cluster.members if other is not node)
        done = self.cluster.command("decommission", node.number, through=through, seconds_max=LEAVE_SECONDS_MAX)
        if done.returncode:
            raise AssertionError(f"decommission of {node} failed with {done.returncode}: {done.stderr.strip()}")
        self.load.leave(node.number)
        node.gone = True
        if node.is_running():
            node.terminate()
        return f"{node} decommissioned"
