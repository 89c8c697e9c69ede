"""PromQL as it stands, over a store: what the Prometheus HTTP API asks."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.query.context import Context
from tui_monitor.query.keeping import Keeping
from tui_monitor.query.noting import Noting
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.promql.calls import DerivedCalls
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.limits import Budget, Limits
from tui_monitor.query.promql.listing import Listing
from tui_monitor.query.promql.quoting import quoted
from tui_monitor.query.promql.storage import Hints, Joined
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.query.promql.values import Vector
from tui_monitor.query.timing import Timing
from tui_monitor.store.api import Reader


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest sample of one series."""

    labels: Labels
    time: Micros
    value: float


class Plain:
    """Answers PromQL from calls and samples. Any number of threads may ask at once; methods block."""

    def __init__(
        self, reader: Reader, calendar: Calendar, keeping: Keeping, limits: Limits, clock: Clock,
        timing: Timing,
    ) -> None:  # fmt: skip
        self._reader = reader
        self._calendar = calendar
        self._limits = limits
        self._clock = clock
        self._timing = timing
        self.keeping = keeping
        """Where who asks may keep what became of an answer."""

    def budget(self, cancel: threading.Event, seconds: float | None = None) -> Budget:
        """What one query may take from now on; `seconds` makes it less."""
        limits = self._limits
        if seconds is not None and seconds < limits.seconds:
            limits = replace(limits, seconds=seconds)
        return Budget(limits, self._clock, cancel)

    def instant(self, text: str, at: Micros, budget: Budget, semantics: Semantics, noting: Noting) -> Answer:
        """The answer at one instant. Raises `QueryError`, `StoreError` and the errors of `limits`."""
        with self._timing.noting(text, budget) as noted:
            found = self._engine(text, semantics, noting, budget).instant(text, at, budget=budget)
            noted.series = _series(found)
            return found

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, budget: Budget, semantics: Semantics,
        noting: Noting,
    ) -> Answer:  # fmt: skip
        """The answers at `start`, `start + step` … up to `end`; otherwise as `instant`."""
        with self._timing.noting(text, budget, max(1, (end - start) // step + 1)) as noted:
            found = self._engine(text, semantics, noting, budget).range(text, start, end, step, budget=budget)
            noted.series = _series(found)
            return found

    def listing(self, budget: Budget) -> Listing:
        """Which series, labels and values there are."""
        context = self._context("", self.keeping.noting(), budget)
        return Listing(context, DerivedCalls(context), StoredSamples(self._reader), budget)

    def newest(
        self, selectors: Sequence[Sequence[Matcher]], at: Micros, budget: Budget, semantics: Semantics
    ) -> list[Newest]:
        """The newest sample of each series that a selector takes, as a scrape would find them.

        Series whose newest sample is a native histogram are left out. Raises as `instant`.
        """
        text = " or ".join(_selector(matchers) for matchers in selectors)
        with self._timing.noting(text, budget) as noted:
            found = self._newest(selectors, at, budget, semantics)
            noted.series = len(found)
            return found

    def _newest(
        self, selectors: Sequence[Sequence[Matcher]], at: Micros, budget: Budget, semantics: Semantics
    ) -> list[Newest]:
        found: dict[Labels, Newest] = {}
        instants = np.array([at], dtype=np.int64)
        hints = Hints(instants=instants, budget=budget)
        for source in self._storage("", self.keeping.noting(), budget).sources:
            for matchers in selectors:
                series = source.select(matchers, at - semantics.lookback + 1, at, hints)
                budget.spend(len(series), len(series.times))
                stale = series.is_stale()
                for row, last in _last(series.offsets):
                    histogram = series.histograms is not None and series.histograms[last] is not None
                    if not (histogram or stale[last]):
                        of = series.labels[row]
                        found[of] = Newest(of, int(series.times[last]), float(series.values[last]))
        return list(found.values())

    def _engine(self, text: str, semantics: Semantics, noting: Noting, budget: Budget) -> Engine:
        return Engine(self._storage(text, noting, budget), semantics, self._limits, self._clock)

    def _storage(self, text: str, noting: Noting, budget: Budget) -> Joined:
        return Joined((DerivedCalls(self._context(text, noting, budget)), StoredSamples(noting)))

    def _context(self, text: str, noting: Noting, budget: Budget) -> Context:
        return Context(noting, self._calendar, text, noting.recent, noting.seen, budget)


def _last(offsets: np.ndarray) -> Iterator[tuple[int, int]]:
    """Rows that have samples, and the place of the last of each."""
    for row in np.flatnonzero(np.diff(offsets)).tolist():
        yield row, int(offsets[row + 1]) - 1


def _series(found: Answer) -> int:
    return len(found.value.labels) if isinstance(found.value, Vector) else 1


def _selector(matchers: Sequence[Matcher]) -> str:
    return "{" + ",".join(f"{m.label}{m.op}{quoted(m.value)}" for m in matchers) + "}"
