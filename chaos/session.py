"""One run: a cluster is made, loaded, disturbed, healed, read and judged."""

import hashlib
import random
import subprocess
import time
from dataclasses import dataclass, field

import clients
import faults
import ledger
import oracle
import schedule
import timeline
from cluster import Cluster
from final import read_all
from load import Load, Plan
from machine import enter_namespace
from world import CLIENTS

ALL_READY_SECONDS_MAX = 90
STREAM_SECONDS_MAX = 60
WARM_UP_SECONDS = 4.0
# A cluster without faults must be well within this.
WELL_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.1
KEYS_PER_SHARD = 2
INSPECT_SECONDS_MAX = 120
PANIC = b"panicked at"


@dataclass
class Event:
    """A fault, or a phase of the run, on the machine's monotonic clock."""

    kind: str
    what: str
    began: float
    ended: float = 0.0
    # When every shard took puts through every node again; 0.0 if it never did.
    well: float = 0.0
    # Another fault was held at the same time.
    beside: bool = False


@dataclass
class Run:
    """What the report is made of."""

    options: object
    began: float
    shards: int
    events: list = field(default_factory=list)
    findings: list = field(default_factory=list)
    left_out: dict = field(default_factory=dict)


class Session:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.cluster = Cluster(options.binary, folder, options.plant)
        self.load = None
        self.run_data = Run(options, time.monotonic(), options.shards)

    def run(self):
        """Whether everything was as it must be."""
        say(f"seed {self.options.seed}, {self.options.minutes:g} minutes, {self.options.nodes} nodes, {self.options.shards} shards")
        self._make()
        self._disturb()
        return self._judge()

    def end(self):
        """Ends all processes of this run, whatever state they are in."""
        if self.load is not None:
            self.load.kill()
        self.cluster.end()

    def _make(self):
        self.cluster.world.make()
        # From here on this process and all it starts see only the cluster's network.
        enter_namespace(CLIENTS)
        clients.alone()
        for _ in range(self.options.nodes):
            self.cluster.add().start()
        client = clients.kinesis(self.cluster.nodes[0].endpoint)
        client.create_stream(StreamName=clients.STREAM, ShardCount=self.options.shards)
        client.get_waiter("stream_exists").wait(StreamName=clients.STREAM, WaiterConfig={"Delay": 1, "MaxAttempts": STREAM_SECONDS_MAX})
        shards = client.list_shards(StreamName=clients.STREAM)["Shards"]
        plan = Plan(
            seed=self.options.seed,
            folder=str(self.folder),
            endpoints=[(node.number, node.endpoint) for node in self.cluster.nodes],
            shards=[(shard["ShardId"], keys_of(shard)) for shard in shards],
            records_per_second=self.options.rate,
        )
        self.load = Load(plan)
        self.load.start()
        if not self._wait_well(time.monotonic()):
            raise RuntimeError("the cluster did not become well before the first fault")
        time.sleep(WARM_UP_SECONDS)

    def _disturb(self):
        kinds = {name: faults.fault(name) for name in self.options.faults}
        end = time.monotonic() + self.options.minutes * 60
        options = self.options
        for step in schedule.steps(options.seed, options.faults, options.minutes, kinds, options.two_at_once):
            dice = random.Random(step.seed)
            chosen = [kinds[name](self.cluster, self.load, dice) for name in step.names]
            if time.monotonic() >= end or not self._hold(step, chosen):
                return
            time.sleep(step.calm_seconds)

    def _hold(self, step, chosen):
        """One step of the schedule; False ends the run early, as what comes after would explain nothing."""
        held = []
        for name, fault in zip(step.names, chosen):
            reason = fault.missing()
            if reason:
                self.run_data.left_out[name] = reason
                continue
            event = Event(name, "", time.monotonic())
            try:
                event.what = fault.begin()
            except AssertionError as finding:
                event.what = str(finding)
                self._find(str(finding))
            self.run_data.events.append(event)
            held.append((event, fault))
            say(f"{event.kind}: {event.what}")
        if not held:
            return True
        self._watch(step.hold_seconds, [fault for _, fault in held])
        for event, fault in held:
            event.beside = len(held) > 1
            try:
                fault.end()
            except AssertionError as finding:
                self._find(str(finding))
            event.ended = time.monotonic()
        self._note_ended(self.cluster.heal())
        healed = time.monotonic()
        well = self._wait_well(healed)
        for event, _ in held:
            event.well = well
        if well:
            say(f"  well after {well - healed:.1f} s")
        return bool(well)

    def _watch(self, seconds, held):
        end = time.monotonic() + seconds
        seen = set()
        while time.monotonic() < end:
            for node, code in self.cluster.ended_by_themselves():
                if node not in seen:
                    seen.add(node)
                    self._find(f"{node} ended by itself with exit code {code}")
            for fault in held:
                fault.tick()
            self._look_at_load()
            time.sleep(LOOK_SECONDS)

    def _note_ended(self, ended):
        for node, code in ended:
            say(f"  {node} had ended by itself with {code}, started again")

    def _wait_well(self, since):
        """When all nodes were ready and had taken a put for every shard since then; 0.0 with a finding when they don't."""
        deadline = since + WELL_SECONDS_MAX
        while time.monotonic() < deadline:
            self._look_at_load()
            if not self._ill(since):
                return time.monotonic()
            time.sleep(LOOK_SECONDS)
        what = "; ".join(self._ill(since))
        self._find(f"not well {WELL_SECONDS_MAX:.0f} s after all faults had ended: {what}")
        return 0.0

    def _ill(self, since):
        """What is not as it should be."""
        members = self.cluster.members
        missing = self.load.board.since([node.number for node in members], since)
        if missing:
            return ["no put since for " + ", ".join(f"shard {shard} through node {node}" for node, shard in missing)]
        found = [f"{node} has ended" for node in members if not node.is_running()]
        if not found:
            found = [f"{node} is not ready" for node in members if not node.is_ready()]
        if not found:
            for name in ("thalweg_raft_groups_stopped_total", "thalweg_raft_groups_damaged"):
                found += [f"{name} of {node} is {count:.0f}" for node in members if (count := node.metric(name))]
        return found

    def _look_at_load(self):
        ended = self.load.ended()
        if ended:
            raise RuntimeError(f"the load has ended by itself: {ended}")

    def _judge(self):
        self.load.stop()
        self.cluster.heal()
        members = self.cluster.members
        shards = [shard for shard, _ in self.load.plan.shards]
        say("reading everything")
        final = self._read("at the end", shards, members[0])
        history = ledger.load(self.folder)
        verdict = oracle.Verdict()
        if final is not None:
            verdict = oracle.judge(history.puts, history.chains, final)
            self._power_off_and_read(shards, final)
        self._inspect()
        self._look_for_panics()
        for line in verdict.lines():
            say(line)
        for finding in self.run_data.findings:
            say(f"FINDING: {finding}")
        page = timeline.write(self.options.out / "timeline.html", self.run_data, history, verdict)
        for line in timeline.table(self.run_data, history):
            say(line)
        good = verdict.good and not self.run_data.findings
        say(f"{'good' if good else 'BAD'}: {timeline.figures_line(verdict)}")
        say(f"timeline: {page}")
        if not good:
            say(f"again: {again(self.options)}")
        return good

    def _read(self, when, shards, node):
        """Everything, read through one node; None with a finding where that can't be done."""
        try:
            self.cluster.start(ALL_READY_SECONDS_MAX)
            return read_all(node.endpoint, shards)
        except Exception as error:
            self._find(f"{when}, not everything could be read: {error}")
            return None

    def _power_off_and_read(self, shards, final):
        """What was acknowledged last has had no time to reach anything but the journals."""
        self.cluster.cut_power()
        again = self._read("after a last loss of power", shards, self.cluster.members[-1])
        for shard in shards if again is not None else ():
            if again[shard][: len(final[shard])] != final[shard]:
                self._find(f"{shard} is not the same after a last loss of power: {len(final[shard])} records before, {len(again[shard])} after")

    def _inspect(self):
        """Each node's directory is sound by its own checksums."""
        for node in self.cluster.members:
            if node.is_running():
                node.kill9()
        for node in self.cluster.members:
            done = subprocess.run(
                [self.options.binary, "inspect", node.data_dir], capture_output=True, text=True, timeout=INSPECT_SECONDS_MAX
            )
            sentence = f"{node}: inspect says {done.returncode}: {(done.stdout + done.stderr).strip().splitlines()[-1:]}"
            if done.returncode and node.rotten:
                say(f"{sentence}, after `rot`: nobody has read these bytes yet")
            elif done.returncode:
                self._find(sentence)

    def _look_for_panics(self):
        for node in self.cluster.nodes:
            for line in node.log_path.read_bytes().splitlines():
                if PANIC in line:
                    self._find(f"{node}: {line.decode(errors='replace')}")

    def _find(self, finding):
        say(f"FINDING: {finding}")
        self.run_data.findings.append(finding)


def again(options):
    """The command that repeats a run's schedule."""
    words = {name: getattr(options, name) for name in ("binary", "seed", "minutes", "two_at_once", "nodes", "shards", "rate", "plant")}
    words["faults"] = ",".join(options.faults)
    given = [f"--{name.replace('_', '-')} {value}" for name, value in words.items() if value is not None]
    return f"python3 chaos/run.py {' '.join(given)}"


def keys_of(shard):
    """Some partition keys that belong to the shard."""
    first, last = (int(shard["HashKeyRange"][name]) for name in ("StartingHashKey", "EndingHashKey"))
    number, found = 0, []
    while len(found) < KEYS_PER_SHARD:
        key = f"s{number}"
        if first <= int.from_bytes(hashlib.md5(key.encode()).digest(), "big") <= last:
            found.append(key)
        number += 1
    return found


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)
