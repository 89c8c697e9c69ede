"""Series kept in memory: for tests, tools, and answers that are asked again."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.matchers import Matching
from tui_monitor.query.promql.storage import Asked, Hints, Source
from tui_monitor.query.promql.values import SeriesSet, Vector

if TYPE_CHECKING:
    from tui_monitor.model.histogram import NativeHistogram


class MemoryStorage:
    """Series by their labels; a point that comes again takes the place of the earlier."""

    def __init__(self) -> None:
        self._points: dict[Labels, dict[Micros, float | NativeHistogram]] = {}

    @property
    def sources(self) -> Sequence[Source]:
        """Itself alone."""
        return (self,)

    def clear(self) -> None:
        """Forget all series."""
        self._points.clear()

    def add(self, of: Mapping[str, str], points: "Sequence[tuple[Micros, float | NativeHistogram]]") -> None:
        """Add points (µs, value) to a series."""
        self._points.setdefault(labels(of), {}).update(points)

    def select(self, matchers: Sequence[Matcher], start: Micros, end: Micros, hints: Hints) -> SeriesSet:
        """As `Source`."""
        matching = Matching(matchers)
        chosen: list[Labels] = []
        rows: list[tuple[Micros, float | NativeHistogram]] = []
        offsets = [0]
        for of, points in sorted(self._points.items()):
            found = (
                sorted((t, v) for t, v in points.items() if start <= t <= end)
                if matching.takes(dict(of))
                else []
            )
            if found:
                chosen.append(of)
                rows += found
                offsets.append(len(rows))
        return _flat(chosen, offsets, rows)

    def answer(self, asked: Asked) -> Vector | None:
        """Nothing is known but samples."""
        return None


def _flat(
    chosen: list[Labels], offsets: list[int], rows: "list[tuple[Micros, float | NativeHistogram]]"
) -> SeriesSet:
    times = np.array([time for time, _ in rows], dtype=np.int64)
    values = np.array([v if isinstance(v, float) else np.nan for _, v in rows], dtype=np.float64)
    histograms = None
    if any(not isinstance(value, float) for _, value in rows):
        histograms = np.empty(len(rows), dtype=object)
        histograms[:] = [None if isinstance(value, float) else value for _, value in rows]
    return SeriesSet(chosen, np.array(offsets, dtype=np.int64), times, values, histograms)
