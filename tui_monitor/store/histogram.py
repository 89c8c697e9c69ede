"""Log-bucket histograms as blobs: pairs of bucket (int16) and count (int32), ordered by bucket."""

from struct import Struct

import numpy as np

from tui_monitor.model.histogram import buckets_of

PAIR = np.dtype([("bucket", "<i2"), ("count", "<i4")])
"""Every index of `model.histogram` fits in 16 bits."""
_PAIR = Struct("<hi")
_FEW = 8 * _PAIR.size
"""Bytes of a blob up to which it is added without numpy."""


def buckets(micros: np.ndarray) -> np.ndarray:
    """The bucket of each latency in µs; buckets are of milliseconds."""
    return buckets_of(micros / 1000.0)


def pack(row: np.ndarray, bucket: np.ndarray, count: np.ndarray, rows: int) -> list[bytes | None]:
    """One blob for each of `rows` rows, of counts that may be negative; `None` for an empty one."""
    code = (row.astype(np.int64) << 16) + (bucket.astype(np.int64) + 32768)
    unique, inverse = np.unique(code, return_inverse=True)
    sums = np.zeros(len(unique), dtype=np.int64)
    np.add.at(sums, inverse, count)
    kept = sums != 0
    pairs = np.empty(int(kept.sum()), dtype=PAIR)
    pairs["bucket"] = (unique[kept] & 0xFFFF) - 32768
    pairs["count"] = sums[kept]
    data = pairs.tobytes()
    ends = np.searchsorted(unique[kept] >> 16, np.arange(rows), side="right") * PAIR.itemsize
    starts = np.concatenate(([0], ends[:-1])) if rows else ends
    return [data[a:b] or None for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


def unpack(blobs: list[bytes | None]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, bucket, count) of many blobs."""
    sizes = np.fromiter((len(blob) if blob else 0 for blob in blobs), dtype=np.int64, count=len(blobs))
    pairs = np.frombuffer(b"".join(blob for blob in blobs if blob), dtype=PAIR)
    row = np.repeat(np.arange(len(blobs)), sizes // PAIR.itemsize)
    return row, pairs["bucket"].astype(np.int32), pairs["count"].astype(np.int64)


def add(old: bytes | None, more: bytes | None) -> bytes | None:
    """The sum of two blobs; an SQL function of the writing connection."""
    if not old or not more:
        return old or more
    return _add_few(old, more) if len(more) <= _FEW else _add_many(old, more)


def _add_few(old: bytes, more: bytes) -> bytes | None:
    """A cell gains a handful of calls at a time: for those numpy's overhead is many times the work."""
    sums = bytearray(old)
    for bucket, count in _PAIR.iter_unpack(more):
        low, high = 0, len(sums) // _PAIR.size
        while low < high:
            middle = (low + high) // 2
            if _PAIR.unpack_from(sums, middle * _PAIR.size)[0] < bucket:
                low = middle + 1
            else:
                high = middle
        at = low * _PAIR.size
        known = _PAIR.unpack_from(sums, at) if at < len(sums) else None
        if known is None or known[0] != bucket:
            sums[at:at] = _PAIR.pack(bucket, count)
        elif known[1] + count:
            _PAIR.pack_into(sums, at, bucket, known[1] + count)
        else:
            del sums[at : at + _PAIR.size]
    return bytes(sums) or None


def _add_many(old: bytes, more: bytes) -> bytes | None:
    pairs = np.frombuffer(old + more, dtype=PAIR)
    order = np.argsort(pairs["bucket"], kind="stable")
    buckets, counts = pairs["bucket"][order], pairs["count"][order]
    first = np.flatnonzero(np.concatenate(([True], buckets[1:] != buckets[:-1])))
    sums = np.empty(len(first), dtype=PAIR)
    sums["bucket"] = buckets[first]
    sums["count"] = np.add.reduceat(counts, first)
    return sums[sums["count"] != 0].tobytes() or None
