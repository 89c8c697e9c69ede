"""Counters of calls at given instants: everything up to the first, and what came from each to the next."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from tui_monitor.model.arrays import distinct
from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.calls import CallQuery, tallies
from tui_monitor.query.context import Context
from tui_monitor.query.metrics import Kind, Metric
from tui_monitor.query.promql.ast import Matcher, Summary
from tui_monitor.query.promql.limits import Budget
from tui_monitor.query.result import Labels
from tui_monitor.query.tallies import Tallies
from tui_monitor.query.windows import Windows, one

_LOOSE = 3
"""Windows that the end of a chart may make beside the grid."""
MAX_COUNTS = 25_000_000
"""Buckets × instants of one question; 200 MB."""
_CELLS = 1 << 20
"""Of a table that are worked on between two checks."""
_OUTCOME = frozenset({"status", "error_category", "error_type"})
_RUNS = 8
"""Evenly spaced stretches of instants that are read one by one, each in its own layers."""


@dataclass(slots=True)
class Counters:
    """Sums over the calls up to each instant, of groups × instants, int64, in the store's integers."""

    groups: list[Labels]
    calls: np.ndarray
    total: np.ndarray
    known: np.ndarray
    buckets: "Buckets"


@dataclass(frozen=True, slots=True)
class Buckets:
    """The histograms of all groups: those of group i are in columns `offsets[i]` to `offsets[i + 1]`."""

    index: np.ndarray
    """int64 (columns): of each bucket, ascending within a group."""
    offsets: np.ndarray
    """int64 (groups + 1)."""
    counts: np.ndarray
    """int64 (instants, columns): what is in it at each instant."""

    def risen(self, low: np.ndarray | None, high: np.ndarray, check: Callable[[], None]) -> np.ndarray:
        """What came between two of the instants each, by their places; from the beginning without `low`.

        `check` is called between stretches and may raise.
        """
        risen = np.empty((len(high), len(self.index)), dtype=np.int64)
        for part in stretches(len(high), len(self.index)):
            check()
            np.take(self.counts, high[part], axis=0, out=risen[part])
            if low is not None:
                risen[part] -= self.counts[low[part]]
        return risen


def stretches(rows: int, columns: int) -> Iterator[slice]:
    """So few rows of a table at a time that whoever waits for the next check does not notice."""
    size = max(1, _CELLS // max(1, columns))
    for begin in range(0, rows, size):
        yield slice(begin, min(rows, begin + size))


def no_buckets(groups: int, instants: int) -> Buckets:
    """Of what has no histograms."""
    nothing = np.zeros(0, dtype=np.int64)
    return Buckets(nothing, np.zeros(groups + 1, dtype=np.int64), np.zeros((instants, 0), dtype=np.int64))


def labels_of(metric: Metric) -> list[str]:
    """The labels of its series where nothing else is asked for."""
    if metric.name != "errors":
        return list(DIMENSIONS)
    return ["error_type" if label == "error_category" else label for label in DIMENSIONS if label != "status"]


def query_of(
    metric: Metric, by: Sequence[str], context: Context, matchers: tuple[Matcher, ...] = (), *, buckets: bool
) -> CallQuery:
    """What the counters of a metric are counted by, with histograms where `buckets` are wanted."""
    how = "p50" if buckets else "sum"
    return CallQuery(metric, Summary(metric.name, matchers, how=how, by=tuple(by)), how, context)


def origin(context: Context) -> Micros | None:
    """Where counting begins: midnight before the first call, so that days are counted whole."""
    first = context.reader.extent().first
    return None if first is None else context.calendar.day(first)[0] - 1


def begun(metric: Metric, counters: Counters, by: Collection[str]) -> Counters:
    """The counters of a metric, which tell where its series begin."""
    if metric.kind is not Kind.COUNT:
        return counters
    # A series of one outcome begins with the first call of it, a sum over all with the first call.
    single = metric.sum.by_outcome and _OUTCOME.intersection(by)
    return replace(counters, known=counters.total if single else counters.calls)


def counted(
    queries: Sequence[CallQuery], instants: np.ndarray, origin: Micros, budget: Budget, *, whole: bool,
    before: Callable[[Span], Iterable[list[Tallies]]] | None = None,
) -> list[Counters]:  # fmt: skip
    """The counters of each query at ascending, different instants (int64 µs), from `origin` on.

    `whole` where the values themselves are wanted, not their differences: without, histograms begin with
    nothing at the first instant. What came before that is asked of `before` where it is given. Raises
    `QueryError`, `StoreError` and the errors of `limits`.
    """
    parts: list[tuple[int, list[Tallies]]] = []
    first = int(instants[0])
    if first > origin:
        span = Span(origin, first)
        if before is not None:
            parts += [(0, found) for found in before(span)]
        else:
            parts.append((0, tallies(queries, one(span), known_only=not whole)))
    at = 1
    for windows in _runs(instants):
        parts.append((at, tallies(queries, windows)))
        budget.check()
        at += len(windows)
    return [
        _summed([(at, found[row]) for at, found in parts], len(instants), budget)
        for row in range(len(queries))
    ]


def _runs(instants: np.ndarray) -> Iterator[Windows]:
    """The windows between the instants, as few stretches of equal steps as they make."""
    steps = np.diff(instants)
    if not len(steps):
        return
    turns = np.flatnonzero(np.diff(steps)) + 1
    if len(turns) >= _RUNS:
        yield from _uneven(instants, steps)
        return
    edges = [0, *turns.tolist(), len(steps)]
    for low, high in pairwise(edges):
        yield Windows(instants[low : high + 1], int(steps[low]) if high - low > 1 else 0)


def _uneven(instants: np.ndarray, steps: np.ndarray) -> Iterator[Windows]:
    """Windows of many lengths as one stretch; the last few by themselves where they alone lie beside a grid.

    That is where a chart ends now, and not with a whole step.
    """
    of_all, of_most = int(np.gcd.reduce(steps)), int(np.gcd.reduce(steps[:-_LOOSE]))
    if of_most == of_all:
        yield Windows(instants, of_all)
        return
    yield Windows(instants[:-_LOOSE], of_most)
    for edges in pairwise(instants[-_LOOSE - 1 :].tolist()):
        yield one(Span(*edges))


def _summed(parts: list[tuple[int, Tallies]], width: int, budget: Budget) -> Counters:
    rows: dict[Labels, int] = {}
    places = [
        np.array([rows.setdefault(labels, len(rows)) for labels in part.groups], dtype=np.int64)
        for _, part in parts
    ]
    budget.spend(len(rows), len(rows) * width)
    sums = np.zeros((3, len(rows), width), dtype=np.int64)
    for (at, part), place in zip(parts, places, strict=True):
        columns = slice(at, at + part.calls.shape[1])
        for into, values in zip(sums, (part.calls, part.total, part.known), strict=True):
            # Each group is there once.
            into[place, columns] += values
    calls, total, known = np.cumsum(sums, axis=2, out=sums)
    return Counters(list(rows), calls, total, known, _histograms(parts, places, len(rows), width, budget))


def _histograms(
    parts: list[tuple[int, Tallies]], places: list[np.ndarray], groups: int, width: int, budget: Budget
) -> Buckets:
    pieces = [
        (place[t.cells // t.calls.shape[1]], at + t.cells % t.calls.shape[1], t.buckets, t.counts)
        for (at, t), place in zip(parts, places, strict=True)
        if len(t.cells)
    ]
    if not pieces:
        return no_buckets(groups, width)
    row, column, bucket, count = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    least = int(bucket.min())
    span = int(bucket.max()) - least + 1
    found, place = distinct(row * span + (bucket - least))
    if len(found) * width > MAX_COUNTS:
        raise QueryError(
            f"histograms of {groups:,} series at {width:,} instants are too many",
            hint="sum by fewer labels directly around the rate, or take a longer step",
        )
    table = np.zeros((width, len(found)), dtype=np.int64)
    budget.check()
    np.add.at(table.reshape(-1), column * len(found) + place, count)
    for part in stretches(width, len(found)):
        budget.check()
        if part.start:
            table[part.start] += table[part.start - 1]
        np.cumsum(table[part], axis=0, out=table[part])
    return Buckets(
        found % span + least,
        np.searchsorted(found // span, np.arange(groups + 1)),
        table,
    )
