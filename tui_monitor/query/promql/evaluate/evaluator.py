"""The walk over the tree: each node becomes a value over all instants at once."""

import numpy as np

from tui_monitor.model.clock import DAY
from tui_monitor.query.promql import values
from tui_monitor.query.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    Given,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Summary,
    Text,
    Unary,
    ValueType,
    bare,
)
from tui_monitor.query.promql.evaluate import aggregating, binary, edges, selecting
from tui_monitor.query.promql.evaluate.calling import Calling
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.evaluate.merging import merged, nameless
from tui_monitor.query.promql.functions.extended import extended
from tui_monitor.query.promql.functions.table import TABLE, Function
from tui_monitor.query.promql.functions.usual import days_of
from tui_monitor.query.promql.native import arithmetic
from tui_monitor.query.promql.storage import Grouping
from tui_monitor.query.promql.values import Scalar, Value, Vector, Windows

_KEEPS_NAMES = frozenset({"last_over_time", "first_over_time"})


def evaluated(context: Context, node: Expr) -> Value:
    """The value of an expression whose types have been checked. Raises `QueryError` and `MonitorError`."""
    context.budget.check()
    node = bare(node)
    match node:
        case Number():
            return Scalar(np.full(context.steps, node.value))
        case Text():
            return values.Text(node.value)
        case Selector(edges="smoothed"):
            return edges.smoothed_instant(context, node)
        case Selector():
            return selecting.instant(context, node)
        case Range():
            return selecting.windows(context, node, list(context.storage.sources))
        case Summary() | Given() | Paren():
            return _summarised(context, node)
        case Subquery():
            return _subquery(context, node)
        case Unary():
            return _signed(context, node)
        case Call():
            return _called(context, node)
        case Aggregate():
            return _aggregated(context, node)
        case Binary():
            return binary.applied(
                context, node, evaluated(context, node.left), evaluated(context, node.right)
            )


def vector_of(context: Context, node: Expr) -> Vector:
    """The value of an expression that is an instant vector."""
    found = evaluated(context, node)
    assert isinstance(found, Vector)
    return found


def _summarised(context: Context, node: Expr) -> Vector:
    assert isinstance(node, Summary), "words of rules are replaced before"
    assert context.summaries is not None, "short forms are asked of what answers them"
    if context.chart is not None:
        found = context.summaries.over(node, context.chart)
    else:
        found = context.summaries.at(node, context.instants, context.budget.check)
    context.budget.spend(len(found), found.present.size)
    return found


def _subquery(context: Context, node: Subquery) -> Windows:
    at = selecting.resolution(context, node)
    inner = vector_of(context.over(at), node.expr) if len(at) else values.empty(0)
    return selecting.resampled(context, node, inner, at)


def _signed(context: Context, node: Unary) -> Value:
    value = evaluated(context, node.expr)
    if node.op == "+" or not isinstance(value, Scalar | Vector):
        return value
    if isinstance(value, Scalar):
        return Scalar(-value.values)
    histograms = arithmetic.each(value.histograms, lambda one: arithmetic.scaled(one, -1.0))
    negative = Vector(value.labels, -value.values, value.present, histograms)
    return nameless(context, negative, node.place)


def _aggregated(context: Context, node: Aggregate) -> Vector:
    inner = bare(node.expr)
    if node.op == "sum" and isinstance(inner, Call):
        vector = _called(context, inner, Grouping(node.grouping, node.without))
        assert isinstance(vector, Vector)
    elif node.op == "sum" and isinstance(inner, Selector) and inner.edges != "smoothed":
        vector = selecting.instant(context, inner, summed=Grouping(node.grouping, node.without))
    else:
        vector = vector_of(context, node.expr)
    param = None if node.param is None else evaluated(context, node.param)
    assert not isinstance(param, Vector | Windows)
    return aggregating.aggregated(context, node, vector, param)


def _called(context: Context, node: Call, summed: Grouping | None = None) -> Value:
    function = TABLE[node.function]
    if node.function == "timestamp" and isinstance(bare(node.args[0]), Selector):
        selector = bare(node.args[0])
        assert isinstance(selector, Selector)
        sampled = selecting.instant(context, selector, with_times=True)
        return _named(context, node, function, Calling(context, node, [sampled]))
    if node.function == "info":
        return function.implementation()(Calling(context, node, [evaluated(context, node.args[0])]))
    if node.function == "baseline":
        return _named(context, node, function, _on_past_days(context, node))
    if any(isinstance(bare(argument), Range) for argument in node.args):
        return _ranged(context, node, function, summed)
    args = [evaluated(context, argument) for argument in node.args]
    return _named(context, node, function, Calling(context, node, args))


def _on_past_days(context: Context, node: Call) -> Calling:
    """What the first argument was on each of the past days, as so many arguments."""
    texts = [evaluated(context, argument) for argument in node.args[1:]]
    days = days_of(Calling(context, node, texts))
    past = [vector_of(context.earlier(day * DAY), node.args[0]).floats() for day in range(1, days + 1)]
    return Calling(context, node, list(past))


def _ranged(context: Context, node: Call, function: Function, summed: Grouping | None) -> Value:
    """A function of a range selector, which some sources answer themselves."""
    index = next(i for i, argument in enumerate(node.args) if isinstance(bare(argument), Range))
    selected = bare(node.args[index])
    assert isinstance(selected, Range)
    if selected.selector.edges:
        result = extended(Calling(context, node, []))
        return nameless(context, result.pruned(), node.place)
    args = [evaluated(context, argument) if i != index else None for i, argument in enumerate(node.args)]
    given, rest = selecting.answered(context, selected, node.function, args, summed)
    args[index] = selecting.windows(context, selected, rest, node.function)
    calling = Calling(context, node, [one for one in args if one is not None])
    result = _named(context, node, function, calling)
    if not given or not isinstance(result, Vector):
        return result
    exact = values.joined(given, context.steps)
    if node.function not in _KEEPS_NAMES:
        exact = nameless(context, exact, node.place)
    return merged(context, values.joined([exact, result], context.steps), node.place)


def _named(context: Context, node: Call, function: Function, calling: Calling) -> Value:
    """The result, its names gone where a function makes another metric of them."""
    result = function.implementation()(calling)
    if isinstance(result, Scalar | values.Text | Windows):
        return result
    result = result.pruned()
    context.budget.spend(len(result), result.present.size)
    if function.module in ("labels", "sorting", "absence") or function.returns is not ValueType.VECTOR:
        return result
    if node.function in _KEEPS_NAMES:
        return result
    return nameless(context, result, node.place)
