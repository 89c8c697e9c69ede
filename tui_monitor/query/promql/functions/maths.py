"""Functions of single numbers. Histograms are left out."""

import math
from collections.abc import Callable

import numpy as np

from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.values import Scalar, Vector

_Each = Callable[[np.ndarray], np.ndarray]


def with_values(vector: Vector, values: np.ndarray) -> Vector:
    """The floats of a vector with other values."""
    return Vector(vector.labels, values, vector.present, None, vector.unnamed)


def _each(what: _Each) -> Implementation:
    def applied(call: Calling) -> Vector:
        floats = call.vector().floats()
        with np.errstate(all="ignore"):
            return with_values(floats, what(floats.values))

    return applied


def _round(call: Calling) -> Vector:
    """To the nearest multiple of the second argument; halves upwards."""
    floats = call.vector().floats()
    nearest = call.scalar(1) if len(call) > 1 else np.ones(call.context.steps)
    with np.errstate(all="ignore"):
        # A factor loses less than a division by 0.1 does.
        inverse = 1.0 / nearest
        return with_values(floats, np.floor(floats.values * inverse + 0.5) / inverse)


def _clamp(call: Calling) -> Vector:
    low, high = call.scalar(1), call.scalar(2)
    vector = _held(call, low, high)
    # Bounds in the wrong order hold nothing.
    vector.present = vector.present & ~(high < low)
    return vector


def _held(call: Calling, low: np.ndarray | float, high: np.ndarray | float) -> Vector:
    floats = call.vector().floats()
    # The lesser of two is what the greater is of their opposites.
    below = -_greater(-np.asarray(high), -floats.values)
    return with_values(floats, _greater(np.asarray(low), below))


def _greater(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """As in Go: infinity wins over NaN, and 0 is more than -0."""
    with np.errstate(invalid="ignore"):
        found = np.where((left == 0) & (right == 0), left + right, np.maximum(left, right))
    return np.where(np.isposinf(left) | np.isposinf(right), np.inf, found)


def _pi(call: Calling) -> Scalar:
    return Scalar(np.full(call.context.steps, math.pi))


def _sign(values: np.ndarray) -> np.ndarray:
    # A zero keeps its sign, as in Prometheus: 1 / sgn(-0) is -Inf.
    return np.where(values == 0, values, np.sign(values))


FUNCTIONS: dict[str, Implementation] = {
    "abs": _each(np.abs),
    "ceil": _each(np.ceil),
    "floor": _each(np.floor),
    "exp": _each(np.exp),
    "sqrt": _each(np.sqrt),
    "ln": _each(np.log),
    "log2": _each(np.log2),
    "log10": _each(np.log10),
    "sgn": _each(_sign),
    "sin": _each(np.sin),
    "cos": _each(np.cos),
    "tan": _each(np.tan),
    "asin": _each(np.arcsin),
    "acos": _each(np.arccos),
    "atan": _each(np.arctan),
    "sinh": _each(np.sinh),
    "cosh": _each(np.cosh),
    "tanh": _each(np.tanh),
    "asinh": _each(np.arcsinh),
    "acosh": _each(np.arccosh),
    "atanh": _each(np.arctanh),
    "deg": _each(np.degrees),
    "rad": _each(np.radians),
    "pi": _pi,
    "round": _round,
    "clamp": _clamp,
    "clamp_min": lambda call: _held(call, call.scalar(1), np.inf),
    "clamp_max": lambda call: _held(call, -np.inf, call.scalar(1)),
}
"""By name."""
