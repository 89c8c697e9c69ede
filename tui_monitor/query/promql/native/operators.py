"""Operators where native histograms stand on a side."""

from collections.abc import Callable

import numpy as np

from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.promql.ast import Binary
from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.native import arithmetic
from tui_monitor.query.promql.native.trimming import trimmed
from tui_monitor.query.promql.values import Vector, there

_WORDS = {"+": "addition", "-": "subtraction"}
_Result = NativeHistogram | float | None


def incompatible(context: Context, node: Binary, left: str, right: str) -> None:
    """Remark that two kinds of samples have no such operation."""
    context.annotations.inform(f"{node.op} knows nothing of a {left} and a {right}", node.place)


def with_number(
    context: Context, node: Binary, vector: Vector, number: np.ndarray, *, swapped: bool
) -> np.ndarray:
    """What the histograms of a vector give with a number: histograms, where there is a result."""
    assert vector.histograms is not None
    out = np.full(vector.present.shape, None, dtype=object)
    for row, step in np.argwhere(vector.is_histogram()).tolist():
        found = _number(node.op, vector.histograms[row, step], float(number[step]), swapped=swapped)
        if found is None:
            sides = ("float", "histogram") if swapped else ("histogram", "float")
            incompatible(context, node, *sides)
        out[row, step] = found
    return out


def _number(op: str, histogram: NativeHistogram, number: float, *, swapped: bool) -> NativeHistogram | None:
    if op == "*":
        return arithmetic.scaled(histogram, number)
    if swapped:
        return None
    if op == "/":
        return arithmetic.divided(histogram, number)
    if op in ("</", ">/"):
        return trimmed(histogram, number, above=op == "</")
    return None


def of_pairs(
    context: Context, node: Binary, left: Vector, right: Vector, values: np.ndarray, present: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Values, presence and histograms where a cell of either side may be one."""
    out = np.full(present.shape, None, dtype=object)
    values, present = np.array(values), np.array(present)
    sides = [_objects(side) for side in (left, right)]
    both = left.present & right.present & (there(sides[0]) | there(sides[1]))
    for row, step in np.argwhere(both).tolist():
        a, b = sides[0][row, step], sides[1][row, step]
        x = a if a is not None else float(left.values[row, step])
        y = b if b is not None else float(right.values[row, step])
        found = _pair(context, node, x, y)
        if found is None:
            continue
        present[row, step] = True
        if isinstance(found, NativeHistogram):
            out[row, step] = found
        else:
            values[row, step] = found
    return values, present, out


def _objects(vector: Vector) -> np.ndarray:
    if vector.histograms is None:
        return np.full(vector.present.shape, None, dtype=object)
    return vector.histograms


def _pair(
    context: Context, node: Binary, left: NativeHistogram | float, right: NativeHistogram | float
) -> _Result:
    if isinstance(left, NativeHistogram) and isinstance(right, NativeHistogram):
        return _both(context, node, left, right)
    if isinstance(left, NativeHistogram):
        assert isinstance(right, float)
        found = _number(node.op, left, right, swapped=False)
        kinds = "histogram", "float"
    else:
        assert isinstance(right, NativeHistogram)
        found = _number(node.op, right, left, swapped=True)
        kinds = "float", "histogram"
    if found is None:
        incompatible(context, node, *kinds)
    return found


def _both(context: Context, node: Binary, left: NativeHistogram, right: NativeHistogram) -> _Result:
    if node.op in ("==", "!="):
        true = arithmetic.equal(left, right) is (node.op == "==")
        return float(true) if node.returns_bool else left if true else None
    combine: dict[str, Callable[[], NativeHistogram]] = {
        "+": lambda: arithmetic.total([left, right]),
        "-": lambda: arithmetic.difference(left, right),
    }
    if node.op not in combine:
        incompatible(context, node, "histogram", "histogram")
        return None
    try:
        found = combine[node.op]()
    except arithmetic.Incompatible:
        context.annotations.warn(
            "exponential histograms and those with bounds of their own do not add", node.place
        )
        return None
    if not arithmetic.same_bounds((left, right)):
        context.annotations.inform(
            f"different bounds were brought together for a {_WORDS[node.op]}", node.place
        )
    return found
