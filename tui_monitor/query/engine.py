"""The engine's interface: what panes, rules, budgets, commands and the HTTP API call."""

import threading
from collections.abc import Sequence
from typing import Protocol

from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span
from tui_monitor.query.promql.ast import Expr
from tui_monitor.query.result import After, CallList, Completion, Result


class Engine(Protocol):
    """Answers queries. Methods block on the store and may take a while: call them off any event loop.

    All raise `QueryError`, with the place in the text, for a query that cannot be answered.
    """

    def instant(
        self, text: str, at: Micros, *, cancel: threading.Event | None = None, tree: Expr | None = None
    ) -> Result:
        """The answer at one instant: windows end at `at`. `tree` as of `check`.

        Raises `QueryCancelled` soon after `cancel` is set, and `QueryLimit` and `QueryTimeout`.
        """
        ...

    def together(
        self, texts: Sequence[str], at: Micros, *, cancel: threading.Event | None = None
    ) -> list[Result]:
        """The answers of `instant` at one instant, in the order of the texts, for less than one by one."""
        ...

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *, cancel: threading.Event | None = None
    ) -> Result:
        """The answer in windows of one step, `(start, end]`; step ends lie on the grid of the epoch.

        The last window ends at `end` where that is off the grid.
        """
        ...

    def calls(
        self, text: str, span: Span, limit: int, *, after: After | None = None,
        cancel: threading.Event | None = None,
    ) -> CallList:  # fmt: skip
        """At most `limit` calls of a span that pass a filter, the newest first; behind `after` the next ones.

        Raises `QueryCancelled` soon after `cancel` is set.
        """
        ...

    def count_calls(self, text: str, span: Span, *, cancel: threading.Event | None = None) -> int:
        """How many calls of a span pass a filter."""
        ...

    def check(self, text: str, tree: Expr | None = None) -> None:
        """Parse and type-check only; `tree` is what the text stands for where it is no plain query."""
        ...

    def type_of(self, metric: str) -> SampleType | None:
        """What kind of samples a metric has; `None` for metrics of calls, and where nobody has sent any."""
        ...

    def complete(self, text: str, cursor: int) -> list[Completion]:
        """Ways to go on at a cursor position, best first."""
        ...
