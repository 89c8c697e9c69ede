"""The reference of everything that writes: plain `sqlite3.executemany` into one wide table.

The table has a column for each field of a call that any of the rows knows, and the same unique key (source
and source key); WAL and `synchronous = NORMAL`, as the store has it. The rows are ready tuples of calls that
were cleaned, priced and identified before, which is not timed: no parsing, no merging, no roll-ups, no index
of time.
"""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from data import Chunk, Traces

from tui_monitor.config.settings import Collector, Prices
from tui_monitor.model.call import Call
from tui_monitor.model.clock import ManualClock
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer

NAMES = tuple(field.name for field in fields(Call))
BATCH = 1_000
"""Rows of a transaction; the collector's default."""


def calls(traces: Traces, chunk: Chunk, name: str, first: int = 0) -> Iterator[Call]:
    """The calls of a chunk as an application pushes them, with ids."""
    from data import rows

    for number, (ts, provider, model, user, inp, out, latency, status) in enumerate(
        rows(traces, chunk), first
    ):
        yield Call(
            source="events", source_key=f"{name}-{number}", ts_end=ts, provider=provider,
            model_requested=model, user=user, in_uncached=inp, out_total=out, latency_ms=latency,
            status=status,
        )  # fmt: skip


def preparer(now: int) -> Preparer:
    """What cleans and prices, as a collector has it."""
    return Preparer(Collector(), PriceBook.load(Prices()), ManualClock(now), None)


def prepared(found: Iterable[Call], now: int) -> list[tuple[Any, ...]]:
    """Calls as rows of every field."""
    prepare = preparer(now).prepare
    rows: list[tuple[Any, ...]] = []
    for call in found:
        done = prepare(call)
        assert isinstance(done, Call)
        rows.append(tuple(_value(getattr(done, name)) for name in NAMES))
    return rows


def _value(value: Any) -> Any:
    if isinstance(value, (dict, list, tuple)):
        return orjson.dumps(value).decode() if value else None
    return value


def store(path: Path, rows: Sequence[tuple[Any, ...]], batch: int = BATCH) -> float:
    """Seconds to store them, durable at the end."""
    known = [at for at, column in enumerate(zip(*rows, strict=True)) if any(v is not None for v in column)]
    ready = [tuple(row[at] for at in known) for row in rows]
    names = ", ".join(f'"{NAMES[at]}"' for at in known)
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode = WAL")
    conn.execute("PRAGMA synchronous = NORMAL")
    conn.execute(
        f"CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, {names}, UNIQUE (source, source_key))"
    )
    insert = f"INSERT OR IGNORE INTO calls ({names}) VALUES ({', '.join('?' * len(known))})"
    waiting = iter(ready)
    began = time.perf_counter()
    while part := list(islice(waiting, batch)):
        conn.execute("BEGIN")
        conn.executemany(insert, part)
        conn.execute("COMMIT")
    took = time.perf_counter() - began
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    return took
