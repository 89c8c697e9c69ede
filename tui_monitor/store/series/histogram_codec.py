"""Native histograms of a chunk as bytes: each bucket's counts as what was added since the sample before.

Whole counts are differences of integers, fractions differ in bits; both go byte by byte of all values,
bucket by bucket, into zstd. `count` is kept as what no bucket has, which is nothing for most.
"""

from struct import Struct

import numpy as np
import orjson
import zstandard

from tui_monitor.model.histogram import CounterReset
from tui_monitor.store import blobs
from tui_monitor.store.blobs import Damaged as Damaged
from tui_monitor.store.series import codec
from tui_monitor.store.series.histograms import Buckets, Histograms, Kind

_LEVEL = 9
_WHOLE = float(1 << 48)
"""Counts up to here are whole numbers whose sums and differences fit in 64 bits."""
_HEAD = Struct("<BBHIII")
"""Whether counts are whole, bytes of one, number of histograms, and lengths: layout, kinds, sums."""


def encode(histograms: Histograms) -> bytes:
    """A chunk of 1 to `codec.MOST` histograms, kept bit for bit."""
    (positive, above), (negative, below) = histograms.positive.table(), histograms.negative.table()
    numbers = np.column_stack([histograms.count, histograms.zero_count, above, below])
    whole = bool(((numbers == np.rint(numbers)) & (np.abs(numbers) <= _WHOLE)).all())
    words = _added(numbers) if whole else _changed(numbers)
    width, planes = blobs.narrow(np.ascontiguousarray(words.T).reshape(-1))
    layout = orjson.dumps(
        [
            [[k.schema, k.zero_threshold, list(k.bounds), k.reset.value] for k in histograms.kinds],
            positive.tolist(),
            negative.tolist(),
        ]
    )
    kinds, sums = codec.encode_ints(histograms.kind), codec.encode_floats(histograms.sum)
    head = _HEAD.pack(whole, width, len(histograms), len(layout), len(kinds), len(sums))
    return blobs.seal(head + kinds + sums + zstandard.compress(layout + planes, _LEVEL))


def decode(blob: bytes) -> Histograms:
    """The chunk again. Raises `Damaged`."""
    payload = blobs.unseal(blob)
    whole, width, n, long, kinds, sums = _HEAD.unpack_from(payload)
    at = _HEAD.size
    (kind,) = codec.decode_ints([payload[at : at + kinds]])
    (total,) = codec.decode_floats([payload[at + kinds : at + kinds + sums]])
    body = zstandard.decompress(payload[at + kinds + sums :])
    named, positive, negative = orjson.loads(body[:long])
    columns = 2 + len(positive) + len(negative)
    words = np.ascontiguousarray(blobs.widen(body[long:], width, n * columns).reshape(columns, n).T)
    numbers = _summed(words) if whole else np.bitwise_xor.accumulate(words, axis=0).view(np.float64)
    split = 2 + len(positive)
    return Histograms(
        tuple(Kind(schema, zero, tuple(bounds), CounterReset(told)) for schema, zero, bounds, told in named),
        kind,
        numbers[:, 0].copy(),
        total,
        numbers[:, 1].copy(),
        Buckets.of_table(np.array(positive, dtype=np.int64), numbers[:, 2:split]),
        Buckets.of_table(np.array(negative, dtype=np.int64), numbers[:, split:]),
    )


def _added(numbers: np.ndarray) -> np.ndarray:
    """What each count has more than the one before; small numbers of either sign are small unsigned ones."""
    counts = numbers.astype(np.int64)
    counts[:, 0] -= counts[:, 1:].sum(axis=1)
    steps = np.diff(counts, axis=0, prepend=0)
    return ((steps << 1) ^ (steps >> 63)).view(np.uint64)


def _summed(words: np.ndarray) -> np.ndarray:
    steps = (words >> np.uint64(1)).view(np.int64) ^ -(words & np.uint64(1)).view(np.int64)
    counts = np.cumsum(steps, axis=0)
    counts[:, 0] += counts[:, 1:].sum(axis=1)
    return counts.astype(np.float64)


def _changed(numbers: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(numbers).view(np.uint64)
    changed = bits.copy()
    changed[1:] ^= bits[:-1]
    return changed
