"""Sums and means of groups that have native histograms."""

import numpy as np

from tui_monitor.query.promql.ast import Aggregate
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.evaluate.grouping import Groups
from tui_monitor.query.promql.native import arithmetic
from tui_monitor.query.promql.native.matrix import Table
from tui_monitor.query.promql.sums import exact_sum
from tui_monitor.query.promql.values import Vector


def totals(context: Context, node: Aggregate, vector: Vector, groups: Groups, *, mean: bool) -> Vector:
    """The sum or the mean of each group at each step; nothing where it has floats and histograms."""
    table = _table(vector, groups, mean=mean)
    if table is not None:
        present = np.logical_or.reduceat(vector.present[groups.order], groups.starts[:-1], axis=0)
        return Vector(groups.labels, np.zeros(present.shape), present, table, groups.unnamed)
    shape = (len(groups), context.steps)
    values, present = np.zeros(shape), np.zeros(shape, dtype=bool)
    histograms = np.full(shape, None, dtype=object)
    is_histogram, is_float = vector.is_histogram(), vector.is_float()
    for group in range(len(groups)):
        context.budget.check()
        rows = groups.rows(group)
        for step in np.flatnonzero(vector.present[rows].any(axis=0)).tolist():
            floats = vector.values[rows, step][is_float[rows, step]]
            assert vector.histograms is not None
            found = vector.histograms[rows, step][is_histogram[rows, step]].tolist()
            if found and len(floats):
                context.annotations.warn("floats and histograms in one group give no result", node.expr.place)
                continue
            if found:
                try:
                    histograms[group, step] = arithmetic.total(found, len(found) if mean else 1.0)
                except arithmetic.Incompatible:
                    context.annotations.warn(
                        "exponential histograms and those with bounds of their own do not add",
                        node.expr.place,
                    )
                    continue
            else:
                values[group, step] = _float(floats, mean=mean)
            present[group, step] = True
    return Vector(groups.labels, values, present, histograms, groups.unnamed)


def _table(vector: Vector, groups: Groups, *, mean: bool) -> Table | None:
    """The sums as a table, where they are exact."""
    if vector.table is None or (mean and len(groups) < len(vector)):
        return None
    return vector.table.totals([groups.rows(group) for group in range(len(groups))], vector.present)


def _float(values: np.ndarray, *, mean: bool) -> float:
    count = len(values) if mean else 1
    found = exact_sum(values) / count
    return exact_sum(values / count) if np.isinf(found) and np.isfinite(values).all() else found
