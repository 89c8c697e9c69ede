"""What the operators do with floats."""

from collections.abc import Callable

import numpy as np

_Operation = Callable[[np.ndarray, np.ndarray], np.ndarray]

COMPUTE: dict[str, _Operation] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
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
