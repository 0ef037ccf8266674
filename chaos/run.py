"""Runs a real cluster under load and faults, and judges what clients saw: `python3 chaos/run.py --help`.

Exit code 0: nothing was lost, invented, changed, reordered or repeated, and the cluster became well after each fault.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE.parent / "tests/.venv/bin/python"

try:
    import boto3  # noqa: F401
except ImportError:
    if ENVIRONMENT.exists() and Path(sys.executable) != ENVIRONMENT:
        os.execv(ENVIRONMENT, [str(ENVIRONMENT), *sys.argv])
    sys.exit("boto3 is missing: `cargo xtask test` makes tests/.venv, or pip install --requirement tests/requirements.txt")

import faults
import machine


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:
        machine.check()
        held = machine.lock()
    except machine.Unfit as reason:
        sys.exit(f"chaos: {reason}")
    # Only now: these need what has just been checked.
    import leftovers
    from session import Session

    leftovers.remove()
    folder = Path(tempfile.mkdtemp(prefix=machine.PREFIX))
    options.out.mkdir(parents=True, exist_ok=True)
    session = Session(options, folder)
    try:
        good = session.run()
    finally:
        # What removes things is not to be interrupted itself.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        session.end()
        keep(folder, options.out)
        leftovers.remove()
        held.close()
    sys.exit(0 if good else 1)


def interrupted(number, _):
    sys.exit(f"chaos: ended by {signal.Signals(number).name}; removing what was made")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=program, required=True, help="the thalweg program")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long faults go on [5]")
    parser.add_argument("--seed", type=int, default=None, help="decides the schedule of faults and all choices [random]")
    parser.add_argument("--faults", type=names, default=list(faults.NAMES), help=f"some of {','.join(faults.NAMES)} [all]")
    parser.add_argument("--two-at-once", type=float, default=0.25, help="how often two faults are held at once [0.25]")
    parser.add_argument("--nodes", type=int, default=3, help="nodes to begin with [3]")
    parser.add_argument("--shards", type=int, default=4, help="shards of the stream [4]")
    parser.add_argument("--rate", type=float, default=40.0, help="records per second of each of the 3 batch producers [40]")
    parser.add_argument("--plant", choices=["no-sync"], help="a bug that the run must find: exit code 1 is what is wanted then")
    parser.add_argument("--out", type=Path, default=None, help="folder for the timeline, logs and ledgers [target/chaos/SEED]")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = random.SystemRandom().getrandbits(32)
    if options.out is None:
        options.out = HERE.parent / "target/chaos" / str(options.seed)
    return options


def program(text):
    path = shutil.which(text)
    if path is None:
        raise argparse.ArgumentTypeError(f"{text} is not a program")
    return str(Path(path).resolve())


def names(text):
    chosen = text.split(",")
    unknown = [name for name in chosen if name not in faults.NAMES]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such fault: {', '.join(unknown)}; there are {', '.join(faults.NAMES)}")
    return chosen


def keep(folder, out):
    """What explains a run: logs, configuration and ledgers."""
    for pattern in ("*.log", "*.toml", "*.jsonl"):
        for path in folder.glob(pattern):
            shutil.copy(path, out / path.name)


if __name__ == "__main__":
    main()
