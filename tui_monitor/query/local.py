"""The engine over a store of this machine."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span
from tui_monitor.query import catalog, complete, evaluate
from tui_monitor.query.ast import Node
from tui_monitor.query.context import Context, Vector
from tui_monitor.query.filters import rows
from tui_monitor.query.plain import Plain
from tui_monitor.query.promql.limits import Limits
from tui_monitor.query.reading import RecentFacts
from tui_monitor.query.result import After, CallList, Completion, Result, Series
from tui_monitor.query.whole import Whole, read
from tui_monitor.query.windows import check_instant, steps, window_of
from tui_monitor.store.api import Reader

CACHED = 200
"""Answers that are kept."""


class LocalEngine:
    """Answers queries from a `Reader`. Any number of threads may ask at once.

    An answer is kept for as long as the data does not change; the oldest make room.
    """

    def __init__(self, reader: Reader, calendar: Calendar, limits: Limits | None = None) -> None:
        """`limits` are those of one query in PromQL."""
        limits = limits or Limits()
        self._whole = Whole(limits)
        self._reader = reader
        self._calendar = calendar
        self._recent = RecentFacts(reader)
        self.plain = Plain(reader, calendar, self._recent, limits)
        """PromQL in Prometheus's own form."""
        self._answers: OrderedDict[Hashable, tuple[int, Result]] = OrderedDict()
        self._lock = threading.Lock()

    def instant(self, text: str, at: Micros, *, cancel: threading.Event | None = None) -> Result:
        """The answer at one instant: windows end at `at`."""
        return self._kept((text, at), lambda version: self._instant(text, at, version, cancel))

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *, cancel: threading.Event | None = None
    ) -> Result:
        """The answer in windows of one step; see `windows.steps`. Of PromQL, at the ends of the steps."""
        return self._kept(
            (text, start, end, step), lambda version: self._range(text, start, end, step, version, cancel)
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
            evaluate.check(tree, self._context(text, self._reader.version()))

    def type_of(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` for metrics of calls, and where nobody has sent any."""
        return catalog.type_of(metric, self._reader)

    def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on at a cursor position, best first."""
        return complete.complete(text, cursor, self._reader)

    def _context(self, text: str, version: int) -> Context:
        return Context(self._reader, self._calendar, text, self._recent, version)

    def _instant(self, text: str, at: Micros, version: int, cancel: threading.Event | None) -> Result:
        check_instant(at, text)
        node, context = read(text), self._context(text, version)
        if node is None:
            return self._whole.instant(context, at, cancel)
        evaluate.check(node, context)
        vector = evaluate.evaluate(node, lambda s: window_of(s, at, self._calendar), 1, context)
        return Result(
            text, "vector", (at,), _series(vector), vector.unit, vector.metric,
            tuple(context.warnings), context.span(), context.layers_used(),
        )  # fmt: skip

    def _range(
        self, text: str, start: Micros, end: Micros, step: Micros, version: int,
        cancel: threading.Event | None,
    ) -> Result:  # fmt: skip
        windows = steps(start, end, step, text)
        node, context = read(text), self._context(text, version)
        if node is None:
            return self._whole.over(context, windows.edges[1:], cancel)
        evaluate.check(node, context)
        vector = evaluate.evaluate(node, lambda s: windows.earlier(s.offset), len(windows), context)
        times = tuple(windows.edges[1:].tolist())
        return Result(
            text, "matrix", times, _series(vector), vector.unit, vector.metric,
            tuple(context.warnings), Span(windows.span.start, end), context.layers_used(),
        )  # fmt: skip

    def _kept(self, key: Hashable, answer: Callable[[int], Result]) -> Result:
        version = self._reader.version()
        with self._lock:
            kept = self._answers.get(key)
            if kept and kept[0] == version:
                self._answers.move_to_end(key)
                return kept[1]
        result = answer(version)
        # What was read while something was written may belong to either version.
        if self._reader.version() == version:
            with self._lock:
                self._answers[key] = (version, result)
                self._answers.move_to_end(key)
                while len(self._answers) > CACHED:
                    self._answers.popitem(last=False)
        return result


def _series(vector: Vector) -> tuple[Series, ...]:
    """The series in order of their labels; NaN is no data."""
    table = vector.values.astype(object)
    table[np.isnan(vector.values)] = None
    rows = table.tolist()
    pairs = sorted(zip(vector.labels, rows, strict=True), key=lambda pair: pair[0])
    return tuple(Series(labels, tuple(values)) for labels, values in pairs)
