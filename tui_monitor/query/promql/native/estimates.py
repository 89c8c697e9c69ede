"""What a native histogram tells of its observations: quantiles, shares, deviation.

Within a bucket observations are taken to lie evenly, by the logarithm in exponential buckets; in the zero
bucket, and between bounds of their own, by the value: https://prometheus.io/docs/specs/native_histograms/.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tui_monitor.model.histogram import CUSTOM, ZERO_BUCKET, NativeHistogram
from tui_monitor.query.promql.native.arithmetic import upper
from tui_monitor.query.promql.native.writing import buckets


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket with something in it."""

    low: float
    high: float
    count: float
    linear: bool = False
    """Whether observations lie evenly by their value."""


def all_buckets(histogram: NativeHistogram) -> list[Bucket]:
    """Buckets in ascending order, ready for interpolation.

    The zero bucket reaches to the side only on which there are others; the first between bounds of its own
    begins at 0 where it ends above.
    """
    custom = histogram.schema == CUSTOM
    out: list[Bucket] = []
    for low, high, count in buckets(histogram):
        is_zero = not custom and low <= 0 <= high
        if is_zero and histogram.positive and not histogram.negative:
            low = 0.0
        elif is_zero and histogram.negative and not histogram.positive:
            high = 0.0
        elif custom and low == -math.inf and high > 0 and math.isfinite(high):
            low = 0.0
        out.append(Bucket(low, high, count, linear=custom or is_zero))
    return out


def quantile(histogram: NativeHistogram, wanted: float) -> float:
    """The φ-quantile; -∞ below 0, +∞ above 1, NaN of nothing or where it is among NaN observations."""
    if math.isnan(wanted) or histogram.count == 0:
        return math.nan
    if not 0 <= wanted <= 1:
        return -math.inf if wanted < 0 else math.inf
    # Observations that are NaN are in the count alone, above all others.
    forward = math.isnan(histogram.sum) or wanted < 0.5
    found = all_buckets(histogram)
    rank = (wanted if forward else 1 - wanted) * histogram.count
    seen, bucket = 0.0, None
    for bucket in found if forward else reversed(found):
        seen += bucket.count
        if seen >= rank:
            break
    if bucket is None or (seen < rank and math.isnan(histogram.sum)):
        return math.nan
    if math.isinf(bucket.low):
        return bucket.high
    if math.isinf(bucket.high):
        return bucket.low
    seen = min(seen, histogram.count) if not forward else seen
    inside = rank - (seen - bucket.count) if forward else seen - rank
    return _between(bucket, min(max(inside / bucket.count, 0.0), 1.0))


def log_bounds(indexes: Iterable[int], schema: int) -> dict[int, tuple[float, float]]:
    """Binary logarithms of the bounds of positive buckets, by their index."""
    scale = NativeHistogram(schema, 0.0, 0.0)
    known: dict[int, tuple[float, float]] = {}
    for index in indexes:
        # The zero bucket has none.
        bounds = (1.0, 1.0) if index == ZERO_BUCKET else (upper(scale, index - 1), upper(scale, index))
        known[index] = (math.log2(bounds[0]), math.log2(bounds[1]))
    return known


def _between(bucket: Bucket, share: float) -> float:
    if bucket.linear:
        return bucket.low + (bucket.high - bucket.low) * share
    low, high = math.log2(abs(bucket.low)), math.log2(abs(bucket.high))
    sign = 1.0 if bucket.low > 0 else -1.0
    return sign * 2.0 ** (low + (high - low) * share)


def share_below(bucket: Bucket, value: float) -> float:
    """Which share of a bucket's observations is at most `value`."""
    if value >= bucket.high:
        return 1.0
    if value <= bucket.low:
        return 0.0
    if bucket.linear:
        return (value - bucket.low) / (bucket.high - bucket.low)
    low, high = math.log2(abs(bucket.low)), math.log2(abs(bucket.high))
    return (math.log2(abs(value)) - low) / (high - low)


def fraction(histogram: NativeHistogram, low: float, high: float) -> float:
    """The share of the observations between two values; NaN of nothing."""
    if histogram.count == 0 or math.isnan(low) or math.isnan(high):
        return math.nan
    if low >= high:
        return 0.0
    found = all_buckets(histogram)
    inside = 0.0
    for bucket in found:
        inside += bucket.count * (_reached(bucket, high) - _reached(bucket, low))
    return inside / histogram.count


def _reached(bucket: Bucket, value: float) -> float:
    """As `share_below`; a bucket without an end is taken to lie all at its far side."""
    if math.isinf(bucket.high):
        return 1.0 if value == math.inf else 0.0
    if math.isinf(bucket.low):
        return 0.0 if value == -math.inf else 1.0
    return share_below(bucket, value)


def middle(bucket: Bucket) -> float:
    """The value that stands for a bucket: the geometric mean of its bounds, or between them."""
    if bucket.linear or bucket.low <= 0 <= bucket.high:
        return (bucket.low + bucket.high) / 2
    return math.copysign(math.sqrt(bucket.low * bucket.high), bucket.low)


def variance(histogram: NativeHistogram) -> float:
    """The variance, each observation taken to be at the middle of its bucket; 0 in the zero bucket."""
    if not histogram.count:
        return math.nan
    mean = histogram.sum / histogram.count
    total = 0.0
    for low, high, count in buckets(histogram):
        at = middle(_finite(Bucket(low, high, count, linear=histogram.schema == CUSTOM)))
        total += count * (at - mean) ** 2
    return total / histogram.count


def _finite(bucket: Bucket) -> Bucket:
    if math.isinf(bucket.low):
        return Bucket(min(0.0, bucket.high), bucket.high, bucket.count, linear=True)
    return Bucket(bucket.low, bucket.low, bucket.count, linear=True) if math.isinf(bucket.high) else bucket
