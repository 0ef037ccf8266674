"""The page of a run: faults, availability and latency on one axis of time, self-contained, without scripts."""

import math
import time
from collections import defaultdict
from html import escape

from figures import Figures, percentile

LEFT, WIDTH, RIGHT = 150, 1_100, 20
LANE = 16
PLOT = 110
# Latencies from 1 ms to 30 s, on a logarithmic scale.
LATENCY_MIN, LATENCY_MAX = 0.001, 30.0
COLOURS = {"process": "#c0392b", "network": "#2980b9", "disk": "#8e44ad", "clock": "#d68910", "members": "#27ae60"}
TWO_AT_ONCE = "two at once"
STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 24px; color: #222; max-width: 1300px }
svg text { font: 11px system-ui, sans-serif; fill: #444 } table { border-collapse: collapse; margin: 12px 0 }
td, th { padding: 2px 10px; border-bottom: 1px solid #ddd; text-align: right } td.t, th.t { text-align: left }
.good { color: #1e8449 } .bad { color: #c0392b; font-weight: bold }
"""


def write(path, run, history, verdict):
    """Writes the page and returns its path."""
    figures = Figures(run, history.puts)
    good = verdict.good and not run.findings
    parts = [
        f"<!doctype html><meta charset=utf-8><title>Thalweg chaos, seed {run.options.seed}</title><style>{STYLE}</style>",
        f"<h1>Chaos, seed {run.options.seed}: <span class={'good' if good else 'bad'}>{'good' if good else 'bad'}</span></h1>",
        f"<p>{escape(figures_line(verdict))}. {run.options.nodes} nodes at first, {run.shards} shards, "
        f"{figures.length} s, {time.strftime('%Y-%m-%d %H:%M')}.</p>",
        _list("Findings", run.findings + [f"{kind}: {text}" for kind, found in verdict.found.items() for text in found[:20]]),
        _drawing(run, figures),
        _table(run, figures),
        _list("Left out", [f"{name}: {reason}" for name, reason in never_held(run).items()]),
    ]
    path.write_text("\n".join(parts))
    return path


def figures_line(verdict):
    counts = ", ".join(f"{len(found)} {kind}" for kind, found in verdict.found.items())
    return (
        f"{verdict.acknowledged} records acknowledged, {verdict.unknown} of unknown fate, {verdict.stored} stored "
        f"({verdict.copies_by_retry} copies by retries), {verdict.read} read while faults went on; {counts}"
    )


def table(run, history):
    """The same as lines of text, one for each kind of fault."""
    figures = Figures(run, history.puts)
    yield f"{'fault':<20}{'times':>6}{'failed':>8}{'SDK':>6}{'p50 ms':>8}{'p99 ms':>8}{'gap s':>8}{'worst':>7}{'well s':>8}"
    for kind, rows in sorted(_by_kind(run, figures).items()):
        gaps = sorted(row.gap for row in rows)
        yield (
            f"{kind:<20}{len(rows):>6}{sum(row.failed for row in rows):>8}{sum(row.failed_sdk for row in rows):>6}"
            f"{_worst(row.p50 for row in rows) * 1e3:>8.0f}{_worst(row.p99 for row in rows) * 1e3:>8.0f}"
            f"{percentile(gaps, 0.5):>8.1f}{gaps[-1]:>7.1f}{max(row.recovery for row in rows):>8.1f}"
        )
    for name, reason in never_held(run).items():
        yield f"{name:<20} left out: {reason}"


def never_held(run):
    """Faults that could not be begun even once, and why."""
    held = {event.kind for event in run.events}
    return {name: reason for name, reason in run.left_out.items() if name not in held}


def _by_kind(run, figures):
    found = defaultdict(list)
    for event in run.events:
        found[TWO_AT_ONCE if event.beside else event.kind].append(figures.row(event))
    return found


def _worst(values):
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _table(run, figures):
    heads = ("began", "fault", "held s", "well s", "puts", "failed", "failed SDK", "p50 ms", "p99 ms", "max ms", "gap s")
    rows = [f"<tr>{''.join(f'<th class=t>{head}' if head == 'fault' else f'<th>{head}' for head in heads)}"]
    for event in run.events:
        row = figures.row(event)
        cells = (
            f"{event.began - run.began:.0f}", f"{event.ended - event.began:.1f}", f"{row.recovery:.1f}", row.acknowledged, row.failed,
            row.failed_sdk, f"{row.p50 * 1e3:.0f}", f"{row.p99 * 1e3:.0f}", f"{row.worst * 1e3:.0f}", f"{row.gap:.1f}",
        )  # fmt: skip
        cells = [f"<td>{cell}" for cell in cells]
        cells.insert(1, f"<td class=t>{escape(event.kind)}: {escape(event.what)}")
        rows.append("<tr>" + "".join(cells))
    note = "From a fault's begin until the cluster was well again. <b>gap</b>: the longest time without a put in some shard."
    return f"<h2>What clients noticed</h2><p>{note}</p><table>{''.join(rows)}</table>"


def _list(title, items):
    return f"<h2>{title}</h2><ul>{''.join(f'<li>{escape(item)}' for item in items)}</ul>" if items else ""


def _drawing(run, figures):
    seconds = figures.seconds()
    scale = WIDTH / figures.length
    lanes = _lanes(run, scale)
    top = 10 + LANE * max(1, len(lanes))
    parts = _faults(run, lanes, scale) + _availability(seconds, run, top + 10, scale)
    parts += _errors(seconds, top + PLOT, scale) + _latency(seconds, top + 2 * PLOT + 10, scale)
    height = top + 3 * PLOT + 40
    for second in range(0, figures.length + 1, _tick(figures.length)):
        x = LEFT + second * scale
        parts.insert(0, f"<line x1={x:.1f} x2={x:.1f} y1=5 y2={height - 20} stroke=#eee />")
        parts.append(f"<text x={x:.1f} y={height - 6} text-anchor=middle>{second} s</text>")
    return f'<svg width="{LEFT + WIDTH + RIGHT}" height="{height}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'


def _lanes(run, scale):
    """Faults that overlap, or whose names would, get lanes of their own."""
    lanes = []
    for event in run.events:
        begin = event.began * scale
        end = max((event.well or event.ended) * scale, begin + 8 * len(event.kind))
        for lane in lanes:
            if lane[-1][1] <= begin:
                lane.append((begin, end, event))
                break
        else:
            lanes.append([(begin, end, event)])
    return lanes


def _faults(run, lanes, scale):
    from faults import fault

    parts = [f"<text x=5 y=20>faults</text>"]
    for number, lane in enumerate(lanes):
        y = 8 + number * LANE
        for _, _, event in lane:
            x = LEFT + (event.began - run.began) * scale
            colour = COLOURS[fault(event.kind).part]
            held, healed = (event.ended - event.began) * scale, max(0.0, (event.well or event.ended) - event.began) * scale
            title = f"<title>{escape(event.kind)}: {escape(event.what)}</title>"
            parts.append(f"<g>{title}<rect x={x:.1f} y={y} width={healed:.1f} height={LANE - 3} fill={colour} opacity=0.2 />")
            parts.append(f"<rect x={x:.1f} y={y} width={held:.1f} height={LANE - 3} fill={colour} opacity=0.55 />")
            parts.append(f"<text x={x + 2:.1f} y={y + 10}>{escape(event.kind)}</text></g>")
    return parts


def _availability(seconds, run, y, scale):
    height = PLOT - 30
    parts = [f"<text x=5 y={y + 12}>shards that took</text><text x=5 y={y + 26}>a put, of {run.shards}</text>"]
    for number, second in enumerate(seconds[:-1]):
        part = len(second.shards) / run.shards
        colour = "#27ae60" if part == 1 else "#e67e22" if part else "#c0392b"
        bar = max(part, 0.04) * height
        place = f"x={LEFT + number * scale:.1f} y={y + height - bar:.1f} width={scale:.2f} height={bar:.1f}"
        parts.append(f"<rect {place} fill={colour}><title>{number} s: {len(second.shards)}</title></rect>")
    return parts


def _errors(seconds, y, scale):
    height = PLOT - 20
    top = max((second.acknowledged + second.failed for second in seconds), default=1) or 1
    parts = [f"<text x=5 y={y + 12}>requests per second</text><text x=5 y={y + 26}>up to {top}; red: failed</text>"]
    for number, second in enumerate(seconds[:-1]):
        bottom = y + height
        for count, colour in ((second.acknowledged, "#7fb3d5"), (second.failed, "#c0392b")):
            bar = count / top * height
            bottom -= bar
            parts.append(f"<rect x={LEFT + number * scale:.1f} y={bottom:.1f} width={scale:.2f} height={bar:.1f} fill={colour} />")
    return parts


def _latency(seconds, y, scale):
    height = PLOT - 10
    parts = [f"<text x=5 y={y + 40}>latency of puts</text><text x=5 y={y + 54}>blue p50, orange p99</text>"]
    for decade in (0.001, 0.01, 0.1, 1, 10):
        level = y + height - _log(decade) * height
        parts.append(f"<line x1={LEFT} x2={LEFT + WIDTH} y1={level:.1f} y2={level:.1f} stroke=#ddd />")
        parts.append(f"<text x={LEFT - 6} y={level + 4:.1f} text-anchor=end>{f'{decade:g} s' if decade >= 1 else f'{decade * 1e3:g} ms'}</text>")
    for part, colour in ((0.5, "#2471a3"), (0.99, "#e67e22")):
        points = []
        for number, second in enumerate(seconds[:-1]):
            value = percentile(sorted(second.latencies), part)
            if not math.isnan(value):
                points.append(f"{LEFT + (number + 0.5) * scale:.1f},{y + height - _log(value) * height:.1f}")
        parts.append(f'<polyline points="{" ".join(points)}" fill=none stroke={colour} stroke-width=1.5 />')
    return parts


def _log(value):
    """A latency's place between 0 and 1."""
    inside = min(max(value, LATENCY_MIN), LATENCY_MAX)
    return math.log(inside / LATENCY_MIN) / math.log(LATENCY_MAX / LATENCY_MIN)


def _tick(length):
    return next(step for step in (5, 10, 30, 60, 300, 600, 3_600) if length / step <= 20 or step == 3_600)
