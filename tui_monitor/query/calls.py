"""Metrics of calls: facts of several layers put into one value per group and window."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
from tui_monitor.query.windows import Windows
from tui_monitor.store.api import HISTOGRAMS, LAYER_LABELS, Facts, Histogram, Layer, Measure, SampledSpan

_OUTCOME = ("status", "error_category")


@dataclass(slots=True)
class _Tally:
    """Sums over calls as they are gathered, one array per piece: cell, total and in how many it is known."""

    cells: list[np.ndarray] = field(default_factory=list)
    total: list[np.ndarray] = field(default_factory=list)
    known: list[np.ndarray] = field(default_factory=list)

    def add(self, cells: np.ndarray, total: np.ndarray, known: np.ndarray) -> None:
        self.cells.append(cells)
        self.total.append(total)
        self.known.append(known)

    def sums(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Total and known of each cell; int64."""
        cells = _joined(self.cells)
        return (
            aggregate.sums(cells, _joined(self.total), size),
            aggregate.sums(cells, _joined(self.known), size),
        )


@dataclass(slots=True)
class _Gathered:
    """Everything that was read for one selector."""

    grid: Grid
    histograms: Sequence[Measure] = ()
    """Those that are wanted."""
    calls: _Tally = field(default_factory=_Tally)
    value: _Tally = field(default_factory=_Tally)
    over: _Tally = field(default_factory=_Tally)
    extremes: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    """(cell, lowest, highest) of rows."""
    counts: list[np.ndarray] = field(default_factory=list)
    """Where single calls are looked at: how often each counts."""
    buckets: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    """(cell, bucket, count)."""
    sampled: list[SampledSpan] = field(default_factory=list)
    """Where a single call that was read stands for several."""


@dataclass(slots=True)
class Tallies:
    """Sums over the calls of groups × windows, int64, in the store's own integers."""

    groups: list[Labels]
    calls: np.ndarray
    total: np.ndarray
    known: np.ndarray
    """In how many calls the metric is known."""
    cells: np.ndarray
    """Of the histograms, group · windows + window: `counts[i]` values of the cell are in `buckets[i]`."""
    buckets: np.ndarray
    counts: np.ndarray


class CallQuery:
    """One selector over calls, aggregated."""

    def __init__(self, metric: Metric, node: Summary, how: str, context: Context) -> None:
        self._metric = metric
        self._node = node
        self._how = how
        self._context = context
        self._by = [LABEL_ALIASES.get(label, label) for label in node.by]
        self._matching = Matching(node.matchers, LABEL_ALIASES, context.text)
        self._outcome = metric.sum.by_outcome or (metric.over is not None and metric.over.by_outcome)
        wanted = [*self._by, *self._matching.labels, *(_OUTCOME if self._outcome else ())]
        self._labels = list(dict.fromkeys(wanted))

    def answer(self, windows: Windows) -> Vector:
        """One series per group that has calls. Raises `QueryError` or `StoreError`."""
        gathered = self._gathered(windows)
        self._warn_of_labels()
        if not gathered.grid.size:
            self._warn_of_values()
        flat = self._values(gathered)
        return Vector(gathered.grid.labels(self._node.by), gathered.grid.table(flat))

    def tallies(self, windows: Windows, *, known_only: bool = False) -> Tallies:
        """What `answer` makes values of. Raises `QueryError` or `StoreError`.

        `known_only` where it only tells which groups there are: then what is missing is not warned of, and
        histograms are not read.
        """
        gathered = self._gathered(windows, known_only=known_only)
        size = gathered.grid.size
        calls, _ = gathered.calls.sums(size)
        total, known = gathered.value.sums(size)
        cells, buckets, counts = (_joined(list(arrays)) for arrays in _columns(gathered.buckets))
        table = gathered.grid.table
        return Tallies(
            gathered.grid.labels(self._node.by), table(calls), table(total), table(known),
            cells, buckets, counts,
        )  # fmt: skip

    def _gathered(self, windows: Windows, *, known_only: bool = False) -> _Gathered:
        plan = self._context.planner.plan(windows, self._labels, raw_only=self._singly)
        gathered = _Gathered(Grid(windows, self._by), () if known_only else self._histograms)
        for piece in plan.pieces:
            self._context.budget.check()
            self._gather(gathered, piece.layer, piece.span)
        if not known_only:
            self._context.spans.append(windows.span)
            self._warn_of(plan)
            self._warn_of_samples(plan, gathered)
        return gathered

    @property
    def _quantile(self) -> float | None:
        return quantile_of(self._how)

    @property
    def _singly(self) -> bool:
        """Whether sums are not enough, so that each call must be looked at."""
        if self._metric.kind is not Kind.AMOUNT:
            return False
        if self._how in ("min", "max") or self._quantile is not None:
            return True
        # In how many calls one of two measures is known is no sum of theirs.
        return self._how in ("avg", "count") and len(self._metric.sum.measures) > 1

    @property
    def _measures(self) -> list[Measure]:
        terms = [self._metric.sum, *([self._metric.over] if self._metric.over else [])]
        return list(dict.fromkeys(["calls", *(name for term in terms for name in term.measures)]))  # type: ignore[list-item]

    @property
    def _histograms(self) -> Sequence[Measure]:
        wanted = self._metric.kind is Kind.LATENCY and self._quantile is not None
        return [m for m in self._metric.sum.measures if m in HISTOGRAMS] if wanted else ()

    def _gather(self, into: _Gathered, layer: Layer, span: Span) -> None:
        context = self._context
        facts = context.recent.facts(
            context.version, layer, span, self._labels, self._measures, into.histograms, self._matching.equal
        )
        self._context.layers.add(layer.value)
        kept = np.flatnonzero(self._matching.rows(facts.labels, len(facts)))
        cells = np.full(len(facts), -1, dtype=np.int64)
        columns = {
            name: type(column)(column.codes[kept], column.values) for name, column in facts.labels.items()
        }
        # The cell of a minute that is not over ends after the last window.
        ends = np.minimum(facts.end[kept], into.grid.windows.span.end)
        cells[kept] = into.grid.place(ends, columns, self._context.text)
        calls = facts.numbers["calls"]
        into.calls.add(cells[kept], calls.total[kept], calls.known[kept])
        self._add(into.value, self._metric.sum, facts, cells, kept)
        if self._metric.over is not None:
            self._add(into.over, self._metric.over, facts, cells, kept)
        self._add_spread(into, facts, cells, kept)
        into.sampled += _sampled(facts, kept)

    def _add(self, tally: _Tally, term: Sum, facts: Facts, cells: np.ndarray, kept: np.ndarray) -> None:
        if term.by_outcome:
            kept = kept[_takes(term, facts, kept)]
        total, known = self._row_sums(term, facts, kept)
        tally.add(cells[kept], total, known)

    def _row_sums(self, term: Sum, facts: Facts, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        numbers = [facts.numbers[name] for name in term.measures]
        total = np.asarray(np.sum([n.total[kept] for n in numbers], axis=0, dtype=np.int64))
        # Exact for one measure, and for single calls, where it is 0 or what they stand for.
        return total, np.max([n.known[kept] for n in numbers], axis=0)

    def _add_spread(self, into: _Gathered, facts: Facts, cells: np.ndarray, kept: np.ndarray) -> None:
        if self._singly:
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

    def _values(self, gathered: _Gathered) -> np.ndarray:
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

    def _of_known(self, gathered: _Gathered, total: np.ndarray, known: np.ndarray) -> np.ndarray:
        divisor = self._metric.divisor
        if self._how == "avg":
            return aggregate.divide(total, known) / divisor
        if self._how in ("min", "max") or self._quantile is not None:
            return self._spread(gathered) / divisor
        return total / divisor

    def _spread(self, gathered: _Gathered) -> np.ndarray:
        """Least, greatest or quantile of single calls, in the measure's own integers."""
        size = gathered.grid.size
        cells, low, high = (_joined(list(arrays)) for arrays in _columns(gathered.extremes))
        if self._how == "min":
            return aggregate.least(cells, low, size)
        if self._how == "max":
            return aggregate.greatest(cells, high, size)
        q = self._quantile
        assert q is not None
        if self._singly:
            known = ~np.isnan(low)
            counts = _joined(gathered.counts)
            return aggregate.rank_of_values(q, cells[known], low[known], size, counts[known])
        at, buckets, counts = (_joined(list(arrays)) for arrays in _columns(gathered.buckets))
        # Buckets are of milliseconds, the measures of microseconds.
        found = aggregate.rank_of_buckets(q, at, buckets, counts, size) * 1_000
        extremes = aggregate.least(cells, low, size), aggregate.greatest(cells, high, size)
        return aggregate.clamp(found, *extremes)

    def _warn_of(self, plan: Plan) -> None:
        if not plan.missing:
            return
        first, last = plan.missing[0].start, plan.missing[-1].end
        spans = f"{self._context.moment(first)} to {self._context.moment(last)}"
        if len(plan.missing) > 1:
            spans += f" ({len(plan.missing)} parts)"
        self._context.warn(
            f"calls of {spans} are left out of {self._node.metric}: {self._what_is_gone()} are no longer kept"
        )

    def _warn_of_samples(self, plan: Plan, gathered: _Gathered) -> None:
        raw = self._context.holdings[Layer.RAW]
        read = [piece.span for piece in plan.pieces if piece.layer is Layer.RAW]
        # A correction may move a call that stands for others to where none was left out.
        found = [*(one for span in read for one in raw.sampled_in(span)), *gathered.sampled]
        if not found:
            return
        first, last = min(one.span.start for one in found), max(one.span.end for one in found)
        rarest = max(one.one_in for one in found)
        self._context.warn(
            f"{self._node.metric} is an estimate for {self._context.moment(first)} to "
            f"{self._context.moment(last)}: of single calls a sample of 1 in {rarest} is kept"
        )

    def _what_is_gone(self) -> str:
        coarse = LAYER_LABELS[Layer.DAY]
        assert coarse is not None
        if self._singly:
            return f"single calls, which {self._how} needs,"
        beyond = [label for label in self._labels if label not in coarse]
        if beyond:
            return f"single calls, which alone know {beyond[0]},"
        return "single calls and sums as fine as this needs"

    def _warn_of_labels(self) -> None:
        unknown = [label for label in self._labels if label not in DIMENSIONS]
        names = self._context.reader.label_names() if unknown else []
        for label in unknown:
            if label not in names:
                meant = nearest(label, names)
                asked = f"; did you mean {meant}?" if meant else ""
                self._context.warn(f"no call has a label {label}{asked}")

    def _warn_of_values(self) -> None:
        """Where no call was found, a value may be mistyped."""
        for label, wanted in self._matching.equal.items():
            if said := mistyped(label, wanted, self._context.reader):
                self._context.warn(said)

    def _warn_of_prices(self, calls: int, known: int) -> None:
        if known < calls:
            self._context.warn(
                f"{calls - known:,} of {calls:,} calls have no price and are not in {self._node.metric}"
            )


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


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)


def _columns(rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Sequence[Sequence[np.ndarray]]:
    return list(zip(*rows, strict=True)) if rows else ((), (), ())
