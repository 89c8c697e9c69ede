"""How far a projected month may lie off: an interval about the linear projection."""

import math
from collections.abc import Sequence
from itertools import pairwise

LEAST_DAYS = 5
"""Whole days that are needed before a spread can be told."""
_NINE_IN_TEN = 1.2815515655446004
"""The quantile of the normal distribution that nine in ten lie below: 8 in 10 lie within both sides."""
_MOST_LIKE = 0.7
"""The likeness of a day and the next counts no higher: more cannot be told from a few days."""


def spread(days: Sequence[float], rest: float) -> float | None:
    """Half the width of the interval that the spend of `rest` further days lies in, 8 times in 10.

    The prediction interval of a sum of `rest` values about their mean, estimated from n of them:

        t · s · √(rest · f · (1 + rest ÷ n)),   f = (1 + r) ÷ (1 − r)

    with s the standard deviation of the days, t Student's quantile of n − 1 degrees (expansion of Fisher and
    Cornish, Abramowitz & Stegun 26.7.5), and r the correlation of a day with the next one, corrected for its
    bias in short series (r + (1 + 4 r) ÷ n, Marriott & Pope 1954): dear days come together. In the unit of
    `days`; unknown with fewer than `LEAST_DAYS`.
    """
    count = len(days)
    if count < LEAST_DAYS:
        return None
    mean = math.fsum(days) / count
    off = [day - mean for day in days]
    squares = math.fsum(value * value for value in off)
    if not squares:
        return 0.0
    alike = math.fsum(a * b for a, b in pairwise(off)) / squares
    alike = min(max(alike + (1 + 4 * alike) / count, 0.0), _MOST_LIKE)
    together = (1 + alike) / (1 - alike)
    deviation = math.sqrt(squares / (count - 1))
    return _student(count - 1) * deviation * math.sqrt(rest * together * (1 + rest / count))


def _student(degrees: int) -> float:
    z, v = _NINE_IN_TEN, float(degrees)
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3
