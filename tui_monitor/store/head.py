"""The row table of calls: how a call is laid out in it. Those that are sealed have the same columns."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from typing import Any

import orjson

from tui_monitor.model.call import DIMENSIONS, Call
from tui_monitor.model.timerange import Span
from tui_monitor.store.dictionary import SeriesKeys, Terms, label_set
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.measures import micros
from tui_monitor.store.merge import Part

PLAIN: tuple[str, ...] = (
    "ts_start", "ts_end", "in_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "out_total",
    "reasoning", "cost", "list_cost", "cost_reported", "cost_computed", "http_status", "attempts",
    "source_key", "trace_id", "span_id", "parent_span_id",
)  # fmt: skip
"""Columns that hold a field of the call as it is."""
TERMS: tuple[str, ...] = (
    "source", "model_requested", "model_served", "api_base", "region", "environment", "session",
    "service_tier", "finish_reason", "error_code", "cost_status", "batch_id", "price_source", "price_version",
)  # fmt: skip
"""Fields kept as the number of a term, in a column of that name and `_t`."""
_REST = ("id", "booked", "series", "arrived", "flags", "latency", "ttft", "queue_wait", "weight")
_TEXTS = ("call_keys", "media", "attrs")
COLUMNS: tuple[str, ...] = (*_REST, *PLAIN, *(f"{name}_t" for name in TERMS), *_TEXTS)
_SELECT = f"""SELECT {", ".join(f"c.{name}" for name in COLUMNS)}, k.labels,
    {", ".join(f"(SELECT text FROM terms WHERE id = c.{name}_t)" for name in TERMS)}
    FROM calls c JOIN series_keys k ON k.id = c.series"""

REMEMBER, PARTS, _TIER, _GUESSED, _STREAM, _NO_STREAM, _BATCH, _NO_BATCH = (1 << i for i in range(8))
SWITCHES = {"stream": (_STREAM, _NO_STREAM), "batch": (_BATCH, _NO_BATCH)}
"""Bits of `flags` for fields that are true, false or unknown."""


@dataclass(slots=True)
class Row:
    """A stored call and what it is made of."""

    id: int
    parts: list[Part]
    call: Call
    arrived: int
    series: int = 0
    """The number of its label set; set when it is stored or loaded."""
    weight: int = 1
    """How many calls it stands for, where only a sample of them is kept."""


def flags_of(call: Call, *, remember: bool) -> int:
    """The flags of a call that one source knows."""
    flags = REMEMBER if remember else 0
    if call.tier_estimated:
        flags |= _TIER
    if call.model_guessed:
        flags |= _GUESSED
    if call.stream is not None:
        flags |= _STREAM if call.stream else _NO_STREAM
    if call.batch is not None:
        flags |= _BATCH if call.batch else _NO_BATCH
    return flags


def _flags(row: Row) -> int:
    flags = PARTS if len(row.parts) > 1 else 0
    return flags | flags_of(row.call, remember=any(part.remember for part in row.parts))


def _untri(flags: int, yes: int, no: int) -> bool | None:
    return True if flags & yes else False if flags & no else None


def remembered(flags: int) -> bool:
    """Whether a row's identities outlive it."""
    return bool(flags & REMEMBER)


def encode(row: Row, terms: Terms) -> tuple[Any, ...]:
    """The values of `COLUMNS`."""
    call = row.call
    term = terms.id
    return (
        row.id, call.booked, row.series, row.arrived, _flags(row),
        micros(call.latency_ms), micros(call.ttft_ms), micros(call.queue_wait_ms),
        row.weight if row.weight > 1 else None,
        call.ts_start, call.ts_end, call.in_uncached, call.cache_read, call.cache_write_5m,
        call.cache_write_1h, call.out_total, call.reasoning, call.cost, call.list_cost,
        call.cost_reported, call.cost_computed, call.http_status, call.attempts,
        call.source_key, call.trace_id, call.span_id, call.parent_span_id,
        term(call.source), term(call.model_requested), term(call.model_served), term(call.api_base),
        term(call.region), term(call.environment), term(call.session), term(call.service_tier),
        term(call.finish_reason), term(call.error_code), term(call.cost_status), term(call.batch_id),
        term(call.price_source), term(call.price_version),
        to_json(call.call_keys) if call.call_keys else None,
        to_json(call.media) if call.media is not None else None,
        to_json(call.attrs) if call.attrs else None,
    )  # fmt: skip


_AT = {name: i for i, name in enumerate(COLUMNS)}
_TERMS_AT = len(COLUMNS) + 1


def _milliseconds(value: int | None) -> float | None:
    return None if value is None else value / 1000


def decode(values: Sequence[Any]) -> Call:
    """The call of one row: values of `COLUMNS`, its labels, its terms as texts."""

    def loaded(name: str) -> Any:
        text = values[_AT[name]]
        return None if text is None else orjson.loads(text)

    labels = dict(zip(DIMENSIONS, orjson.loads(values[len(COLUMNS)]), strict=True))
    del labels["model"]
    flags = values[_AT["flags"]]
    fields: dict[str, Any] = {name: values[_AT[name]] for name in PLAIN}
    fields |= {name: values[_TERMS_AT + i] for i, name in enumerate(TERMS)}
    return Call(
        **fields, **labels,
        call_keys=tuple(loaded("call_keys") or ()), media=loaded("media"), attrs=loaded("attrs") or {},
        latency_ms=_milliseconds(values[_AT["latency"]]), ttft_ms=_milliseconds(values[_AT["ttft"]]),
        queue_wait_ms=_milliseconds(values[_AT["queue_wait"]]),
        tier_estimated=bool(flags & _TIER), model_guessed=bool(flags & _GUESSED),
        stream=_untri(flags, *SWITCHES["stream"]), batch=_untri(flags, *SWITCHES["batch"]),
    )  # fmt: skip


def load(conn: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Row]:
    """The rows with these numbers that are in the row table."""
    wanted = json.dumps(list(ids))
    return rows(conn, conn.execute(f"{_SELECT} WHERE c.id IN (SELECT value FROM json_each(?))", (wanted,)))


def rows(conn: sqlite3.Connection, found: Iterable[Sequence[Any]]) -> dict[int, Row]:
    """Rows from the values of their columns, with the labels and the terms as texts after them."""
    made: dict[int, Row] = {}
    composed: list[int] = []
    for values in found:
        call, flags = decode(values), values[_AT["flags"]]
        row = Row(values[0], [], call, values[_AT["arrived"]], values[_AT["series"]], weight_of(values))
        made[row.id] = row
        if flags & PARTS:
            composed.append(row.id)
        else:
            row.parts.append(Part(row.id, call, remembered(flags), weight=row.weight))
    if composed:
        parts = conn.execute(
            """SELECT call, seq, remember, record FROM parts
            WHERE call IN (SELECT value FROM json_each(?)) ORDER BY call, seq""",
            (json.dumps(composed),),
        )
        for number, seq, kept, record in parts:
            row = made[number]
            row.parts.append(Part(seq, _restore(record), bool(kept), weight=row.weight))
    return made


def with_texts(conn: sqlite3.Connection, found: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Values of `COLUMNS`, with the labels and the terms as texts after them."""
    series = json.dumps(list({values[_AT["series"]] for values in found}))
    first = _AT[f"{TERMS[0]}_t"]
    terms = json.dumps(
        list({n for values in found for n in values[first : first + len(TERMS)] if n is not None})
    )
    chosen = "WHERE id IN (SELECT value FROM json_each(?))"
    labels = dict(conn.execute(f"SELECT id, labels FROM series_keys {chosen}", (series,)).fetchall())
    texts = dict(conn.execute(f"SELECT id, text FROM terms {chosen}", (terms,)).fetchall())
    for values in found:
        spelled = (texts.get(number) for number in values[first : first + len(TERMS)])
        yield (*values, labels[values[_AT["series"]]], *spelled)


def weight_of(values: Sequence[Any]) -> int:
    """How many calls a row stands for; values of `COLUMNS`."""
    return values[_AT["weight"]] or 1


def booked_in(conn: sqlite3.Connection, span: Span) -> Iterator[tuple[int, int, Call, int]]:
    """(booked, number, call, weight) of the row table, by these; read some at a time."""
    cursor = conn.execute(
        f"{_SELECT} WHERE c.booked > ? AND c.booked <= ? ORDER BY c.booked, c.id", (span.start, span.end)
    )
    for values in cursor:
        yield values[_AT["booked"]], values[0], decode(values), weight_of(values)


def between(
    conn: sqlite3.Connection, first: int, last: int, names: Sequence[str] = COLUMNS
) -> list[tuple[Any, ...]]:
    """The values of these of `COLUMNS` of rows with these numbers, by number."""
    sql = f"SELECT {', '.join(names)} FROM calls WHERE id BETWEEN ? AND ? ORDER BY id"
    return conn.execute(sql, (first, last)).fetchall()


def known(conn: sqlite3.Connection, first: int, last: int) -> list[str]:
    """Those of `COLUMNS` of which any row with these numbers has a value; none where there are no rows."""
    counts = ", ".join(f"count({name})" for name in COLUMNS)
    found = conn.execute(f"SELECT {counts} FROM calls WHERE id BETWEEN ? AND ?", (first, last)).fetchone()
    return [name for name, count in zip(COLUMNS, found, strict=True) if count]


def _restore(record: str) -> Call:
    fields = orjson.loads(record)
    fields["call_keys"] = tuple(fields["call_keys"])
    return Call(**fields)


def _insert(conn: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Columns that none of the rows knows are left out: they are most, and binding NULLs takes long."""
    if not rows:
        return
    known = [at for at, column in enumerate(zip(*rows, strict=True)) if column.count(None) < len(rows)]
    columns, marks = ", ".join(COLUMNS[at] for at in known), ", ".join("?" * len(known))
    conn.executemany(
        f"INSERT OR REPLACE INTO calls ({columns}) VALUES ({marks})", map(itemgetter(*known), rows)
    )


def replace(
    conn: sqlite3.Connection, old: Sequence[Row], new: Sequence[Row], terms: Terms, series: SeriesKeys
) -> None:
    """Take the old rows out and put the new ones in."""
    kept = {row.id for row in new}
    conn.executemany("DELETE FROM calls WHERE id = ?", [(row.id,) for row in old if row.id not in kept])
    conn.executemany("DELETE FROM parts WHERE call = ?", [(row.id,) for row in old if len(row.parts) > 1])
    for row in new:
        row.series = series.id(label_set(row.call))
    _insert(conn, [encode(row, terms) for row in new])
    conn.executemany(
        "INSERT INTO parts VALUES (?, ?, ?, ?, ?)",
        [
            (row.id, part.seq, part.remember, terms.id(part.call.batch_id), to_json(asdict(part.call)))
            for row in new
            if len(row.parts) > 1
            for part in row.parts
        ],
    )
