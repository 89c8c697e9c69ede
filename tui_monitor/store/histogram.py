"""Log-bucket histograms as blobs: pairs of bucket (int16) and count (int32), ordered by bucket."""

from struct import Struct

import numpy as np

from tui_monitor.model.histogram import buckets_of

PAIR = np.dtype([("bucket", "<i2"), ("count", "<i4")])
"""Every index of `model.histogram` fits in 16 bits."""
_PAIR = Struct("<hi")
_SHORT = 100 * _PAIR.size
"""Bytes of two blobs up to which they are added without numpy."""


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
    if len(old) + len(more) > _SHORT:
        pairs = np.frombuffer(old + more, dtype=PAIR)
        zero = np.zeros(len(pairs), dtype=np.int64)
        return pack(zero, pairs["bucket"], pairs["count"], 1)[0]
    # Most cells hold a handful of calls: for those numpy's overhead is many times the work.
    sums = dict(_PAIR.iter_unpack(old))
    for bucket, count in _PAIR.iter_unpack(more):
        sums[bucket] = sums.get(bucket, 0) + count
    return b"".join(_PAIR.pack(bucket, sums[bucket]) for bucket in sorted(sums) if sums[bucket]) or None
