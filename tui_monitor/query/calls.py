"""Metrics of calls: facts of several layers put into one value per group and window."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np

from tui_monitor.model.arrays import merged
from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.timerange import Span
from tui_monitor.query import aggregate
from tui_monitor.query.aggregate import Grid
from tui_monitor.query.context import Context, Vector
from tui_monitor.query.language import nearest, quantile_of
from tui_monitor.query.matching import Matching
from tui_monitor.query.meant import mistyped
from tui_monitor.query.metrics import LABEL_ALIASES, Kind, Metric, Sum
from tui_monitor.query.plan import Plan
from tui_monitor.query.promql.ast import Summary
from tui_monitor.query.result import Labels
from tui_monitor.query.tallies import Gathered, Tallies, Tally, joined
from tui_monitor.query.windows import Windows
from tui_monitor.store.api import HISTOGRAMS, LAYER_LABELS, Facts, Histogram, Layer, Measure, SampledSpan

_OUTCOME = ("status", "error_category")
_T = TypeVar("_T")


class CallQuery:
    """One selector over calls, aggregated."""

    def __init__(self, metric: Metric, node: Summary, how: str, context: Context) -> None:
        self._metric = metric
        self._node = node
        self._how = how
        self.context = context
        self.by = tuple(LABEL_ALIASES.get(label, label) for label in node.by)
        """Labels of calls that it is grouped by."""
        self.names = node.by
        """The same as the groups have them."""
        self.matching = Matching(node.matchers, LABEL_ALIASES, context.text)
        self._outcome = metric.sum.by_outcome or (metric.over is not None and metric.over.by_outcome)
        wanted = [*self.by, *self.matching.labels, *(_OUTCOME if self._outcome else ())]
        self.labels = tuple(dict.fromkeys(wanted))
        """Labels of calls that it looks at."""

    def answer(self, windows: Windows) -> Vector:
        """One series per group that has calls. Raises `QueryError` or `StoreError`."""
        (sums,) = gathered([self], windows)
        return self.found(sums)

    def found(self, gathered: Gathered) -> Vector:
        """The values of what was gathered. Raises `StoreError`."""
        self._warn_of_labels()
        if not gathered.grid.size:
            self._warn_of_values()
        flat = self._values(gathered)
        return Vector(gathered.grid.labels(self._node.by), gathered.grid.table(flat))

    @property
    def _quantile(self) -> float | None:
        return quantile_of(self._how)

    @property
    def singly(self) -> bool:
        """Whether sums are not enough, so that each call must be looked at."""
        if self._metric.kind is not Kind.AMOUNT:
            return False
        if self._how in ("min", "max") or self._quantile is not None:
            return True
        # In how many calls one of two measures is known is no sum of theirs.
        return self._how in ("avg", "count") and len(self._metric.sum.measures) > 1

    @property
    def measures(self) -> list[Measure]:
        """The measures that it is made of."""
        terms = [self._metric.sum, *([self._metric.over] if self._metric.over else [])]
        return list(dict.fromkeys(["calls", *(name for term in terms for name in term.measures)]))  # type: ignore[list-item]

    @property
    def _histograms(self) -> Sequence[Measure]:
        wanted = self._metric.kind is Kind.LATENCY and self._quantile is not None
        return [m for m in self._metric.sum.measures if m in HISTOGRAMS] if wanted else ()

    def begin(self, grid: Grid, *, known_only: bool) -> Gathered:
        """What facts are added to."""
        return Gathered(grid, () if known_only else self._histograms)

    def place(self, grid: Grid, facts: Facts) -> tuple[np.ndarray, np.ndarray]:
        """The rows that pass, and the cell of each row, -1 where it does not pass."""
        kept = np.flatnonzero(self.matching.rows(facts.labels, len(facts)))
        cells = np.full(len(facts), -1, dtype=np.int64)
        columns = {
            name: type(facts.labels[name])(facts.labels[name].codes[kept], facts.labels[name].values)
            for name in self.by
        }
        # The cell of a minute that is not over ends after the last window.
        ends = np.minimum(facts.end[kept], grid.windows.span.end)
        cells[kept] = grid.place(ends, columns, self.context.text)
        return kept, cells

    def add(self, into: Gathered, facts: Facts, kept: np.ndarray, cells: np.ndarray) -> None:
        """Add what was read, as it was placed."""
        calls = facts.numbers["calls"]
        into.calls.add(cells[kept], calls.total[kept], calls.known[kept])
        self._add(into.value, self._metric.sum, facts, cells, kept)
        if self._metric.over is not None:
            self._add(into.over, self._metric.over, facts, cells, kept)
        self._add_spread(into, facts, cells, kept)
        into.sampled += _sampled(facts, kept)

    def warn_of(self, plan: Plan, gathered: Gathered) -> None:
        """Tell what is missing, and what is an estimate."""
        self._warn_of_gaps(plan)
        self._warn_of_samples(plan, gathered)

    def tallied(self, gathered: Gathered, groups: list[Labels]) -> Tallies:
        """What was added, as sums of these groups."""
        size, table = gathered.grid.size, gathered.grid.table
        calls, _ = gathered.calls.sums(size)
        total, known = gathered.value.sums(size)
        cells, buckets, counts = (joined(list(arrays)) for arrays in _columns(gathered.buckets))
        return Tallies(
            groups, table(calls), table(total), table(known), cells, buckets, counts,
        )  # fmt: skip

    def _add(self, tally: Tally, term: Sum, facts: Facts, cells: np.ndarray, kept: np.ndarray) -> None:
        if term.by_outcome:
            kept = kept[_takes(term, facts, kept)]
        total, known = self._row_sums(term, facts, kept)
        tally.add(cells[kept], total, known)

    def _row_sums(self, term: Sum, facts: Facts, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        numbers = [facts.numbers[name] for name in term.measures]
        total = np.asarray(np.sum([n.total[kept] for n in numbers], axis=0, dtype=np.int64))
        # Exact for one measure, and for single calls, where it is 0 or what they stand for.
        return total, np.max([n.known[kept] for n in numbers], axis=0)

    def _add_spread(self, into: Gathered, facts: Facts, cells: np.ndarray, kept: np.ndarray) -> None:
        if self.singly:
            total, known = self._row_sums(self._metric.sum, facts, kept)
            # Of a sample, sums and counts are those of all the calls that each one stands for.
            into.extremes.append((cells[kept], single := aggregate.divide(total, known), single))
            into.counts.append(known)
        elif self._metric.kind is Kind.LATENCY and (self._how in ("min", "max") or into.histograms):
            numbers = facts.numbers[self._metric.sum.measures[0]]
            assert numbers.low is not None
            assert numbers.high is not None
            into.extremes.append((cells[kept], numbers.low[kept], numbers.high[kept]))
        for name in into.histograms:
            into.buckets.append(_placed(facts.histograms[name], cells, every=len(kept) == len(facts)))

    def _values(self, gathered: Gathered) -> np.ndarray:
        """Each cell's value in the metric's unit; NaN where nothing is known."""
        size = gathered.grid.size
        calls, _ = gathered.calls.sums(size)
        total, known = gathered.value.sums(size)
        if self._metric.money:
            self._warn_of_prices(int(calls.sum()), int(known.sum()))
        if self._metric.kind is Kind.COUNT:
            present = calls > 0
            value = total.astype(np.float64)
        elif self._metric.kind is Kind.RATIO:
            over, _ = gathered.over.sums(size)
            # A part that no call knows is unknown, not 0; outcomes are known of every call.
            present = (known > 0) | (self._metric.sum.measures == ("calls",))
            return np.where(present, aggregate.divide(total, over), np.nan)
        else:
            present = known > 0
            value = self._of_known(gathered, total, known)
        if self._how == "rate":
            value = (value.reshape(-1, len(gathered.grid.windows)) / gathered.grid.windows.seconds).ravel()
        if self._how == "count" and self._metric.kind is not Kind.COUNT:
            return np.where(calls > 0, known.astype(np.float64), np.nan)
        return np.where(present, value, np.nan)

    def _of_known(self, gathered: Gathered, total: np.ndarray, known: np.ndarray) -> np.ndarray:
        divisor = self._metric.divisor
        if self._how == "avg":
            return aggregate.divide(total, known) / divisor
        if self._how in ("min", "max") or self._quantile is not None:
            return self._spread(gathered) / divisor
        return total / divisor

    def _spread(self, gathered: Gathered) -> np.ndarray:
        """Least, greatest or quantile of single calls, in the measure's own integers."""
        size = gathered.grid.size
        cells, low, high = (joined(list(arrays)) for arrays in _columns(gathered.extremes))
        if self._how == "min":
            return aggregate.least(cells, low, size)
        if self._how == "max":
            return aggregate.greatest(cells, high, size)
        q = self._quantile
        assert q is not None
        if self.singly:
            known = ~np.isnan(low)
            counts = joined(gathered.counts)
            return aggregate.rank_of_values(q, cells[known], low[known], size, counts[known])
        at, buckets, counts = (joined(list(arrays)) for arrays in _columns(gathered.buckets))
        # Buckets are of milliseconds, the measures of microseconds.
        found = aggregate.rank_of_buckets(q, at, buckets, counts, size) * 1_000
        extremes = aggregate.least(cells, low, size), aggregate.greatest(cells, high, size)
        return aggregate.clamp(found, *extremes)

    def _warn_of_gaps(self, plan: Plan) -> None:
        if not plan.missing:
            return
        first, last = plan.missing[0].start, plan.missing[-1].end
        spans = f"{self.context.moment(first)} to {self.context.moment(last)}"
        if len(plan.missing) > 1:
            spans += f" ({len(plan.missing)} parts)"
        self.context.warn(
            f"calls of {spans} are left out of {self._node.metric}: {self._what_is_gone()} are no longer kept"
        )

    def _warn_of_samples(self, plan: Plan, gathered: Gathered) -> None:
        raw = self.context.holdings[Layer.RAW]
        read = [piece.span for piece in plan.pieces if piece.layer is Layer.RAW]
        # A correction may move a call that stands for others to where none was left out.
        found = [*(one for span in read for one in raw.sampled_in(span)), *gathered.sampled]
        if not found:
            return
        first, last = min(one.span.start for one in found), max(one.span.end for one in found)
        rarest = max(one.one_in for one in found)
        self.context.warn(
            f"{self._node.metric} is an estimate for {self.context.moment(first)} to "
            f"{self.context.moment(last)}: of single calls a sample of 1 in {rarest} is kept"
        )

    def _what_is_gone(self) -> str:
        coarse = LAYER_LABELS[Layer.DAY]
        assert coarse is not None
        if self.singly:
            return f"single calls, which {self._how} needs,"
        beyond = [label for label in self.labels if label not in coarse]
        if beyond:
            return f"single calls, which alone know {beyond[0]},"
        return "single calls and sums as fine as this needs"

    def _warn_of_labels(self) -> None:
        unknown = [label for label in self.labels if label not in DIMENSIONS]
        names = self.context.reader.label_names() if unknown else []
        for label in unknown:
            if label not in names:
                meant = nearest(label, names)
                asked = f"; did you mean {meant}?" if meant else ""
                self.context.warn(f"no call has a label {label}{asked}")

    def _warn_of_values(self) -> None:
        """Where no call was found, a value may be mistyped."""
        for label, wanted in self.matching.equal.items():
            if said := mistyped(label, wanted, self.context.reader):
                self.context.warn(said)

    def _warn_of_prices(self, calls: int, known: int) -> None:
        if known < calls:
            self.context.warn(
                f"{calls - known:,} of {calls:,} calls have no price and are not in {self._node.metric}"
            )


def tallies(queries: Sequence[CallQuery], windows: Windows, *, known_only: bool = False) -> list[Tallies]:
    """What each query's `answer` makes values of; what they need is read once for all of them.

    `known_only` where it only tells which groups there are: then what is missing is not warned of, and
    histograms are not read. Raises `QueryError` or `StoreError`.
    """
    found = gathered(queries, windows, known_only=known_only)
    # The labels of many groups take more room than their numbers.
    groups = {query.names: sums.grid.labels(query.names) for query, sums in zip(queries, found, strict=True)}
    return [query.tallied(sums, groups[query.names]) for query, sums in zip(queries, found, strict=True)]


def gathered(queries: Sequence[CallQuery], windows: Windows, *, known_only: bool = False) -> list[Gathered]:
    """What each query's value is made of, read once for all of them. Raises `QueryError` or `StoreError`.

    All are of one evaluation; the first one's context plans and reads. Where they are several, none picks
    calls by their labels, and none is for single calls alone.
    """
    context, labels = queries[0].context, _every(query.labels for query in queries)
    measures = _every(query.measures for query in queries)
    plan = context.planner.plan(windows, labels, raw_only=any(query.singly for query in queries))
    grids = {query.by: Grid(windows, query.by) for query in queries}
    found = [query.begin(grids[query.by], known_only=known_only) for query in queries]
    histograms = _every(sums.histograms for sums in found)
    for piece in plan.pieces:
        context.budget.check()
        facts = context.recent.facts(
            context.version, piece.layer, piece.span, labels, measures, histograms,
            queries[0].matching.equal, context.budget.check,
        )  # fmt: skip
        context.layers.add(piece.layer.value)
        placed = {
            query.by: query.place(grids[query.by], facts) for query in {q.by: q for q in queries}.values()
        }
        for query, into in zip(queries, found, strict=True):
            context.budget.check()
            query.add(into, facts, *placed[query.by])
    if not known_only:
        context.spans.append(windows.span)
        for query, sums in zip(queries, found, strict=True):
            query.warn_of(plan, sums)
    return found


def _every(wanted: Iterable[Sequence[_T]]) -> list[_T]:
    return list(dict.fromkeys(chain.from_iterable(wanted)))


def _takes(term: Sum, facts: Facts, kept: np.ndarray) -> np.ndarray:
    """Which of the kept rows have an outcome that counts."""
    status, category = (facts.labels[name] for name in _OUTCOME)
    table = np.array(
        [[term.takes(s or "", c or "") for c in category.values] for s in status.values], dtype=bool
    )
    return table[status.codes[kept], category.codes[kept]] if len(kept) else np.zeros(0, dtype=bool)


def _sampled(facts: Facts, kept: np.ndarray) -> list[SampledSpan]:
    """The span of the kept rows that are single calls which stand for several."""
    if facts.weight is None:
        return []
    rows = kept[facts.weight[kept] > 1]
    if not len(rows):
        return []
    booked, weight = facts.end[rows], facts.weight[rows]
    span = Span(int(booked.min()) - 1, int(booked.max()))
    return [SampledSpan(span, int((weight - 1).sum()), int(weight.max()))]


def _placed(
    spread: Histogram, cells: np.ndarray, *, every: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(cell, bucket, count) of the rows that have a cell, `every` where all have; each pair once if many."""
    at, bucket, count = cells[spread.row], spread.bucket, spread.count
    if not every:
        inside = at >= 0
        at, bucket, count = at[inside], bucket[inside], count[inside]
    return merged(at, bucket, count)


def _columns(rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Sequence[Sequence[np.ndarray]]:
    return list(zip(*rows, strict=True)) if rows else ((), (), ())
