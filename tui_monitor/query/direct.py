"""Short forms of calls that stand alone, answered without an evaluator: what they are mostly asked as.

Several of one instant are answered together: those over the same window read what they look at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import Span
from tui_monitor.query.calls import CallQuery, gathered
from tui_monitor.query.context import Context
from tui_monitor.query.context import Vector as Found
from tui_monitor.query.metrics import BY_NAME, Metric
from tui_monitor.query.promql.ast import Summary, bare
from tui_monitor.query.promql.parser import read
from tui_monitor.query.promql.units import unit_of
from tui_monitor.query.result import Result, Series
from tui_monitor.query.windows import Windows, window_of
from tui_monitor.store.api import LAYER_LABELS

_LONG = 500
"""Characters of a text whose meaning is not remembered."""


@dataclass(frozen=True, slots=True)
class Direct:
    """A query that is a short form of calls and nothing more."""

    text: str
    node: Summary
    metric: Metric
    how: str
    unit: str


def direct(text: str) -> Direct | None:
    """The query as such a one; `None` where it is another, or wrong."""
    return _known(text) if len(text) <= _LONG else None


@lru_cache(maxsize=256)
def _known(text: str) -> Direct | None:
    try:
        tree = read(text)
    except QueryError:
        return None
    node = bare(tree)
    if not isinstance(node, Summary):
        return None
    metric = BY_NAME.get(node.metric)
    if metric is None or metric.source != "calls":
        return None
    how = node.how or metric.default_aggregate
    return Direct(text, node, metric, how, unit_of(tree)) if metric.allows(how) else None


def at_once(asked: Sequence[tuple[Direct, Context]], at: Micros, calendar: Calendar) -> list[Result]:
    """The answers at one instant, in their order; contexts are of one evaluation, but for their texts.

    Raises `QueryError`, `StoreError` and the errors of `limits`.
    """
    groups: dict[object, list[int]] = {}
    windows: list[Windows] = []
    queries: list[CallQuery] = []
    for place, (query, context) in enumerate(asked):
        window = window_of(query.node, at, calendar)
        found = CallQuery(query.metric, query.node, query.how, context)
        windows.append(window)
        queries.append(found)
        # Who picks calls, or must look at each, reads them as nobody else does.
        alone = place if query.node.matchers or found.singly else None
        groups.setdefault((window.span, _known_by(found.labels), alone), []).append(place)
    results: dict[int, Result] = {}
    for places in groups.values():
        for place, found in zip(
            places, _answers([queries[place] for place in places], windows[places[0]]), strict=True
        ):
            query, context = asked[place]
            results[place] = _result(query, context, "vector", (at,), found, context.span())
    return [results[place] for place in range(len(asked))]


def over(query: Direct, context: Context, windows: Windows) -> Result:
    """The answer in the windows of a chart. Raises as `at_once`."""
    context.budget.steps(len(windows))
    found = CallQuery(query.metric, query.node, query.how, context).answer(windows.earlier(query.node.offset))
    context.budget.spend(*_size(found))
    times: tuple[Micros, ...] = tuple(windows.edges[1:].tolist())
    return _result(query, context, "matrix", times, found, windows.span)


def _known_by(labels: Sequence[str]) -> tuple[bool, ...]:
    """Which layers know these labels."""
    return tuple(known is None or known.issuperset(labels) for known in LAYER_LABELS.values())


def _answers(queries: list[CallQuery], windows: Windows) -> list[Found]:
    first = queries[0].context
    found: list[Found] = []
    for query, sums in zip(queries, gathered(queries, windows), strict=True):
        if query.context is not first:
            query.context.layers |= first.layers
            query.context.spans += first.spans
        answer = query.found(sums)
        query.context.budget.spend(*_size(answer))
        found.append(answer)
    return found


def _size(found: Found) -> tuple[int, int]:
    return len(found.labels), found.values.size


def _result(
    query: Direct, context: Context, kind: Literal["vector", "matrix"], times: tuple[Micros, ...],
    found: Found, span: Span | None,
) -> Result:  # fmt: skip
    table = found.values.astype(object)
    table[~np.isfinite(found.values)] = None
    series = sorted(map(Series, found.labels, map(tuple, table.tolist())), key=lambda one: one.labels)
    return Result(
        query.text, kind, times, tuple(series), query.unit, query.node.metric, tuple(context.warnings), span,
        context.layers_used(),
    )  # fmt: skip
