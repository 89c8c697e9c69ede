"""Answers of the engine as Prometheus's JSON, in parts, so that a wide one is never in memory twice."""

from collections.abc import Iterable, Iterator
from itertools import compress
from operator import add
from typing import Any

import numpy as np
import orjson

from tui_monitor.model.clock import SECOND
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.promql.answer import Answer
from tui_monitor.query.promql.ast import ValueType
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.native.writing import boundaries, buckets
from tui_monitor.query.promql.values import Scalar, Text, Vector, Windows, there

PART = 1 << 18
"""Bytes of a part, about."""
BLOCK = 1 << 16
"""Numbers looked through together."""
TRUNCATED = "results truncated due to limit"
_ODD, _NONE, _SOME, _ALL = range(4)
_EXACT = float(1 << 53)


def written(answer: Answer, stats: dict[str, Any] | None, limit: int) -> Iterator[bytes]:
    """The whole body. `limit` is the most series, 0 for all."""
    rows, truncated = _rows(answer, limit)
    yield from _parts(_pieces(answer, rows, stats, truncated))


def _pieces(
    answer: Answer, rows: Iterable[bytes] | bytes, stats: dict[str, Any] | None, truncated: bool
) -> Iterator[bytes]:
    yield b'{"status":"success","data":{"resultType":"%s","result":' % str(answer.kind).encode()
    if isinstance(rows, bytes):
        yield rows
    else:
        yield b"["
        for number, row in enumerate(rows):
            if number:
                yield b","
            yield row
        yield b"]"
    if stats is not None:
        yield b',"stats":' + orjson.dumps(stats)
    yield b"}"
    warnings = [*answer.warnings, *([TRUNCATED] if truncated else [])]
    for name, remarks in (("warnings", warnings), ("infos", answer.infos)):
        if remarks:
            yield b',"%s":%s' % (name.encode(), json_of(remarks))
    yield b"}"


def _parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PART:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _rows(answer: Answer, limit: int) -> tuple[Iterable[bytes] | bytes, bool]:
    """The series, or the whole result where it has none; and whether some were left out."""
    value = answer.value
    times = [_time(time) for time in answer.instants.tolist()]
    if isinstance(value, Text):
        return b"[%s,%s]" % (times[0], json_of(value.value)), False
    if isinstance(value, Scalar):
        texts = number_texts(value.values)
        if answer.kind is ValueType.SCALAR:
            return b'[%s,"%s"]' % (times[0], texts[0]), False
        points = b"],[".join(b'%s,"%s"' % pair for pair in zip(times, texts, strict=True))
        return [b'{"metric":{},"values":[[%s]]}' % points], False
    many = len(value.series) if isinstance(value, Windows) else len(value)
    shown = range(min(many, limit) if limit else many)
    if isinstance(value, Windows):
        rows = _windows(value, shown)
    elif answer.kind is ValueType.VECTOR:
        rows = _singles(value, shown, times[0])
    else:
        rows = _matrix(value, shown, times)
    return rows, len(shown) < many


def _singles(vector: Vector, shown: range, time: bytes) -> Iterator[bytes]:
    texts = number_texts(vector.values[: len(shown), 0])
    for row in shown:
        histogram = None if vector.histograms is None else vector.histograms[row, 0]
        metric = _metric(vector.labels[row])
        if histogram is None:
            yield b'{"metric":%s,"value":[%s,"%s"]}' % (metric, time, texts[row])
        else:
            yield b'{"metric":%s,"histogram":[%s,%s]}' % (metric, time, _histogram(histogram))


def _matrix(vector: Vector, shown: range, times: list[bytes]) -> Iterator[bytes]:
    prefixes = _prefixes(times)
    # What stands around the numbers of a series that has all of them, and between them room for each.
    around = [b""] * (2 * len(times) + 1)
    around[2::2] = [b'"],' + prefix for prefix in prefixes[1:]] + [b'"]]}']
    many = max(1, BLOCK // len(times))
    for low in range(0, len(shown), many):
        block = slice(low, min(low + many, len(shown)))
        present = vector.present[block]
        shapes = _shapes(np.where(present, vector.values[block], 1.0))
        counts = np.count_nonzero(present, axis=1)
        shapes[counts == 0] = _ODD
        for at, row in enumerate(range(block.start, block.stop)):
            labels, values = vector.labels[row], vector.values[row]
            if vector.histograms is not None or shapes[at] == _ODD:
                histograms = None if vector.histograms is None else vector.histograms[row]
                yield _series(labels, times, prefixes, values, present[at], histograms)
            elif counts[at] == len(times):
                around[0] = b'{"metric":%s,"values":[%s' % (_metric(labels), prefixes[0])
                around[1::2] = _texts(values, int(shapes[at]))
                yield b"".join(around)
            else:
                some = compress(prefixes, present[at].tolist())
                yield _listed(labels, some, _texts(values[present[at]], int(shapes[at]))) + b"}"


def _windows(windows: Windows, shown: range) -> Iterator[bytes]:
    """The samples of the windows at the only instant."""
    series = windows.series
    for row in shown:
        part = slice(int(windows.low[row, 0]), int(windows.high[row, 0]))
        if part.stop > part.start:
            times = [_time(time) for time in series.times[part].tolist()]
            histograms = None if series.histograms is None else series.histograms[part]
            present = np.ones(len(times), dtype=bool)
            yield _series(
                series.labels[row], times, _prefixes(times), series.values[part], present, histograms
            )


def _prefixes(times: list[bytes]) -> list[bytes]:
    return [b'[%s,"' % time for time in times]


def _series(
    labels: Labels, times: list[bytes], prefixes: list[bytes], values: np.ndarray, present: np.ndarray,
    histograms: np.ndarray | None,
) -> bytes:  # fmt: skip
    others = np.zeros_like(present) if histograms is None else present & there(histograms)
    floats = present & ~others
    out = b'{"metric":' + _metric(labels)
    if floats.any():
        out = _listed(labels, compress(prefixes, floats.tolist()), number_texts(values[floats]))
    if histograms is not None and others.any():
        found = (b"[%s,%s]" % (times[at], _histogram(histograms[at])) for at in np.flatnonzero(others))
        out += b',"histograms":[%s]' % b",".join(found)
    return out + b"}"


def _listed(labels: Labels, prefixes: Iterable[bytes], texts: list[bytes]) -> bytes:
    """A series with its numbers, of which there is at least one; open at its end."""
    return b'{"metric":%s,"values":[%s"]]' % (_metric(labels), b'"],'.join(map(add, prefixes, texts)))


def _histogram(histogram: NativeHistogram) -> bytes:
    text = {"count": number_text(histogram.count), "sum": number_text(histogram.sum)}
    rows = [
        [boundaries(histogram, low, high), number_text(low), number_text(high), number_text(count)]
        for low, high, count in buckets(histogram)
    ]
    return orjson.dumps(text | {"buckets": rows} if rows else text)


def _time(time: int) -> bytes:
    """Seconds, with as many digits as there are."""
    whole, part = divmod(abs(time), SECOND)
    sign = "-" if time < 0 else ""
    return (f"{sign}{whole}.{part:06d}".rstrip("0") if part else f"{sign}{whole}").encode()


def number_texts(values: np.ndarray) -> list[bytes]:
    """float64 numbers as `number_text` writes them."""
    if not len(values):
        return []
    shape = int(_shapes(values[None])[0])
    if shape != _ODD:
        return _texts(values, shape)
    ordinary = _ordinary(values)
    texts = number_texts(np.where(ordinary, values, 0.0))
    for at in np.flatnonzero(~ordinary).tolist():
        texts[at] = number_text(float(values[at])).encode()
    return texts


def _ordinary(values: np.ndarray) -> np.ndarray:
    """bool: which of them JSON writes as `number_text` does, but for `.0` behind a whole number."""
    sizes = np.abs(values)
    return ((sizes >= 1e-4) & (sizes < 1e16)) | (sizes == 0)


def _shapes(values: np.ndarray) -> np.ndarray:
    """What is in each row: `_ODD` where any number is not ordinary, else how many whole ones there are."""
    whole = values == np.rint(values)
    # No integer is a negative zero.
    exact = whole & (np.abs(values) < _EXACT) & ~(np.signbit(values) & (values == 0))
    shapes = np.where(exact.all(axis=1), _ALL, np.where(whole.any(axis=1), _SOME, _NONE))
    return np.where(_ordinary(values).all(axis=1), shapes, _ODD)


def _texts(values: np.ndarray, shape: int) -> list[bytes]:
    """Ordinary numbers, at least one, of a row of this shape."""
    row = np.ascontiguousarray(values, dtype=np.int64 if shape == _ALL else np.float64)
    listed = orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY)
    if shape == _SOME:
        listed = b"[" + (listed[1:-1] + b",").replace(b".0,", b",")
    return listed[1:-1].split(b",")


def number_text(value: float) -> str:
    """As few digits as tell the number; an exponent only where it is very great or very small."""
    if value != value:
        return "NaN"
    if value in (np.inf, -np.inf):
        return "+Inf" if value > 0 else "-Inf"
    size = abs(value)
    if size and (size < 1e-6 or size >= 1e21):
        return repr(value)
    return np.format_float_positional(value, trim="-")


def _metric(labels: Labels) -> bytes:
    return json_of(dict(labels))


def json_of(data: Any) -> bytes:
    """Texts in any structure as JSON; what is no Unicode in them becomes U+FFFD."""
    try:
        return orjson.dumps(data)
    except TypeError:
        return orjson.dumps(_mended(data))


def _mended(data: Any) -> Any:
    if isinstance(data, str):
        return data.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(data, dict):
        return {_mended(name): _mended(value) for name, value in data.items()}
    return [_mended(one) for one in data] if isinstance(data, list) else data
