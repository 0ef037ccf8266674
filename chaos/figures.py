"""From the ledgers to figures: availability and latency for each second and each fault."""

import math
from collections import defaultdict
from dataclasses import dataclass


@dataclass
class Second:
    """What began in one second of the run."""

    acknowledged: int = 0
    failed: int = 0
    records: int = 0
    latencies: list = None
    shards: set = None


@dataclass
class Row:
    """What clients noticed between a fault's begin and the cluster being well again."""

    event: object
    acknowledged: int
    failed: int
    # Requests that failed after the SDK's default retries.
    failed_sdk: int
    p50: float
    p99: float
    worst: float
    # The longest time in which some shard had no put acknowledged.
    gap: float

    @property
    def recovery(self):
        return self.event.well - self.event.ended if self.event.well else math.inf


class Figures:
    def __init__(self, run, puts):
        self.run = run
        self.puts = puts
        self.acks = _acks_by_shard(puts)

    @property
    def length(self):
        """Of the run, in seconds."""
        last = max((put.began + put.took for put in self.puts), default=self.run.began)
        return max(1, math.ceil(last - self.run.began))

    def seconds(self):
        found = [Second(latencies=[], shards=set()) for _ in range(self.length + 1)]
        for put in self.puts:
            second = found[max(0, int(put.began - self.run.began))]
            if is_acknowledged(put):
                second.acknowledged += 1
                second.latencies.append(put.took)
                second.records += sum("seq" in outcome for _, _, outcome in put.records)
            else:
                second.failed += 1
        for shard, moments in self.acks.items():
            for moment in moments:
                found[max(0, int(moment - self.run.began))].shards.add(shard)
        return found

    def row(self, event):
        end = event.well or self.run.began + self.length
        inside = [put for put in self.puts if event.began <= put.began + put.took and put.began <= end]
        good = sorted(put.took for put in inside if is_acknowledged(put))
        bad = [put for put in inside if not is_acknowledged(put)]
        return Row(
            event, len(good), len(bad), sum(put.producer.startswith("batch") for put in bad),
            percentile(good, 0.5), percentile(good, 0.99), good[-1] if good else math.nan, self.gap(event.began, end),
        )  # fmt: skip

    def gap(self, begin, end):
        longest = 0.0
        for moments in self.acks.values():
            last = begin
            for moment in moments:
                if moment >= begin:
                    longest = max(longest, min(moment, end) - last)
                    last = moment
                if moment > end:
                    break
            longest = max(longest, end - last)
        return longest


def is_acknowledged(put):
    """At least one of its records was."""
    return any("seq" in outcome for _, _, outcome in put.records)


def percentile(ordered, part):
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else math.nan


def _acks_by_shard(puts):
    found = defaultdict(list)
    for put in puts:
        for shard in {outcome["shard"] for _, _, outcome in put.records if "seq" in outcome}:
            found[shard].append(put.began + put.took)
    return {shard: sorted(moments) for shard, moments in sorted(found.items())}
