"""Short forms answered by the store itself: exactly, from the coarsest layer that can."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tui_monitor.query import catalog, events, samples
from tui_monitor.query.calls import CallQuery
from tui_monitor.query.context import Context
from tui_monitor.query.context import Vector as Found
from tui_monitor.query.matching import Matching
from tui_monitor.query.metrics import LABEL_ALIASES, Sampled
from tui_monitor.query.promql.ast import Summary
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.values import Vector
from tui_monitor.query.windows import DEFAULT_RANGE, Windows, window_of


@dataclass(frozen=True, slots=True)
class Summaries:
    """The short forms of one query."""

    context: Context

    def check(self, node: Summary) -> None:
        """Raise `QueryError` for a metric that nobody knows, and for an aggregate without a meaning."""
        metric, _ = catalog.resolve(node, self.context)
        aliases = {} if isinstance(metric, Sampled) or metric.source != "calls" else LABEL_ALIASES
        Matching(node.matchers, aliases, self.context.text)

    def over(self, node: Summary, windows: Windows) -> Vector:
        """One value for each window of a chart. Raises `QueryError` and `StoreError`."""
        return _vector(self._answer(node, windows.earlier(node.offset)))

    def at(self, node: Summary, instants: np.ndarray, proceed: Callable[[], None]) -> Vector:
        """The value over the node's own window before each instant (int64 µs, ascending).

        `proceed` is asked between windows that are answered one by one. Raises what it raises, `QueryError`
        and `StoreError`.
        """
        length = node.window or DEFAULT_RANGE
        if len(instants) > 1 and not isinstance(length, str) and (np.diff(instants) == length).all():
            edges = np.append(instants[0] - length, instants) - node.offset
            return _vector(self._answer(node, Windows(edges, length)))
        found: list[Found] = []
        for instant in instants.tolist():
            proceed()
            found.append(self._answer(node, window_of(node, instant, self.context.calendar)))
        return _vector(_side_by_side(found))

    def _answer(self, node: Summary, windows: Windows) -> Found:
        metric, how = catalog.resolve(node, self.context)
        if isinstance(metric, Sampled):
            return samples.answer(metric, node, how, windows, self.context)
        if metric.source != "calls":
            return events.answer(metric, node, how, windows, self.context)
        return CallQuery(metric, node, how, self.context).answer(windows)


def _side_by_side(found: list[Found]) -> Found:
    """Answers of one window each as one of many."""
    if len(found) == 1:
        return found[0]
    rows: dict[Labels, int] = {}
    for one in found:
        for labels in one.labels:
            rows.setdefault(labels, len(rows))
    table = np.full((len(rows), len(found)), np.nan)
    for column, one in enumerate(found):
        table[[rows[labels] for labels in one.labels], column] = one.values[:, 0]
    return Found(list(rows), table)


def _vector(found: Found) -> Vector:
    """As the evaluator has it: an unknown label is none, and what is unknown is not there."""
    known = ~np.isnan(found.values)
    labels = [tuple(pair for pair in of if pair[1]) for of in found.labels]
    return Vector(labels, found.values, known)
