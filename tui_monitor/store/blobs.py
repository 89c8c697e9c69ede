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
    """The integers of `narrow` again, as uint64."""
    return _small(planes, width, count).astype(np.uint64)


def _small(planes: bytes, width: int, count: int) -> np.ndarray:
    """The integers of `narrow` again, unsigned, of as few bytes as they need."""
    if not width:
        return _nothing(count)
    octets = np.frombuffer(planes, dtype=np.uint8, count=width * count).reshape(width, count)
    if width == 1:
        return octets[0]
    size = next(size for size in (2, 4, 8) if size >= width)
    if size == 8:
        whole = np.zeros((count, size), dtype=np.uint8)
        whole[:, :width] = octets.T
        return whole.reshape(-1).view("<u8")
    # Adding few bytes up is quicker than putting them in order.
    kind = np.dtype(f"u{size}")
    values = octets[0].astype(kind)
    for at in range(1, width):
        values |= octets[at].astype(kind) << kind.type(8 * at)
    return values


def _nothing(count: int) -> np.ndarray:
    """Zeros that take no room; they cannot be changed."""
    return np.broadcast_to(np.uint8(0), count)


@dataclass(frozen=True, slots=True)
class Integers:
    """A column of integers as narrow as it is stored: each is the lowest and something small."""

    low: int
    small: np.ndarray
    """Unsigned."""
    known: np.ndarray | None = None
    """Which of them there are, if not all."""

    @classmethod
    def constant(cls, value: int, count: int) -> "Integers":
        """One value, or `UNKNOWN`, so many times."""
        return cls(value, _nothing(count))

    @classmethod
    def of(cls, values: np.ndarray) -> "Integers":
        """A column of int64, as wide as it is."""
        return cls(0, values)

    @property
    def size(self) -> int:
        """Bytes it takes."""
        taken = 0 if self.is_constant else self.small.nbytes
        return taken + (0 if self.known is None else self.known.nbytes)

    @property
    def is_constant(self) -> bool:
        """Whether all are the same."""
        return self.known is None and self.small.strides == (0,)

    def at(self, rows: "np.ndarray | slice") -> np.ndarray:
        """Some of them as int64, `UNKNOWN` where there is none; sums wrap round."""
        values = self.small[rows].astype(np.int64)
        if self.low:
            values += np.int64(self.low)
        if self.known is not None:
            values[~self.known[rows]] = UNKNOWN
        return values

    def between(self, low: int | None, high: int | None) -> np.ndarray:
        """Which are known and neither below the first nor above the second."""
        if self.small.itemsize == 8 or self.low == UNKNOWN:
            values = self.at(slice(None))
            found = values != UNKNOWN
            values_low, values_high = low, high
        else:
            values = self.small
            found = np.ones(len(values), dtype=bool) if self.known is None else self.known.copy()
            values_low = None if low is None else low - self.low
            values_high = None if high is None else high - self.low
        if values_low is not None:
            found &= values >= values_low
        if values_high is not None:
            found &= values <= values_high
        return found

    def among(self, values: Sequence[int]) -> np.ndarray:
        """Which are one of these, of which `UNKNOWN` may be one."""
        if self.is_constant:
            return np.full(len(self.small), self.low in values)
        most = int(np.iinfo(self.small.dtype).max)
        near = [v - self.low for v in values if v != UNKNOWN and 0 <= v - self.low <= most]
        found = np.isin(self.small, np.array(near, dtype=self.small.dtype))
        if self.known is None:
            return found
        return np.where(self.known, found, UNKNOWN in values)

    def chosen(self, table: np.ndarray) -> np.ndarray:
        """What a table says of each; its places are numbers, and all of them are known and in it."""
        return table[self.low :][self.small]


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
    """The column again, as int64. Raises `Damaged`."""
    return unpack_narrow(blob).at(slice(None))


def unpack_narrow(blob: bytes) -> Integers:
    """The column again. Raises `Damaged`."""
    payload = unseal(blob)
    flags, width, count, low, start = _HEADER.unpack_from(payload)
    body = zstandard.decompress(payload[_HEADER.size :]) if len(payload) > _HEADER.size else b""
    nulls = -(-count // 8) if flags & _NULLS else 0
    small = _small(body[nulls:] if nulls else body, width, count)
    if flags & _STEPS and count:
        values = np.cumsum(small.astype(np.int64) + np.int64(low)) + np.int64(start)
        low = int(values.min())
        rest = (values - np.int64(low)).view(np.uint64)
        small = rest.astype(np.min_scalar_type(int(rest.max())))
    if not nulls:
        return Integers(low, small)
    known = np.unpackbits(np.frombuffer(body, dtype=np.uint8, count=nulls), count=count).view(bool)
    return Integers(low, small, known)


@dataclass(slots=True)
class Texts:
    """A column of texts: the number of each row's text, `UNKNOWN` for none, and the different texts."""

    codes: Integers
    data: bytes
    ends: np.ndarray

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return self.codes.size + len(self.data) + self.ends.nbytes

    def text(self, code: int) -> str:
        """The text of a number."""
        start = int(self.ends[code - 1]) if code else 0
        return self.data[start : int(self.ends[code])].decode("utf-8", "surrogatepass")

    def at(self, rows: np.ndarray) -> list[str | None]:
        """The texts of some rows."""
        codes: list[int] = self.codes.at(rows).tolist()
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
    codes = unpack_narrow(payload[at : at + coded])
    ends = np.cumsum(unpack_integers(payload[at + coded : at + coded + lengths]))
    data = zstandard.decompress(payload[at + coded + lengths :])
    return Texts(codes, data, ends.astype(np.min_scalar_type(len(data))))
