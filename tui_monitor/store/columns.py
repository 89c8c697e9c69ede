"""Calls that come as columns go into segments, roll-ups and runs of identities without becoming rows."""

import sqlite3
from collections import Counter
from collections.abc import Sequence

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.columns import LENGTHS, UNKNOWN, CallColumns
from tui_monitor.store import blobs, head, identity, imports, ledger, packs, rollups, runs, segments, zones
from tui_monitor.store.changes import Kind
from tui_monitor.store.dictionary import label_set
from tui_monitor.store.head import TERMS
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.measures import INPUT
from tui_monitor.store.measuring import measured
from tui_monitor.store.writing import WriteSide

SEGMENT = 1 << 14
"""Calls of a segment."""
_MICROS = dict(zip(LENGTHS, ("latency", "ttft", "queue_wait"), strict=True))


def write(side: WriteSide, calls: CallColumns) -> np.ndarray:
    """Store those of the calls that nothing is known of, in one transaction; which they are.

    They are remembered beyond their raw rows. The others, and all while calls are known to have begun, are
    for `WriteSide.write` to judge.
    """
    with side.upkeep, side.transaction() as now:
        fresh = _fresh(side, calls)
        if fresh.any():
            _put(side, calls.take(fresh).used(), now)
            side.changes.save(side.conn)
        return fresh


def _fresh(side: WriteSide, calls: CallColumns) -> np.ndarray:
    """Which calls have identities that are not known, nor come twice."""
    if side.conn.execute("SELECT 1 FROM starts LIMIT 1").fetchone() is not None:
        return np.zeros(len(calls), dtype=bool)
    _, which, count = np.unique(calls.identities, return_inverse=True, return_counts=True)
    single = count[which] == 1
    return single & ~identity.known_among(side.conn, side.packs, calls.identities)


def _put(side: WriteSide, calls: CallColumns, now: Micros) -> None:
    conn = side.conn
    (first,) = conn.execute("SELECT value FROM meta WHERE name = 'next_call'").fetchone()
    last = first + len(calls) - 1
    columns = _columns(side, calls, now, first)
    parts = -(-len(calls) // SEGMENT)
    texts = _texts(calls.models)
    for part in np.array_split(np.arange(len(calls)), parts):
        _put_segment(conn, calls, columns, texts, part)
    order = np.argsort(calls.identities.view(np.uint64))
    entries = packs.Entries(calls.identities.view(np.uint64)[order], packs.live_all(columns["id"][order]))
    runs.add(conn, entries, identity.lowest_call(conn))
    side.packs.renew()
    fine = np.array([side.keys.fine(side.keys.id(label_set(m))) for m in calls.models], dtype=np.int64)
    deltas = rollups.Deltas(
        sign=np.ones(len(calls), dtype=np.int64), arrived=columns["arrived"], booked=columns["booked"],
        series=columns["series"], fine=fine[calls.model], values=_measured(calls, columns),
    )  # fmt: skip
    side.changes.at(Kind.CALLS, deltas.booked)
    rollups.apply(conn, deltas, zones.names(conn), side.keys)
    _note(side, calls, columns["booked"])
    conn.execute("UPDATE meta SET value = ? WHERE name = 'next_call'", (last + 1,))


def _columns(side: WriteSide, calls: CallColumns, now: Micros, first: int) -> dict[str, np.ndarray]:
    """The columns of a segment that hold integers."""
    found = {name: np.full(len(calls), UNKNOWN, dtype=np.int64) for name in segments.INTEGERS}
    found["id"] = np.arange(first, first + len(calls), dtype=np.int64)
    found["booked"] = calls.booked
    found["arrived"] = np.full(len(calls), now, dtype=np.int64)
    by_model = {
        "series": [side.keys.id(label_set(model)) for model in calls.models],
        "flags": [head.flags_of(model, remember=True) for model in calls.models],
        **{f"{name}_t": [side.terms.id(getattr(m, name)) for m in calls.models] for name in TERMS},
        **{name: [getattr(m, name) for m in calls.models] for name in ("http_status", "attempts")},
    }
    for name, values in by_model.items():
        known = [UNKNOWN if value is None else value for value in values]
        found[name] = np.array(known, dtype=np.int64)[calls.model]
    found |= calls.integers
    for name, column in calls.lengths.items():
        found[_MICROS[name]] = micros(column)
    return found


def micros(milliseconds: np.ndarray) -> np.ndarray:
    """Milliseconds as whole µs, `UNKNOWN` for NaN."""
    known = ~np.isnan(milliseconds)
    whole = np.rint(np.where(known, milliseconds, 0) * 1000).astype(np.int64)
    return np.where(known, whole, UNKNOWN)


def _put_segment(
    conn: sqlite3.Connection, calls: CallColumns, columns: dict[str, np.ndarray],
    by_model: dict[str, list[str | None]], part: np.ndarray,
) -> None:  # fmt: skip
    numbers = {name: column[part] for name, column in columns.items()}
    texts = [("source_key", blobs.pack_different(calls.keys[part]))]
    model = calls.model[part]
    for name, values in by_model.items():
        column = [values[n] for n in model.tolist()]
        if any(value is not None for value in column):
            texts.append((name, blobs.pack_texts(column)))
    encoded = segments.encode_columns(numbers, texts)
    segments.store(conn, int(numbers["id"][-1]), int(numbers["id"][0]), encoded)


def _texts(models: Sequence[Call]) -> dict[str, list[str | None]]:
    """The texts of models that any of them has."""
    names = ("trace_id", "span_id", "parent_span_id", "attrs")
    found = {name: [_text(getattr(each, name)) for each in models] for name in names}
    return {name: values for name, values in found.items() if any(v is not None for v in values)}


def _text(value: str | dict[str, object] | None) -> str | None:
    if isinstance(value, dict):
        return to_json(value) if value else None
    return value


def _measured(calls: CallColumns, columns: dict[str, np.ndarray]) -> np.ndarray:
    """What is summed up of the calls: calls × measures."""
    unpriced = np.array([m.cost_status == "unpriced" for m in calls.models], dtype=np.int64)[calls.model]
    return measured(lambda name: unpriced if name == "unpriced" else columns[name])


def _note(side: WriteSide, calls: CallColumns, booked: np.ndarray) -> None:
    """What is kept beside the calls: of imports, of sessions, which attributes there are."""
    used = np.bincount(calls.model).tolist()
    brought: Counter[str | None] = Counter()
    sessions: dict[str, list[int]] = {}
    names: set[str] = set()
    for number, (model, count) in enumerate(zip(calls.models, used, strict=True)):
        brought[model.batch_id] += count
        names |= model.attrs.keys()
        if model.session is not None:
            sessions.setdefault(model.session, []).append(number)
    imports.count(side.conn, brought)
    side.note_attributes(names)
    changes = {name: _change(calls, booked, models) for name, models in sessions.items()}
    ledger.add(side.conn, changes, len(calls), (int(booked.min()), int(booked.max())), side.terms)


def _change(calls: CallColumns, booked: np.ndarray, models: list[int]) -> ledger.Change:
    here = np.isin(calls.model, models)
    tokens, cost = calls.sum_of_known(*INPUT, "out_total")[here], calls.integer("cost")[here]
    return ledger.Change(
        calls=int(here.sum()),
        tokens=int(tokens[tokens != UNKNOWN].sum()),
        cost=int(cost[cost != UNKNOWN].sum()),
        came=(int(booked[here].min()), int(booked[here].max())),
    )
