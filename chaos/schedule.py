"""Which faults, when, and for how long: all of it follows from the seed."""

import random
from dataclasses import dataclass

HOLD_SECONDS_MIN = 3.0
HOLD_SECONDS_MAX = 15.0
CALM_SECONDS = (1.0, 3.0)
# What a fault costs beside its hold: becoming well again and the calm.
OVERHEAD_SECONDS = 5.0


@dataclass
class Step:
    names: list
    hold_seconds: float
    calm_seconds: float
    seed: int


def steps(seed, names, minutes, faults, two_at_once):
    """Endless: every fault once in random order, then again in another. `faults` are the classes by name.

    With the probability `two_at_once` a second one is held beside it. The shorter the run, the shorter each fault is held, so that as many kinds as can be fit in.
    """
    dice = random.Random(seed)
    share = minutes * 60 / max(len(names), 1) - OVERHEAD_SECONDS
    hold = min(max(share, HOLD_SECONDS_MIN), HOLD_SECONDS_MAX)
    while True:
        left = dice.sample(names, len(names))
        while left:
            chosen = [left.pop()]
            others = [other for other in left if _fit(faults[chosen[0]], faults[other])]
            if others and dice.random() < two_at_once:
                chosen.append(dice.choice(others))
                left.remove(chosen[1])
            yield Step(chosen, hold * dice.uniform(0.6, 1.4), dice.uniform(*CALM_SECONDS), dice.getrandbits(64))


def _fit(one, other):
    return not one.alone and not other.alone and one.part != other.part
