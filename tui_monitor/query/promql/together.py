"""Counters of calls under many names at once: equal to what each name gives alone, for one reading.

Who serves or forwards all of them asks every 15 s. What there was before the span that is asked for is kept
while nothing of it changes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from tui_monitor.model.clock import DAY, HOUR, Micros
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.model.timerange import Span
from tui_monitor.query.calls import CallQuery, tallies
from tui_monitor.query.context import Context
from tui_monitor.query.keeping import Keeping
from tui_monitor.query.metrics import Metric
from tui_monitor.query.noting import Noting
from tui_monitor.query.promql import histograms
from tui_monitor.query.promql.counting import begun, counted, labels_of, origin, query_of
from tui_monitor.query.promql.derived import TABLE, Derived, Form
from tui_monitor.query.promql.labels import Labels, without_name
from tui_monitor.query.promql.values import Vector
from tui_monitor.query.tallies import Tallies
from tui_monitor.query.windows import one

By = Mapping[str, Sequence[str] | None]
"""Names of counters of calls, and the labels that each is summed by, `le` aside; all of them where `None`."""
Series = tuple[str, Labels]
"""Name and labels."""
_Key = tuple[str, tuple[str, ...]]
"""A metric and the labels of its series: a sum and its buckets are counted at once."""
_NUMBERS = 24
"""Bytes of one group in one query's tallies, its labels aside."""
_LABEL = 80
"""Bytes of one label of a group, about."""


class Together:
    """What they count. Methods raise `QueryError`, `StoreError` and the errors of `limits`."""

    def __init__(self, by: By, keeping: Keeping, context: Callable[[Noting], Context]) -> None:
        """`context` makes one evaluation's out of what it reads through."""
        self._keeping = keeping
        self._context = context
        self._names: list[tuple[Derived, _Key]] = []
        for name, given in by.items():
            found = TABLE[name]
            wanted = labels_of(found.metric) if given is None else given
            self._names.append((found, (found.metric.name, tuple(wanted))))
        self._metrics: dict[_Key, Metric] = {key: found.metric for found, key in self._names}
        self._spread = {key for found, key in self._names if found.has_buckets}

    def risen(self, since: Micros, until: Micros) -> dict[Series, float | NativeHistogram]:
        """What each series gained in (since, until]; 0 where it was there before and gained nothing."""
        instants = np.array([since, until], dtype=np.int64)
        return self._values(instants, np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64))

    def totals(self, at: Micros) -> dict[Series, float | NativeHistogram]:
        """What each series counted from the first stored call up to an instant."""
        return self._values(np.array([at], dtype=np.int64), None, np.zeros(1, dtype=np.int64))

    def _values(
        self, instants: np.ndarray, low: np.ndarray | None, high: np.ndarray
    ) -> dict[Series, float | NativeHistogram]:
        context = self._context(self._keeping.noting())
        start = origin(context)
        if start is None:
            return {}
        given = counted(
            self._queries(context), instants, start, context.budget, whole=low is None,
            before=None if low is None else self._before,
        )  # fmt: skip
        found: dict[Series, float | NativeHistogram] = {}
        counters = dict(zip(self._metrics, given, strict=True))
        for derived, key in self._names:
            of = begun(derived.metric, counters[key], key[1])
            found.update(
                _cells(
                    derived,
                    histograms.difference(derived, of, low, high, 1.0, context.budget.check, gauge=True),
                )
            )
        return found

    def _queries(self, context: Context) -> list[CallQuery]:
        return [
            query_of(metric, key[1], context, buckets=key in self._spread)
            for key, metric in self._metrics.items()
        ]

    def _before(self, span: Span) -> Iterator[list[Tallies]]:
        """Which series there were up to the span that is asked for."""
        # What is written today changes nothing of the days before. Hours end on hours, so none is parted.
        past = span.end // DAY * DAY - HOUR
        if past > span.start:
            yield self._kept(Span(span.start, past))
        yield self._known(Span(max(span.start, past), span.end), self._keeping.noting())

    def _kept(self, span: Span) -> list[Tallies]:
        key = (span, tuple(self._metrics), "before")
        known = self._keeping.get(key)
        if known is None:
            noting = self._keeping.noting()
            known = self._known(span, noting)
            self._keeping.keep(key, known, noting.rests(), self._size(known))
        return known

    def _known(self, span: Span, noting: Noting) -> list[Tallies]:
        return tallies(self._queries(self._context(noting)), one(span), known_only=True)

    def _size(self, known: Sequence[Tallies]) -> int:
        groups = {key[1]: len(part.groups) for key, part in zip(self._metrics, known, strict=True)}
        labels = sum(_LABEL * (1 + len(by)) * count for by, count in groups.items())
        return labels + sum(_NUMBERS * len(part.groups) for part in known)


def _cells(found: Derived, vector: Vector) -> Iterator[tuple[Series, float | NativeHistogram]]:
    cells = vector.histograms if found.form is Form.NATIVE else None
    values = vector.values[:, 0].tolist() if cells is None else cells[:, 0].tolist()
    for of, value in zip(vector.labels, values, strict=True):
        yield (found.name, without_name(of)), value
