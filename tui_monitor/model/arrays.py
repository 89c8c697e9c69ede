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
