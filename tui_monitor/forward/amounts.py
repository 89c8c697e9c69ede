"""What a counter counts: a number, or how many observations fell into each bucket of a native histogram."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, NativeHistogram


@dataclass(frozen=True, slots=True)
class Buckets:
    """Observations by bucket, and their sum. Part of one may be negative, where it is a difference."""

    counts: Mapping[int, float] = field(default_factory=dict)
    """By index; `ZERO_BUCKET` is the zero bucket."""
    sum: float = 0.0

    def __bool__(self) -> bool:
        return any(self.counts.values())


Amount = float | Buckets


def nothing(like: Amount) -> Amount:
    """What was counted of a series before its first call."""
    return Buckets() if isinstance(like, Buckets) else 0.0


def added(one: Amount, other: Amount | None, sign: int = 1) -> Amount:
    """Both together, or with `sign` -1 what one has more. None is nothing."""
    if isinstance(one, Buckets):
        if not isinstance(other, Buckets):
            return one
        counts = dict(one.counts)
        for index, number in other.counts.items():
            counts[index] = counts.get(index, 0.0) + sign * number
        return Buckets(counts, one.sum + sign * other.sum)
    return one if not isinstance(other, int | float) else one + sign * other


def most(one: Amount, other: Amount) -> Amount:
    """The larger one, bucket by bucket: what never falls if `one` is what was sent."""
    if isinstance(one, Buckets) and isinstance(other, Buckets):
        counts = dict(one.counts)
        for index, number in other.counts.items():
            if number > counts.get(index, 0.0):
                counts[index] = number
        return Buckets(counts, max(one.sum, other.sum))
    if isinstance(one, Buckets) or isinstance(other, Buckets):
        return one
    return max(one, other)


def shown(amount: Amount) -> float | NativeHistogram:
    """As it is sent."""
    if not isinstance(amount, Buckets):
        return amount
    filled = sorted((index, number) for index, number in amount.counts.items() if number > 0)
    total = math.fsum(number for _, number in filled)
    return NativeHistogram(
        SCALE, total, amount.sum, zero_count=amount.counts.get(ZERO_BUCKET, 0.0),
        positive=tuple(pair for pair in filled if pair[0] != ZERO_BUCKET),
    )  # fmt: skip


def read(histogram: NativeHistogram) -> Buckets:
    """The amounts of one of our histograms."""
    counts = dict(histogram.positive)
    if histogram.zero_count:
        counts[ZERO_BUCKET] = histogram.zero_count
    return Buckets(counts, histogram.sum)


def stored(amount: Amount) -> float | bytes:
    """As the queue remembers it."""
    if not isinstance(amount, Buckets):
        return amount
    pairs = tuple(sorted((i, n) for i, n in amount.counts.items() if n and i != ZERO_BUCKET))
    zeros = amount.counts.get(ZERO_BUCKET, 0.0)
    return NativeHistogram(SCALE, 0.0, amount.sum, zero_count=zeros, positive=pairs).to_bytes()


def restored(value: float | bytes) -> Amount:
    """What `stored` gave. Raises ValueError for other bytes."""
    return read(NativeHistogram.from_bytes(value)) if isinstance(value, bytes) else value
