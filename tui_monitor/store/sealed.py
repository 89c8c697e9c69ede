"""Questions to sealed calls: filters, measures and labels from the columns of segments."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.timerange import Span
from tui_monitor.store import segments
from tui_monitor.store.api import LabelColumn, Measure
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.dictionary import Lookup
from tui_monitor.store.head import PLAIN, SWITCHES, TERMS
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.measuring import column_of, measure
from tui_monitor.store.segments import TEXTS, Segment


@dataclass(slots=True)
class Part:
    """Raw calls from one place: arrays of integers, `UNKNOWN` where there is none, and labels as texts."""

    numbers: dict[str, np.ndarray]
    texts: dict[str, LabelColumn]


def parts(
    conn: sqlite3.Connection, lookup: Lookup, span: Span, where: Mapping[str, str],
    columns: Sequence[str], measures: Sequence[Measure], texts: Sequence[str], unpriced: int,
) -> Iterator[Part]:  # fmt: skip
    """The sealed calls of a span: columns as they are, measures by name, other labels as texts."""
    chosen, worded = _choices(conn, lookup, where)
    for segment in segments.overlapping(conn, span, lookup.columns):
        if not all(segment.may_hold(column, values) for column, values in chosen.items()):
            continue
        here = segment.within(span)
        for column, values in chosen.items():
            here &= segment.narrow(column).among([UNKNOWN if v is None else v for v in values])
        at = np.flatnonzero(here)
        for label, value in worded.items():
            at = at[_equal(text_column(segment, label, at), value)]
        if not len(at):
            continue

        column = column_of(segment, at, unpriced)
        numbers = {name: column(name) for name in columns}
        numbers |= {name: measure(name, column) for name in measures}
        yield Part(numbers, {label: text_column(segment, label, at) for label in texts})


def _choices(
    conn: sqlite3.Connection, lookup: Lookup, where: Mapping[str, str]
) -> tuple[dict[str, list[int | None]], dict[str, str]]:
    """What a filter asks of columns of numbers, and of texts."""
    chosen: dict[str, list[int | None]] = {}
    dimensions = [(name, value) for name, value in where.items() if name in DIMENSIONS]
    if dimensions:
        chosen["series"] = list(lookup.sets.matching(conn, dimensions, len(DIMENSIONS)))
    for name, value in where.items():
        if name in TERMS:
            row = (
                conn.execute("SELECT id FROM terms WHERE text = ?", (value,)).fetchone() if value else (None,)
            )
            chosen[f"{name}_t"] = [row[0]] if row else []
    return chosen, {n: v for n, v in where.items() if n not in DIMENSIONS and n not in TERMS}


def _equal(column: LabelColumn, value: str) -> np.ndarray:
    return np.array([(text or "") == value for text in column.values], dtype=bool)[column.codes]


def text_column(segment: Segment, label: str, at: np.ndarray) -> LabelColumn:
    """A label that is neither a dimension nor a term, of some rows; a free attribute if it is no column."""
    if label in SWITCHES:
        yes, no = SWITCHES[label]
        return _coded(
            segment.integers("flags", at), lambda n: "true" if n & yes else "false" if n & no else None
        )
    if label in PLAIN and label not in TEXTS:
        return _coded(segment.integers(label, at), str)
    texts = segment.texts(label if label in PLAIN else "attrs")
    if label in PLAIN:
        return _coded(texts.codes.at(at), texts.text)
    return _coded(texts.codes.at(at), lambda code: attribute(texts.text(code), label))


def _coded(numbers: np.ndarray, text: Callable[[int], str | None]) -> LabelColumn:
    unique, codes = np.unique(numbers, return_inverse=True)
    return LabelColumn(codes, [None if n == UNKNOWN else text(n) for n in unique.tolist()])


def attribute(attrs: str | None, name: str) -> str | None:
    """A free attribute as a label's text; an SQL function of reading connections too."""
    if attrs is None:
        return None
    value = orjson.loads(attrs).get(name)
    return value if value is None or isinstance(value, str) else to_json(value)


def joined(columns: Sequence[LabelColumn]) -> LabelColumn:
    """One label's columns, one after the other."""
    known: dict[str | None, int] = {}
    codes = [np.zeros(0, dtype=np.int64)]
    for column in columns:
        if len(column.codes):
            numbers = [known.setdefault(text, len(known)) for text in column.values]
            codes.append(np.array(numbers, dtype=np.int64)[column.codes])
    return LabelColumn(np.concatenate(codes), list(known))


def newest(conn: sqlite3.Connection, label: str, limit: int) -> Iterator[str | None]:
    """Values of a label that is no dimension among the newest sealed calls, by segments."""
    last = conn.execute("SELECT ifnull(max(id), 0) FROM segments").fetchone()[0]
    while limit > 0 and last:
        segment = segments.get(conn, last)
        if segment is None:
            return
        at = np.flatnonzero(segment.left())
        limit -= len(at)
        if label in TERMS:
            numbers: list[int] = np.unique(segment.integers(f"{label}_t", at)).tolist()
            for number in numbers:
                if number != UNKNOWN:
                    yield conn.execute("SELECT text FROM terms WHERE id = ?", (number,)).fetchone()[0]
        else:
            yield from text_column(segment, label, at).values
        last = conn.execute("SELECT ifnull(max(id), 0) FROM segments WHERE id < ?", (last,)).fetchone()[0]
