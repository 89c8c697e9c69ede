"""The engine over a store of this machine."""

import threading
from collections.abc import Callable, Hashable, Sequence

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import SECOND, Clock, Micros, SystemClock
from tui_monitor.model.feed import SampleType
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.model.timerange import Span
from tui_monitor.query import catalog, complete
from tui_monitor.query.context import Context
from tui_monitor.query.direct import Direct, at_once, direct, over
from tui_monitor.query.filters import rows
from tui_monitor.query.keeping import Keeping
from tui_monitor.query.noting import Noting
from tui_monitor.query.plain import Plain
from tui_monitor.query.promql.ast import Expr
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.limits import Budget, Limits
from tui_monitor.query.promql.parser import read
from tui_monitor.query.promql.together import By, Series, Together
from tui_monitor.query.promql.values import Vector
from tui_monitor.query.question import Question
from tui_monitor.query.reading import RecentFacts
from tui_monitor.query.result import After, CallList, Completion, Labels, Result
from tui_monitor.query.timing import Timing
from tui_monitor.query.windows import check_instant, steps
from tui_monitor.store.api import Reader


class LocalEngine:
    """Answers queries from a `Reader`, or as it did before (`Keeping`). Any number of threads may ask."""

    def __init__(
        self, reader: Reader, calendar: Calendar, limits: Limits | None = None, clock: Clock | None = None,
        timing: Timing | None = None,
    ) -> None:  # fmt: skip
        """`limits` are those of one query; `timing` notes how long each takes."""
        limits = limits or Limits()
        self._reader = reader
        self._calendar = calendar
        self._recent = RecentFacts(reader)
        clock = clock or SystemClock()
        self.timing = timing or Timing(clock)
        self.keeping = Keeping(reader, self._recent, clock)
        """Answers of before."""
        self.plain = Plain(reader, calendar, self.keeping, limits, clock, self.timing)
        """PromQL in Prometheus's own form."""

    def instant(
        self, text: str, at: Micros, *, cancel: threading.Event | None = None, tree: Expr | None = None
    ) -> Result:
        """The answer at one instant: windows end at `at`. `tree` as of `check`."""

        def answer(noting: Noting, budget: Budget) -> Result:
            check_instant(at, text)
            if plain is not None:
                return at_once([(plain, self._context(text, noting, budget))], at, self._calendar)[0]
            return self._question(text, tree, noting, budget).instant(at)

        plain = direct(text) if tree is None else None
        return self._kept((text, tree, at), text, 1, cancel, answer)

    def together(
        self, texts: Sequence[str], at: Micros, *, cancel: threading.Event | None = None
    ) -> list[Result]:
        """The answers at one instant, in the order of the texts; what they have in common is read once."""
        check_instant(at, "")
        asked = {text: found for text in texts if (found := direct(text)) is not None}
        known = {text: kept for text in asked if (kept := self.keeping.get((text, None, at))) is not None}
        if left := [query for text, query in asked.items() if text not in known]:
            known |= zip((query.text for query in left), self._at_once(left, at, cancel), strict=True)
        return [known[text] if text in known else self.instant(text, at, cancel=cancel) for text in texts]

    def _at_once(self, asked: Sequence[Direct], at: Micros, cancel: threading.Event | None) -> list[Result]:
        budget, noting = self._budget(cancel), self.keeping.noting()
        name = asked[0].text if len(asked) == 1 else f"{asked[0].text}, and {len(asked) - 1} more at once"
        with self.timing.noting(name, budget) as noted:
            first = self._context("", noting, budget)
            # What an evaluation may take is what one of them may.
            found = at_once([(query, first.of(query.text)) for query in asked], at, self._calendar)
            noted.series = sum(len(result.series) for result in found)
        rests = noting.rests()
        for result in found:
            self.keeping.keep((result.query, None, at), result, rests, result.size)
        return found

    def histograms(self, text: str, at: Micros) -> list[tuple[Labels, NativeHistogram]]:
        """The native histograms that PromQL gives at one instant. Raises as `instant`."""
        budget = self.plain.budget(threading.Event())
        found = self.plain.instant(text, at, budget, Semantics(), self.keeping.noting()).value
        cells = found.histograms if isinstance(found, Vector) else None
        if not isinstance(found, Vector) or cells is None:
            return []
        return [(of, cells[row, 0]) for row, of in enumerate(found.labels) if cells[row, 0] is not None]

    def counters(
        self, by: By, until: Micros, since: Micros | None = None, *, cancel: threading.Event | None = None
    ) -> dict[Series, float | NativeHistogram]:
        """What counters of calls gained in (since, until], many names at once; from the beginning without.

        Equal to `sum by (…) (increase(name[…]))` of each at `until`, and to `sum by (…) (name)`. Raises
        `QueryError`, `StoreError` and the errors of `limits`.
        """
        budget = self._budget(cancel)
        whole = f"up to {until}" if since is None else f"of {(until - since) // SECOND}s"
        with self.timing.noting(f"{len(by)} counters of calls {whole}", budget) as noted:
            together = Together(by, self.keeping, lambda noting: self._context("", noting, budget))
            found = together.totals(until) if since is None else together.risen(since, until)
            noted.series = len(found)
            return found

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *, cancel: threading.Event | None = None
    ) -> Result:
        """The answer in windows of one step; see `windows.steps`. Of PromQL, at the ends of the steps."""

        def answer(noting: Noting, budget: Budget) -> Result:
            windows = steps(start, end, step, text)
            if (plain := direct(text)) is not None:
                return over(plain, self._context(text, noting, budget), windows)
            return self._question(text, None, noting, budget).over(windows)

        count = max(1, -(-(end - start) // step)) if step > 0 else 1
        return self._kept((text, start, end, step), text, count, cancel, answer)

    def calls(
        self, text: str, span: Span, limit: int, *, after: After | None = None,
        cancel: threading.Event | None = None,
    ) -> CallList:  # fmt: skip
        """At most `limit` calls of a span that pass a filter, the newest first; behind `after` the next."""
        budget = self._budget(cancel)
        with self.timing.noting(text, budget) as noted:
            found = rows.listed(text, span, limit, after, self._reader, self._calendar, budget.check)
            noted.calls = len(found.calls)
            return found

    def count_calls(self, text: str, span: Span, *, cancel: threading.Event | None = None) -> int:
        """How many calls of a span pass a filter."""
        budget = self._budget(cancel)
        with self.timing.noting(text, budget) as noted:
            noted.calls = rows.counted(text, span, self._reader, budget.check)
            return noted.calls

    def check(self, text: str, tree: Expr | None = None) -> None:
        """Read and check only; `tree` is what the text stands for where it is no plain query."""
        self._question(text, tree, self.keeping.noting(), self._budget(None)).check()

    def type_of(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` for metrics of calls, and where nobody has sent any."""
        return catalog.type_of(metric, self._reader)

    def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on at a cursor position, best first."""
        return complete.complete(text, cursor, self._reader)

    def _budget(self, cancel: threading.Event | None) -> Budget:
        return self.plain.budget(cancel or threading.Event())

    def _question(self, text: str, tree: Expr | None, noting: Noting, budget: Budget) -> Question:
        return Question(self._context(text, noting, budget), read(text) if tree is None else tree)

    def _context(self, text: str, noting: Noting, budget: Budget) -> Context:
        return Context(noting, self._calendar, text, noting.recent, noting.seen, budget)

    def _kept(
        self, key: Hashable, text: str, steps: int, cancel: threading.Event | None,
        answer: Callable[[Noting, Budget], Result],
    ) -> Result:  # fmt: skip
        budget = self._budget(cancel)
        with self.timing.noting(text, budget, steps) as noted:
            result = self.keeping.get(key)
            if result is None:
                noting = self.keeping.noting()
                result = answer(noting, budget)
                self.keeping.keep(key, result, noting.rests(), result.size)
            noted.series = len(result.series)
            return result
