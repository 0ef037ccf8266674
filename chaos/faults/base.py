"""What a fault is."""


class Base:
    """One disturbance. It is begun, held for a while and ended; afterwards the cluster must become well by itself.

    Choices come from `dice`, so that the seed of a run decides them.
    """

    # What it disturbs: two faults of the same part are not held at the same time.
    part = ""
    # No other fault may be held at the same time.
    alone = False

    def __init__(self, cluster, load, dice):
        self.cluster = cluster
        self.load = load
        self.dice = dice

    def missing(self):
        """Why it can't be done at the moment, or None."""
        return None

    def begin(self):
        """Disturbs, and says what was done in a few words."""
        raise NotImplementedError

    def tick(self):
        """Called ten times a second while the fault is held."""

    def end(self):
        """Undoes what `begin` did, as far as `Cluster.heal`, which follows, does not."""

    def pick(self, count=1):
        """Nodes of the cluster that run."""
        running = [node for node in self.cluster.members if node.is_running()]
        return self.dice.sample(running, min(count, len(running)))

    def pick_one(self):
        """One that runs; there always is one where faults are not held together with `power_loss`."""
        return self.pick()[0]
