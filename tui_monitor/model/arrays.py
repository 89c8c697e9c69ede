"""What several layers do with arrays of numbers."""

import numpy as np

_SPARSE = 65_536


def distinct(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different numbers, in order, and which of them each is.

    Numbers that lie close are not sorted.
    """
    if not len(numbers):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    least, most = int(numbers.min()), int(numbers.max())
    if most - least > 4 * len(numbers) + _SPARSE:
        return np.unique(numbers, return_inverse=True)
    moved = numbers - least
    there = np.zeros(most - least + 1, dtype=bool)
    there[moved] = True
    return np.flatnonzero(there) + least, (np.cumsum(there) - 1)[moved]


def merged(
    rows: np.ndarray, buckets: np.ndarray, counts: np.ndarray, room: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same counts with each bucket of a row once, in order.

    They are left as they are where a table of all buckets has more than `room` places for each count.
    """
    if not len(rows):
        return rows, buckets, counts
    least = int(buckets.min())
    span = int(buckets.max()) - least + 1
    size = (int(rows.max()) + 1) * span
    if size > room * len(rows):
        return rows, buckets, counts
    codes = rows.astype(np.int64) * span
    codes += buckets
    codes -= least
    # As floats, counts are exact up to 2**53.
    table = np.bincount(codes, weights=counts, minlength=size)
    found = np.flatnonzero(table)
    return found // span, found % span + least, table[found].astype(np.int64)
