"""A remote-write request as bytes: protobuf messages of Prometheus's remote write 1.0, packed with snappy.

https://prometheus.io/docs/specs/prw/remote_write_spec/ and prometheus/prompb/types.proto: the numbers of
fields and types below are those of that schema, which no version has changed. The few messages are written by
hand: a protobuf library would be a compiled dependency, and slower for samples by the thousand.
"""

import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tui_monitor.model.clock import MS, Micros
from tui_monitor.model.histogram import Counts, NativeHistogram

HEADERS: Mapping[str, str] = {
    "content-encoding": "snappy",
    "content-type": "application/x-protobuf",
    "x-prometheus-remote-write-version": "0.1.0",
}
"""What every request says of itself."""

Value = float | int | NativeHistogram
"""A number, the 64 bits of one (`int`; a marker that a series ended is told by them), or a histogram."""

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_:]")
_NOT_IN_LABELS = re.compile(r"[^a-zA-Z0-9_]")
_VARINT, _DOUBLE, _BYTES = 0, 1, 2
_HISTOGRAMS = 4
"""The field of a series that holds its histograms."""


@dataclass(frozen=True, slots=True)
class Line:
    """One series with some of its samples, by time."""

    labels: tuple[tuple[str, str], ...]
    """Sorted by name, `__name__` among them."""
    points: Sequence[tuple[Micros, Value]]


def packed(lines: Iterable[Line]) -> bytes:
    """The body of a request (`WriteRequest`)."""
    import cramjam

    message = bytearray()
    for line in lines:
        message += _field(1, _series(line))
    return bytes(cramjam.snappy.compress_raw(bytes(message)))


def unpacked(body: bytes) -> list[tuple[bytes, int]]:
    """The series of a request that `packed` made, each as its bytes and the number of its samples.

    Raises ValueError for what is no such request.
    """
    import cramjam

    try:
        message = bytes(cramjam.snappy.decompress_raw(body))
        return _parted(message)
    except (cramjam.DecompressionError, IndexError) as error:
        raise ValueError("no request") from error


def _parted(message: bytes) -> list[tuple[bytes, int]]:
    found: list[tuple[bytes, int]] = []
    at = 0
    while at < len(message):
        begin, end = _span(message, at)
        samples, inner = 0, begin
        while inner < end:
            samples += message[inner] >> 3 != 1
            _, inner = _span(message, inner)
        found.append((message[at:end], samples))
        at = end
    return found


def without_histograms(series: Iterable[tuple[bytes, int]]) -> list[tuple[bytes, int]]:
    """The series of a request that are numbers."""
    return [one for one in series if not _is_histogram(one[0])]


def _is_histogram(series: bytes) -> bool:
    at, end = _span(series, 0)
    while at < end:
        if series[at] >> 3 == _HISTOGRAMS:
            return True
        _, at = _span(series, at)
    return False


def repacked(series: Iterable[tuple[bytes, int]]) -> bytes:
    """Some of the series of a request as a request of their own."""
    import cramjam

    return bytes(cramjam.snappy.compress_raw(b"".join(data for data, _ in series)))


def _span(message: bytes, at: int) -> tuple[int, int]:
    """Where the content of the field at `at` begins and ends; all fields here have a length before them."""
    length = shift = 0
    while True:
        at += 1
        length |= (message[at] & 127) << shift
        shift += 7
        if message[at] < 128:
            return at + 1, at + 1 + length


def plain_labels(labels: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Labels as every receiver takes them: sorted, none empty, names of ASCII letters, digits and `_`."""
    known: dict[str, str] = {}
    for name, value in labels:
        if not value:
            continue
        if name == "__name__":
            known[name] = _begun(_NOT_IN_NAMES.sub("_", value))
        else:
            known.setdefault(_begun(_NOT_IN_LABELS.sub("_", name)), value)
    return tuple(sorted(known.items()))


def _begun(name: str) -> str:
    return f"_{name}" if not name or name[0].isdigit() else name


def _series(line: Line) -> bytes:
    """`TimeSeries`: labels = 1, samples = 2, histograms = 4."""
    out = bytearray()
    for name, value in line.labels:
        out += _label(name, value)
    for at, value in line.points:
        stamp = at // MS
        if isinstance(value, NativeHistogram):
            out += _field(_HISTOGRAMS, _histogram(value) + _key(15, _VARINT) + _varint(stamp))
        else:
            bits = struct.pack("<q" if isinstance(value, int) else "<d", value)
            # `Sample`: value = 1, timestamp = 2.
            out += _field(2, _key(1, _DOUBLE) + bits + _key(2, _VARINT) + _varint(stamp))
    return bytes(out)


@lru_cache(16_384)
def _label(name: str, value: str) -> bytes:
    """A label as a field of its series. Every request names the same ones."""
    return _field(1, _field(1, name.encode()) + _field(2, value.encode("utf-8", "replace")))


def _histogram(of: NativeHistogram) -> bytes:
    """`Histogram`: counts as whole numbers where they are (1, 6, 9, 12), else as floats (2, 7, 10, 13)."""
    counts = [of.count, of.zero_count, *(n for side in (of.positive, of.negative) for _, n in side)]
    whole = all(count.is_integer() for count in counts)
    out = bytearray(_number(1 if whole else 2, of.count, whole=whole))
    out += _double(3, of.sum) + _key(4, _VARINT) + _varint(_zigzag(of.schema)) + _double(5, of.zero_threshold)
    out += _number(6 if whole else 7, of.zero_count, whole=whole)
    for side, spans, deltas, floats in ((of.negative, 8, 9, 10), (of.positive, 11, 12, 13)):
        if side:
            out += _spans(spans, side)
            out += _deltas(deltas, side) if whole else _floats(floats, side)
    if of.bounds:
        out += _field(16, struct.pack(f"<{len(of.bounds)}d", *of.bounds))
    return bytes(out + _key(14, _VARINT) + _varint(int(of.reset)))


def _spans(number: int, side: Counts) -> bytes:
    """`BucketSpan` for each stretch of neighbours: offset = 1 from the end of the one before, length = 2."""
    out, after, at = bytearray(), 0, 0
    indexes = [index for index, _ in side]
    while at < len(indexes):
        end = at + 1
        while end < len(indexes) and indexes[end] == indexes[end - 1] + 1:
            end += 1
        offset = _key(1, _VARINT) + _varint(_zigzag(indexes[at] - after))
        out += _field(number, offset + _key(2, _VARINT) + _varint(end - at))
        after, at = indexes[end - 1] + 1, end
    return bytes(out)


def _deltas(number: int, side: Counts) -> bytes:
    out, before = bytearray(), 0
    for _, count in side:
        out += _varint(_zigzag(int(count) - before))
        before = int(count)
    return _field(number, bytes(out))


def _floats(number: int, side: Counts) -> bytes:
    return _field(number, struct.pack(f"<{len(side)}d", *(count for _, count in side)))


def _number(number: int, value: float, *, whole: bool) -> bytes:
    return _key(number, _VARINT) + _varint(int(value)) if whole else _double(number, value)


def _double(number: int, value: float) -> bytes:
    return _key(number, _DOUBLE) + struct.pack("<d", value)


def _field(number: int, data: bytes) -> bytes:
    return _key(number, _BYTES) + _varint(len(data)) + data


@lru_cache(64)
def _key(number: int, kind: int) -> bytes:
    return _varint(number << 3 | kind)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


# Most samples of a request are of a few instants, and most counts are small.
@lru_cache(4_096)
def _varint(value: int) -> bytes:
    if 0 <= value < 128:
        return bytes((value,))
    # A negative number is written as the 64 bits that it is.
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
