"""Series on top of each other, as areas or as a bar for every step. Pure."""

from collections.abc import Sequence
from itertools import accumulate

from tui_monitor.tui.widgets.field import Cells, Frame
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Values, total

Layer = tuple[ChartSeries, Values]
_STEPS = 8
"""Parts of a cell that a character can fill from below."""
_UNFINISHED = "▒"
_GAPPED = 3
"""Cells of a step from which on bars look alike with a gap, even if some are a cell wider."""


def layers(data: ChartData, values: Sequence[Values], rest: Values | None) -> list[Layer]:
    """What is stacked, from the floor up: the first series stands on the floor, the rest on top."""
    found = list(zip(data.series, values, strict=True))
    if data.rest is not None and rest is not None:
        found.append((data.rest, rest))
    return found


def totals(stack: Sequence[Layer], count: int) -> Values:
    """The height of the stack at each time."""
    return tuple([total([values[i] for _, values in stack if i < len(values)]) for i in range(count)])


def stacked(data: ChartData, stack: Sequence[Layer], sums: Values, frame: Frame) -> list[Cells]:
    """The stack as cells: a character's eighths where there is colour, else each series in its marker."""
    cells = frame.empty()
    piles = (_bars if data.drawing == "bars" else _areas)(data, stack, sums, frame)
    late = frame.columns
    if data.unfinished and len(data.times) > 1:
        late = frame.x(data.times[-2], frame.columns) + 1
    series = [one for one, _ in stack]
    for column, heights in piles.items():
        for up, cell in enumerate(pile(heights, series, frame, late=column >= late), 1):
            cells[frame.rows - up][column] = cell
    return cells


def _tallest(sums: Values, start: int, stop: int) -> int | None:
    """Where among some times the stack is highest: all series are read there, so that they fit together."""
    known = [i for i in range(start, stop) if sums[i] is not None]
    return max(known, key=lambda i: sums[i] or 0.0, default=None)


def _at(stack: Sequence[Layer], i: int) -> list[float]:
    return [(values[i] if i < len(values) else None) or 0.0 for _, values in stack]


Piles = dict[int, list[float]]
"""The height of each series by column."""


def _areas(data: ChartData, stack: Sequence[Layer], sums: Values, frame: Frame) -> Piles:
    """Straight from one time to the next; nothing where a time without data lies between."""
    found: Piles = {}
    before: int | None = None
    for x, start, stop in frame.groups(data.times, frame.columns):
        i = _tallest(sums, start, stop)
        if i is None:
            before = None
            continue
        heights = _at(stack, i)
        if before is not None:
            old = found[before]
            for column in range(before + 1, x):
                share = (column - before) / (x - before)
                found[column] = [a + (b - a) * share for a, b in zip(old, heights, strict=True)]
        found[x] = heights
        before = x
    return found


def _bars(data: ChartData, stack: Sequence[Layer], sums: Values, frame: Frame) -> Piles:
    """As wide as its step; with a gap between all of them or, where bars are narrow, between none.

    A gap between some of them would read as a step in which nothing happened.
    """
    found: Piles = {}
    steps = [
        (frame.after(data.times, start, x), x, _tallest(sums, start, stop))
        for x, start, stop in frame.groups(data.times, frame.columns)
    ]
    gap = _gap([x + 1 - first for first, x, _ in steps])
    for first, x, i in steps:
        if i is not None:
            found |= dict.fromkeys(range(min(first + gap, x), x + 1), _at(stack, i))
    return found


def _gap(widths: Sequence[int]) -> int:
    """Cells between bars of steps so wide; the first and the last may be cut off and do not count."""
    inner = widths[1:-1] or widths
    narrow, wide = min(inner, default=0), max(inner, default=0)
    return 1 if narrow >= _GAPPED or 1 < narrow == wide else 0


def pile(
    heights: Sequence[float], series: Sequence[ChartSeries], frame: Frame, *, late: bool = False
) -> list[tuple[str, str]]:
    """One column of a stack from the floor up, as far as it reaches; something is never drawn as nothing."""
    whole = frame.rows * _STEPS
    tops = [round(frame.scale.share(height) * whole) for height in accumulate(heights)]
    if sum(heights) > 0:
        tops[-1] = max(1, tops[-1])
    cells: list[tuple[str, str]] = []
    bottoms = (0, *tops[:-1])
    for low in range(0, whole, _STEPS):
        parts = [
            (min(top, low + _STEPS) - max(bottom, low), n)
            for n, (bottom, top) in enumerate(zip(bottoms, tops, strict=True))
            if top > low and bottom < low + _STEPS and top > bottom
        ]
        if not parts:
            break
        cells.append(_cell(parts, series, frame, late=late, floor=low == 0))
    return cells


def _cell(
    parts: Sequence[tuple[int, int]], stack: Sequence[ChartSeries], frame: Frame, *, late: bool, floor: bool
) -> tuple[str, str]:
    """A cell of these parts from below, as (eighths, number of the series)."""
    glyphs = frame.glyphs
    if frame.mono or glyphs.plain:
        size, n = max(parts)
        series = stack[n]
        sign = glyphs.dot if series.index < 0 else glyphs.marker(series.index)
        filled = sum(part for part, _ in parts)
        return (sign, series.token) if filled * 2 >= _STEPS or floor else ("", "")
    filled = sum(part for part, _ in parts)
    if filled < _STEPS:
        # Two parts and free room are more than a cell can show: the height of the whole comes first.
        return glyphs.levels[filled - 1], stack[max(parts)[1]].token
    size, n = parts[0]
    token = stack[n].token
    if size == _STEPS:
        return _UNFINISHED if late else glyphs.levels[-1], token
    return glyphs.levels[size - 1], f"{token} on-{stack[max(parts[1:])[1]].token}"
