"""Columns as bytes: integers of the narrowest width, texts by their different values; compressed, checked."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import zstandard

from tui_monitor.model.columns import UNKNOWN

_LEVEL = 6
_SAMPLE = 1 << 14
"""Bytes by which it is seen whether texts are worth packing well."""
_LITTLE = 2.2
"""By how much they must shrink quickly, to be."""
_NULLS, _STEPS = 1, 2
_HEADER = struct.Struct("<BBIqq")
"""Flags, bytes of a value, number of values, their lowest, and the first where they are steps."""
_CHECKSUM = struct.Struct("<I")
_LENGTHS = struct.Struct("<III")
_NARROW = 3
"""Bytes of a value up to which its column is put together byte by byte."""


class Damaged(Exception):
    """A blob is not what was written."""


def seal(payload: bytes) -> bytes:
    """Bytes with a checksum before them."""
    return _CHECKSUM.pack(zlib.crc32(payload)) + payload


def unseal(blob: bytes) -> bytes:
    """The bytes again. Raises `Damaged`."""
    payload = blob[_CHECKSUM.size :]
    if len(blob) < _CHECKSUM.size or _CHECKSUM.unpack_from(blob)[0] != zlib.crc32(payload):
        raise Damaged
    return payload


def narrow(values: np.ndarray) -> tuple[int, bytes]:
    """Unsigned integers in as few bytes each as the largest needs, all first bytes first."""
    width = (int(values.max()).bit_length() + 7) // 8 if len(values) else 0
    octets = np.ascontiguousarray(values, dtype="<u8").view(np.uint8).reshape(-1, 8)
    return width, octets[:, :width].T.tobytes()


def widen(planes: bytes, width: int, count: int) -> np.ndarray:
    """The integers of `narrow` again."""
    octets = np.frombuffer(planes, dtype=np.uint8, count=width * count).reshape(width, count)
    if not 0 < width <= _NARROW:
        whole = np.zeros((count, 8), dtype=np.uint8)
        whole[:, :width] = octets.T
        return whole.reshape(-1).view("<u8")
    # Most columns need a byte or two: adding those up is quicker than putting eight of them in order.
    values = octets[0].astype(np.uint64)
    for at in range(1, width):
        values |= octets[at].astype(np.uint64) << np.uint64(8 * at)
    return values


def pack_integers(values: np.ndarray, *, steps: bool = False) -> bytes:
    """A column of int64, `UNKNOWN` where there is none; as steps from one to the next where these are small.

    Sums and differences wrap round, so that any value comes back.
    """
    known = values != UNKNOWN
    flags = _STEPS if steps else 0
    nulls = b""
    if not known.all():
        flags |= _NULLS
        nulls = np.packbits(known).tobytes()
        values = np.where(known, values, values[known][0] if known.any() else 0)
    start = int(values[0]) if len(values) else 0
    if steps:
        values = np.diff(values, prepend=values[:1])
    low = values.min() if len(values) else np.int64(0)
    with np.errstate(over="ignore"):
        width, planes = narrow((values - low).view(np.uint64))
    header = _HEADER.pack(flags, width, len(values), int(low), start)
    body = nulls + planes
    return seal(header + (zstandard.compress(body, _LEVEL) if body else b""))


def unpack_integers(blob: bytes) -> np.ndarray:
    """The column again. Raises `Damaged`."""
    payload = unseal(blob)
    flags, width, count, low, start = _HEADER.unpack_from(payload)
    body = zstandard.decompress(payload[_HEADER.size :]) if len(payload) > _HEADER.size else b""
    nulls = -(-count // 8) if flags & _NULLS else 0
    values = widen(body[nulls:], width, count).view(np.int64) + np.int64(low)
    if flags & _STEPS:
        values = np.cumsum(values) + np.int64(start)
    if nulls:
        known = np.unpackbits(np.frombuffer(body, dtype=np.uint8, count=nulls), count=count)
        values = np.where(known, values, UNKNOWN)
    return values


@dataclass(slots=True)
class Texts:
    """A column of texts: the number of each row's text, `UNKNOWN` for none, and the different texts."""

    codes: np.ndarray
    data: bytes
    ends: np.ndarray

    def text(self, code: int) -> str:
        """The text of a number."""
        start = int(self.ends[code - 1]) if code else 0
        return self.data[start : int(self.ends[code])].decode("utf-8", "surrogatepass")

    def at(self, rows: np.ndarray) -> list[str | None]:
        """The texts of some rows."""
        codes: list[int] = self.codes[rows].tolist()
        return [None if code == UNKNOWN else self.text(code) for code in codes]

    def values(self) -> list[str]:
        """The different texts."""
        return [self.text(code) for code in range(len(self.ends))]


def pack_texts(texts: Sequence[str | None]) -> bytes:
    """A column of texts."""
    numbers: dict[str, int] = {}
    codes = [UNKNOWN if text is None else numbers.setdefault(text, len(numbers)) for text in texts]
    data = [text.encode("utf-8", "surrogatepass") for text in numbers]
    # Where all differ, the numbers are steps of one and take no room.
    coded = pack_integers(np.array(codes, dtype=np.int64), steps=len(numbers) == len(texts))
    lengths = np.array([len(text) for text in data], dtype=np.int64)
    return _pack_parts(coded, lengths, b"".join(data), _LEVEL)


def pack_different(texts: np.ndarray) -> bytes:
    """A column of ASCII texts, all known and different, as bytes of a fixed width."""
    coded = pack_integers(np.arange(len(texts), dtype=np.int64), steps=True)
    lengths = np.char.str_len(texts).astype(np.int64)
    even = bool((lengths == texts.itemsize).all())
    data = texts.tobytes() if even else b"".join(texts.tolist())
    # There is nothing to find in hashes, and looking for it takes longer than all else.
    sample = data[:_SAMPLE]
    random = len(zstandard.compress(sample, 1)) * _LITTLE > len(sample)
    return _pack_parts(coded, lengths, data, 1 if random else _LEVEL)


def _pack_parts(coded: bytes, lengths: np.ndarray, data: bytes, level: int) -> bytes:
    packed = pack_integers(lengths)
    parts = coded + packed + zstandard.compress(data, level)
    return seal(_LENGTHS.pack(len(coded), len(packed), len(data)) + parts)


def unpack_texts(blob: bytes) -> Texts:
    """The column again. Raises `Damaged`."""
    payload = unseal(blob)
    coded, lengths, _ = _LENGTHS.unpack_from(payload)
    at = _LENGTHS.size
    codes = unpack_integers(payload[at : at + coded])
    ends = np.cumsum(unpack_integers(payload[at + coded : at + coded + lengths]))
    return Texts(codes, zstandard.decompress(payload[at + coded + lengths :]), ends)
