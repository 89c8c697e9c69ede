"""What the operators do with floats."""

from collections.abc import Callable

import numpy as np

_Operation = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _power(base: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """As IEEE 754 has it: numpy takes a square root for 0.5, which minus infinity has none of."""
    found = np.power(base, exponent)
    return np.where(exponent == 0.5, np.where(np.isneginf(base), np.inf, found + 0.0), found)


COMPUTE: dict[str, _Operation] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": _power,
    "atan2": np.arctan2,
}
"""Arithmetic; % has the sign of the dividend."""
COMPARE: dict[str, _Operation] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    ">": np.greater,
    "<=": np.less_equal,
    ">=": np.greater_equal,
}
