"""The engine over a store of this machine."""

import threading
from collections.abc import Callable, Hashable

import numpy as np

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Clock, Micros, SystemClock
from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span
from tui_monitor.query import catalog, complete, evaluate
from tui_monitor.query.ast import Node
from tui_monitor.query.context import Context, Vector
from tui_monitor.query.filters import rows
from tui_monitor.query.keeping import Keeping
from tui_monitor.query.noting import Noting
from tui_monitor.query.plain import Plain
from tui_monitor.query.promql.limits import Limits
from tui_monitor.query.reading import RecentFacts
from tui_monitor.query.result import After, CallList, Completion, Result, Series
from tui_monitor.query.whole import Whole, read
from tui_monitor.query.windows import check_instant, steps, window_of
from tui_monitor.store.api import Reader


class LocalEngine:
    """Answers queries from a `Reader`, or as it did before (`Keeping`). Any number of threads may ask."""

    def __init__(
        self, reader: Reader, calendar: Calendar, limits: Limits | None = None, clock: Clock | None = None
    ) -> None:
        """`limits` are those of one query in PromQL."""
        limits = limits or Limits()
        self._whole = Whole(limits)
        self._reader = reader
        self._calendar = calendar
        self._recent = RecentFacts(reader)
        clock = clock or SystemClock()
        self._keeping = Keeping(reader, self._recent, clock)
        self.plain = Plain(reader, calendar, self._keeping, limits, clock)
        """PromQL in Prometheus's own form."""

    def instant(self, text: str, at: Micros, *, cancel: threading.Event | None = None) -> Result:
        """The answer at one instant: windows end at `at`."""
        return self._kept((text, at), lambda noting: self._instant(text, at, noting, cancel))

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *, cancel: threading.Event | None = None
    ) -> Result:
        """The answer in windows of one step; see `windows.steps`. Of PromQL, at the ends of the steps."""
        return self._kept(
            (text, start, end, step), lambda noting: self._range(text, start, end, step, noting, cancel)
        )

    def calls(
        self, text: str, span: Span, limit: int, *, after: After | None = None,
        cancel: threading.Event | None = None,
    ) -> CallList:  # fmt: skip
        """At most `limit` calls of a span that pass a filter, the newest first; behind `after` the next."""
        check = self.plain.budget(cancel or threading.Event()).check
        return rows.listed(text, span, limit, after, self._reader, self._calendar, check)

    def count_calls(self, text: str, span: Span, *, cancel: threading.Event | None = None) -> int:
        """How many calls of a span pass a filter."""
        check = self.plain.budget(cancel or threading.Event()).check
        return rows.counted(text, span, self._reader, check)

    def check(self, text: str, tree: Node | None = None) -> None:
        """Parse and type-check only; `tree` is what the text stands for where it is no plain query."""
        if tree is None:
            tree = read(text)
        if tree is not None:
            evaluate.check(tree, self._context(text, self._keeping.noting()))

    def type_of(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` for metrics of calls, and where nobody has sent any."""
        return catalog.type_of(metric, self._reader)

    def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on at a cursor position, best first."""
        return complete.complete(text, cursor, self._reader)

    def _context(self, text: str, noting: Noting) -> Context:
        return Context(noting, self._calendar, text, noting.recent, noting.seen)

    def _instant(self, text: str, at: Micros, noting: Noting, cancel: threading.Event | None) -> Result:
        check_instant(at, text)
        node, context = read(text), self._context(text, noting)
        if node is None:
            return self._whole.instant(context, at, cancel)
        evaluate.check(node, context)
        vector = evaluate.evaluate(node, lambda s: window_of(s, at, self._calendar), 1, context)
        return Result(
            text, "vector", (at,), _series(vector), vector.unit, vector.metric,
            tuple(context.warnings), context.span(), context.layers_used(),
        )  # fmt: skip

    def _range(
        self, text: str, start: Micros, end: Micros, step: Micros, noting: Noting,
        cancel: threading.Event | None,
    ) -> Result:  # fmt: skip
        windows = steps(start, end, step, text)
        node, context = read(text), self._context(text, noting)
        if node is None:
            return self._whole.over(context, windows.edges[1:], cancel)
        evaluate.check(node, context)
        vector = evaluate.evaluate(node, lambda s: windows.earlier(s.offset), len(windows), context)
        times = tuple(windows.edges[1:].tolist())
        return Result(
            text, "matrix", times, _series(vector), vector.unit, vector.metric,
            tuple(context.warnings), Span(windows.span.start, end), context.layers_used(),
        )  # fmt: skip

    def _kept(self, key: Hashable, answer: Callable[[Noting], Result]) -> Result:
        kept = self._keeping.get(key)
        if kept is not None:
            return kept
        noting = self._keeping.noting()
        result = answer(noting)
        self._keeping.keep(key, result, noting.rests(), result.size)
        return result


def _series(vector: Vector) -> tuple[Series, ...]:
    """The series in order of their labels; NaN is no data."""
    table = vector.values.astype(object)
    table[np.isnan(vector.values)] = None
    rows = table.tolist()
    pairs = sorted(zip(vector.labels, rows, strict=True), key=lambda pair: pair[0])
    return tuple(Series(labels, tuple(values)) for labels, values in pairs)
