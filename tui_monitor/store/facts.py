"""Reading facts: rows of one layer in one span as arrays."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain

import numpy as np

from tui_monitor.model.arrays import distinct
from tui_monitor.model.call import DIMENSIONS, FINE_DIMENSIONS
from tui_monitor.model.timerange import Span
from tui_monitor.store import blocks, cells, histogram, sealed
from tui_monitor.store.api import CELL, HISTOGRAMS, Facts, Histogram, LabelColumn, Layer, Measure, Numbers
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.blocks import Cells, Spread
from tui_monitor.store.dictionary import SERIES_BITS, SERIES_MASK, Lookup
from tui_monitor.store.head import PLAIN, SWITCHES, TERMS
from tui_monitor.store.measures import raw_expression
from tui_monitor.store.sealed import Part
from tui_monitor.store.where import go_on

_ALWAYS_KNOWN = ("calls", "unpriced")
_FINE = frozenset(FINE_DIMENSIONS)


def _integers(rows: Iterable[Sequence[int]], width: int) -> np.ndarray:
    """The columns of a cursor's rows; every value is an integer."""
    flat = np.fromiter(chain.from_iterable(rows), dtype=np.int64)
    return flat.reshape(-1, width).T


def _dimension_columns(
    conn: sqlite3.Connection, lookup: Lookup, series: np.ndarray, labels: Sequence[str]
) -> dict[str, LabelColumn]:
    """Label columns of rows that know their label set's number."""
    unique, inverse = distinct(series)
    columns: dict[str, LabelColumn] = {}
    for label, (by_set, values) in zip(labels, lookup.sets.coded(conn, labels, unique), strict=True):
        there, codes = distinct(by_set)
        columns[label] = LabelColumn(codes[inverse], [values[code] for code in there.tolist()])
    return columns


def _coded(texts: Iterable[str | None]) -> tuple[np.ndarray, list[str | None]]:
    known: dict[str | None, int] = {}
    codes = np.fromiter((known.setdefault(text, len(known)) for text in texts), dtype=np.int64)
    return codes, list(known)


def rollup_facts(
    conn: sqlite3.Connection, lookup: Lookup, layer: Layer, span: Span, labels: Sequence[str],
    measures: Sequence[Measure], histograms: Sequence[Measure], where: Mapping[str, str],
    zone: tuple[int, str] | None, check: Callable[[], None] = go_on,
) -> Facts:  # fmt: skip
    """Cells that lie whole in the span; `zone` is the day cells' zone, `None` where it has no days.

    `check` is called between blocks and may raise.
    """
    numbers = _cells_in(layer, span, zone)
    low, high = numbers.start << SERIES_BITS, numbers.stop << SERIES_BITS
    sets: list[int] | None = None
    if where:
        width = len(FINE_DIMENSIONS) if layer is Layer.MINUTE else len(DIMENSIONS)
        sets = lookup.sets.matching(conn, list(where.items()), width)
    columns = ("key", "calls", *_sum_columns(measures))
    coarse = layer is not Layer.MINUTE and _FINE.issuperset(labels) and _FINE.issuperset(where)
    alike = partial(_least_alike, conn, lookup) if coarse else None
    parts = [_cell_rows(conn, layer, low, high, sets, columns, histograms)]
    check()
    for part in blocks.read(conn, lookup.columns, layer, low, high, sets, columns, histograms, alike):
        parts.append(part)
        check()
    found = {name: np.concatenate([part.integers[name] for part in parts]) for name in columns}
    key = found["key"]
    return Facts(
        layer=layer,
        end=_ends(layer, key >> SERIES_BITS, zone),
        labels=_dimension_columns(conn, lookup, key & SERIES_MASK, labels),
        numbers={m: _sum_numbers(m, found) for m in measures},
        histograms={
            name: _joined([(len(p.integers["key"]), p.histograms[name]) for p in parts])
            for name in histograms
        },
    )


def _least_alike(conn: sqlite3.Connection, lookup: Lookup, numbers: np.ndarray) -> np.ndarray:
    """Of label sets' numbers, ascending: the least of those with the same labels as minutes have."""
    alike = np.zeros(len(numbers), dtype=np.int64)
    for codes, _ in lookup.sets.coded(conn, FINE_DIMENSIONS, numbers):
        alike = distinct(alike * (int(codes.max(initial=0)) + 1) + codes)[1]
    least = np.zeros(int(alike.max(initial=0)) + 1, dtype=np.int64)
    # Of several that are put in one place the last stays.
    least[alike[::-1]] = numbers[::-1]
    return least[alike]


def _cell_rows(
    conn: sqlite3.Connection, layer: Layer, low: int, high: int, sets: Sequence[int] | None,
    columns: Sequence[str], histograms: Sequence[Measure],
) -> Cells:  # fmt: skip
    """The cells of a run of keys that are rows."""
    condition = f"FROM {layer.value} WHERE key >= ? AND key < ?"
    bounds: list[object] = [low, high]
    if sets is not None:
        condition += f" AND (key & {SERIES_MASK}) IN (SELECT value FROM json_each(?))"
        bounds.append(json.dumps(sets))
    selected = ", ".join(f"ifnull({name}, {UNKNOWN})" for name in columns)
    rows = _integers(conn.execute(f"SELECT {selected} {condition} ORDER BY key", bounds), len(columns))
    spread: dict[Measure, Spread] = {
        name: histogram.unpack(
            [blob for (blob,) in conn.execute(f"SELECT {name}_hist {condition} ORDER BY key", bounds)]
        )
        for name in histograms
    }
    return Cells(dict(zip(columns, rows, strict=True)), spread)


def _joined(parts: Sequence[tuple[int, Spread]]) -> Histogram:
    """Histograms of several runs of rows, each with its number of rows, one after the other."""
    length = sum(len(count) for _, (_, _, count) in parts)
    rows, buckets = (np.empty(length, dtype=np.int32) for _ in range(2))
    at = before = 0
    for count, (row, bucket, _) in parts:
        here = slice(at, at + len(row))
        np.add(row, before, out=rows[here], casting="unsafe")
        buckets[here] = bucket
        at, before = here.stop, before + count
    return Histogram(rows, buckets, np.concatenate([count for _, (_, _, count) in parts]))


def _cells_in(layer: Layer, span: Span, zone: tuple[int, str] | None) -> range:
    if layer is not Layer.DAY:
        return cells.whole_cells(layer, span)
    return cells.whole_cells(layer, span, *zone) if zone else range(0)


def _sum_columns(measures: Sequence[Measure]) -> list[str]:
    columns: list[str] = []
    for name in measures:
        if name == "unpriced":
            columns.append(name)
        elif name != "calls":
            columns += [name, f"{name}_n"]
        if name in HISTOGRAMS:
            columns += [f"{name}_low", f"{name}_high"]
    return columns


def _sum_numbers(name: Measure, found: Mapping[str, np.ndarray]) -> Numbers:
    known = found["calls"] if name in _ALWAYS_KNOWN else found[f"{name}_n"]
    if name not in HISTOGRAMS:
        return Numbers(found[name], known)
    low, high = (found[f"{name}_{what}"] for what in ("low", "high"))
    return Numbers(found[name], known, _floats(low), _floats(high))


def _floats(values: np.ndarray) -> np.ndarray:
    return np.where(values == UNKNOWN, np.nan, values.astype(np.float64))


def _ends(layer: Layer, numbers: np.ndarray, zone: tuple[int, str] | None) -> np.ndarray:
    if layer is not Layer.DAY:
        return (numbers + 1) * CELL[layer]
    unique, inverse = np.unique(numbers, return_inverse=True)
    name = zone[1] if zone else "UTC"
    ends = [cells.cell_span(layer, number, name).end for number in unique.tolist()]
    return np.array(ends, dtype=np.int64)[inverse] if ends else numbers


def raw_facts(
    conn: sqlite3.Connection, lookup: Lookup, span: Span, labels: Sequence[str],
    measures: Sequence[Measure], histograms: Sequence[Measure], where: Mapping[str, str],
    check: Callable[[], None] = go_on,
) -> Facts:  # fmt: skip
    """Single calls booked in the span; of a sample, each as many as it stands for.

    `check` is called between segments and between columns, and may raise.
    """
    wanted: list[Measure] = list(dict.fromkeys([*measures, *histograms]))
    terms = [label for label in labels if label in TERMS]
    texts = [label for label in labels if label not in TERMS and label not in DIMENSIONS]
    columns = ["booked", "series", "weight", *(f"{label}_t" for label in terms)]
    parts = [_head_part(conn, lookup, span, where, columns, wanted, texts)]
    check()
    for part in sealed.parts(conn, lookup, span, where, columns, wanted, texts, unpriced(conn)):
        parts.append(part)
        check()
    numbers = {
        name: np.concatenate([part.numbers[name] for part in parts])
        for name in dict.fromkeys([*columns, *wanted])
    }
    weight = np.where(numbers["weight"] == UNKNOWN, 1, numbers["weight"])
    counted: dict[str, Numbers] = {}
    for measure in measures:
        check()
        counted[measure] = _raw_numbers(numbers[measure], weight)
    facts = Facts(Layer.RAW, numbers["booked"], {}, counted, {}, weight)
    found = _dimension_columns(conn, lookup, numbers["series"], [n for n in labels if n in DIMENSIONS])
    for label in terms:
        found[label] = _term_column(conn, lookup, numbers[f"{label}_t"])
    for label in texts:
        found[label] = sealed.joined([part.texts[label] for part in parts])
    facts.labels |= {label: found[label] for label in labels}
    for name in histograms:
        check()
        known = np.flatnonzero(numbers[name] != UNKNOWN)
        buckets = histogram.buckets(numbers[name][known])
        facts.histograms[name] = Histogram(known, buckets, weight[known])
    return facts


def _head_part(
    conn: sqlite3.Connection, lookup: Lookup, span: Span, where: Mapping[str, str],
    columns: Sequence[str], measures: Sequence[Measure], texts: Sequence[str],
) -> Part:  # fmt: skip
    """The calls of a span that are in the row table."""
    condition, bounds = _raw_condition(conn, lookup, span, where)
    expressions = [*columns, *measure_expressions(conn, measures)]
    selected = ", ".join(f"ifnull({expression}, {UNKNOWN})" for expression in expressions)
    rows = _integers(
        conn.execute(f"SELECT {selected} {condition} ORDER BY booked, id", bounds), len(expressions)
    )
    part = Part(dict(zip((*columns, *measures), rows, strict=True)), {})
    for label in texts:
        expression, path = text_expression(label)
        found = conn.execute(f"SELECT {expression} {condition} ORDER BY booked, id", [*path, *bounds])
        part.texts[label] = LabelColumn(*_coded(text for (text,) in found))
    return part


def measure_expressions(conn: sqlite3.Connection, measures: Iterable[Measure]) -> list[str]:
    """SQL for each measure over the row table."""
    number = unpriced(conn)
    return [raw_expression(name, number) for name in measures]


def unpriced(conn: sqlite3.Connection) -> int:
    """The number of that cost status; -1 where no call has it."""
    row = conn.execute("SELECT id FROM terms WHERE text = 'unpriced'").fetchone()
    return row[0] if row else -1


def _raw_numbers(values: np.ndarray, weight: np.ndarray) -> Numbers:
    known = values != UNKNOWN
    single = _floats(values)
    return Numbers(np.where(known, values * weight, 0), known * weight, single, single)


def _term_column(conn: sqlite3.Connection, lookup: Lookup, numbers: np.ndarray) -> LabelColumn:
    unique, codes = np.unique(numbers, return_inverse=True)
    texts = lookup.terms(conn, (number for number in unique.tolist() if number != UNKNOWN))
    return LabelColumn(codes.astype(np.int64), [texts.get(number) for number in unique.tolist()])


def _raw_condition(
    conn: sqlite3.Connection, lookup: Lookup, span: Span, where: Mapping[str, str]
) -> tuple[str, list[object]]:
    condition = "FROM calls WHERE booked > ? AND booked <= ?"
    bounds: list[object] = [span.start, span.end]
    dimensions = [(name, value) for name, value in where.items() if name in DIMENSIONS]
    if dimensions:
        numbers = lookup.sets.matching(conn, dimensions, len(DIMENSIONS))
        condition += " AND series IN (SELECT value FROM json_each(?))"
        bounds.append(json.dumps(numbers))
    for name, value in where.items():
        if name in DIMENSIONS:
            continue
        if name in TERMS:
            number = "SELECT id FROM terms WHERE text = ?"
            condition += f" AND {name}_t = ({number})" if value else f" AND {name}_t IS NULL"
            bounds += [value] if value else []
        else:
            expression, path = text_expression(name)
            condition += f" AND ifnull({expression}, '') = ?"
            bounds += [*path, value]
    return condition, bounds


def text_expression(label: str) -> tuple[str, list[str]]:
    """SQL for a label of the row table that is neither a dimension nor a term, and its parameters.

    What is no column is a free attribute.
    """
    if label in PLAIN:
        return f"CAST({label} AS TEXT)", []
    if label in SWITCHES:
        yes, no = SWITCHES[label]
        return f"CASE WHEN flags & {yes} THEN 'true' WHEN flags & {no} THEN 'false' END", []
    return "attribute(attrs, ?)", [label]


def newest_values(conn: sqlite3.Connection, label: str, limit: int) -> set[str | None]:
    """The values of a label that is no dimension among the newest calls."""
    newest = "SELECT * FROM calls ORDER BY id DESC LIMIT ?"
    if label in TERMS:
        terms = f"SELECT {label}_t FROM ({newest})"
        rows = conn.execute(f"SELECT text FROM terms WHERE id IN ({terms})", (limit,))
    else:
        expression, path = text_expression(label)
        rows = conn.execute(f"SELECT DISTINCT {expression} FROM ({newest})", (*path, limit))
    found: set[str | None] = {text for (text,) in rows}
    (held,) = conn.execute("SELECT count(*) FROM calls").fetchone()
    found.update(sealed.newest(conn, label, limit - held))
    return found
