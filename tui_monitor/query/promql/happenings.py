"""Dated events and calls under way as series of PromQL."""

from collections.abc import Mapping, Sequence

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Event
from tui_monitor.model.timerange import Span
from tui_monitor.query import events
from tui_monitor.query.context import Context
from tui_monitor.query.promql.ast import NAME, Matcher
from tui_monitor.query.promql.counting import Counters, no_buckets
from tui_monitor.query.promql.derived import Derived
from tui_monitor.query.promql.labels import Labels, labels
from tui_monitor.query.promql.matchers import Matching
from tui_monitor.query.promql.values import SeriesSet


def counters(found: Derived, matchers: Sequence[Matcher], instants: np.ndarray, context: Context) -> Counters:
    """How many events there were up to each instant, the newest 200,000 at most. Raises `StoreError`."""
    rows: dict[Labels, list[tuple[Micros, bool]]] = {}
    for event, of in _events(found, matchers, 0, int(instants[-1]), context):
        rows.setdefault(labels(of), []).append((event.ts, event.name in found.metric.names))
    total = np.zeros((len(rows), len(instants)), dtype=np.int64)
    calls = np.zeros_like(total)
    for row, seen in enumerate(rows.values()):
        every = np.array([ts for ts, _ in seen], dtype=np.int64)
        counted = np.array([ts for ts, counts in seen if counts], dtype=np.int64)
        calls[row] = np.searchsorted(every, instants, side="right")
        total[row] = np.searchsorted(counted, instants, side="right")
    return Counters(list(rows), calls, total, total, no_buckets(len(rows), len(instants)))


def dated(
    found: Derived, matchers: Sequence[Matcher], start: Micros, end: Micros, context: Context
) -> SeriesSet:
    """A sample for each event in [start, end] that has a value. Raises `StoreError`."""
    since = 0 if found.metric.elapsed else start - 1
    taken = _events(found, matchers, since, end, context)
    values = events.values_of(found.metric, [event for event, _ in taken])
    rows: dict[Labels, list[tuple[Micros, float]]] = {}
    for (event, of), value in zip(taken, values, strict=True):
        if event.ts >= start and value == value:
            rows.setdefault(labels({**of, NAME: found.name}), []).append((event.ts, value))
    return _series(rows)


def active(
    found: Derived, matchers: Sequence[Matcher], at: Micros, start: Micros, context: Context
) -> SeriesSet:
    """How many calls are under way, at one instant. Raises `StoreError`."""
    context.layers.add("events")
    rows: dict[Labels, list[tuple[Micros, float]]] = {}
    if at < start:
        return _series(rows)
    matching = Matching(matchers)
    for begun in context.reader.starts(at - events.ACTIVE_FOR):
        of = {**events.labels_of_start(begun), NAME: found.name}
        if begun.ts <= at and matching.takes(of):
            ((_, count),) = rows.get(labels(of), [(at, 0.0)])
            rows[labels(of)] = [(at, count + 1.0)]
    return _series(rows)


def _events(
    found: Derived, matchers: Sequence[Matcher], since: Micros, end: Micros, context: Context
) -> list[tuple[Event, Mapping[str, str]]]:
    context.layers.add("events")
    kind = found.metric.source
    assert kind not in ("calls", "starts")
    read = context.reader.events(kind, Span(since, end), events.MAX_EVENTS)
    if len(read) >= events.MAX_EVENTS:
        context.warn(f"{found.name} counts only the newest {events.MAX_EVENTS:,} events of the span")
    matching = Matching(matchers)
    taken = ((event, events.labels_of_event(event)) for event in read)
    return [(event, of) for event, of in taken if matching.takes({**of, NAME: found.name})]


def _series(rows: Mapping[Labels, list[tuple[Micros, float]]]) -> SeriesSet:
    points = [point for of in sorted(rows) for point in rows[of]]
    return SeriesSet(
        sorted(rows),
        np.cumsum([0, *(len(rows[of]) for of in sorted(rows))]),
        np.array([time for time, _ in points], dtype=np.int64),
        np.array([value for _, value in points], dtype=np.float64),
    )
