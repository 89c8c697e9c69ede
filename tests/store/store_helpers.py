"""Calls to store, and what the layers say of them, in a form that can be compared."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tui_monitor.model.call import DIMENSIONS, FINE_DIMENSIONS, Call
from tui_monitor.model.clock import DAY
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Facts, Layer, WriteBatch, WriteResult
from tui_monitor.store.cells import cell_of, cell_span, day_cell, day_of
from tui_monitor.store.database import Store
from tui_monitor.store.dictionary import label_set
from tui_monitor.store.measures import measured

EVER = Span(-(10**9) * DAY // 86_400, 4 * 10**15)


def a_call(key: str, ts: int, **fields: Any) -> Call:
    """A call of the event feed that ended at `ts`."""
    return replace(
        Call(
            source="events:app", source_key=key, ts_end=ts, provider="openai", model_served="gpt-4o",
            status="success", in_uncached=100, out_total=10, latency_ms=250.0, cost=1000, cost_computed=1000,
            cost_status="computed",
        ),
        **fields,
    )  # fmt: skip


def write(store: Store, *calls: Call, remember: bool = False) -> WriteResult:
    """Store some calls."""
    return store.write(WriteBatch(calls=list(calls), remember=remember))


def read(store: Store, layer: Layer, span: Span = EVER, **more: Any) -> Facts:
    """Everything a layer knows."""
    labels = FINE_DIMENSIONS if layer is Layer.MINUTE else DIMENSIONS
    return store.facts(layer, span, more.pop("labels", labels), MEASURES, HISTOGRAMS, **more)


Row = tuple[int, tuple[str | None, ...]]
"""(end, labels)."""


def contents(facts: Facts) -> dict[Row, tuple[Any, ...]]:
    """Sums, known counts, extremes and histograms by end and labels."""
    out: dict[Row, tuple[Any, ...]] = {}
    histograms: dict[str, dict[int, Counter[int]]] = {name: {} for name in HISTOGRAMS}
    for name, spread in facts.histograms.items():
        for row, bucket, n in zip(
            *(a.tolist() for a in (spread.row, spread.bucket, spread.count)), strict=True
        ):
            histograms[name].setdefault(row, Counter())[bucket] += n
    for i, end in enumerate(facts.end.tolist()):
        labels = tuple(column.values[column.codes[i]] for column in facts.labels.values())
        numbers = tuple((int(n.total[i]), int(n.known[i])) for n in facts.numbers.values())
        extremes = tuple(_extremes(facts, name, i) for name in HISTOGRAMS)
        spreads = tuple(histograms[name].get(i, Counter()) for name in HISTOGRAMS)
        assert (end, labels) not in out, "two rows of one cell and label set"
        out[end, labels] = (numbers, extremes, spreads)
    return out


def _extremes(facts: Facts, name: str, i: int) -> tuple[float | None, float | None]:
    low, high = facts.numbers[name].low, facts.numbers[name].high
    assert low is not None
    assert high is not None
    return (None, None) if np.isnan(low[i]) else (float(low[i]), float(high[i]))


def expected(calls: Iterable[Call], layer: Layer, zone: str = "UTC") -> dict[Row, tuple[Any, ...]]:
    """What a layer of these calls must say, worked out one call at a time."""
    from tui_monitor.model.histogram import bucket_of

    groups: dict[Row, list[Call]] = {}
    for call in calls:
        labels = label_set(call)
        if layer is Layer.MINUTE:
            labels = labels[: len(FINE_DIMENSIONS)]
        groups.setdefault((_end(call, layer, zone), labels), []).append(call)
    out: dict[Row, tuple[Any, ...]] = {}
    for row, members in groups.items():
        columns = [
            [v for v in column if v is not None] for column in zip(*map(measured, members), strict=True)
        ]
        spread = columns[-3:]
        out[row] = (
            tuple((sum(column), len(column)) for column in columns),
            tuple((float(min(c)), float(max(c))) if c else (None, None) for c in spread),
            tuple(Counter(bucket_of(v / 1000) for v in c) for c in spread),
        )
    return out


def _end(call: Call, layer: Layer, zone: str) -> int:
    if layer is Layer.RAW:
        return call.booked
    if layer is Layer.DAY:
        return cell_span(layer, day_cell(0, day_of(call.booked, zone)), zone).end
    return cell_span(layer, cell_of(layer, call.booked)).end


def total(facts: Facts, measure: str = "calls") -> int:
    """The sum over all rows."""
    return int(facts.numbers[measure].total.sum())


def check_layers(store: Store, calls: Iterable[Call], zone: str = "UTC") -> None:
    """Every layer says what these calls, and no others, make of it."""
    known = list(calls)
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        assert contents(read(store, layer)) == expected(known, layer, zone), layer
    raw = read(store, Layer.RAW)
    assert sorted(raw.end.tolist()) == sorted(call.booked for call in known)
    for at, name in enumerate(MEASURES):
        values = [v for v in (measured(call)[at] for call in known) if v is not None]
        assert total(raw, name) == sum(values), name
        assert int(raw.numbers[name].known.sum()) == len(values), name
