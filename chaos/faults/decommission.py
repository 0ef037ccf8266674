"""One node leaves for good, while there are more than three: its replicas are made on others, under load."""

from faults.base import Base

COMMAND_SECONDS_MAX = 120
NODES_MIN = 4


class Fault(Base):
    part = "members"
    alone = True

    def missing(self):
        if not self.cluster.offers("decommission"):
            return "this program has no `thalweg cluster decommission`"
        return None if len(self.cluster.members) >= NODES_MIN else f"there were fewer than {NODES_MIN} nodes"

    def begin(self):
        node = self.pick_one()
        other = next(member for member in self.cluster.members if member is not node)
        self.cluster.command("decommission", node.number, through=other, seconds_max=COMMAND_SECONDS_MAX)
        self.load.leave(node.number)
        node.gone = True
        # It may have noticed by itself that it is no member any more.
        if node.is_running():
            node.terminate()
        return f"{node} decommissioned"
