"""Native histograms cut off above or below a number."""

import math
from collections.abc import Iterator
from dataclasses import replace

from tui_monitor.model.histogram import CUSTOM, NativeHistogram
from tui_monitor.query.promql.native.arithmetic import upper
from tui_monitor.query.promql.native.estimates import Bucket, middle, share_below
from tui_monitor.query.promql.native.writing import lower


def trimmed(histogram: NativeHistogram, at: float, *, above: bool) -> NativeHistogram:
    """What lies below `at`, or with `above` false what lies above it; the sum is estimated anew.

    A bucket that is cut keeps its share by interpolation, its sum is taken at the middle of what is left.
    """
    cut = _Cut(histogram, at, above=above)
    zero = cut.zero()
    positive = tuple((index, kept) for index, kept in cut.side(histogram.positive, 1) if kept)
    negative = tuple((index, kept) for index, kept in cut.side(histogram.negative, -1) if kept)
    if not cut.changed:
        return histogram
    count = zero + sum(kept for _, kept in (*positive, *negative))
    return replace(
        histogram, count=count, sum=cut.sum if count else 0.0,
        zero_count=zero, positive=positive, negative=negative,
    )  # fmt: skip


class _Cut:
    """Goes over the buckets and adds up what is left of them."""

    def __init__(self, histogram: NativeHistogram, at: float, *, above: bool) -> None:
        self._histogram = histogram
        self._at = at
        self._above = above
        self.changed = False
        self.sum = 0.0

    def zero(self) -> float:
        """What is left in the zero bucket."""
        histogram = self._histogram
        low, high = -histogram.zero_threshold, histogram.zero_threshold
        if histogram.positive and not histogram.negative:
            low = 0.0
        elif histogram.negative and not histogram.positive:
            high = 0.0
        return self._kept(Bucket(low, high, histogram.zero_count, linear=True))

    def side(self, counts: tuple[tuple[int, float], ...], sign: int) -> Iterator[tuple[int, float]]:
        """What is left in the buckets of one side."""
        histogram = self._histogram
        custom = histogram.schema == CUSTOM
        for index, count in counts:
            low, high = lower(histogram, index), upper(histogram, index)
            bucket = Bucket(low, high, count, linear=custom) if sign > 0 else Bucket(-high, -low, count)
            yield index, self._kept(bucket)

    def _kept(self, bucket: Bucket) -> float:
        if not bucket.count:
            return 0.0
        if math.isinf(bucket.low) or math.isinf(bucket.high):
            return self._open(bucket)
        below = share_below(bucket, self._at)
        share = below if self._above else 1.0 - below
        self.changed |= share < 1.0
        if share <= 0.0:
            return 0.0
        low = bucket.low if self._above else min(max(bucket.low, self._at), bucket.high)
        high = max(min(bucket.high, self._at), bucket.low) if self._above else bucket.high
        kept = bucket.count * share
        self.sum += kept * middle(replace_bounds(bucket, low, high))
        return kept

    def _open(self, bucket: Bucket) -> float:
        """Of a bucket without an end nothing is known but its other bound."""
        if math.isinf(bucket.high):
            return self._without_top(bucket)
        if bucket.high > 0:
            return self._from_zero(bucket)
        keeps = self._at >= bucket.high or self._above if self._above else self._at == -math.inf
        if self._above and self._at == -math.inf:
            keeps = False
        self.changed |= not keeps
        if keeps:
            self.sum += bucket.count * (min(self._at, bucket.high) if self._above else bucket.high)
        return bucket.count if keeps else 0.0

    def _without_top(self, bucket: Bucket) -> float:
        both = math.isinf(bucket.low)
        keeps = self._at == math.inf if self._above else self._at < math.inf and not both
        if both and not self._above:
            keeps = self._at == -math.inf
        self.changed |= not keeps
        if keeps and not both:
            self.sum += bucket.count * (bucket.low if self._above else max(self._at, bucket.low))
        return bucket.count if keeps else 0.0

    def _from_zero(self, bucket: Bucket) -> float:
        if not self._above and -math.inf < self._at < 0:
            self.changed = True
            return 0.0
        return self._kept(Bucket(0.0, bucket.high, bucket.count, linear=True))


def replace_bounds(bucket: Bucket, low: float, high: float) -> Bucket:
    """The same bucket between other bounds."""
    return Bucket(low, high, bucket.count, linear=bucket.linear)
