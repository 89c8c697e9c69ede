"""From an answer over time to a chart."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.model.timerange import Span
from tui_monitor.model.units import UNKNOWN
from tui_monitor.tui.link import Look
from tui_monitor.tui.widgets.chart import ChartData, ChartSeries

if TYPE_CHECKING:
    from tui_monitor.query.result import Result, Series

LINES = 8
"""Lines on one chart at most: more cannot be told apart."""


class Colours:
    """Which colour each name has: it keeps it while it is on the screen, and newcomers take what is free."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def give(self, names: Sequence[str]) -> dict[str, int]:
        """The colour's number for each name."""
        kept = {name: self._taken[name] for name in names if name in self._taken}
        free = (n for n in range(len(names) + len(kept)) if n not in kept.values())
        self._taken = {name: kept[name] if name in kept else next(free) for name in names}
        return self._taken


def drawn_unit(unit: str) -> str:
    """The unit of a chart's axis: between two states there is no word."""
    return "" if unit == "state" else unit


def name_of(series: "Series", metric: str = "") -> str:
    """A series in words: the values of its labels, or their pairs where values alone do not tell."""
    values = [value or UNKNOWN for name, value in series.labels if name != "__name__"]
    if len(values) <= 2:
        return " ".join(values) or dict(series.labels).get("__name__") or metric or "all"
    return " ".join(f"{name}={value or UNKNOWN}" for name, value in series.labels if name != "__name__")


def chart_of(
    result: "Result",
    look: Look,
    colours: Colours,
    title: str = "",
    *,
    now: "Result | None" = None,
    note: str = "",
    empty: str = "no data in this time range",
    thresholds: Sequence[tuple[str, float]] = (),
) -> ChartData:
    """The largest series of an answer as lines, on a time axis that is cut to whole steps.

    The largest are those of `now`, the same question at the end of the time; by their mean without it.
    """
    ordered = sorted(result.series, key=lambda one: -one.mean) if now is None else result.ranked(now)
    known = [series for series in ordered if any(value is not None for value in series.values)]
    drawn = known[:LINES]
    names = [name_of(series, result.metric) for series in drawn]
    numbers = colours.give(names)
    if len(known) > len(drawn):
        note = f"{note}  {LINES} largest of {len(known)}".strip()
    lines = [ChartSeries(name, s.values, numbers[name]) for name, s in zip(names, drawn, strict=True)]
    return ChartData(
        times=result.times,
        series=tuple(sorted(lines, key=lambda line: line.name) if now is None else lines),
        unit=drawn_unit(result.unit),
        calendar=look.calendar,
        thresholds=tuple(thresholds),
        title=title,
        note=note,
        empty=empty,
        span=_whole_steps(result, look),
    )


def _whole_steps(result: "Result", look: Look) -> Span | None:
    times = result.times
    if len(times) < 2:
        return None
    step = max(times[1] - times[0], 1)
    end = -(-times[-1] // step) * step
    return Span(min(end - look.shown.length, times[0]), end)
