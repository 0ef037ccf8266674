"""The judge: compares what clients tried, were told and read with everything that is there at the end.

It knows nothing of the server. Records have names (see payload.py); a put that was answered with an error or not at all has an
unknown fate, unless the error says that nothing was stored. Each stored copy needs a put that can have made it.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

EXAMPLES_MAX = 5
# What is counted, and what it means.
KINDS = {
    "lost": "acknowledged, and not there at the end under its sequence number",
    "phantom": "there, though nobody put it, or only with answers that said that it was not stored",
    "wrong bytes": "served with other bytes or another key than were put, or moved to another shard",
    "reordered": "stored before what its producer knew to be stored for the same key, or with sequence numbers that do not increase",
    "repeated": "there more often than puts of it were acknowledged or left open: a copy that no retry explains",
    "misread": "a reader saw something that is not there at the end, or missed something that is",
}


@dataclass
class Verdict:
    """What was found: a list of sentences for each kind; and the figures."""

    found: dict = field(default_factory=lambda: {kind: [] for kind in KINDS})
    acknowledged: int = 0
    unknown: int = 0
    stored: int = 0
    copies_by_retry: int = 0
    read: int = 0

    def add(self, kind, sentence):
        self.found[kind].append(sentence)

    @property
    def good(self):
        return not any(self.found.values())

    def lines(self):
        for kind, sentences in self.found.items():
            yield f"{len(sentences):>6} {kind}"
            for sentence in sentences[:EXAMPLES_MAX]:
                yield f"         {sentence}"


@dataclass
class _Record:
    """What is known of one name."""

    # Sequence numbers that were acknowledged, with their shards.
    acknowledged: list = field(default_factory=list)
    # Requests that may have stored it although nobody was told.
    open: int = 0
    # The greatest sequence number that its producer knew, for the same key, before it was first sent.
    floor: int = -1


def judge(puts, chains, final):
    """`final`: for each shard everything in it, as `(sequence number, name or None)` in the order in which it was read."""
    verdict = Verdict()
    records = _follow_producers(puts, verdict)
    where = _check_final(final, verdict)
    _check_acknowledged(records, where, verdict)
    _check_copies(records, where, verdict)
    _check_chains(chains, final, verdict)
    return verdict


def _follow_producers(puts, verdict):
    records = defaultdict(_Record)
    known = defaultdict(lambda: -1)
    shard_of = {}
    for put in sorted(puts, key=lambda put: put.began):
        for key, number, _ in put.records:
            name = (put.producer, key, number)
            if name not in records:
                records[name].floor = known[put.producer, key]
        for key, number, outcome in put.records:
            _take(put, (put.producer, key, number), outcome, records, known, shard_of, verdict)
    verdict.acknowledged = sum(bool(record.acknowledged) for record in records.values())
    verdict.unknown = sum(not record.acknowledged and record.open > 0 for record in records.values())
    return records


def _take(put, name, outcome, records, known, shard_of, verdict):
    record, key = records[name], name[:2]
    # The SDK's own retries: their answers are not known here, only the last one's.
    record.open += max(put.sends - 1, 0)
    if "seq" not in outcome:
        record.open += 0 if outcome["sure"] or put.sends == 0 else 1
        return
    shard, number = outcome["shard"], outcome["seq"]
    record.acknowledged.append((shard, number))
    if number <= known[key]:
        verdict.add("reordered", f"{name} was acknowledged as {number}, after {known[key]} of the same key")
    known[key] = max(known[key], number)
    if shard_of.setdefault(key, shard) != shard:
        verdict.add("wrong bytes", f"{name} was put into {shard}, and {key} belongs to {shard_of[key]}")


def _check_final(final, verdict):
    """Returns where each sequence number is: `(shard, name)`."""
    where = {}
    for shard, stored in final.items():
        last = -1
        for number, name in stored:
            verdict.stored += 1
            if number <= last:
                verdict.add("reordered", f"{shard} has {number} after {last}")
            last = max(last, number)
            if number in where:
                verdict.add("repeated", f"the sequence number {number} is in {where[number][0]} and in {shard}")
            if name is None:
                verdict.add("wrong bytes", f"{number} in {shard} has bytes that nobody put")
            where[number] = (shard, name)
    return where


def _check_acknowledged(records, where, verdict):
    given = Counter(number for record in records.values() for _, number in record.acknowledged)
    for number, times in given.items():
        if times > 1:
            verdict.add("repeated", f"the sequence number {number} was given to {times} puts")
    for name, record in records.items():
        for shard, number in record.acknowledged:
            found = where.get(number)
            if found is None:
                verdict.add("lost", f"{name}, acknowledged as {number} in {shard}")
            elif found[1] is not None and found != (shard, name):
                verdict.add("wrong bytes", f"{name}, acknowledged as {number} in {shard}: there is {found}")


def _check_copies(records, where, verdict):
    copies = defaultdict(list)
    for number, (shard, name) in where.items():
        if name is not None:
            copies[name].append((number, shard))
    for name, places in copies.items():
        record = records.get(name)
        if record is None:
            verdict.add("phantom", f"{name} was never put and is there as {places[0]}")
            continue
        acknowledged = len(record.acknowledged)
        if not acknowledged and not record.open:
            verdict.add("phantom", f"{name} was refused every time and is there as {places[0]}")
        elif len(places) > acknowledged + record.open:
            sentence = f"{name} is there {len(places)} times: acknowledged {acknowledged} times, left open {record.open} times"
            verdict.add("repeated", sentence)
        verdict.copies_by_retry += len(places) - 1
        for number, _ in places:
            if number <= record.floor:
                verdict.add("reordered", f"{name} is there as {number}, but {record.floor} of its key was there before it was sent")


def _check_chains(chains, final, verdict):
    """A reader sees, from its start on, exactly what is there at the end: nothing else, nothing left out, in this order."""
    places = {shard: {number: place for place, (number, _) in enumerate(stored)} for shard, stored in final.items()}
    for chain, seen in chains.items():
        stored, place = final.get(seen.shard, []), places.get(seen.shard, {})
        verdict.read += len(seen.records)
        at = 0
        if seen.after is not None:
            if seen.after not in place:
                verdict.add("misread", f"{chain} was shown {seen.after} in {seen.shard}, which is not there at the end")
                continue
            at = place[seen.after] + 1
        for row, (number, name) in enumerate(seen.records):
            there = stored[at + row] if at + row < len(stored) else None
            if there != (number, name):
                verdict.add("misread", f"{chain} in {seen.shard}: was shown {(number, name)} where the end has {there}")
                break
