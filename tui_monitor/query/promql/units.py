"""The unit of an expression, as far as its metrics and functions tell it; empty where they do not."""

from tui_monitor.query.known import unit_of_name
from tui_monitor.query.metrics import BY_NAME, unit_after
from tui_monitor.query.promql.ast import (
    ARITHMETIC,
    COMPARISONS,
    SETS,
    Aggregate,
    Binary,
    Call,
    Expr,
    Number,
    Paren,
    Range,
    Selector,
    Subquery,
    Summary,
    Unary,
    ValueType,
    bare,
)
from tui_monitor.query.promql.derived import TABLE, Form
from tui_monitor.query.promql.typecheck import type_of
from tui_monitor.query.units import UnitError, combine

_PER_SECOND = frozenset({"rate", "irate", "deriv"})
_KEPT = frozenset(
    {
        "increase", "delta", "idelta", "avg_over_time", "sum_over_time", "min_over_time", "max_over_time",
        "last_over_time", "first_over_time", "quantile_over_time", "stddev_over_time", "mad_over_time",
        "histogram_quantile", "histogram_sum", "histogram_avg", "histogram_stddev", "abs", "ceil", "floor",
        "round", "clamp", "clamp_min", "clamp_max", "sort", "sort_desc", "sort_by_label",
        "sort_by_label_desc", "label_replace", "label_join", "predict_linear",
        "double_exponential_smoothing", "holt_winters", "baseline",
    }
)  # fmt: skip
"""Functions whose results are in the unit of what they are given."""
_SAME = frozenset(
    {"sum", "avg", "min", "max", "stddev", "topk", "bottomk", "quantile", "limitk", "limit_ratio"}
)
_CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
"""Those that leave series as they are."""
_OF_HISTOGRAM = frozenset({"histogram_quantile", "histogram_avg", "histogram_stddev"})
"""Read from a distribution, whether it was counted per second or not."""


def unit_of(node: Expr) -> str:
    """The unit by `model`'s names: `ms`, `s`, `usd`, `tokens`, `usd/s` …"""
    match node:
        case Number():
            return node.unit
        case Summary():
            return _summarised(node)
        case Selector():
            return _of_name(node.name)
        case Range():
            return unit_of(node.selector)
        case Subquery() | Paren() | Unary():
            return unit_of(node.expr)
        case Aggregate():
            return unit_of(node.expr) if node.op in _SAME else ""
        case Call():
            return _called(node)
        case Binary():
            return _combined(node)
    return ""


def _summarised(node: Summary) -> str:
    metric = BY_NAME.get(node.metric)
    if metric is None:
        return unit_after(unit_of_name(node.metric), node.how)
    return unit_after(metric.unit, node.how or metric.default_aggregate)


def _of_name(name: str) -> str:
    found = TABLE.get(name)
    if found is None:
        stem = name.removesuffix("_sum")
        return "" if name.endswith(("_bucket", "_count")) else unit_of_name(stem)
    return "" if found.form in (Form.COUNT, Form.BUCKET) else found.metric.unit


def bounds_unit(node: Expr) -> str:
    """The unit of the bounds in `le` of an expression made of classic buckets, whose values are counts."""
    match node:
        case Selector():
            found = TABLE.get(node.name)
            if found is not None:
                return found.metric.unit if found.form is Form.BUCKET else ""
            stem = node.name.removesuffix("_bucket")
            return unit_of_name(stem) if stem != node.name else ""
        case Range():
            return bounds_unit(node.selector)
        case Subquery() | Paren() | Unary():
            return bounds_unit(node.expr)
        case Binary():
            return bounds_unit(node.left) or bounds_unit(node.right)
        case Aggregate():
            return bounds_unit(node.expr) if node.op in _SAME and _keeps_bounds(node) else ""
        case Call() if node.function in _PER_SECOND | _KEPT - _OF_HISTOGRAM:
            return next((unit for unit in map(bounds_unit, node.args) if unit), "")
    return ""


def _keeps_bounds(node: Aggregate) -> bool:
    """Whether its series have the label `le`: added up over that, they are no buckets any more."""
    return node.op in _CHOOSING or ("le" in node.grouping) is not node.without


def _called(node: Call) -> str:
    given = [unit for unit in map(unit_of, node.args) if unit]
    inner = given[0] if given else ""
    if node.function in _PER_SECOND:
        return f"{inner}/s" if inner else ""
    if node.function in _OF_HISTOGRAM:
        bounds = next((unit for unit in map(bounds_unit, node.args) if unit), "")
        return bounds or inner.removesuffix("/s")
    return inner if node.function in _KEPT else ""


def _combined(node: Binary) -> str:
    left, right = unit_of(node.left), unit_of(node.right)
    if node.op in SETS:
        return left if left == right or node.op != "or" else ""
    if node.op == "atan2" or node.op not in (*ARITHMETIC, *COMPARISONS):
        return ""
    try:
        unit, *factors = combine(node.op, left, right, truth=node.returns_bool, flipped=flipped(node))
    except UnitError:
        return ""
    # Of PromQL's own vectors nothing is brought into another unit.
    return unit if node.finite or factors == [1.0, 1.0] else ""


def flipped(node: Binary) -> bool:
    """Whether the values of a comparison are those of its right side."""
    return type_of(node.left) is ValueType.SCALAR and type_of(node.right) is not ValueType.SCALAR


def metric_of(node: Expr) -> str:
    """The metric whose values an expression gives, where it is those of one."""
    node = bare(node)
    match node:
        case Selector():
            return node.name
        case Summary():
            return node.metric
        case Binary() if node.op in COMPARISONS and not node.returns_bool:
            return metric_of(node.right if flipped(node) else node.left)
    return ""
