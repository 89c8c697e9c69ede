"""A histogram over time as a heat map: buckets upwards, time across, shade for how many. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tui_monitor.model.units import count
from tui_monitor.tui.drawing import Glyphs, safe
from tui_monitor.tui.drawing import Span as Piece
from tui_monitor.tui.widgets.axes import label
from tui_monitor.tui.widgets.field import Cells, Frame
from tui_monitor.tui.widgets.figure import ChartData, Values, most, total

SHADES = 8
"""Steps of a heat map's colour."""
_SHAPES = "░░▒▒▓▓██"
_PLAIN = ".:-=+*#@"
_TOLD = 3
"""Buckets that are told under the crosshair."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What lies above `low` up to `high`, both in the unit of the chart, at each time."""

    low: float
    high: float
    counts: Values


def buckets(data: ChartData, values: Sequence[Values], rows: int) -> list[Bucket]:
    """From the lowest to the highest that has anything in it, joined where there are more than rows."""
    lows = (0.0, *data.bounds[:-1])
    found = [Bucket(low, high, counts) for low, high, counts in zip(lows, data.bounds, values, strict=False)]
    used = [i for i, bucket in enumerate(found) if most(bucket.counts)]
    found = found[used[0] : used[-1] + 1] if used else found[:1]
    joined = -(-len(found) // max(1, rows))
    return [_join(found[i : i + joined]) for i in range(0, len(found), joined)]


def _join(parts: Sequence[Bucket]) -> Bucket:
    if len(parts) == 1:
        return parts[0]
    sums = (total(at) for at in zip(*(part.counts for part in parts), strict=True))
    return Bucket(parts[0].low, parts[-1].high, tuple(sums))


def heat(data: ChartData, shown: Sequence[Bucket], frame: Frame) -> list[Cells]:
    """The buckets as cells, each with about the same number of rows."""
    cells = frame.empty()
    piles = [_across(data, bucket, frame) for bucket in shown]
    top = max((v for pile in piles for v in pile.values()), default=0.0)
    for n, pile in enumerate(piles):
        line = [shade(pile.get(column), top, frame.glyphs) for column in range(frame.columns)]
        for row in range(*_rows(n, len(shown), frame.rows)):
            cells[frame.rows - 1 - row] = list(line)
    return cells


def _rows(n: int, buckets: int, rows: int) -> tuple[int, int]:
    """The rows [first, last) of the n-th of so many buckets, from the floor up."""
    return n * rows // buckets, (n + 1) * rows // buckets


def shade(value: float | None, top: float, glyphs: Glyphs) -> tuple[str, str]:
    """A cell for so many of at most `top`: by square roots, or few would not be seen beside many."""
    if value is None or value <= 0 or top <= 0:
        return "", ""
    level = max(1, math.ceil(math.sqrt(min(1.0, value / top)) * SHADES))
    return (_PLAIN if glyphs.plain else _SHAPES)[level - 1], f"heat-{level}"


def _across(data: ChartData, bucket: Bucket, frame: Frame) -> dict[int, float]:
    """How many there are in a step by column; the mean where several steps share one."""
    found: dict[int, float] = {}
    for x, start, stop in frame.groups(data.times, frame.columns):
        known = [v for v in bucket.counts[start:stop] if v is not None]
        if known:
            for column in range(frame.after(data.times, start, x), x + 1):
                found[column] = sum(known) / len(known)
    return found


def edges(shown: Sequence[Bucket], rows: int, unit: str) -> dict[int, str]:
    """The label of each bucket's upper bound by the row it ends in; the lowest bound stands below all."""
    texts = {rows: label(shown[0].low, unit)} if shown else {}
    for n, bucket in enumerate(shown):
        text = f">{label(bucket.low, unit)}" if math.isinf(bucket.high) else label(bucket.high, unit)
        texts[rows - _rows(n, len(shown), rows)[1]] = text
    return texts


def told(shown: Sequence[Bucket], at: int | None, unit: str, glyphs: Glyphs) -> list[Piece]:
    """The fullest buckets at the crosshair, or what the darkest shade stands for."""
    if at is None:
        top = max((most(bucket.counts) or 0.0 for bucket in shown), default=0.0)
        low, high = shade(top / 1e3, top, glyphs), shade(top, top, glyphs)
        return [low, (" few  ", "dim"), high, (f" {count(top)} a step", "dim")] if top else []
    full = sorted(((b.counts[at] or 0.0, b) for b in shown if at < len(b.counts)), key=lambda p: -p[0])
    pieces: list[Piece] = []
    for value, bucket in full[:_TOLD]:
        if value:
            high = "" if math.isinf(bucket.high) else f" to {label(bucket.high, unit)}"
            span = f"{label(bucket.low, unit)}{high}" if high else f"over {label(bucket.low, unit)}"
            pieces += [(safe(f"  {span} ", glyphs), "dim"), (count(value), "bright")]
    return [*pieces, ("  all ", "dim"), (count(sum(value for value, _ in full)), "bright")]
