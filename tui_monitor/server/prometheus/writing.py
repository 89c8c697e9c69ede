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
TRUNCATED = "results truncated due to limit"


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
            yield b"," + row if number else row
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
    for row in shown:
        histograms = None if vector.histograms is None else vector.histograms[row]
        yield _series(
            vector.labels[row], times, prefixes, vector.values[row], vector.present[row], histograms
        )


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
        if not floats.all():
            prefixes, values = list(compress(prefixes, floats.tolist())), values[floats]
        out += b',"values":[%s"]]' % b'"],'.join(map(add, prefixes, number_texts(values)))
    if histograms is not None and others.any():
        found = (b"[%s,%s]" % (times[at], _histogram(histograms[at])) for at in np.flatnonzero(others))
        out += b',"histograms":[%s]' % b",".join(found)
    return out + b"}"


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
    sizes = np.abs(values)
    plain = ((sizes >= 1e-4) & (sizes < 1e16)) | (sizes == 0)
    if plain.all():
        listed = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
        return (listed[1:-1] + b",").replace(b".0,", b",")[:-1].split(b",")
    texts = number_texts(np.where(plain, values, 0.0))
    for at in np.flatnonzero(~plain).tolist():
        texts[at] = number_text(float(values[at])).encode()
    return texts


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
