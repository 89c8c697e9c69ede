"""Aggregations over series: all steps of all groups at once."""

from collections.abc import Callable

import numpy as np

from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql import quoting
from tui_monitor.query.promql.ast import Aggregate, bare
from tui_monitor.query.promql.evaluate import choosing
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.evaluate.grouping import Groups, grouped
from tui_monitor.query.promql.evaluate.merging import merged
from tui_monitor.query.promql.labels import Labels, replaced
from tui_monitor.query.promql.native import groups as native
from tui_monitor.query.promql.native.writing import shown
from tui_monitor.query.promql.quantile import quantiles
from tui_monitor.query.promql.sums import exact_sum
from tui_monitor.query.promql.values import Scalar, Text, Vector, empty

_LOST = 1e-9
_TAKES_HISTOGRAMS = frozenset({"sum", "avg", "count", "group", "count_values", "limitk", "limit_ratio"})


def aggregated(context: Context, node: Aggregate, vector: Vector, param: Scalar | Text | None) -> Vector:
    """The aggregation of a vector."""
    if isinstance(param, Scalar) and np.isnan(param.values).any() and node.op in choosing.CHOOSING:
        place = bare(node.param or node.expr).place
        what = "ratio" if node.op == "limit_ratio" else "number of series"
        raise QueryError(
            f"the {what} is NaN", text=context.annotations.text, position=place.start, length=place.length
        )
    if node.op not in _TAKES_HISTOGRAMS and vector.given is not None:
        context.annotations.inform(f"{node.op} left out histograms", node.expr.place)
        vector = vector.floats()
    if isinstance(param, Text):
        return _values_counted(context, node, vector, param.value)
    if not len(vector):
        return empty(context.steps)
    groups = grouped(vector, node.grouping, without_these=node.without)
    context.budget.spend(len(groups), vector.present.size)
    if node.op in choosing.CHOOSING:
        assert param is not None
        return choosing.chosen(context, node.op, vector, groups, param.values)
    if node.op == "quantile":
        assert param is not None
        return _quantile(context, node, vector, groups, param.values)
    result = _PLAIN[node.op](context, node, vector, groups)
    return merged(context, result, node.place).pruned()


def _reduced(operation: np.ufunc, cells: np.ndarray, groups: Groups) -> np.ndarray:
    """The operation over the rows of each group, at each step."""
    return operation.reduceat(cells[groups.order], groups.starts[:-1], axis=0)


def _result(groups: Groups, values: np.ndarray, present: np.ndarray) -> Vector:
    return Vector(groups.labels, values, present, None, groups.unnamed)


def _there(vector: Vector, groups: Groups) -> np.ndarray:
    return _reduced(np.logical_or, vector.present, groups)


def _sums(cells: np.ndarray, groups: Groups) -> np.ndarray:
    """Sums of the rows of each group, as exact as floats go also where great parts cancel out."""
    with np.errstate(all="ignore"):
        total = _reduced(np.add, cells, groups)
        parts = _reduced(np.add, np.abs(cells), groups)
    suspect = np.argwhere(np.isfinite(parts) & (np.abs(total) < _LOST * parts))
    for group, step in suspect.tolist():
        total[group, step] = exact_sum(cells[groups.rows(group), step])
    return total


def _float_cells(vector: Vector, other: float = 0.0) -> np.ndarray:
    return np.where(vector.present, vector.values, other)


def _sum(context: Context, node: Aggregate, vector: Vector, groups: Groups) -> Vector:
    if vector.given is not None:
        return native.totals(context, node, vector, groups, mean=False)
    return _result(groups, _sums(_float_cells(vector), groups), _there(vector, groups))


def _counts(vector: Vector, groups: Groups) -> np.ndarray:
    return _reduced(np.add, vector.present.astype(np.float64), groups)


def _avg(context: Context, node: Aggregate, vector: Vector, groups: Groups) -> Vector:
    if vector.given is not None:
        return native.totals(context, node, vector, groups, mean=True)
    cells, counts = _float_cells(vector), _counts(vector, groups)
    with np.errstate(all="ignore"):
        mean = _sums(cells, groups) / counts
        for group, step in np.argwhere(np.isinf(mean)).tolist():
            part = cells[groups.rows(group), step]
            if np.isfinite(part).all():
                mean[group, step] = exact_sum(part / counts[group, step])
    return _result(groups, mean, counts > 0)


def _extreme(operation: np.ufunc) -> "_Aggregation":
    def applied(context: Context, node: Aggregate, vector: Vector, groups: Groups) -> Vector:
        # NaN stands in for what is not there: fmin and fmax look past it.
        cells = _float_cells(vector, np.nan)
        return _result(groups, _reduced(operation, cells, groups), _there(vector, groups))

    return applied


def _count(context: Context, node: Aggregate, vector: Vector, groups: Groups) -> Vector:
    counts = _counts(vector, groups)
    return _result(groups, counts, counts > 0)


def _group(context: Context, node: Aggregate, vector: Vector, groups: Groups) -> Vector:
    there = _there(vector, groups)
    return _result(groups, np.ones(there.shape), there)


def _deviation(*, root: bool) -> "_Aggregation":
    def applied(context: Context, node: Aggregate, vector: Vector, groups: Groups) -> Vector:
        counts = _counts(vector, groups)
        sizes = np.diff(groups.starts)
        with np.errstate(all="ignore"):
            # From one of its own values on, so that equal values deviate by exactly 0.
            base = np.repeat(_first(vector, groups), sizes, axis=0)
            moved = np.where(vector.present, vector.values, 0.0)[groups.order] - base
            moved = np.where(vector.present[groups.order], moved, 0.0)
            mean = np.add.reduceat(moved, groups.starts[:-1], axis=0) / counts
            away = np.where(vector.present[groups.order], moved - np.repeat(mean, sizes, axis=0), 0.0)
            found = np.add.reduceat(away * away, groups.starts[:-1], axis=0) / counts
        return _result(groups, np.sqrt(found) if root else found, counts > 0)

    return applied


def _first(vector: Vector, groups: Groups) -> np.ndarray:
    """A value that is there, of each group at each step."""
    present = vector.present[groups.order]
    places = np.where(present, np.arange(len(present))[:, None], len(present))
    first = np.minimum(np.minimum.reduceat(places, groups.starts[:-1], axis=0), len(present) - 1)
    return vector.values[groups.order][first, np.arange(vector.steps)]


def _quantile(
    context: Context, node: Aggregate, vector: Vector, groups: Groups, wanted: np.ndarray
) -> Vector:
    if (~((wanted >= 0) & (wanted <= 1))).any() and node.param is not None:
        context.annotations.warn("a quantile is between 0 and 1", node.param.place)
    there = _there(vector, groups)
    found = np.zeros(there.shape)
    for group in range(len(groups)):
        context.budget.check()
        rows = groups.rows(group)
        present, cells = vector.present[rows], vector.values[rows]
        counts = present.sum(axis=0)
        # Steps with as many values are sorted together; those that are there go first.
        front = np.take_along_axis(cells, np.argsort(~present, axis=0, kind="stable"), axis=0)
        for count in np.unique(counts[counts > 0]).tolist():
            steps = np.flatnonzero(counts == count)
            found[group, steps] = quantiles(front[:count, steps].T, wanted[steps])
    return _result(groups, found, there).pruned()


def _values_counted(context: Context, node: Aggregate, vector: Vector, label: str) -> Vector:
    """Each value becomes a label; the groups are those of the labels and the value."""
    valid = quoting.is_label(label) if context.semantics.version == 2 else quoting.is_utf8(label) and label
    if not valid:
        place = (node.param or node).place
        raise QueryError(
            f"not a label's name: {quoting.quoted(label)}",
            text=context.annotations.text, position=place.start, length=place.length,
        )  # fmt: skip
    counts: dict[Labels, np.ndarray] = {}
    unnamed: dict[Labels, bool] = {}
    groups = grouped(vector, node.grouping, without_these=node.without)
    texts: dict[object, str] = {}
    for group, base in enumerate(groups.labels):
        for row in groups.rows(group).tolist():
            context.budget.check()
            for step in np.flatnonzero(vector.present[row]).tolist():
                histogram = None if vector.histograms is None else vector.histograms[row, step]
                key = repr(vector.values[row, step]) if histogram is None else histogram
                if key not in texts:
                    number = float(vector.values[row, step])
                    texts[key] = number_text(number) if histogram is None else shown(histogram)
                text = texts[key]
                labels = replaced(base, label, text)
                if labels not in counts:
                    context.budget.spend(len(counts) + 1, context.steps)
                    counts[labels] = np.zeros(context.steps)
                counts[labels][step] += 1
                unnamed[labels] = groups.unnamed is not None and bool(groups.unnamed[group])
    if not counts:
        return empty(context.steps)
    values = np.array(list(counts.values()))
    return Vector(list(counts), values, values > 0, None, np.array(list(unnamed.values())))


def number_text(value: float) -> str:
    """A float as a label and as the API write it: never with an exponent."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


_Aggregation = Callable[[Context, Aggregate, Vector, Groups], Vector]
_PLAIN: dict[str, _Aggregation] = {
    "sum": _sum,
    "avg": _avg,
    "min": _extreme(np.fmin),
    "max": _extreme(np.fmax),
    "count": _count,
    "group": _group,
    "stddev": _deviation(root=True),
    "stdvar": _deviation(root=False),
}
