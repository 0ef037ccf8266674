"""The load: processes of their own, so that this program's work is in nobody's latency."""

import multiprocessing
import signal
import threading
import time
from dataclasses import dataclass

import clients
import producers
from followers import Follower
from ledger import Ledger
from machine import die_with_parent

PROBES_PER_SECOND = 4
BATCHERS = 3
KEYS_PER_BATCHER = 12
NODES_MAX = 16
STOP_SECONDS_MAX = 60


@dataclass
class Plan:
    """What all processes are told."""

    seed: int
    folder: str
    # (number, endpoint) of each node to begin with
    endpoints: list
    # for each shard its id and some keys that fall into it
    shards: list
    # of each batcher
    records_per_second: float


class Board:
    """When each prober, that is each node and shard, last had a put acknowledged; shared by all processes."""

    def __init__(self, context, shards):
        self.shards = shards
        self._times = context.Array("d", NODES_MAX * shards, lock=False)

    def note(self, prober, moment):
        node, shard = map(int, prober.split("-")[1:])
        self._times[(node - 1) * self.shards + shard] = moment

    def last(self, node, shard):
        """0.0 where there was none."""
        return self._times[(node - 1) * self.shards + shard]

    def since(self, nodes, moment):
        """The probers of these nodes that have had no put acknowledged since then."""
        probers = [(node, shard) for node in nodes for shard in range(self.shards)]
        return [prober for prober in probers if self.last(*prober) < moment]


class Load:
    """All processes of the load."""

    def __init__(self, plan):
        # Not forked: a fork of a program with threads may hold a lock for ever.
        self._context = multiprocessing.get_context("spawn")
        self.plan = plan
        self.board = Board(self._context, len(plan.shards))
        self._stops = {}
        self._processes = []

    def start(self):
        for node, endpoint in self.plan.endpoints:
            self.probe(node, endpoint)
        self._spawn("batch", _batch)
        self._spawn("follow", _follow)

    def probe(self, node, endpoint):
        """Begins to ask this node too."""
        self._spawn(f"probe-{node}", _probe, node, endpoint)

    def leave(self, node):
        """No longer asks this node."""
        self._stops[f"probe-{node}"].set()

    def ended(self):
        """Processes that have ended though nobody asked them to."""
        found = [process.name for process in self._processes if not process.is_alive()]
        return [name for name in found if not self._stops[name].is_set()]

    def stop(self):
        """Lets each finish the request it is at."""
        for stop in self._stops.values():
            stop.set()
        deadline = time.monotonic() + STOP_SECONDS_MAX
        for process in self._processes:
            process.join(max(0.1, deadline - time.monotonic()))
        failed = [f"{process.name}: {process.exitcode}" for process in self._processes if process.exitcode != 0]
        self.kill()
        if failed:
            raise RuntimeError(f"load processes failed: {failed}")

    def kill(self):
        for process in self._processes:
            if process.is_alive():
                process.kill()
                process.join(10)

    def _spawn(self, name, target, *extra):
        stop = self._stops[name] = self._context.Event()
        arguments = (name, target, self.plan, stop, self.board, *extra)
        process = self._context.Process(target=_main, args=arguments, name=name)
        process.start()
        self._processes.append(process)


def _main(name, work, plan, stop, board, *extra):
    """One process: `work` says which clients it has, as objects with `run`."""
    die_with_parent(signal.SIGKILL)
    # Ctrl-C goes to the whole terminal; the parent decides when the load ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    clients.alone()
    workers = work(plan, board, Ledger(f"{plan.folder}/{name}.jsonl"), *extra)
    failures = []

    def run(worker):
        try:
            worker.run(stop)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run, args=(worker,), name=worker.name) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def _probe(plan, board, ledger, node, endpoint):
    probers = []
    for index, (_, keys) in enumerate(plan.shards):
        probers.append(producers.prober(node, index, keys, endpoint, ledger, board, plan.seed, PROBES_PER_SECOND))
    return probers


def _batch(plan, board, ledger):
    found = []
    for number in range(BATCHERS):
        keys = [f"k{number}-{key}" for key in range(KEYS_PER_BATCHER)]
        turned = plan.endpoints[number % len(plan.endpoints) :] + plan.endpoints[: number % len(plan.endpoints)]
        found.append(producers.batcher(number, keys, turned, ledger, board, plan.seed, plan.records_per_second))
    return found


def _follow(plan, board, ledger):
    return [Follower(f"reader-{index}", shard, plan.endpoints, ledger, plan.seed) for index, (shard, _) in enumerate(plan.shards)]
