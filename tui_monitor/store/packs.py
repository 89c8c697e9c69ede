"""Identities packed: sorted runs of hashes with their calls, nine bytes or so each, found by small reads.

New identities are rows of a table; when there are many, each sixteenth of all hashes becomes a run. Runs of
like size become one, so that there are few. What a later run says counts, so nothing in a run ever changes.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tui_monitor.store import blobs

SLICES = 16
SLICE_BITS = 4
CHUNK = 1024
"""Hashes that are read together."""
CHUNK_BITS = 24
FILTER_BITS = 10
"""Bits per hash of a filter; one hash in fifty or so passes that is not in the run."""
_HEADER = struct.Struct("<HBBQQ")
GONE = 1
"""The last bit of a value: set where the call is gone. The others are the call's number, or what is known."""
FORGOTTEN = GONE
"""A value that says nothing is known of a hash, whatever earlier runs say."""


def live(call: int) -> int:
    """The value of a hash that leads to a call."""
    return call << 1


def live_all(calls: np.ndarray) -> np.ndarray:
    """The values of hashes that lead to calls."""
    return calls.astype(np.uint64) << np.uint64(1)


def gone(day: int, content: int | None) -> int:
    """The value of a hash whose call was dropped: the day it arrived, and what tells its content."""
    mark = 0 if content is None else 0x10000 | content
    return ((day + 1) << 17 | mark) << 1 | GONE


def gone_all(days: np.ndarray, contents: np.ndarray | None) -> np.ndarray:
    """The values of hashes whose calls were dropped, as `gone` makes one."""
    marks = np.uint64(0) if contents is None else contents.astype(np.uint64) | np.uint64(0x10000)
    known = (days + 1).astype(np.uint64) << np.uint64(17) | marks
    return known << np.uint64(1) | np.uint64(GONE)


def call_of(value: int) -> int | None:
    """The call a value leads to."""
    return None if value & GONE else value >> 1


def content_of(value: int) -> int | None:
    """The mark of the content of a call that is gone."""
    mark = value >> 1
    return mark & 0xFFFF if mark & 0x10000 else None


def days(values: np.ndarray) -> np.ndarray:
    """The day plus one of values that are gone; 0 of those that are forgotten."""
    return values >> np.uint64(18)


@dataclass(slots=True)
class Entries:
    """Hashes as unsigned integers, ascending, and their values."""

    hashes: np.ndarray
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.hashes)

    def keep(self, which: np.ndarray) -> "Entries":
        """Some of them."""
        return Entries(self.hashes[which], self.values[which])


def newest(parts: Sequence[Entries]) -> Entries:
    """One for all, the newest first: of equal hashes the first counts."""
    hashes = np.concatenate([part.hashes for part in parts])
    values = np.concatenate([part.values for part in parts])
    order = np.argsort(hashes, kind="stable")
    first = np.ones(len(order), dtype=bool)
    first[1:] = np.diff(hashes[order]) != 0
    return Entries(hashes[order[first]], values[order[first]])


def filter_places(hashes: np.ndarray, words: int) -> tuple[np.ndarray, np.ndarray]:
    """For each hash the word of a filter and the bits in it."""
    top = (hashes << np.uint64(SLICE_BITS)) >> np.uint64(32)
    bits = np.zeros(len(hashes), dtype=np.uint64)
    for shift in (0, 6, 12, 18):
        bits |= np.uint64(1) << ((hashes >> np.uint64(shift)) & np.uint64(63))
    return ((top * np.uint64(words)) >> np.uint64(32)).astype(np.int64), bits


def _make_filter(hashes: np.ndarray) -> np.ndarray:
    words = np.zeros(len(hashes) * FILTER_BITS // 64 + 1, dtype=np.uint64)
    at, bits = filter_places(hashes, len(words))
    np.bitwise_or.at(words, at, bits)
    return words


def _pack_chunk(entries: Entries) -> bytes:
    first, low = entries.hashes[0], entries.values.min()
    hash_width, hashes = blobs.narrow(np.diff(entries.hashes))
    value_width, values = blobs.narrow(entries.values - low)
    header = _HEADER.pack(len(entries), hash_width, value_width, int(first), int(low))
    return blobs.seal(header + hashes + values)


def unpack_chunk(blob: bytes) -> Entries:
    """Some neighbouring hashes again. Raises `Damaged`."""
    payload = blobs.unseal(blob)
    count, hash_width, value_width, first, low = _HEADER.unpack_from(payload)
    at = _HEADER.size + hash_width * (count - 1)
    hashes = np.zeros(count, dtype=np.uint64)
    hashes[1:] = np.cumsum(blobs.widen(payload[_HEADER.size : at], hash_width, count - 1))
    values = blobs.widen(payload[at:], value_width, count) + np.uint64(low)
    return Entries(hashes + np.uint64(first), values)


@dataclass(slots=True)
class Packed:
    """A run ready to be stored, in the place of older ones."""

    slice: int
    count: int
    call_high: int
    day: int | None
    firsts: bytes
    filter: bytes
    chunks: list[bytes]
    instead: list[int]


def pack(part: int, entries: Entries, instead: Sequence[int]) -> Packed:
    """Make a run of a slice."""
    starts = range(0, len(entries), CHUNK)
    here = [entries.keep(np.arange(at, min(at + CHUNK, len(entries)))) for at in starts]
    dropped = (entries.values & np.uint64(GONE)) != 0
    alive = entries.values[~dropped]
    when = days(entries.values[dropped])
    when = when[when > 0]
    return Packed(
        slice=part,
        count=len(entries),
        call_high=int(alive.max()) >> 1 if len(alive) else 0,
        day=int(when.min()) - 1 if len(when) else None,
        firsts=blobs.seal(entries.hashes[::CHUNK].astype("<u8").tobytes()),
        filter=blobs.seal(_make_filter(entries.hashes).astype("<u8").tobytes()),
        chunks=[_pack_chunk(chunk) for chunk in here],
        instead=list(instead),
    )


def slice_bounds(part: int) -> tuple[int, int]:
    """The first and last signed hash of a slice."""
    first = part << (64 - SLICE_BITS)
    last = first + (1 << (64 - SLICE_BITS)) - 1
    return tuple(n - (1 << 64) if n >= 1 << 63 else n for n in (first, last))  # type: ignore[return-value]
