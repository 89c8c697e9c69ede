"""Calls as series of PromQL: counters and histograms that run from the first stored call.

`rate` and `increase` are counted, not extrapolated. Elsewhere a series has a sample every 15 s of the epoch
from its first call on. Series carry the labels of the hour layer, those that the selector names, and, where
they are summed at once, those that the sum keeps, so that any attribute can be summed by. They never have a
`job` or an `instance`.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.query.context import Context
from tui_monitor.query.promql import happenings, histograms
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.counting import Counters, begun, counted, labels_of, origin, query_of
from tui_monitor.query.promql.derived import LISTED, TABLE, Derived, Form
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.limits import QueryLimit
from tui_monitor.query.promql.matchers import Matching, takes_empty, test
from tui_monitor.query.promql.storage import Asked, Grouping, Hints, Source, bounded
from tui_monitor.query.promql.values import SeriesSet, Vector, empty, joined

GRID: Micros = 15 * SECOND
"""Between two samples of a plain selector."""
_MOST = 10_000_000
"""Samples of one series that are made: of nearly five years."""
_RATES = {"rate": True, "increase": False, "delta": False}
"""What is counted exactly, and whether it is per second."""
_LE = "le"


class DerivedCalls:
    """The calls and events of one store, as one query sees them."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def sources(self) -> Sequence[Source]:
        """Itself alone."""
        return (self,)

    def select(self, matchers: Sequence[Matcher], start: Micros, end: Micros, hints: Hints) -> SeriesSet:
        """As `Source`. Raises `QueryError` and `StoreError`."""
        taken = [found for found in _named(matchers) if self._may_take(found, matchers)]
        if not taken:
            return _sorted([])
        grid = self._grid(start, end, hints.instants)
        return _sorted([self._samples(found, matchers, start, end, grid, hints) for found in taken])

    def answer(self, asked: Asked) -> Vector | None:
        """As `Source`: rates of counters and histograms, and what these are. Raises as `select`."""
        plain = not asked.function and asked.length >= GRID
        if not plain and asked.function not in _RATES:
            return None
        found = [one for one in _named(asked.matchers) if self._may_take(one, asked.matchers)]
        if any(one.form in (Form.ACTIVE, Form.DATED) for one in found):
            return None
        given = [self._standing(one, asked) if plain else self._risen(one, asked) for one in found]
        return joined(given, len(asked.ends))

    def _standing(self, found: Derived, asked: Asked) -> Vector:
        """The samples of the grid that are the newest at each instant."""
        times = asked.ends // GRID * GRID
        instants = np.unique(times)
        counters = self._counters(found, asked.matchers, instants, asked.summed, whole=True)
        if counters is None:
            return empty(len(asked.ends))
        at = np.searchsorted(instants, times)
        vector = histograms.difference(
            found, counters, None, at, 1.0, self._context.budget.check, gauge=False
        )
        vector = _taken(vector, asked.matchers)
        return vector.rows(
            np.array(sorted(range(len(vector)), key=vector.labels.__getitem__), dtype=np.int64)
        )

    def _risen(self, found: Derived, asked: Asked) -> Vector:
        starts = asked.ends - asked.length - (1 if asked.closed else 0)
        instants = np.unique(np.concatenate((starts, asked.ends)))
        counters = self._counters(found, asked.matchers, instants, asked.summed, whole=False)
        if counters is None:
            return empty(len(asked.ends))
        low, high = np.searchsorted(instants, starts), np.searchsorted(instants, asked.ends)
        divisor = asked.length / SECOND if _RATES[asked.function] else 1.0
        vector = histograms.difference(
            found, counters, low, high, divisor, self._context.budget.check, gauge=True
        )
        return _taken(vector, asked.matchers)

    def _samples(
        self, found: Derived, matchers: Sequence[Matcher], start: Micros, end: Micros, grid: np.ndarray,
        hints: Hints,
    ) -> SeriesSet:  # fmt: skip
        if found.form is Form.ACTIVE:
            return happenings.active(found, matchers, end // GRID * GRID, start, self._context)
        if found.form is Form.DATED:
            return happenings.dated(found, matchers, start, end, self._context)
        counters = self._counters(found, matchers, grid, None, whole=True) if len(grid) else None
        if counters is None:
            return _flat(empty(len(grid)), grid)
        every = np.arange(len(grid))
        vector = histograms.difference(
            found, counters, None, every, 1.0, self._context.budget.check, gauge=False
        )
        if hints.budget is not None:
            vector = bounded(vector, hints.budget)
        return _flat(_taken(vector, matchers), grid)

    def _counters(
        self, found: Derived, matchers: Sequence[Matcher], instants: np.ndarray, summed: Grouping | None,
        *, whole: bool,
    ) -> Counters | None:  # fmt: skip
        if found.metric.source != "calls":
            return happenings.counters(found, matchers, instants, self._context)
        if self._origin is None:
            return None
        tests = [one for one in matchers if one.label not in (NAME, _LE)]
        kept = self._kept(found, tests, summed)
        known = tuple(one for one in tests if self._is_label(one.label))
        query = query_of(found.metric, kept, self._context, known, buckets=found.has_buckets)
        (counters,) = counted([query], instants, self._origin, self._context.budget, whole=whole)
        return begun(found.metric, counters, kept)

    def _kept(self, found: Derived, tests: Sequence[Matcher], summed: Grouping | None) -> tuple[str, ...]:
        """The labels that the series have."""
        every = labels_of(found.metric)
        if summed is None or (found.form is Form.BUCKET and (_LE in summed.labels) is summed.without):
            kept = [*every, *(one.label for one in tests)]
        elif summed.without:
            kept = [label for label in every if label not in summed.labels]
        else:
            kept = [label for label in summed.labels if label not in (NAME, _LE)]
        return tuple(dict.fromkeys(label for label in kept if self._is_label(label)))

    def _may_take(self, found: Derived, matchers: Sequence[Matcher]) -> bool:
        """Whether a series of the metric can pass: what no call has a label of is empty."""
        if found.metric.source != "calls":
            return True
        return all(
            one.label in (NAME, _LE) or self._is_label(one.label) or takes_empty(one) for one in matchers
        )

    def _is_label(self, label: str) -> bool:
        return label in DIMENSIONS or label == "error_type" or label in self._attributes

    def _grid(self, start: Micros, end: Micros, instants: np.ndarray | None) -> np.ndarray:
        """The times of samples in [start, end]: all, or only those that stand at the instants."""
        if instants is None:
            if (end - start) // GRID > _MOST:
                raise QueryLimit(
                    f"a series of calls has a sample every 15 s, and {_MOST:,} at most are looked at",
                    hint="ask for a shorter range, or for rate(…) or increase(…), which count",
                )
            self._context.budget.afford((end - start) // GRID)
            return np.arange(-(-start // GRID) * GRID, end + 1, GRID, dtype=np.int64)
        times = np.unique(instants // GRID * GRID)
        return times[(times >= start) & (times <= end)]

    @cached_property
    def _attributes(self) -> frozenset[str]:
        return frozenset(self._context.reader.label_names())

    @cached_property
    def _origin(self) -> Micros | None:
        return origin(self._context)


def _named(matchers: Sequence[Matcher]) -> list[Derived]:
    """The metrics whose names pass; short names only where one is asked for by its name."""
    tests = [one for one in matchers if one.label == NAME]
    exact = next((one.value for one in tests if one.op == "="), None)
    known = LISTED if exact is None else [TABLE[exact]] if exact in TABLE else []
    passes = [test(one) for one in tests]
    return [found for found in known if all(takes(found.name) for takes in passes)]


def _taken(vector: Vector, matchers: Sequence[Matcher]) -> Vector:
    """The series of the right bounds."""
    tests = [one for one in matchers if one.label == _LE]
    if not tests:
        return vector
    matching = Matching(tests)
    kept = [row for row, of in enumerate(vector.labels) if matching.takes(dict(of))]
    return vector.rows(np.array(kept, dtype=np.int64))


def _flat(vector: Vector, times: np.ndarray) -> SeriesSet:
    """The cells of a vector as samples."""
    vector = vector.pruned()
    rows, columns = np.nonzero(vector.present)
    offsets = np.searchsorted(rows, np.arange(len(vector) + 1))
    of = None if vector.histograms is None else vector.histograms[rows, columns]
    return SeriesSet(vector.labels, offsets, times[columns], vector.values[rows, columns], of)


def _sorted(sets: list[SeriesSet]) -> SeriesSet:
    """All series in order of their labels."""
    rows: list[tuple[Labels, SeriesSet, slice]] = [
        (of, one, slice(int(one.offsets[row]), int(one.offsets[row + 1])))
        for one in sets
        for row, of in enumerate(one.labels)
    ]
    if not rows:
        return _flat(empty(0), np.empty(0, dtype=np.int64))
    rows.sort(key=lambda row: row[0])
    histograms_too = any(one.histograms is not None for one in sets)
    return SeriesSet(
        [labels(dict(of)) for of, _, _ in rows],
        np.cumsum([0, *(part.stop - part.start for _, _, part in rows)]),
        np.concatenate([one.times[part] for _, one, part in rows]),
        np.concatenate([one.values[part] for _, one, part in rows]),
        np.concatenate([_histograms(one, part) for _, one, part in rows]) if histograms_too else None,
    )


def _histograms(one: SeriesSet, part: slice) -> np.ndarray:
    if one.histograms is None:
        return np.full(part.stop - part.start, None, dtype=object)
    return one.histograms[part]
