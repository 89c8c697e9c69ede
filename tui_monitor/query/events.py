"""Metrics of dated events (cache lookups, rate limits, scores, progress) and of calls under way."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress

import numpy as np

from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.model.feed import Event, EventKind, Start
from tui_monitor.query import aggregate
from tui_monitor.query.aggregate import Grid
from tui_monitor.query.context import Context, Vector
from tui_monitor.query.language import quantile_of
from tui_monitor.query.matching import Matching
from tui_monitor.query.metrics import Kind, Metric
from tui_monitor.query.promql.ast import Summary
from tui_monitor.query.windows import Windows
from tui_monitor.store.api import LabelColumn

MAX_EVENTS = 200_000
"""Events read for one answer."""
ACTIVE_FOR = 10 * MINUTE
"""How long a start is believed."""


def answer(metric: Metric, node: Summary, how: str, windows: Windows, context: Context) -> Vector:
    """One series per group that has events. Raises `QueryError` or `StoreError`."""
    context.layers.add("events")
    context.spans.append(windows.span)
    matching = Matching(node.matchers, {}, context.text)
    if metric.source == "starts":
        grid, flat = _active(node, windows, context, matching)
    else:
        assert metric.source != "calls"
        grid, flat = _of_events(metric, metric.source, node, how, windows, context, matching)
    return Vector(grid.labels(node.by), grid.table(flat))


def _of_events(
    metric: Metric, kind: EventKind, node: Summary, how: str, windows: Windows, context: Context,
    matching: Matching,
) -> tuple[Grid, np.ndarray]:  # fmt: skip
    found = context.reader.events(kind, windows.span, MAX_EVENTS)
    if len(found) >= MAX_EVENTS:
        context.warn(f"{node.metric} counts only the newest {MAX_EVENTS:,} events of the span")
    taken = [(event, labels) for event in found if matching.takes(labels := labels_of_event(event))]
    grid = Grid(windows, node.by)
    ends = np.array([event.ts for event, _ in taken], dtype=np.int64)
    cells = grid.place(ends, _columns(node.by, [labels for _, labels in taken]), context.text)
    if metric.kind is Kind.SCORE:
        values = values_of(metric, [event for event, _ in taken])
        return grid, _scores(how, cells, np.array(values, dtype=np.float64), grid.size)
    counted = np.array([event.name in metric.names for event, _ in taken], dtype=bool)
    hits = np.bincount(cells[counted], minlength=grid.size).astype(np.float64)
    every = np.bincount(cells, minlength=grid.size)
    if metric.kind is Kind.RATIO:
        return grid, aggregate.divide(hits, every)
    if how == "rate":
        hits = (hits.reshape(-1, len(windows)) / windows.seconds).ravel()
    return grid, np.where(every > 0, hits, np.nan)


def _scores(how: str, cells: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    known = ~np.isnan(values)
    cells, values = cells[known], values[known]
    if how == "min":
        return aggregate.least(cells, values, size)
    if how == "max":
        return aggregate.greatest(cells, values, size)
    count = np.bincount(cells, minlength=size)
    if how == "count":
        return np.where(count > 0, count.astype(np.float64), np.nan)
    q = quantile_of(how)
    if q is not None:
        return aggregate.rank_of_values(q, cells, values, size)
    return aggregate.divide(aggregate.sums(cells, values, size), count)


def values_of(metric: Metric, found: Sequence[Event]) -> list[float]:
    """What each event says of a metric, in its unit; NaN for nothing. They come in order of time."""
    return _elapsed(found) if metric.elapsed else [_score(event) for event in found]


def _score(event: Event) -> float:
    """A score's value; of progress, the share that is done."""
    value = np.nan if event.value is None else event.value
    if event.kind != "progress":
        return value
    with suppress(ValueError):
        total = float(event.labels.get("total") or "nan")
        return value / total if total > 0 else np.nan
    return np.nan


def _elapsed(events: Sequence[Event]) -> list[float]:
    """Seconds since the first event of the same name."""
    first: dict[tuple[str, str], int] = {}
    return [(event.ts - first.setdefault((event.source, event.name), event.ts)) / SECOND for event in events]


def labels_of_event(event: Event) -> dict[str, str]:
    """An event's labels, its name and source among them."""
    return {"name": event.name, "source": event.source, **event.labels}


def _active(node: Summary, windows: Windows, context: Context, matching: Matching) -> tuple[Grid, np.ndarray]:
    """Calls under way at the end of the last window: what ended before that is no longer known."""
    now = windows.span.end
    grid = Grid(windows, node.by)
    count: dict[int, int] = {}
    for start in context.reader.starts(now - ACTIVE_FOR):
        labels = labels_of_start(start)
        if start.ts <= now and matching.takes(labels):
            group = grid.group(tuple(labels.get(name, "") for name in node.by))
            count[group] = count.get(group, 0) + 1
    flat = np.full(grid.size, np.nan)
    for group, n in count.items():
        flat[(group + 1) * len(windows) - 1] = n
    return grid, flat


def labels_of_start(start: Start) -> dict[str, str]:
    """What is known of a call that began."""
    known = {
        "provider": start.provider, "model": start.model, "operation": start.operation, "app": start.app,
        "source": start.source,
    }  # fmt: skip
    return {name: value for name, value in known.items() if value}


def _columns(by: Iterable[str], rows: Sequence[Mapping[str, str]]) -> dict[str, LabelColumn]:
    return {name: _column(lambda row, name=name: row.get(name, ""), rows) for name in by}


def _column(value: Callable[[Mapping[str, str]], str], rows: Sequence[Mapping[str, str]]) -> LabelColumn:
    known: dict[str, int] = {}
    codes = [known.setdefault(value(row), len(known)) for row in rows]
    return LabelColumn(np.array(codes, dtype=np.int64), list(known))
