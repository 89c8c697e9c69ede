"""The windows a query is answered over: one for an instant, one per step for a chart."""

from dataclasses import dataclass

import numpy as np

from tui_monitor.model.calendar import Calendar, Period
from tui_monitor.model.clock import HOUR, SECOND, Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.promql.ast import Summary

MAX_STEPS = 11_000
DEFAULT_RANGE = HOUR
_LATEST = 250_000_000_000_000_000
"""µs; late in the year 9892, where the calendar still works."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Neighbouring left-open windows: window `i` is `(edges[i], edges[i + 1]]`, int64 µs.

    `step` is their common length in a chart, where only the last may be shorter; 0 for one window.
    """

    edges: np.ndarray
    step: Micros = 0

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def span(self) -> Span:
        """From the first window's start to the last one's end."""
        return Span(int(self.edges[0]), int(self.edges[-1]))

    @property
    def seconds(self) -> np.ndarray:
        """Length of each window."""
        return np.diff(self.edges) / SECOND

    def index(self, instants: np.ndarray) -> np.ndarray:
        """The window of each instant; the instants lie in the span."""
        if len(self) == 1:
            return np.zeros(len(instants), dtype=np.int64)
        first, before_last = int(self.edges[0]), int(self.edges[-2])
        if self.step and before_last - first == self.step * (len(self) - 1):
            return np.minimum((instants - (first + 1)) // self.step, len(self) - 1)
        return np.searchsorted(self.edges[1:], instants, side="left")

    def earlier(self, offset: Micros) -> "Windows":
        """The same windows, moved into the past."""
        return Windows(self.edges - offset, self.step)


def one(span: Span) -> Windows:
    """A single window."""
    return Windows(np.array([span.start, span.end], dtype=np.int64))


def window_of(node: Summary, at: Micros, calendar: Calendar) -> Windows:
    """The window of a short form asked at one instant."""
    at -= node.offset
    if isinstance(node.window, str):
        return one(_period(node.window, at, calendar))
    return one(Span(at - (node.window or DEFAULT_RANGE), at))


def _period(name: Period, at: Micros, calendar: Calendar) -> Span:
    whole = Span.half_open(*calendar.period(name, at))
    return Span(whole.start, min(at, whole.end))


def steps(start: Micros, end: Micros, step: Micros, text: str) -> Windows:
    """Windows of one step whose ends lie on the grid of the epoch in `(start, end]`, and one up to `end`.

    The first window is whole, so it may begin before `start`. Raises `QueryError` for an empty span, a
    step that is none, and more than `MAX_STEPS` steps.
    """
    check_instant(start, text)
    check_instant(end, text)
    if step <= 0 or end <= start:
        raise QueryError(
            "a chart needs a step above 0 and an end after its start", text=text, length=len(text)
        )
    if (end - start) // step > MAX_STEPS:
        raise QueryError(
            f"{(end - start) // step:,} steps are too many; {MAX_STEPS:,} are allowed",
            text=text, length=len(text),
            hint="take a longer step or a shorter span",
        )  # fmt: skip
    first = start // step * step
    edges = np.arange(first, end + 1, step, dtype=np.int64)
    if edges[-1] < end:
        edges = np.append(edges, end)
    return Windows(edges, step)


def check_instant(instant: Micros, text: str) -> None:
    """Raise `QueryError` for an instant before 1970 or beyond the calendar."""
    if not 0 <= instant <= _LATEST:
        raise QueryError("the time is out of range", text=text, length=len(text))
