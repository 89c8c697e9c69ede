"""Samples in the store as series: what was scraped, written by remote write, or measured here."""

from collections.abc import Sequence

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.matchers import Test, test
from tui_monitor.query.promql.storage import Asked, Hints, Source
from tui_monitor.query.promql.values import SeriesSet, Vector
from tui_monitor.store.api import LabelTest, Reader, SeriesInfo


class StoredSamples:
    """Counters and gauges of a store. Single observations of a histogram are no series of PromQL."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def sources(self) -> Sequence[Source]:
        """Itself alone."""
        return (self,)

    def select(self, matchers: Sequence[Matcher], start: Micros, end: Micros, hints: Hints) -> SeriesSet:
        """As `Source`. Raises `StoreError`."""
        found = self.listed(matchers)
        if hints.budget is not None:
            hints.budget.spend(len(found), len(found))
        # A span leaves out the instant where it begins.
        read = self._reader.samples([info.id for _, info in found], Span(start - 1, end))
        chosen = [(of, read[info.id]) for of, info in found if info.id in read and len(read[info.id][0])]
        if not chosen:
            nothing = np.empty(0, dtype=np.int64)
            return SeriesSet([], np.zeros(1, dtype=np.int64), nothing, np.empty(0))
        return SeriesSet(
            [of for of, _ in chosen],
            np.cumsum([0, *(len(times) for _, (times, _) in chosen)]),
            np.concatenate([times for _, (times, _) in chosen]),
            np.concatenate([values for _, (_, values) in chosen]),
        )

    def answer(self, asked: Asked) -> Vector | None:
        """Nothing is known but samples."""
        return None

    def listed(self, matchers: Sequence[Matcher]) -> list[tuple[Labels, SeriesInfo]]:
        """The series that all matchers take, sorted by their labels."""
        of_name = [matcher for matcher in matchers if matcher.label == NAME]
        name = next((matcher.value for matcher in of_name if matcher.op == "="), None)
        tests = [test(matcher) for matcher in of_name]
        found = self._reader.series(name, _label_tests(matchers))
        return sorted(
            (
                (labels({**info.labels, NAME: info.name}), info)
                for info in found
                if info.type != "histogram" and all(passes(info.name) for passes in tests)
            ),
            key=lambda pair: pair[0],
        )


def _label_tests(matchers: Sequence[Matcher]) -> list[LabelTest]:
    by_label: dict[str, list[Matcher]] = {}
    for matcher in matchers:
        if matcher.label != NAME:
            by_label.setdefault(matcher.label, []).append(matcher)
    return [LabelTest(label, _all(found), _only(found)) for label, found in by_label.items()]


def _all(matchers: list[Matcher]) -> Test:
    tests = [test(matcher) for matcher in matchers]
    return lambda value: all(passes(value) for passes in tests)


def _only(matchers: list[Matcher]) -> str:
    return matchers[0].value if len(matchers) == 1 and matchers[0].op == "=" else ""
