"""Sums, differences and multiples of native histograms.

Two exponential ones meet at the coarser schema and the wider zero bucket, two with bounds of their own at
the bounds that both have: https://prometheus.io/docs/specs/native_histograms/.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from tui_monitor.model.histogram import CUSTOM, CounterReset, NativeHistogram
from tui_monitor.query.promql.sums import exact_sum

_Counts = dict[int, float]


class Incompatible(ValueError):
    """An exponential histogram and one with bounds of its own."""


def each(histograms: np.ndarray | None, what: Callable[[NativeHistogram], object]) -> np.ndarray | None:
    """The same done to every histogram of an array."""
    if histograms is None:
        return None
    out = np.full(histograms.shape, None, dtype=object)
    flat, filled = histograms.reshape(-1), out.reshape(-1)
    for place, histogram in enumerate(flat):
        if histogram is not None:
            filled[place] = what(histogram)
    return out


def upper(histogram: NativeHistogram, index: int) -> float:
    """The inclusive upper bound of a positive bucket."""
    if histogram.schema == CUSTOM:
        return histogram.bounds[index] if index < len(histogram.bounds) else math.inf
    try:
        return 2.0 ** (index * 2.0**-histogram.schema)
    except OverflowError:
        return math.inf


def scaled(histogram: NativeHistogram, factor: float) -> NativeHistogram:
    """All counts and the sum multiplied; below 0 nothing is a counter any more."""
    reset = CounterReset.GAUGE if factor < 0 else histogram.reset
    return _applied(histogram, lambda count: count * factor, reset)


def divided(histogram: NativeHistogram, divisor: float) -> NativeHistogram:
    """All counts and the sum divided; by 0 there is no bucket left."""
    with np.errstate(all="ignore"):
        if divisor == 0:
            histogram = replace(histogram, positive=(), negative=())
        reset = CounterReset.GAUGE if divisor < 0 else histogram.reset
        return _applied(histogram, lambda count: float(np.float64(count) / divisor), reset)


def _applied(
    histogram: NativeHistogram, what: Callable[[float], float], reset: CounterReset
) -> NativeHistogram:
    return replace(
        histogram,
        count=what(histogram.count),
        sum=what(histogram.sum),
        zero_count=what(histogram.zero_count),
        positive=_listed({index: what(count) for index, count in histogram.positive}),
        negative=_listed({index: what(count) for index, count in histogram.negative}),
        reset=reset,
    )


def _listed(counts: _Counts) -> tuple[tuple[int, float], ...]:
    return tuple(sorted((index, count) for index, count in counts.items() if count != 0))


def _gathered(pairs: Iterable[tuple[int, float]]) -> _Counts:
    out: _Counts = {}
    for index, count in pairs:
        out[index] = out.get(index, 0.0) + count
    return out


def coarser(histogram: NativeHistogram, schema: int) -> NativeHistogram:
    """The histogram in a schema of wider buckets."""
    by = histogram.schema - schema
    if by <= 0:
        return histogram
    positive, negative = (
        _listed(_gathered((((index - 1) >> by) + 1, count) for index, count in side))
        for side in (histogram.positive, histogram.negative)
    )
    return replace(histogram, schema=schema, positive=positive, negative=negative)


def with_zero_threshold(histogram: NativeHistogram, threshold: float) -> NativeHistogram:
    """The zero bucket at least so wide; wider where it would end within a bucket."""
    if threshold <= histogram.zero_threshold:
        return histogram
    zero = histogram.zero_count
    rest: list[dict[int, float]] = [dict(histogram.positive), dict(histogram.negative)]
    changed = True
    while changed:
        changed = False
        for side in rest:
            for index in sorted(side):
                if upper(histogram, index - 1) >= threshold:
                    break
                zero += side.pop(index)
                threshold = max(threshold, upper(histogram, index))
                changed = True
    return replace(
        histogram,
        zero_threshold=threshold,
        zero_count=zero,
        positive=_listed(rest[0]),
        negative=_listed(rest[1]),
    )


def with_bounds(histogram: NativeHistogram, bounds: tuple[float, ...]) -> NativeHistogram:
    """The histogram with some of its bounds alone."""
    if bounds == histogram.bounds:
        return histogram
    positive = _gathered(
        (bisect_left(bounds, upper(histogram, index)), count) for index, count in histogram.positive
    )
    return replace(histogram, bounds=bounds, positive=_listed(positive))


def aligned(histograms: Sequence[NativeHistogram]) -> list[NativeHistogram]:
    """The histograms in buckets that all have. Raises `Incompatible`."""
    custom = [histogram.schema == CUSTOM for histogram in histograms]
    if any(custom) and not all(custom):
        raise Incompatible
    if all(custom):
        common = set(histograms[0].bounds).intersection(*(one.bounds for one in histograms))
        return [with_bounds(histogram, tuple(sorted(common))) for histogram in histograms]
    schema = min(histogram.schema for histogram in histograms)
    out = [coarser(histogram, schema) for histogram in histograms]
    while len({histogram.zero_threshold for histogram in out}) > 1:
        widest = max(histogram.zero_threshold for histogram in out)
        out = [with_zero_threshold(histogram, widest) for histogram in out]
    return out


def same_bounds(histograms: Iterable[NativeHistogram]) -> bool:
    """Whether all have the same bounds of their own, or none."""
    return len({histogram.bounds for histogram in histograms}) <= 1


def total(histograms: Sequence[NativeHistogram], divisor: float = 1.0) -> NativeHistogram:
    """The sum, or with `divisor` the mean, each count rounded once. Raises `Incompatible`."""
    parts = aligned(histograms)
    return replace(
        parts[0],
        count=_mean([one.count for one in parts], divisor),
        sum=_mean([one.sum for one in parts], divisor),
        zero_count=_mean([one.zero_count for one in parts], divisor),
        positive=_totals([one.positive for one in parts], divisor),
        negative=_totals([one.negative for one in parts], divisor),
        reset=reset_of(histograms),
    )


def _mean(values: list[float], divisor: float) -> float:
    found = exact_sum(np.array(values)) / divisor
    if math.isinf(found) and divisor != 1.0 and all(map(math.isfinite, values)):
        return exact_sum(np.array(values) / divisor)
    return found


def _totals(sides: list[tuple[tuple[int, float], ...]], divisor: float) -> tuple[tuple[int, float], ...]:
    by_index: dict[int, list[float]] = {}
    for side in sides:
        for index, count in side:
            by_index.setdefault(index, []).append(count)
    return _listed({index: _mean(counts, divisor) for index, counts in by_index.items()})


def reset_of(histograms: Iterable[NativeHistogram]) -> CounterReset:
    """What is known of a sum: a gauge where one is, else what all agree on."""
    hints = {histogram.reset for histogram in histograms}
    if CounterReset.GAUGE in hints:
        return CounterReset.GAUGE
    return hints.pop() if len(hints) == 1 else CounterReset.UNKNOWN


def difference(left: NativeHistogram, right: NativeHistogram) -> NativeHistogram:
    """`left - right`, a gauge. Raises `Incompatible`."""
    return as_gauge(total([left, scaled(right, -1.0)]))


def unhinted(histogram: NativeHistogram) -> NativeHistogram:
    """The same without what its sender says of the sample before; a gauge stays one."""
    known = histogram.reset in (CounterReset.RESET, CounterReset.CONTINUED)
    return replace(histogram, reset=CounterReset.UNKNOWN) if known else histogram


def as_gauge(histogram: NativeHistogram) -> NativeHistogram:
    """The same as no counter."""
    return replace(histogram, reset=CounterReset.GAUGE)


def equal(left: NativeHistogram, right: NativeHistogram) -> bool:
    """Whether both say the same, whatever their senders say of the samples before."""
    return replace(left, reset=CounterReset.UNKNOWN) == replace(right, reset=CounterReset.UNKNOWN)


def fell(after: NativeHistogram, before: NativeHistogram) -> bool:
    """Whether the counts began anew between two samples: the sender says so, or one of them is less."""
    if after.reset is CounterReset.RESET:
        return True
    if after.reset in (CounterReset.CONTINUED, CounterReset.GAUGE) or after.count < before.count:
        return after.reset is CounterReset.UNKNOWN
    if (after.schema == CUSTOM) != (before.schema == CUSTOM):
        return True
    if after.schema == CUSTOM:
        after, before = aligned([after, before])
        return _less(after.positive, before.positive)
    if after.schema > before.schema or after.zero_threshold < before.zero_threshold:
        return True
    before = with_zero_threshold(coarser(before, after.schema), after.zero_threshold)
    return (
        before.zero_threshold != after.zero_threshold
        or after.zero_count < before.zero_count
        or _less(after.positive, before.positive)
        or _less(after.negative, before.negative)
    )


def _less(after: tuple[tuple[int, float], ...], before: tuple[tuple[int, float], ...]) -> bool:
    now = dict(after)
    return any(now.get(index, 0.0) < count for index, count in before)
