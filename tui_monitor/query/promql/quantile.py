"""Quantiles of samples, with linear interpolation between ranks."""

import numpy as np


def quantiles(values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """One quantile of each row (rows, count); NaN is less than every number.

    Below 0 it is -∞, above 1 +∞, and NaN stays NaN.
    """
    count = values.shape[1]
    ordered = np.sort(values, axis=1)
    unknown = np.isnan(values).sum(axis=1)
    rank = np.clip(np.where(np.isnan(wanted), 0.0, wanted), 0.0, 1.0) * (count - 1)
    below = np.floor(rank).astype(np.int64)
    weight = rank - below
    rows = np.arange(len(values))

    def at(place: np.ndarray) -> np.ndarray:
        # numpy sorts NaN to the end, here it is first.
        shifted = place - unknown
        return np.where(shifted < 0, np.nan, ordered[rows, np.maximum(shifted, 0)])

    with np.errstate(invalid="ignore"):
        found = at(below) * (1 - weight) + at(np.minimum(below + 1, count - 1)) * weight
    found = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, found))
    return np.where(np.isnan(wanted), np.nan, found)
