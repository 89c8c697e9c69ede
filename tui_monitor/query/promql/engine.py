"""The engine: an expression, asked of a storage, at one instant or over a range."""

import threading
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from tui_monitor.model.clock import Clock, Micros, SystemClock
from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.annotations import Annotations
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import Expr, ValueType
from tui_monitor.query.promql.evaluate.context import Context, Semantics
from tui_monitor.query.promql.evaluate.evaluator import evaluated
from tui_monitor.query.promql.evaluate.merging import finished
from tui_monitor.query.promql.labels import Labels, remembered
from tui_monitor.query.promql.limits import Budget, Limits
from tui_monitor.query.promql.lowering import is_measured
from tui_monitor.query.promql.parser import parsed
from tui_monitor.query.promql.storage import Storage
from tui_monitor.query.promql.typecheck import NAMES, type_of
from tui_monitor.query.promql.values import Vector
from tui_monitor.query.windows import Windows

if TYPE_CHECKING:
    from tui_monitor.query.summaries import Summaries


@dataclass(slots=True)
class Engine:
    """Answers PromQL. One instance serves any number of threads.

    A text is read strictly; a `tree` stands for what is no plain PromQL.
    """

    storage: Storage
    semantics: Semantics = field(default_factory=Semantics)
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=SystemClock)
    summaries: "Summaries | None" = None
    """What answers short forms, where they are asked."""

    def instant(
        self, text: str, at: Micros, *, cancel: threading.Event | None = None,
        budget: Budget | None = None, tree: Expr | None = None,
    ) -> Answer:  # fmt: skip
        """The answer at one instant (µs). Raises `QueryError` and the errors of `limits`.

        `budget` is what is left for it, where the asker keeps count; else it is all of the limits.
        """
        tree = tree or parsed(text)
        budget = budget or self._budget(cancel)
        context = self._context(text, np.array([at], dtype=np.int64), budget, instant=True)
        return self._answer(context, tree, type_of(tree))

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *,
        cancel: threading.Event | None = None, budget: Budget | None = None,
    ) -> Answer:  # fmt: skip
        """The answers at `start`, `start + step` … up to `end` (µs); otherwise as `instant`."""
        if step <= 0 or end < start:
            raise QueryError("a range needs an end after its start, and a step above 0")
        budget = budget or self._budget(cancel)
        budget.steps((end - start) // step + 1)
        return self.over(text, np.arange(start, end + 1, step, dtype=np.int64), budget=budget)

    def over(
        self, text: str, instants: np.ndarray, *, cancel: threading.Event | None = None,
        budget: Budget | None = None, tree: Expr | None = None, chart: Windows | None = None,
    ) -> Answer:  # fmt: skip
        """The answers at any ascending instants (int64 µs); otherwise as `range`.

        Short forms are taken over the windows of a `chart`, which end at the instants.
        """
        budget = budget or self._budget(cancel)
        budget.steps(len(instants))
        tree = tree or parsed(text)
        kind = type_of(tree)
        if kind not in (ValueType.SCALAR, ValueType.VECTOR):
            raise QueryError(
                f"a range query is for numbers and instant vectors, not for {NAMES[kind]}",
                text=text, position=tree.place.start, length=tree.place.length,
            )  # fmt: skip
        context = self._context(text, instants, budget, instant=False)
        context = replace(context, chart=chart)
        return self._answer(context, tree, ValueType.MATRIX)

    def _budget(self, cancel: threading.Event | None) -> Budget:
        return Budget(self.limits, self.clock, cancel or threading.Event())

    def _context(self, text: str, instants: np.ndarray, budget: Budget, *, instant: bool) -> Context:
        first, last = int(instants[0]), int(instants[-1])
        return Context(
            self.storage, instants, first, last, instant, self.semantics,
            budget, Annotations(text), self.summaries,
        )  # fmt: skip

    def _answer(self, context: Context, tree: Expr, kind: ValueType) -> Answer:
        value = evaluated(context, tree)
        if isinstance(value, Vector):
            value = finished(context, value, tree.place)
            # A short form also tells of what it knows nothing.
            value = value if is_measured(tree) else value.pruned()
            # Of one instant the order may be what was asked for.
            value = _by_labels(value) if kind is ValueType.MATRIX else value
        notes = context.annotations
        return Answer(kind, context.instants, value, notes.warnings, notes.infos)


def _by_labels(vector: Vector) -> Vector:
    order = remembered(vector.labels, "order", lambda: _order(vector.labels))
    return vector if order is None else vector.rows(order)


def _order(labels: list[Labels]) -> np.ndarray | None:
    """The rows in the order of their labels; `None` where that is how they are."""
    if all(before <= after for before, after in pairwise(labels)):
        return None
    return np.array(sorted(range(len(labels)), key=labels.__getitem__), dtype=np.int64)
