"""Which series of one name matchers take: each value of a label looked at once, the outcome kept."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.labels import LabelSets, labels
from tui_monitor.query.promql.matchers import test
from tui_monitor.store.api import SeriesInfo
from tui_monitor.store.where import go_on

_MOST = 64
"""Choices that are kept of one name."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Series of a name."""

    rows: np.ndarray
    """int64: their places among all of the name, in the order of their labels."""
    place: np.ndarray
    """int64: for each series of the name its place in `rows`; -1 where it is not chosen."""
    labels: LabelSets


@dataclass(frozen=True, slots=True)
class _Column:
    """The values of one label: each once, and which of them each series has."""

    values: list[str]
    codes: np.ndarray

    def passing(self, matcher: Matcher, check: Callable[[], None]) -> np.ndarray:
        """bool: which series the matcher takes; `check` is asked between values."""
        passes = test(matcher)
        found = np.empty(len(self.values), dtype=bool)
        for at, value in enumerate(self.values):
            check()
            found[at] = passes(value)
        return found[self.codes]


def chosen(
    series: list[SeriesInfo], matchers: Sequence[Matcher], memo: dict[Hashable, Any],
    check: Callable[[], None] = go_on,
) -> Choice:  # fmt: skip
    """The choice; observations of histograms are never in it. Raises `PatternError` and what `check` does."""
    key = tuple((one.label, one.op, one.value) for one in matchers if one.label != NAME)
    if key not in memo:
        if len(memo) >= _MOST:
            memo.clear()
        memo[key] = _chosen(series, matchers, memo, check)
    return memo[key]


def _chosen(
    series: list[SeriesInfo], matchers: Sequence[Matcher], memo: dict[Hashable, Any],
    check: Callable[[], None],
) -> Choice:  # fmt: skip
    if "labels" not in memo:
        memo["labels"] = [labels({**info.labels, NAME: info.name}) for info in series]
        order = sorted(range(len(series)), key=memo["labels"].__getitem__)
        memo["order"] = np.array(order, dtype=np.int64)
    taken = np.array([info.type != "histogram" for info in series], dtype=bool)
    for matcher in matchers:
        if matcher.label != NAME:
            taken &= _column(series, matcher.label, memo).passing(matcher, check)
    order = memo["order"]
    rows = order[taken[order]] if len(order) else order
    place = np.full(len(series), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    return Choice(rows, place, LabelSets(memo["labels"][row] for row in rows.tolist()))


def _column(series: list[SeriesInfo], label: str, memo: dict[Hashable, Any]) -> _Column:
    if ("column", label) not in memo:
        numbers: dict[str, int] = {}
        codes = [numbers.setdefault(info.labels.get(label, ""), len(numbers)) for info in series]
        memo["column", label] = _Column(list(numbers), np.array(codes, dtype=np.int64))
    return memo["column", label]
