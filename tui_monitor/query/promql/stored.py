"""Samples in the store as series: what was scraped, written by remote write, or measured here."""

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.promql import old
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.choice import Choice, chosen
from tui_monitor.query.promql.joining import concatenated, sorted_by_labels
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.limits import Budget
from tui_monitor.query.promql.matchers import Test, test
from tui_monitor.query.promql.storage import Asked, Hints, Source
from tui_monitor.query.promql.values import Grid, SeriesSet, Vector
from tui_monitor.store.api import LabelTest, Reader, SeriesInfo
from tui_monitor.store.series.sampled import Sampled


class StoredSamples:
    """Counters, gauges and native histograms of a store.

    Single observations of a histogram are no series of PromQL. Where samples are no longer kept one by one,
    what stayed of them stands for them, and that is said.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def sources(self) -> Sequence[Source]:
        """Itself alone."""
        return (self,)

    def select(self, matchers: Sequence[Matcher], start: Micros, end: Micros, hints: Hints) -> SeriesSet:
        """As `Source`. Raises `StoreError`."""
        # A span leaves out the instant where it begins.
        span = Span(start - 1, end)
        sets: list[SeriesSet] = []
        read = 0
        for name in self._names(matchers):
            sets.append(self._of_name(name, matchers, span, hints, read))
            read += sets[-1].size
        return sorted_by_labels(concatenated(sets)) if len(sets) > 1 else concatenated(sets)

    def answer(self, asked: Asked) -> Vector | None:
        """Nothing is known but samples."""
        return None

    def _names(self, matchers: Sequence[Matcher]) -> list[str]:
        of_name = [matcher for matcher in matchers if matcher.label == NAME]
        tests = [test(matcher) for matcher in of_name]
        equal = [matcher.value for matcher in of_name if matcher.op == "="]
        names = equal[:1] or self._reader.sample_names()
        return [name for name in names if all(passes(name) for passes in tests)]

    def _of_name(
        self, name: str, matchers: Sequence[Matcher], span: Span, hints: Hints, read: int
    ) -> SeriesSet:
        choices: list[Choice] = []

        def choose(series: list[SeriesInfo], memo: dict[Hashable, Any]) -> np.ndarray:
            choices.append(chosen(series, matchers, memo, check))
            rows = choices[-1].rows
            if hints.budget is not None:
                hints.budget.spend(len(rows), len(rows))
            return rows

        def check() -> None:
            afford(0)

        def afford(samples: int) -> None:
            if hints.budget is not None:
                hints.budget.afford(read + samples)

        sampled = self._reader.sampled(name, span, choose, afford)
        (choice,) = choices
        if sampled.histograms or (sampled.steps_until is not None and span.start < sampled.steps_until):
            infos = [sampled.series[row] for row in choice.rows.tolist()]
            return old.series(
                self._reader, infos, choice.labels, span, hints.function, sampled.steps_until, afford
            )
        return _on_grids(sampled, choice, span)

    def listed(self, matchers: Sequence[Matcher], budget: Budget) -> list[tuple[Labels, SeriesInfo]]:
        """The series that all matchers take, sorted by their labels. Raises the errors of `limits`."""
        of_name = [matcher for matcher in matchers if matcher.label == NAME]
        name = next((matcher.value for matcher in of_name if matcher.op == "="), None)
        tests = [test(matcher) for matcher in of_name]
        found = self._reader.series(name, _label_tests(matchers, budget), budget.limits.series + 1)
        budget.spend(len(found), len(found))
        return sorted(
            (
                (labels({**info.labels, NAME: info.name}), info)
                for info in found
                if info.type != "histogram" and all(passes(info.name) for passes in tests)
            ),
            key=lambda pair: pair[0],
        )


def _on_grids(sampled: Sampled, choice: Choice, span: Span) -> SeriesSet:
    """The chosen series that have samples in the span."""
    grids: list[Grid] = []
    for grid in sampled.grids:
        mine = choice.place[grid.rows]
        kept = np.flatnonzero(mine >= 0)
        first, last = grid.times.searchsorted((span.start, span.end), "right").tolist()
        if len(kept) and first < last:
            values = grid.values[:, first:last]
            values = values if len(kept) == len(mine) else values[kept]
            grids.append(Grid(mine[kept], grid.times[first:last], values, grid.living))
    found = sum(len(grid.rows) for grid in grids)
    if found == len(choice.rows):
        return SeriesSet.of_grids(choice.labels, grids)
    rows = np.sort(np.concatenate([np.empty(0, dtype=np.int64), *(grid.rows for grid in grids)]))
    grids = [replace(grid, rows=rows.searchsorted(grid.rows)) for grid in grids]
    return SeriesSet.of_grids([choice.labels[row] for row in rows.tolist()], grids)


def _label_tests(matchers: Sequence[Matcher], budget: Budget) -> list[LabelTest]:
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        if matcher.label != NAME:
            by_label.setdefault(matcher.label, []).append(matcher)
    return [LabelTest(label, _all(found, budget), _only(found)) for label, found in by_label.items()]


def _all(matchers: list[Matcher], budget: Budget) -> Test:
    tests = [test(matcher) for matcher in matchers]

    def passes(value: str) -> bool:
        budget.check()
        return all(one(value) for one in tests)

    return passes


def _only(matchers: list[Matcher]) -> str:
    return matchers[0].value if len(matchers) == 1 and matchers[0].op == "=" else ""
