"""Histograms of the cells of a block as bytes, and unpacked."""

import struct
from dataclasses import dataclass

import numpy as np

from tui_monitor.store import blobs, histogram
from tui_monitor.store.blobs import Integers

_LENGTHS = struct.Struct("<II")
_ALL = slice(None)
Spread = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Histograms of many rows: (row, bucket, count), in integers as narrow as they came."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """Histograms of all rows of a block, by row; every bucket fits in 16 bits."""

    row: np.ndarray
    bucket: np.ndarray
    count: Integers

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return self.row.nbytes + self.bucket.nbytes + self.count.size

    def at(self, rows: slice) -> Spread:
        """Those of some rows, which are numbered from 0."""
        here = _ALL
        if rows != _ALL:
            here = slice(*np.searchsorted(self.row, (rows.start, rows.stop)).tolist())
        row = self.row[here]
        if rows.start:
            row = row - np.int32(rows.start)
        return row, self.bucket[here], self.count.at(here)


def pack(values: list[bytes | None]) -> bytes:
    """The histograms of rows, `None` for those without."""
    row, bucket, count = histogram.unpack(values)
    pairs = np.bincount(row, minlength=len(values)).astype(np.int64)
    bucket = bucket.astype(np.int64)
    steps = np.diff(bucket, prepend=0)
    # The first of each row stands for itself: the rows have nothing to do with each other.
    starts = np.cumsum(pairs)[:-1][pairs[1:] > 0]
    steps[starts] = bucket[starts]
    parts = [blobs.pack_integers(part) for part in (pairs, steps, count)]
    return _LENGTHS.pack(len(parts[0]), len(parts[1])) + b"".join(parts)


def unpack(data: bytes) -> Spreads:
    """The histograms again. Raises `Damaged`, or another error for what was never packed."""
    first, second = _LENGTHS.unpack_from(data)
    at = _LENGTHS.size
    pairs = blobs.unpack_integers(data[at : at + first])
    steps = blobs.unpack_integers(data[at + first : at + first + second])
    count = blobs.unpack_narrow(data[at + first + second :])
    row = np.repeat(np.arange(len(pairs)), pairs)
    running = np.cumsum(steps)
    # What the rows before add up to is taken off again.
    begins = np.cumsum(pairs) - pairs
    before = np.where(pairs > 0, running[np.minimum(begins, len(running) - 1)], 0)
    own = np.where(pairs > 0, steps[np.minimum(begins, len(steps) - 1)], 0)
    bucket = running - (before - own)[row]
    return Spreads(row.astype(np.int32), bucket.astype(np.int16), count)
