"""Sums of floats."""

import math

import numpy as np


def exact_sum(values: np.ndarray) -> float:
    """The sum rounded once; as floats add where it is not finite on the way."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        with np.errstate(all="ignore"):
            return float(np.sum(values))
