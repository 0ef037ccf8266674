"""kill -9 of two nodes at once: of three, no majority is left, and puts must fail rather than be acknowledged by one."""

from faults.base import Base


class Fault(Base):
    part = "process"
    alone = True

    def begin(self):
        nodes = self.pick(2)
        for node in nodes:
            node.kill9()
        return f"kill -9 of {' and '.join(map(str, nodes))}"
