"""What a chart shows: values over time, and what stands beside them. Plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span

Drawing = Literal["line", "area", "stack", "bars", "grouped", "heat"]
DRAWINGS: dict[Drawing, str] = {
    "line": "lines", "area": "areas", "stack": "stacked areas", "bars": "stacked bars",
    "grouped": "grouped bars", "heat": "heat map",
}  # fmt: skip
"""Every way to draw, and its name in words."""
ADDS_UP = frozenset({"usd", "tokens", "bytes", "bytes/s", "requests", "requests/s", "/s"})
"""Units whose values over several series make a sum that means something."""

UTC = Calendar()
SERIES = 8
"""Colours and markers there are; further series use them again."""


@dataclass(frozen=True, slots=True)
class ChartSeries:
    """One line. `index` picks its colour and marker from 0 on and stays with its name; `None` is no data.

    `low` and `high`, where they are given, are a band about the line at the same times.
    """

    name: str
    values: tuple[float | None, ...]
    index: int = 0
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()
    ended: bool = False
    """Whether values stopped coming: the newest one is old."""

    @property
    def token(self) -> str:
        """The style token of its colour; what stands for all the rest has none."""
        return "dim" if self.index < 0 else f"series-{self.index % SERIES + 1}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at an instant (µs), drawn as a labelled upright."""

    at: Micros
    text: str
    token: str = "warn"


@dataclass(frozen=True, slots=True)
class ChartData:
    """What a chart shows: values at `times` (µs UTC, rising), as many as each series has."""

    times: tuple[Micros, ...] = ()
    series: tuple[ChartSeries, ...] = ()
    unit: str = ""
    calendar: Calendar = UTC
    thresholds: tuple[tuple[str, float], ...] = ()
    """Labelled horizontal lines, in the unit of the values."""
    title: str = ""
    about: str = ""
    """What it is of, where it stands alone and has no title: the question that it answers."""
    note: str = ""
    """Stands dim behind the title."""
    empty: str = "no data"
    """What is said where there is nothing to draw."""
    zero: bool = True
    """Whether the scale starts at 0."""
    span: Span | None = None
    """What the x axis covers where that is more than the times; align it to the step, or lines tremble."""
    drawing: Drawing = "line"
    """How it is drawn, unless the person chose another way that suits the data."""
    rest: ChartSeries | None = None
    """The sum of all series that are not drawn; part of what is stacked."""
    marks: tuple[Mark, ...] = ()
    unfinished: bool = False
    """Whether the last step is not whole: it is not over, and its value is going to change."""
    fixed: bool = False
    """Whether the range ends there for good: a step that is not whole stays so."""
    projected: Micros | None = None
    """Values later than that did not happen yet: they are dashed."""
    before: tuple[tuple[float | None, ...], ...] = ()
    """The course of each series in another span, in their order and at the same times; or none."""
    before_name: str = ""
    """What that span is, in words."""
    bounds: tuple[float, ...] = ()
    """Of a histogram over time: the upper bound of each series, rising, in the unit; values are counts."""


_BEYOND = 1e300
"""Numbers from here on are no measurements, and differences of them overflow."""
_NEAR = 3.0
"""A threshold is drawn to scale if it is at most so many times the largest value."""
Values = tuple[float | None, ...]


def cleaned(values: Sequence[float | None], count: int) -> Values:
    """The first `count` values as they can be drawn; anything else, and what is missing, is no data."""
    known = [v if v is not None and -_BEYOND < v < _BEYOND else None for v in values[:count]]
    return (*known, *[None] * (count - len(known)))


def finite(value: float | None) -> float | None:
    """One value, as above."""
    return value if value is not None and -_BEYOND < value < _BEYOND else None


def last_known(values: Sequence[float | None]) -> int | None:
    """Index of the newest value there is."""
    return next((i for i in range(len(values) - 1, -1, -1) if values[i] is not None), None)


def most(values: Sequence[float | None]) -> float | None:
    """The largest value there is."""
    return max((v for v in values if v is not None), default=None)


def total(values: Sequence[float | None]) -> float | None:
    """The sum of what is known; none where nothing is."""
    known = [v for v in values if v is not None]
    return finite(sum(known)) if known else None


def with_near(low: float, high: float, thresholds: Sequence[tuple[str, float]]) -> tuple[float, float]:
    """The lowest and the highest value to be seen, with those thresholds that are not far from them."""
    near = [value for _, value in thresholds if high <= value <= high * _NEAR or low <= value <= high]
    return min((low, *near)), max((high, *near))


def drawings(data: ChartData) -> tuple[Drawing, ...]:
    """The ways that suit the data: only what adds up is stacked, only buckets make a heat map.

    Of what adds up a single series is the same stacked as it is beside others.
    """
    if data.bounds:
        return ("heat",)
    below = any(v is not None and v < 0 for series in data.series for v in series.values)
    if below:
        return ("line", "area")
    if data.unit not in ADDS_UP:
        return ("line", "area", "grouped")
    return ("line", "area", "stack", "bars", *(() if len(data.series) == 1 else ("grouped",)))


def nearest(times: Sequence[Micros], wanted: Micros) -> int | None:
    """Index of the instant closest to `wanted`."""
    return min(range(len(times)), key=lambda i: abs(times[i] - wanted)) if times else None


def step_of(times: Sequence[Micros]) -> Micros:
    """µs from one time to the next; the last step may be shorter."""
    return times[1] - times[0] if len(times) > 1 else 0
