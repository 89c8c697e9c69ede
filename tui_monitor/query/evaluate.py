"""Walks the tree of a query: checks it, and works out its value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from tui_monitor.model.errors import QueryError
from tui_monitor.query import catalog, events, samples
from tui_monitor.query.ast import COMPARISONS, Aggregate, Binary, Given, Node, Number, Selector, Unary
from tui_monitor.query.calls import CallQuery
from tui_monitor.query.context import Context, Vector
from tui_monitor.query.matching import Matching
from tui_monitor.query.metrics import LABEL_ALIASES, Sampled, unit_after
from tui_monitor.query.units import UnitError, combine
from tui_monitor.query.windows import Windows

Placing = Callable[[Selector], Windows]
"""The windows of a selector."""

_ARITHMETIC: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
}
_COMPARE: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a node will answer: the unit, and the labels of its series; `None` for a number."""

    unit: str
    by: frozenset[str] | None


def check(node: Node, context: Context) -> Shape:
    """What the query will answer. Raises `QueryError` for one that has no meaning."""
    match node:
        case Number():
            return Shape(node.measured_in, None)
        case Unary():
            return check(node.operand, context)
        case Aggregate():
            metric, how = catalog.resolve(node, context)
            aliases = {} if isinstance(metric, Sampled) or metric.source != "calls" else LABEL_ALIASES
            Matching(node.of.matchers, aliases, context.text)
            return Shape(unit_after(metric.unit, how), frozenset(node.by))
        case Given():
            raise _only_in_rules(node, context)
        case Binary():
            return _check_binary(node, check(node.left, context), check(node.right, context), context)


def _only_in_rules(node: Given, context: Context) -> QueryError:
    return context.error(f"{node.name} stands in the condition of an alert rule only", node.place)


def _check_binary(node: Binary, left: Shape, right: Shape, context: Context) -> Shape:
    numbers = left.by is None and right.by is None
    if numbers and node.op in COMPARISONS and not node.truth:
        raise context.error(
            "a comparison of two numbers filters nothing", node.place, hint=f"write {node.op} bool for 1 or 0"
        )
    if left.by is not None and right.by is not None and left.by != right.by:
        raise context.error(
            f"the sides are grouped differently: {_grouped(left.by)} and {_grouped(right.by)}",
            node.place,
            hint="give both the same by(…)",
        )
    by = left.by if left.by is not None else right.by
    unit = _combine(node, left.unit, right.unit, context, flipped=left.by is None and right.by is not None)[0]
    return Shape(unit, by)


def _grouped(by: frozenset[str]) -> str:
    return f"by({', '.join(sorted(by))})" if by else "not at all"


def _combine(
    node: Binary, left: str, right: str, context: Context, *, flipped: bool
) -> tuple[str, float, float]:
    try:
        return combine(node.op, left, right, truth=node.truth, flipped=flipped)
    except UnitError as error:
        raise context.error(str(error), node.place) from None


def evaluate(node: Node, placing: Placing, count: int, context: Context) -> Vector:
    """The value of a node over `count` windows. Raises `QueryError` or `StoreError`."""
    match node:
        case Number():
            return Vector([()], np.full((1, count), node.value), node.measured_in, number=True)
        case Unary():
            inner = evaluate(node.operand, placing, count, context)
            return replace(inner, values=-inner.values) if node.op == "-" else inner
        case Aggregate():
            return _select(node, placing(node.of), context)
        case Given():
            raise _only_in_rules(node, context)
        case Binary():
            left = evaluate(node.left, placing, count, context)
            right = evaluate(node.right, placing, count, context)
            return _binary(node, left, right, context)


def _select(node: Aggregate, windows: Windows, context: Context) -> Vector:
    metric, how = catalog.resolve(node, context)
    if isinstance(metric, Sampled):
        return samples.answer(metric, node, how, windows, context)
    if metric.source != "calls":
        return events.answer(metric, node, how, windows, context)
    return CallQuery(metric, node, how, context).answer(windows)


def _binary(node: Binary, left: Vector, right: Vector, context: Context) -> Vector:
    flipped = left.number and not right.number
    unit, of_left, of_right = _combine(node, left.unit, right.unit, context, flipped=flipped)
    labels, lefts, rights = _paired(left, right)
    with np.errstate(all="ignore"):
        if node.op in COMPARISONS:
            values = _compared(node, lefts * of_left, rights * of_right, kept=rights if flipped else lefts)
        else:
            values = _ARITHMETIC[node.op](lefts * of_left, rights * of_right)
    metric = (right if flipped else left).metric if node.op in COMPARISONS else ""
    values = np.where(np.isfinite(values), values, np.nan)
    if node.op in COMPARISONS and not node.truth:
        some = np.flatnonzero(~np.isnan(values).all(axis=1))
        labels, values = [labels[i] for i in some.tolist()], values[some]
    return Vector(labels, values, unit, metric, left.number and right.number)


def _compared(node: Binary, left: np.ndarray, right: np.ndarray, *, kept: np.ndarray) -> np.ndarray:
    """A comparison keeps the values for which it holds, or says 1 or 0."""
    known = ~(np.isnan(left) | np.isnan(right))
    holds = _COMPARE[node.op](left, right)
    if node.truth:
        return np.where(known, holds.astype(np.float64), np.nan)
    return np.where(known & holds, kept, np.nan)


def _paired(left: Vector, right: Vector) -> tuple[list, np.ndarray, np.ndarray]:
    """Series with equal labels; a number stands beside every series."""
    if right.number:
        return left.labels, left.values, np.broadcast_to(right.values, left.values.shape)
    if left.number:
        return right.labels, np.broadcast_to(left.values, right.values.shape), right.values
    place = {labels: i for i, labels in enumerate(right.labels)}
    both = [i for i, labels in enumerate(left.labels) if labels in place]
    labels = [left.labels[i] for i in both]
    return labels, left.values[both], right.values[[place[one] for one in labels]]
