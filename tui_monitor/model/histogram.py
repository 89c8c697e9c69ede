"""Log-bucket histograms: the scheme of OpenTelemetry exponential and Prometheus native histograms.

Those we make of calls are of scale 6: bucket `i` covers `(2**((i-1)/64), 2**(i/64)]`, so a quantile read as
the bucket's middle is within 0.55 % of the sample of that rank. Merging adds counts and loses nothing.
Those that are sent to us are `NativeHistogram`, https://prometheus.io/docs/specs/native_histograms/.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

SCALE = 6
_PER_DOUBLING = 1 << SCALE
ZERO_BUCKET = -(1 << 15)
"""Index of the bucket for values ≤ 0 and for those too small to matter (below 2**-500)."""
_MIDDLE = 2.0 / (1.0 + 2.0 ** (1.0 / _PER_DOUBLING))

CUSTOM = -53
"""The schema of buckets with bounds of their own."""
LEAST_SCHEMA, MOST_SCHEMA = -4, 8
MOST_BUCKETS = 4_096
"""Of one histogram, and bounds too."""
_EXPONENTS = 1_100
"""No float has an exponent beyond that."""
_EXACT = 1 << 53
_FLOAT = Struct("<d")
_HEAD = Struct("<BbBdd")
_WHOLE, _PARTS = 1, 2
"""Forms of the bytes: counts as whole numbers, or as floats."""

Counts = tuple[tuple[int, float], ...]
"""Index of a bucket and what is in it, by index."""

Buckets = dict[int, int]
"""Bucket index → count; the sparse form in which histograms are merged in Python."""


def bucket_of(value: float) -> int:
    """The index of the bucket that holds `value`."""
    if not value > 2.0**-500:
        return ZERO_BUCKET
    # log2 of an exact bound may come out a hair above it: a bound belongs to the bucket below.
    return math.ceil(math.log2(value) * _PER_DOUBLING - 1e-9)


def buckets_of(values: "np.ndarray") -> "np.ndarray":
    """`bucket_of` for an array of floats; int32."""
    import numpy as np

    safe = np.maximum(values, 2.0**-500)
    index = np.ceil(np.log2(safe) * _PER_DOUBLING - 1e-9).astype(np.int32)
    return np.where(values > 2.0**-500, index, np.int32(ZERO_BUCKET))


def upper_bound(index: int) -> float:
    """The inclusive upper bound of a bucket."""
    return 0.0 if index == ZERO_BUCKET else 2.0 ** (index / _PER_DOUBLING)


def middle(index: int) -> float:
    """The value with the least relative error for all of a bucket."""
    return upper_bound(index) * _MIDDLE


def quantile(q: float, buckets: Iterable[tuple[int, int]]) -> float | None:
    """The sample of rank ⌈q·n⌉ (nearest rank), read as its bucket's middle; `None` when empty.

    Within 0.55 % relative error of the true sample of that rank. Raises ValueError for q outside 0–1.
    """
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"quantile must be between 0 and 1: {q}")
    ordered = sorted((index, n) for index, n in buckets if n > 0)
    total = sum(n for _, n in ordered)
    if not total:
        return None
    rank = max(1, math.ceil(q * total - 1e-9))
    seen = 0
    for index, n in ordered:
        seen += n
        if seen >= rank:
            return middle(index)
    return middle(ordered[-1][0])


class CounterReset(IntEnum):
    """What the sender says of the sample before; the numbers are those of Prometheus's protocols."""

    UNKNOWN = 0
    RESET = 1
    """The counts began anew since."""
    CONTINUED = 2
    """They did not."""
    GAUGE = 3
    """They may fall at any time: no counters at all."""


@dataclass(frozen=True, slots=True, eq=False)
class NativeHistogram:
    """How many observations fell into which bucket.

    In schema n, -4 to 8, bucket `i` of `positive` is `(2**((i-1)/2**n), 2**(i/2**n)]`, `negative` mirrors
    that, and what is no further than `zero_threshold` from 0 is in `zero_count`. In schema `CUSTOM` bucket
    `i` of `positive` is `(bounds[i-1], bounds[i]]`, from -∞ for the first and to +∞ for one more than there
    are bounds. `count` has besides what no bucket has: observations that were NaN.

    Counts may be fractions. Only buckets with something in them are listed, so two histograms that say the
    same are equal. Making one checks nothing: `check` does.
    """

    schema: int
    count: float
    sum: float
    zero_threshold: float = 0.0
    zero_count: float = 0.0
    positive: Counts = ()
    negative: Counts = ()
    bounds: tuple[float, ...] = ()
    reset: CounterReset = CounterReset.UNKNOWN

    def __eq__(self, other: object) -> bool:
        """The same in every field; a sum that is NaN is equal to one with the same bits."""
        return isinstance(other, NativeHistogram) and self._compared() == other._compared()

    def __hash__(self) -> int:
        """Of what is compared."""
        return hash(self._compared())

    def _compared(self) -> tuple[object, ...]:
        return (
            self.schema, self.count, _FLOAT.pack(self.sum), self.zero_threshold, self.zero_count,
            self.positive, self.negative, self.bounds, self.reset,
        )  # fmt: skip

    @property
    def gauge(self) -> bool:
        """Whether its counts may fall without having begun anew."""
        return self.reset is CounterReset.GAUGE

    def check(self) -> None:
        """Raises `ValueError` with what is wrong, where this is no histogram that a sender could mean."""
        _check_scheme(self)
        for name, value in (("count", self.count), ("zero_count", self.zero_count)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{name} {value:g} is no number of observations")
        for side, counts in (("positive", self.positive), ("negative", self.negative)):
            _check_counts(side, counts, _indexes(self))
        _check_total(self)

    def to_bytes(self) -> bytes:
        """All of it in few bytes, fewer where counts are whole."""
        whole = all(_is_whole(value) for value in self._counts())
        number = _varint if whole else _FLOAT.pack
        form = _WHOLE if whole else _PARTS
        parts = [_HEAD.pack(form, self.schema, self.reset, self.zero_threshold, self.sum)]
        parts += [number(self.count), number(self.zero_count)]
        for counts in (self.positive, self.negative):
            parts.append(_varint(len(counts)))
            before = 0
            for index, value in counts:
                parts += [_varint(_zigzag(index - before)), number(value)]
                before = index
        parts.append(_varint(len(self.bounds)))
        parts += [_FLOAT.pack(bound) for bound in self.bounds]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, data: bytes) -> "NativeHistogram":
        """What `to_bytes` made bytes of. Raises `ValueError` for others."""
        try:
            form, schema, reset, threshold, total = _HEAD.unpack_from(data)
            if form not in (_WHOLE, _PARTS):
                raise ValueError(f"form {form} of a histogram is unknown")
            source = _Source(data, _HEAD.size, whole=form == _WHOLE)
            count, zeros = source.number(), source.number()
            positive, negative = source.counts(), source.counts()
            bounds = tuple(source.real() for _ in range(source.varint()))
            made = cls(
                schema, count, total, threshold, zeros, positive, negative, bounds, CounterReset(reset)
            )
        except (IndexError, StructError) as error:
            raise ValueError("bytes of a histogram are cut short") from error
        if source.at != len(data):
            raise ValueError("bytes of a histogram go on behind its end")
        return made

    def _counts(self) -> Iterator[float]:
        yield self.count
        yield self.zero_count
        for counts in (self.positive, self.negative):
            yield from (value for _, value in counts)


def _check_scheme(histogram: NativeHistogram) -> None:
    threshold, bounds = histogram.zero_threshold, histogram.bounds
    if not 0 <= threshold < math.inf:
        raise ValueError(f"zero_threshold {threshold:g} is no width")
    if histogram.schema != CUSTOM:
        if not LEAST_SCHEMA <= histogram.schema <= MOST_SCHEMA:
            raise ValueError(
                f"schema {histogram.schema} is neither {LEAST_SCHEMA} to {MOST_SCHEMA} nor {CUSTOM}"
            )
        if bounds:
            raise ValueError(f"schema {histogram.schema} has no bounds of its own")
        return
    if threshold or histogram.zero_count or histogram.negative:
        raise ValueError("a histogram with bounds of its own has neither a zero bucket nor negative ones")
    if len(bounds) > MOST_BUCKETS:
        raise ValueError(f"{len(bounds)} bounds are more than {MOST_BUCKETS}")
    if not all(map(math.isfinite, bounds)) or any(b <= a for a, b in pairwise(bounds)):
        raise ValueError("bounds are not finite numbers in ascending order")


def _indexes(histogram: NativeHistogram) -> range:
    """Indexes that buckets can have: those of numbers that there are."""
    if histogram.schema == CUSTOM:
        return range(len(histogram.bounds) + 1)
    most = math.ceil(_EXPONENTS * 2.0**histogram.schema) + 1
    return range(-most, most + 1)


def _check_counts(side: str, counts: Counts, allowed: range) -> None:
    if len(counts) > MOST_BUCKETS:
        raise ValueError(f"{len(counts)} {side} buckets are more than {MOST_BUCKETS}")
    before: int | None = None
    for index, value in counts:
        if index not in allowed:
            raise ValueError(f"no number is in {side} bucket {index}")
        if before is not None and index <= before:
            raise ValueError(f"{side} bucket {index} comes after {before}")
        if not 0 < value < math.inf:
            raise ValueError(f"{side} bucket {index} has {value:g} observations")
        before = index


def _check_total(histogram: NativeHistogram) -> None:
    """Whole counts add up; fractions come from arithmetic, which need not be exact."""
    counts = (*histogram.positive, *histogram.negative)
    inside = [histogram.zero_count, *(value for _, value in counts)]
    if not all(_is_whole(value) for value in (histogram.count, *inside)):
        return
    total = sum(inside)
    if total > histogram.count or (total < histogram.count and not math.isnan(histogram.sum)):
        raise ValueError(f"{total:g} observations are in buckets, count says {histogram.count:g}")


def _is_whole(value: float) -> bool:
    return 0 <= value <= _EXACT and value == int(value)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _varint(value: float) -> bytes:
    """A whole number, seven bits a byte, the lowest first."""
    rest, out = int(value), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


@dataclass(slots=True)
class _Source:
    """Bytes that are read from a place on. Raises `IndexError` or `struct.error` at their end."""

    data: bytes
    at: int
    whole: bool

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def real(self) -> float:
        (value,) = _FLOAT.unpack_from(self.data, self.at)
        self.at += _FLOAT.size
        return value

    def number(self) -> float:
        return float(self.varint()) if self.whole else self.real()

    def counts(self) -> Counts:
        found: list[tuple[int, float]] = []
        index = 0
        for _ in range(self.varint()):
            step = self.varint()
            index += step >> 1 if not step & 1 else -(step + 1 >> 1)
            found.append((index, self.number()))
        return tuple(found)
