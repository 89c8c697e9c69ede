"""What is sent: a reader of protobuf and snappy gives back what was written, and Prometheus stores it."""

import struct
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import cramjam
from hypothesis import given, settings
from hypothesis import strategies as st
from native_histograms import growing, histograms
from peers import prometheus

from tests.examples import examples
from tui_monitor.forward.wire import Line, packed, plain_labels
from tui_monitor.model.clock import MS, SECOND
from tui_monitor.model.histogram import CounterReset, NativeHistogram
from tui_monitor.query.promql.values import STALE_BITS


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of a protobuf message; a nested one is bytes."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            yield key >> 3, varint()
        elif key & 7 == 1:
            yield key >> 3, data[at : at + 8]
            at += 8
        else:
            length = varint()
            yield key >> 3, data[at : at + length]
            at += length


def signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def unzigzag(value: int) -> int:
    return value >> 1 if value % 2 == 0 else -(value >> 1) - 1


def doubles(data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // 8}d", data)


def varints(data: bytes) -> list[int]:
    # Each as if it were field 0 of a message.
    return [value for _, value in fields(b"".join(b"\0" + part for part in _split(data)))]


def _split(data: bytes) -> Iterator[bytes]:
    begin = 0
    for at, byte in enumerate(data):
        if byte < 128:
            yield data[begin : at + 1]
            begin = at + 1


def histogram(data: bytes) -> tuple[int, NativeHistogram]:
    """(ms, histogram) of a `Histogram` message."""
    found = dict.fromkeys(range(1, 17), 0) | {8: [], 11: []}
    for number, value in fields(data):
        if number in (8, 11):
            found[number].append(dict(fields(value)))
        else:
            found[number] = value
    whole = not isinstance(found[2], bytes)

    def side(spans: int, deltas: int, floats: int) -> tuple[tuple[int, float], ...]:
        indexes: list[int] = []
        at = 0
        for span in found[spans]:
            at += unzigzag(span[1])
            indexes += range(at, at + span[2])
            at += span[2]
        if not indexes:
            return ()
        counts = accumulate(map(unzigzag, varints(found[deltas]))) if whole else doubles(found[floats])
        return tuple(zip(indexes, map(float, counts), strict=True))

    def number(of_whole: int, of_float: int) -> float:
        return float(found[of_whole]) if whole else doubles(found[of_float])[0]

    return signed(found[15]), NativeHistogram(
        unzigzag(found[4]), number(1, 2), doubles(found[3])[0], doubles(found[5])[0], number(6, 7),
        side(11, 12, 13), side(8, 9, 10), doubles(found[16]) if found[16] else (), CounterReset(found[14]),
    )  # fmt: skip


def read(body: bytes) -> list[tuple[tuple[tuple[str, str], ...], list[tuple[int, bytes]], list[Any]]]:
    out = []
    for number, series in fields(bytes(cramjam.snappy.decompress_raw(body))):
        assert number == 1
        labels, samples, natives = [], [], []
        for number, value in fields(series):
            if number == 1:
                pair = dict(fields(value))
                labels.append((pair[1].decode(), pair[2].decode()))
            elif number == 2:
                sample = dict(fields(value))
                samples.append((signed(sample[2]), sample[1]))
            else:
                natives.append(histogram(value))
        out.append((tuple(labels), samples, natives))
    return out


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
times = st.integers(-(1 << 40), 1 << 41)
lines = st.builds(
    Line,
    st.lists(st.tuples(texts, texts), max_size=4).map(tuple),
    st.lists(st.tuples(times.map(lambda at: at * MS), st.floats() | histograms()), max_size=5),
)


@settings(max_examples=examples(75))
@given(st.lists(lines, max_size=4))
def test_what_is_written_is_read_again(sent: list[Line]):
    found = read(packed(sent))
    assert [labels for labels, _, _ in found] == [line.labels for line in sent]
    for line, (_, samples, natives) in zip(sent, found, strict=True):
        floats = [(at // MS, struct.pack("<d", v)) for at, v in line.points if isinstance(v, float)]
        assert samples == floats
        kept = [(at // MS, v) for at, v in line.points if isinstance(v, NativeHistogram)]
        assert natives == kept


def test_bits_stay_bits():
    ((_, samples, _),) = read(packed([Line((), [(0, STALE_BITS)])]))
    assert samples == [(0, STALE_BITS.to_bytes(8, "little"))]


@given(st.lists(st.tuples(texts, texts), max_size=6))
def test_labels_are_ones_that_every_receiver_takes(labels: list[tuple[str, str]]):
    plain = plain_labels(labels)
    assert list(plain) == sorted(plain)
    names = [name for name, _ in plain]
    assert len(names) == len(set(names))
    assert all(value for _, value in plain)
    assert all(name.isascii() and name.replace("_", "a").isidentifier() for name in names)


def test_prometheus_reads_histograms_as_ours_are(tmp_path):
    natives = growing([[1, 0, 2, 0, 0, 3], [4, 1, 0, 0, 5, 0]])
    parts = [
        NativeHistogram(2, 3.5, 7.25, 0.5, 1.0, ((0, 1.5), (7, 1.0))),
        NativeHistogram(2, 4.5, 9.0, 0.5, 1.0, ((0, 1.5), (7, 1.0)), ((1, 1.0),)),
    ]
    begin = 1_700_000_000 * SECOND
    with prometheus(tmp_path) as peer:
        for name, of in (("whole", natives), ("parts", parts)):
            line = Line((("__name__", name),), [(begin + i * 15 * SECOND, h) for i, h in enumerate(of)])
            peer.write([line])
            for function, values in (
                ("count", [h.count for h in of]),
                ("sum", [h.sum for h in of]),
            ):
                told = [peer.value(f"histogram_{function}({name})", 1_700_000_000 + i * 15) for i in range(2)]
                assert told == values
