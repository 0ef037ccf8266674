"""The wall clock of one node jumps, forwards or backwards, and back at the end. Its monotonic clock goes on."""

from faults.base import Base

# Beyond five minutes the node refuses all requests of clients, as their signatures are of another time.
JUMPS_SECONDS = (2, 30, 200, 3_600)


class Fault(Base):
    part = "clock"

    def begin(self):
        node = self.pick_one()
        jump = self.dice.choice(JUMPS_SECONDS) * self.dice.choice((1, -1))
        node.set_clock(jump)
        return f"{node}: clock {jump:+} s"
