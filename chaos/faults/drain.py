"""One node is drained by an administrator, stopped, and started again."""

from faults.base import Base

DRAIN_SECONDS_MAX = 60


class Fault(Base):
    part = "members"
    alone = True

    def missing(self):
        return None if self.cluster.offers("drain") else "this program has no `thalweg cluster drain`"

    def begin(self):
        node = self.pick_one()
        done = self.cluster.command("drain", node.number, through=node, seconds_max=DRAIN_SECONDS_MAX)
        if done.returncode:
            raise AssertionError(f"drain of {node} failed with {done.returncode}: {done.stderr.strip()}")
        node.terminate()
        return f"{node} drained and stopped"
