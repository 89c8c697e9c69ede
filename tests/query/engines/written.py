"""What a collector would have written to a server, made from a store: the exported list, sample by sample."""

from collections.abc import Iterator

import numpy as np

from tests.peers import Peer
from tui_monitor.forward.wire import Line, plain_labels
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.query.context import Context
from tui_monitor.query.exported import EXPORTED, INTERVAL, JOB
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.calls import DerivedCalls
from tui_monitor.query.promql.derived import Form
from tui_monitor.query.promql.storage import Hints
from tui_monitor.query.promql.values import SeriesSet
from tui_monitor.query.reading import RecentFacts
from tui_monitor.store.database import Store

_SLICE = 15 * MINUTE


def write(peer: Peer, store: Store, start: Micros, end: Micros, *, native: bool) -> None:
    """Write all that is exported of the calls of a store, from `start` to `end`."""
    lines = list(_lines(store, start, end, native=native))
    # A Prometheus takes what is at most an hour older than the newest, so all series go by time.
    for begin in range(start, end + 1, _SLICE):
        parts = ((line, [p for p in line.points if begin <= p[0] < begin + _SLICE]) for line in lines)
        peer.write(Line(line.labels, points) for line, points in parts if points)


def _lines(store: Store, start: Micros, end: Micros, *, native: bool) -> Iterator[Line]:
    context = Context(store, Calendar(), "", RecentFacts(store), store.version())
    calls = DerivedCalls(context)
    for name, one in EXPORTED.items():
        if one.form is Form.NATIVE and not native:
            continue
        found = calls.select([Matcher(NAME, "=", name)], start, end, Hints())
        for row in range(len(found.labels)):
            labels = plain_labels((*found.labels[row], ("job", JOB), ("instance", "here")))
            yield Line(labels, _points(found, row, start, zero=one.form is not Form.NATIVE))


def _points(found: SeriesSet, row: int, start: Micros, *, zero: bool) -> list:
    part = slice(int(found.offsets[row]), int(found.offsets[row + 1]))
    times = found.times[part].tolist()
    values = found.values[part].tolist()
    if found.histograms is not None and found.histograms[part][0] is not None:
        values = found.histograms[part].tolist()
    points = list(zip(times, values, strict=True))
    if zero and points and points[0][0] > start + INTERVAL:
        points.insert(0, (points[0][0] - INTERVAL, 0.0))
    assert np.all(np.diff(times) > 0)
    return points
