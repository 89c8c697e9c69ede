"""Parts of facts that were read as a whole."""

from collections.abc import Callable, Mapping

import numpy as np

from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Facts, Histogram, LabelColumn, Numbers


def ordered(facts: Facts) -> Facts:
    """The same single calls by their time."""
    if (facts.end[:-1] <= facts.end[1:]).all():
        return facts
    return _taken(facts, np.argsort(facts.end, kind="stable"))


def within(facts: Facts, span: Span, where: Mapping[str, str]) -> Facts:
    """Those of a span, of single calls by their time, whose labels equal these values."""
    first, last = np.searchsorted(facts.end, (span.start, span.end), side="right").tolist()
    if not where:
        return _cut(facts, slice(first, last))
    kept = _passes(facts, where, slice(first, last))
    return _taken(facts, np.flatnonzero(kept) + first)


def passing(facts: Facts, where: Mapping[str, str]) -> Facts:
    """Those of single calls whose labels equal these values."""
    if not where:
        return facts
    return _taken(facts, np.flatnonzero(_passes(facts, where, slice(None))))


def _passes(facts: Facts, where: Mapping[str, str], rows: slice) -> np.ndarray:
    kept = np.ones(len(facts.end[rows]), dtype=bool)
    for name, value in where.items():
        column = facts.labels[name]
        passes = np.array([(text or "") == value for text in column.values], dtype=bool)
        kept &= passes[column.codes[rows]]
    return kept


def _cut(facts: Facts, rows: slice) -> Facts:
    """Rows that lie side by side, without copying them."""
    histograms: dict[str, Histogram] = {}
    for name, spread in facts.histograms.items():
        first, last = np.searchsorted(spread.row, (rows.start, rows.stop), side="left").tolist()
        histograms[name] = Histogram(
            spread.row[first:last] - rows.start, spread.bucket[first:last], spread.count[first:last]
        )
    return _each(facts, lambda column: column[rows], histograms)


def _taken(facts: Facts, rows: np.ndarray) -> Facts:
    """Rows by their numbers, in this order."""
    place = np.full(len(facts), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    histograms: dict[str, Histogram] = {}
    for name, spread in facts.histograms.items():
        at = place[spread.row]
        there = np.flatnonzero(at >= 0)
        order = there[np.argsort(at[there], kind="stable")]
        histograms[name] = Histogram(at[order], spread.bucket[order], spread.count[order])
    return _each(facts, lambda column: column[rows], histograms)


def _each(
    facts: Facts, pick: Callable[[np.ndarray], np.ndarray], histograms: dict[str, Histogram]
) -> Facts:  # fmt: skip
    def picked(column: np.ndarray | None) -> np.ndarray | None:
        return None if column is None else pick(column)

    return Facts(
        facts.layer,
        pick(facts.end),
        {name: LabelColumn(pick(column.codes), column.values) for name, column in facts.labels.items()},
        {
            name: Numbers(pick(n.total), pick(n.known), picked(n.low), picked(n.high))
            for name, n in facts.numbers.items()
        },
        histograms,
        picked(facts.weight),
    )
