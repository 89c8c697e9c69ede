"""Columns of a chunk as bytes: integers as differences in as few bits as fit, floats as scaled integers.

Differences of order 0, 1 or 2 are packed with one width per column; the few that do not fit are kept whole
beside. Floats that are decimals with few digits become integers bit for bit; NaN with its payload, ±inf,
-0.0 and other misfits are kept whole; a column of misfits is kept as differences of its bits.
Decoding works on many columns at once.
"""

import zlib
from collections.abc import Sequence

import numpy as np

MOST = 60_000
"""Values of one column: places are 16 bits."""

_HEAD = np.dtype(
    [
        ("crc", "<u4"), ("kind", "u1"), ("order", "u1"), ("width", "u1"), ("digits", "u1"),
        ("n", "<u2"), ("odd", "<u2"), ("special", "<u2"), ("unit", "<u4"),
        ("ref", "<i8"), ("first", "<i8"), ("second", "<i8"),
    ]
)  # fmt: skip
_PACKED, _BITS = 0, 1
_WIDEST = 56
"""Bits of a packed difference: with the bits before it in its byte it fits in one 64-bit word."""
_ODD_BITS = 80
"""What a difference costs that is kept whole: its place and 64 bits."""
_DIGITS = 12
_POWERS = 10.0 ** np.arange(_DIGITS + 1)
_TRIMS = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_EXACT = float(1 << 53)
_DEAR = 4
"""Bytes of a value from which on the other way is tried too."""
_TOGETHER = 400
"""Columns decoded in one go: more would only take memory."""


class Damaged(ValueError):
    """A column whose bytes are not what was written; `place` is its number among those decoded."""

    def __init__(self, place: int) -> None:
        super().__init__(f"column {place} is damaged")
        self.place = place


def encode_ints(values: np.ndarray) -> bytes:
    """A column of 1 to `MOST` int64."""
    head, body = _packed(values)
    return _sealed(head, body)


def encode_floats(values: np.ndarray) -> bytes:
    """A column of 1 to `MOST` float64, kept bit for bit."""
    scaled = _scaled(values)
    if scaled is None:
        return _bits(values)
    digits, numbers, fits = scaled
    head, body = _packed(numbers)
    misfits = np.flatnonzero(~fits)
    head["digits"], head["special"] = digits, len(misfits)
    body += misfits.astype("<u2").tobytes() + values[misfits].tobytes()
    packed = _sealed(head, body)
    if len(body) <= _DEAR * len(values):
        return packed
    return min(packed, _bits(values), key=len)


def decode_ints(columns: Sequence[bytes]) -> list[np.ndarray]:
    """Many columns of int64. Raises `Damaged`."""
    return _decoded(columns, floats=False)


def decode_floats(columns: Sequence[bytes]) -> list[np.ndarray]:
    """Many columns of float64. Raises `Damaged`."""
    return _decoded(columns, floats=True)


def _sealed(head: np.ndarray, body: bytes) -> bytes:
    rest = head.tobytes()[4:] + body
    return zlib.crc32(rest).to_bytes(4, "little") + rest


def _bits(values: np.ndarray) -> bytes:
    """Each value's bits as what differs from the one before, byte by byte of all values, deflated."""
    bits = values.view(np.uint64)
    changed = bits.copy()
    changed[1:] ^= bits[:-1]
    head = np.zeros((), dtype=_HEAD)
    head["kind"], head["n"] = _BITS, len(values)
    return _sealed(head, zlib.compress(changed.view(np.uint8).reshape(-1, 8).T.tobytes(), 6))


def _scaled(values: np.ndarray) -> tuple[int, np.ndarray, np.ndarray] | None:
    """Digits, values as integers with so many of them, and which are those bit for bit."""
    allowed = len(values) // 16 + 1
    tried = values[:: max(1, len(values) // 32)]
    for digits in range(_DIGITS + 1):
        if np.count_nonzero(~_as_decimals(tried, digits)[1]) * 4 > len(tried) + 4:
            continue
        numbers, fits = _as_decimals(values, digits)
        if np.count_nonzero(~fits) <= allowed:
            return digits, _filled(numbers, fits), fits
    return None


def _as_decimals(values: np.ndarray, digits: int) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(values * _POWERS[digits])
        # Beyond 2**53 a whole number is its own text still, with no digits behind the point.
        small = np.abs(scaled) < (_EXACT if digits else _EXACT * 256)
        numbers = np.where(small, scaled, 0.0).astype(np.int64)
        back = numbers / _POWERS[digits]
    return numbers, small & (back.view(np.uint64) == values.view(np.uint64))


def _filled(numbers: np.ndarray, fits: np.ndarray) -> np.ndarray:
    """In place of a misfit stands the number before it, so that it makes no difference of its own."""
    if fits.all():
        return numbers
    places = np.maximum.accumulate(np.where(fits, np.arange(len(numbers)), -1))
    first = int(np.argmax(fits))
    return numbers[np.where(places < 0, first, places)]


def _packed(values: np.ndarray) -> tuple[np.ndarray, bytes]:
    head = np.zeros((), dtype=_HEAD)
    with np.errstate(over="ignore"):
        steps = values - values[0]
        # A spread of more than 63 bits wraps around, and a common factor would not survive that.
        wraps = bool(((steps < 0) != (values < values[0])).any())
        unit = 1 if wraps else int(np.gcd.reduce(steps))
        unit = unit if 1 < unit < 1 << 32 else 1
        steps = steps // unit if unit > 1 else steps
        tried = [(_narrowest(found), order, found) for order, found in _differences(steps)]
        (_, width, ref), order, differences = min(tried, key=lambda one: one[0][0])
        offsets = (differences - np.int64(ref)).view(np.uint64)
    odd = np.flatnonzero(offsets >> np.uint64(width)) if width < 64 else np.zeros(0, dtype=np.int64)
    head["kind"], head["order"], head["width"], head["n"] = _PACKED, order, width, len(values)
    head["odd"], head["unit"], head["ref"], head["first"] = len(odd), unit, ref, values[0]
    head["second"] = steps[1] if order == 2 else 0
    kept = differences[odd].astype("<i8").tobytes()
    offsets[odd] = 0
    return head, _pack(offsets, width) + odd.astype("<u2").tobytes() + kept


def _differences(steps: np.ndarray) -> list[tuple[int, np.ndarray]]:
    found = [(0, steps)]
    if len(steps) > 1:
        found.append((1, np.diff(steps)))
    if len(steps) > 2:
        found.append((2, np.diff(found[1][1])))
    return found


def _narrowest(values: np.ndarray) -> tuple[int, int, int]:
    """Bits that the values take at least, and the width and the least packed value with which they do."""
    ordered = np.sort(values)
    found = (1 << 62, 64, 0)
    for trim in _TRIMS:
        if trim and trim >= len(ordered) // 4:
            break
        inside = len(ordered) - trim
        # A spread of more than 63 bits is one of 64 once it wraps around.
        spans = (ordered[inside - 1 :] - ordered[: trim + 1]).view(np.uint64)
        at = int(spans.argmin())
        width = int(spans[at]).bit_length()
        width = width if width <= _WIDEST else 64
        found = min(found, (width * len(ordered) + _ODD_BITS * trim, width, int(ordered[at])))
    return found


def _pack(offsets: np.ndarray, width: int) -> bytes:
    if width == 0:
        return b""
    bits = np.unpackbits(offsets.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    return np.packbits(bits[:, :width].reshape(-1), bitorder="little").tobytes()


def _decoded(columns: Sequence[bytes], *, floats: bool) -> list[np.ndarray]:
    out: list[np.ndarray] = []
    for at in range(0, len(columns), _TOGETHER):
        part = columns[at : at + _TOGETHER]
        for place, column in enumerate(part, at):
            if len(column) < _HEAD.itemsize or zlib.crc32(memoryview(column)[4:]) != int.from_bytes(
                column[:4], "little"
            ):
                raise Damaged(place)
        out += _decoded_together(part, floats=floats)
    return out


def _decoded_together(columns: Sequence[bytes], *, floats: bool) -> list[np.ndarray]:
    heads = np.frombuffer(b"".join(c[: _HEAD.itemsize] for c in columns), dtype=_HEAD)
    out: list[np.ndarray] = [np.zeros(0)] * len(columns)
    for at in np.flatnonzero(heads["kind"] == _BITS).tolist():
        out[at] = _from_bits(columns[at])
    packed = np.flatnonzero(heads["kind"] == _PACKED)
    # Those of one order together: each order is summed up once more than the one before.
    packed = packed[np.argsort(heads["order"][packed], kind="stable")]
    if len(packed):
        mine = [columns[at] for at in packed.tolist()]
        values, ends = _unpacked(heads[packed], mine, floats=floats)
        for at, start, end in zip(packed.tolist(), [0, *ends[:-1]], ends, strict=True):
            out[at] = values[start:end]
    return out


def _from_bits(column: bytes) -> np.ndarray:
    planes = np.frombuffer(zlib.decompress(column[_HEAD.itemsize :]), dtype=np.uint8)
    changed = np.ascontiguousarray(planes.reshape(8, -1).T).view(np.uint64).reshape(-1)
    return np.bitwise_xor.accumulate(changed).view(np.float64)


def _unpacked(heads: np.ndarray, columns: Sequence[bytes], *, floats: bool) -> tuple[np.ndarray, list[int]]:
    """All values of packed columns, in order of `order`, and where each column ends."""
    n, order = heads["n"].astype(np.int64), heads["order"].astype(np.int64)
    ends = np.cumsum(n)
    starts = ends - n
    values = _packed_values(heads, columns, starts, n, order)
    with np.errstate(over="ignore"):
        _begin(values, heads, starts, order)
        for least in (2, 1):
            at = int(np.searchsorted(order, least))
            if at < len(order):
                _sum_up(values[starts[at] :], starts[at:] - starts[at], n[at:])
        if (heads["unit"] > 1).any():
            values *= np.repeat(heads["unit"].astype(np.int64), n)
        values += np.repeat(heads["first"].astype(np.int64), n)
    if not floats:
        return values, ends.tolist()
    real = values / np.repeat(_POWERS[heads["digits"]], n) if heads["digits"].any() else values / 1.0
    for at in np.flatnonzero(heads["special"]).tolist():
        count, column = int(heads["special"][at]), columns[at]
        body = len(column) - 10 * count
        places = np.frombuffer(column, dtype="<u2", count=count, offset=body)
        real[starts[at] + places.astype(np.int64)] = np.frombuffer(
            column, dtype="<f8", count=count, offset=body + 2 * count
        )
    return real, ends.tolist()


def _packed_values(
    heads: np.ndarray, columns: Sequence[bytes], starts: np.ndarray, n: np.ndarray, order: np.ndarray
) -> np.ndarray:
    """The differences of all columns, each after as many places as its order."""
    many = n - order
    width = heads["width"].astype(np.int64)
    buffer = np.frombuffer(b"".join(columns) + bytes(8), dtype=np.uint8)
    words = np.ndarray(shape=(len(buffer) - 7,), dtype="<u8", buffer=buffer.data, strides=(1,))
    sizes = np.fromiter(map(len, columns), dtype=np.int64, count=len(columns))
    begins = np.cumsum(sizes) - sizes + _HEAD.itemsize
    within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
    bit = within * np.repeat(width, many) + np.repeat(begins * 8, many)
    mask = np.array([(1 << w) - 1 for w in width.tolist()], dtype=np.uint64)
    found = (words[bit >> 3] >> (bit & 7).astype(np.uint64)) & np.repeat(mask, many)
    found = found.view(np.int64)
    with np.errstate(over="ignore"):
        found += np.repeat(heads["ref"].astype(np.int64), many)
    values = np.zeros(int(n.sum()), dtype=np.int64)
    values[within + np.repeat(starts + order, many)] = found
    for at in np.flatnonzero(heads["odd"]).tolist():
        count, column = int(heads["odd"][at]), columns[at]
        body = _HEAD.itemsize + (int(many[at]) * int(width[at]) + 7) // 8
        places = np.frombuffer(column, dtype="<u2", count=count, offset=body).astype(np.int64)
        kept = np.frombuffer(column, dtype="<i8", count=count, offset=body + 2 * count)
        values[starts[at] + order[at] + places] = kept
    return values


def _begin(values: np.ndarray, heads: np.ndarray, starts: np.ndarray, order: np.ndarray) -> None:
    twice = order == 2
    values[starts[twice] + 1] = heads["second"][twice]


def _sum_up(values: np.ndarray, starts: np.ndarray, n: np.ndarray) -> None:
    """Running sums within each column, in place."""
    sums = np.cumsum(values)
    sums -= np.repeat(sums[starts] - values[starts], n)
    values[:] = sums
