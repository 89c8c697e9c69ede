"""Operations on two values: numbers, a vector and a number, or two vectors."""

import numpy as np

from tui_monitor.query.promql.ast import COMPARISONS, SETS, Binary, Matching
from tui_monitor.query.promql.evaluate import matching
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.evaluate.merging import nameless
from tui_monitor.query.promql.evaluate.operators import COMPARE, COMPUTE
from tui_monitor.query.promql.native import operators as native
from tui_monitor.query.promql.values import Scalar, Value, Vector


def applied(context: Context, node: Binary, left: Value, right: Value) -> Value:
    """The result of an operation whose types have been checked."""
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return Scalar(_numbers(node.op, left.values, right.values))
    found = _of_vectors(context, node, left, right)
    if node.finite and found.histograms is None:
        found.present = found.present & np.isfinite(found.values)
        return found.pruned() if node.op in COMPARISONS else found
    return found


def _of_vectors(context: Context, node: Binary, left: Value, right: Value) -> Vector:
    if isinstance(left, Vector) and isinstance(right, Vector):
        if node.op in SETS:
            return matching.combined(context, node, node.matching or Matching(), left, right)
        return matching.matched(context, node, node.matching or Matching(), left, right)
    if isinstance(left, Vector) and isinstance(right, Scalar):
        return _with_number(context, node, left, right.values, swapped=False)
    assert isinstance(left, Scalar)
    assert isinstance(right, Vector)
    return _with_number(context, node, right, left.values, swapped=True)


def _numbers(op: str, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        if op in COMPARE:
            return COMPARE[op](left, right).astype(np.float64)
        return COMPUTE[op](left, right)


def _with_number(
    context: Context, node: Binary, vector: Vector, number: np.ndarray, *, swapped: bool
) -> Vector:
    """A vector and a number; `swapped` where the number stands first."""
    other = np.broadcast_to(number, vector.values.shape)
    sides = (other, vector.values) if swapped else (vector.values, other)
    is_float = vector.is_float()
    histograms = None
    if node.op not in COMPUTE and node.op not in COMPARE:
        values, present = vector.values, np.zeros_like(is_float)
    elif node.op in COMPARISONS:
        with np.errstate(all="ignore"):
            true = COMPARE[node.op](*sides)
        values = true.astype(np.float64) if node.returns_bool else vector.values
        present = is_float if node.returns_bool else is_float & true
    else:
        values, present = _numbers(node.op, *sides), is_float
    if vector.histograms is not None:
        histograms = native.with_number(context, node, vector, number, swapped=swapped)
        present = present | (histograms != np.array(None))
    elif node.op not in COMPUTE and node.op not in COMPARE and is_float.any():
        native.incompatible(context, node, "float", "float")
    result = Vector(list(vector.labels), values, present, histograms, vector.unnamed)
    result = result if node.finite else result.pruned()
    if node.op in ("</", ">/") or (node.op in COMPARISONS and not node.returns_bool):
        return result
    return nameless(context, result, node.place)
