"""Samples of the store with native histograms, and what stayed of those that are no longer kept one by one.

Of gauges one point for each 5 minutes stays, their mean, which is the least or greatest where that is asked
for, or the total of what was sampled; of counters and native histograms the last of each 5 minutes, and every
one before they began anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.values import SeriesSet
from tui_monitor.store.api import Reader, SeriesInfo
from tui_monitor.store.series.sampled import Afford, Steps

_Row = tuple[Labels, np.ndarray, np.ndarray]
"""Labels, times, and floats or histograms as objects."""
_AT_ONCE = 200
"""Series that are read together."""


@dataclass(slots=True)
class _Points:
    """Of one series; what comes later replaces what is there at the same time."""

    times: list[np.ndarray] = field(default_factory=list)
    values: list[np.ndarray] = field(default_factory=list)

    def add(self, times: np.ndarray, values: np.ndarray) -> None:
        """Floats, or histograms, at some times."""
        self.times.append(times)
        self.values.append(values)

    def merged(self) -> tuple[np.ndarray, np.ndarray]:
        """All by time: times, and floats or histograms as objects."""
        times = np.concatenate(self.times)
        mixed = any(part.dtype == object for part in self.values)
        values = np.concatenate([part.astype(object) if mixed else part for part in self.values])
        order = np.argsort(times, kind="stable")
        last = np.append(np.diff(times[order]) > 0, True)
        return times[order[last]], values[order[last]]


def series(
    reader: Reader, infos: Sequence[SeriesInfo], labels: Sequence[Labels], span: Span, function: str,
    steps_until: Micros | None, afford: Afford,
) -> SeriesSet:  # fmt: skip
    """These series with all that is kept of their samples in the span.

    `afford` is told between parts how many were read. Raises `StoreError` and what it raises.
    """
    parts: list[_Row] = []
    read = 0
    until = steps_until if steps_until is not None and span.start < steps_until else None
    for at in range(0, len(infos), _AT_ONCE):
        afford(read)
        some = slice(at, at + _AT_ONCE)
        parts += _read(reader, infos[some], labels[some], span, function, until)
        read += sum(len(times) for _, times, _ in parts[at:])
    made = _flat(parts)
    if until is not None and len(made):
        moment = datetime.fromtimestamp(until // SECOND, UTC)
        made.remarks = (
            f"of samples up to {moment:%Y-%m-%d %H:%M} UTC only one point for each 5 minutes is kept",
        )
    return made


def _read(
    reader: Reader, infos: Sequence[SeriesInfo], labels: Sequence[Labels], span: Span, function: str,
    until: Micros | None,
) -> list[_Row]:  # fmt: skip
    ids = [info.id for info in infos]
    points: dict[int, _Points] = {number: _Points() for number in ids}
    if until is not None:
        for number, found in reader.sample_steps(ids, span).items():
            points[number].add(found.times, _stands_for(found, function))
        for number, (times, bodies) in reader.histogram_steps(ids, span).items():
            points[number].add(times, _objects([bodies.at(place) for place in range(len(bodies))]))
    for number, (times, values) in reader.samples(ids, span).items():
        points[number].add(times, values)
    for number, (times, bodies) in reader.histogram_samples(ids, span).items():
        points[number].add(times, _objects([bodies.at(place) for place in range(len(bodies))]))
    return [(of, *points[number].merged()) for of, number in zip(labels, ids, strict=True)]


def _stands_for(steps: Steps, function: str) -> np.ndarray:
    """The value of each point; that of a marker of the end is the marker."""
    match function:
        case "max_over_time":
            return steps.high
        case "min_over_time":
            return steps.low
        case "sum_over_time":
            return np.where(steps.weight > 0, steps.mean * steps.weight, steps.mean)
    return steps.mean


def _objects(histograms: Sequence[object]) -> np.ndarray:
    made = np.empty(len(histograms), dtype=object)
    made[:] = histograms
    return made


def _flat(found: Sequence[_Row]) -> SeriesSet:
    found = [one for one in found if len(one[1])]
    if not found:
        return SeriesSet([], np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))
    offsets = np.cumsum([0, *(len(times) for _, times, _ in found)])
    times = np.concatenate([times for _, times, _ in found])
    labels = [of for of, _, _ in found]
    if all(values.dtype != object for _, _, values in found):
        return SeriesSet(labels, offsets, times, np.concatenate([values for _, _, values in found]))
    mixed = [value for _, _, values in found for value in values.tolist()]
    floats = np.array([value if isinstance(value, float) else np.nan for value in mixed])
    histograms = _objects([None if isinstance(value, float) else value for value in mixed])
    return SeriesSet(labels, offsets, times, floats, histograms)
