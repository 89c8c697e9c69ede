"""The field of a chart, between its axes: lines and areas as cells. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from tui_monitor.model.clock import Micros
from tui_monitor.tui.drawing import Glyphs
from tui_monitor.tui.widgets.axes import Scale
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Values, cleaned, last_known, step_of
from tui_monitor.tui.widgets.raster import BEFORE, Raster, dots_of, trace

Cells = list[tuple[str, str]]
"""One line of the field: a character and a token per cell; an empty character is free room."""
Group = tuple[int, int, int]
"""A place on the x axis and the indices [start, stop) of the times that lie there."""

_MARK_EVERY = 24
"""Cells between the marks that tell lines apart without colour."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where on the screen an instant and a value lie."""

    columns: int
    rows: int
    scale: Scale
    reach: tuple[Micros, Micros]
    """What the x axis covers, both ends included."""
    glyphs: Glyphs
    mono: bool = False
    """Whether there is no colour."""

    def x(self, t: Micros, places: int) -> int:
        """Which of so many places across an instant lies in; what is outside stands at the edge."""
        start, end = self.reach
        if end <= start:
            return places - 1
        return round(min(max((t - start) / (end - start), 0.0), 1.0) * (places - 1))

    def column(self, t: Micros) -> int:
        """The column of an instant."""
        across, _ = dots_of(self.glyphs)
        return self.x(t, self.columns * across) // across

    def row(self, value: float) -> int:
        """The row, from the top, in which a value is drawn."""
        _, down = dots_of(self.glyphs)
        last = self.rows * down - 1
        return (last - round(self.scale.share(value) * last)) // down

    def after(self, times: Sequence[Micros], start: int, x: int) -> int:
        """The first column that belongs to the step which ends in column `x`: behind the time before."""
        if start:
            return min(x, self.x(times[start - 1], self.columns) + 1)
        begins = times[0] - step_of(times)
        return min(x, self.x(begins, self.columns) + 1) if begins > self.reach[0] else 0

    def groups(self, times: Sequence[Micros], places: int) -> list[Group]:
        """Times by their place: what is drawn grows with the places, however many times there are."""
        if len(times) > 2 * places:
            return self._cut(times, places)
        found: list[Group] = []
        start = 0
        for x, part in groupby([self.x(t, places) for t in times]):
            stop = start + sum(1 for _ in part)
            found.append((x, start, stop))
            start = stop
        return found

    def _cut(self, times: Sequence[Micros], places: int) -> list[Group]:
        """The same, looking for the edges of the places among many times."""
        start, end = self.reach
        edges = [start + (end - start) * (2 * x + 1) / (2 * max(1, places - 1)) for x in range(places - 1)]
        cuts = [0, *(bisect_left(times, edge) for edge in edges), len(times)]
        return [(x, low, high) for x, (low, high) in enumerate(pairwise(cuts)) if high > low]

    def empty(self) -> list[Cells]:
        """A field without anything in it."""
        return [[("", "")] * self.columns for _ in range(self.rows)]


def runs(groups: Sequence[Group], values: Values) -> Iterator[list[tuple[int, float]]]:
    """Stretches without a gap as (place, value); of many values in a place those that make its outline."""
    run: list[tuple[int, float]] = []
    for x, start, stop in groups:
        known = [v for v in values[start:stop] if v is not None]
        if not known:
            if run:
                yield run
            run = []
        elif len(known) <= 4:
            run += [(x, v) for v in known]
        else:
            run += [(x, v) for v in (known[0], min(known), max(known), known[-1])]
    if run:
        yield run


def lines(
    data: ChartData, values: Sequence[Values], frame: Frame, at: int | None, *, labelled: bool
) -> list[Cells]:
    """Every series as a line, or filled down to zero; `at` is the index under the crosshair."""
    raster = Raster(frame.columns, frame.rows, frame.glyphs)
    down = raster.dots_down - 1
    groups = frame.groups(data.times, raster.dots_across)
    dashed = _dashed_from(data, frame, raster.dots_across)
    floor = down - round(frame.scale.share(0.0) * down)
    for series, course in zip(data.series, data.before, strict=False):
        # Below the present; with holes where no colour tells it apart.
        for run in runs(groups, cleaned(course, len(data.times))):
            points = [(x, down - round(frame.scale.share(v) * down)) for x, v in run]
            raster.line(trace(points), BEFORE - series.index, 0 if frame.mono else None)
    for series, known in _painted(data, values):
        for run in runs(groups, known):
            points = [(x, down - round(frame.scale.share(v) * down)) for x, v in run]
            drawn = trace(points)
            if data.drawing == "area":
                raster.area(drawn, floor, series.index)
            else:
                raster.line(drawn, series.index, dashed)
            if len(drawn) == 1 and len(points) == 1:
                _lone(raster, points[0], series.index, frame.glyphs)
    for series, known in zip(data.series, values, strict=True):
        _signs(raster, data, series, known, frame, at, labelled=labelled)
    tokens = {series.index: series.token for series in data.series}
    tokens |= {BEFORE - series.index: f"{series.token} faint" for series in data.series}
    cells = frame.empty()
    for column, row, text, owner in raster.cells():
        cells[row][column] = (text, tokens.get(owner, ""))
    for series in data.series:
        _band(cells, data, series, frame)
    return cells


def _painted(data: ChartData, values: Sequence[Values]) -> list[tuple[ChartSeries, Values]]:
    """In the order they are painted: the largest area first, or it would hide the others."""
    pairs = list(zip(data.series, values, strict=True))
    if data.drawing != "area":
        return pairs
    return sorted(pairs, key=lambda pair: -sum(abs(v) for v in pair[1] if v is not None))


def _dashed_from(data: ChartData, frame: Frame, dots: int) -> int | None:
    """From which dot on values are not final."""
    places: list[int] = []
    if data.projected is not None:
        places.append(frame.x(data.projected, dots) + 1)
    if data.unfinished and len(data.times) > 1:
        places.append(frame.x(data.times[-2], dots) + 1)
    return min(places, default=None)


def _lone(raster: Raster, point: tuple[int, int], index: int, glyphs: Glyphs) -> None:
    glyph = glyphs.marker(index) if glyphs.plain else glyphs.lone
    raster.mark(*raster.cell_of(*point), glyph, index)


def _signs(
    raster: Raster,
    data: ChartData,
    series: ChartSeries,
    values: Values,
    frame: Frame,
    at: int | None,
    *,
    labelled: bool,
) -> None:
    """Marks at the line's end and under the crosshair; without colour along the line as well."""
    glyph = frame.glyphs.marker(series.index)
    end = last_known(values)
    wanted: dict[int, str] = {}
    if at is None and len(data.series) > 1:
        if frame.mono:
            step = max(1, len(values) * _MARK_EVERY // frame.columns)
            wanted = dict.fromkeys(range(series.index * step // 3 % step, len(values), step), glyph)
        # A label at the line's end begins with the marker itself.
        if end is not None and not labelled:
            wanted[end] = glyph
    if data.unfinished and end is not None and end == len(data.times) - 1 and end not in wanted:
        wanted[end] = frame.glyphs.off
    if at is not None:
        wanted[at] = glyph
    down = raster.dots_down - 1
    for i, sign in wanted.items():
        value = values[i] if i < len(values) else None
        if value is not None:
            x, y = frame.x(data.times[i], raster.dots_across), down - round(frame.scale.share(value) * down)
            raster.mark(*raster.cell_of(x, y), sign, series.index)


def _band(cells: list[Cells], data: ChartData, series: ChartSeries, frame: Frame) -> None:
    """Shade from the lowest to the highest that a value may be, where nothing else is drawn."""
    known = [
        (t, (low, high))
        for t, low, high in zip(data.times, series.low, series.high, strict=False)
        if low is not None and high is not None
    ]
    spans: dict[int, tuple[int, int]] = {}
    edges = [trace([(frame.column(t), frame.row(pair[side])) for t, pair in known]) for side in (0, 1)]
    if step_of(data.times):
        for column in edges[0].keys() & edges[1].keys():
            spans[column] = (edges[1][column][0], edges[0][column][1])
    for column, (top, bottom) in spans.items():
        for row in range(top, bottom + 1):
            if not cells[row][column][0]:
                cells[row][column] = (frame.glyphs.track, "dim")
