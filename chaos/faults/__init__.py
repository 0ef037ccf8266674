"""The faults, one file each. Adding one: a file with a class `Fault` as in base.py, and its name in this list."""

from importlib import import_module

NAMES = (
    "kill",
    "kill_two",
    "crash_loop",
    "restart",
    "freeze",
    "partition_full",
    "partition_one_way",
    "partition_partial",
    "partition_total",
    "delay",
    "loss",
    "reorder",
    "full_disk",
    "slow_disk",
    "hung_disk",
    "sync_error",
    "dead_disk",
    "rot",
    "clock_jump",
    "power_loss",
    "join",
    "drain",
    "decommission",
)


def fault(name):
    """The class of the fault."""
    return import_module(f"faults.{name}").Fault
