"""Two ways into a database, to be compared: by columns, and one by one."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tui_monitor.config.settings import Collector
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.feed import EventKind, Record
from tui_monitor.model.timerange import Span
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.veil import Veil
from tui_monitor.sources.imports import ImportOptions, ImportSummary, StoreSink, Written, run_import
from tui_monitor.store.api import ImportInfo
from tui_monitor.store.database import Store
from tui_monitor.store.sealing import Limits

ALL = Span(-(1 << 60), 1 << 60)
SEALED = Limits(rows=8, head=0, age=0, identities=0)


class OneByOne:
    """A sink that takes no columns."""

    def __init__(self, sink: StoreSink) -> None:
        self._sink = sink

    def begin(self, info: ImportInfo) -> None:
        self._sink.begin(info)

    def write(self, records: Sequence[Record]) -> Written:
        return self._sink.write(records)


class Watched(StoreSink):
    """Counts what came as columns."""

    taken = 0

    def write_columns(self, calls: Any, others: int) -> Any:
        written, taken = super().write_columns(calls, others)
        self.taken += int(taken.sum())
        return written, taken


def content(path: Path) -> dict[str, Any]:
    """Everything a database holds about calls, without the numbers of its rows."""
    with sqlite3.connect(path) as conn:
        sets = dict(conn.execute("SELECT id, labels FROM series_keys"))
        cells = {
            table: sorted(
                # When a cell began depends on how calls fall into transactions: one that loses its only
                # call ends, and begins anew with the next.
                (key >> 32, sets[key & 0xFFFFFFFF], rest)
                for key, _, *rest in conn.execute(f"SELECT * FROM {table}")
            )
            for table in ("minute", "hour", "day")
        }
        terms = dict(conn.execute("SELECT id, text FROM terms"))
        sessions = sorted((terms[n], *rest) for n, *rest in conn.execute("SELECT * FROM sessions"))
        meta = sorted(
            conn.execute("SELECT * FROM meta WHERE name IN ('calls', 'first', 'last', 'next_call')")
        )
        names = sorted(conn.execute("SELECT * FROM attribute_names"))
        begun = sorted(conn.execute("SELECT * FROM starts"))
        imports = sorted(conn.execute("SELECT batch_id, stored, undone, gone FROM imports"))
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return {**cells, "sessions": sessions, "meta": meta, "names": names, "starts": begun, "imports": imports,
            "sets": sorted(sets.values())}  # fmt: skip


def calls(store: Store) -> list[str]:
    """All raw calls, for comparing."""
    return sorted(json.dumps(asdict(call), sort_keys=True, default=list) for call in store.raw_calls(ALL))


def beside(store: Store) -> list[str]:
    """Samples and events."""
    series = store.series()
    samples = store.samples([each.id for each in series], ALL)
    told = [(each.name, sorted(each.labels.items()), *map(list, samples.get(each.id, ()))) for each in series]
    kinds: tuple[EventKind, ...] = ("cache", "rate_limit", "score", "progress", "mark")
    return sorted(map(repr, told)) + [repr(event) for kind in kinds for event in store.events(kind, ALL)]


def told(summary: ImportSummary) -> tuple[object, ...]:
    file = summary.files[0]
    return (
        summary.stored, summary.known, summary.corrected, summary.late, summary.unpriced, summary.overflow,
        summary.first, summary.last, summary.input_tokens, summary.output_tokens, summary.shift_us,
        file.rows, file.rejected, file.rejections, file.reasons, file.error,
    )  # fmt: skip


class Both:
    """Two databases: one that takes columns, and one that takes calls one by one."""

    def __init__(
        self, folder: Path, book: PriceBook, limits: Collector | None = None, veil: Veil | None = None
    ):
        self.clock = ManualClock(1_772_323_200_000_000)
        self.stores = [
            Store.open(folder / f"{name}.db", write=True, clock=self.clock, zone="Europe/Berlin")
            for name in ("columns", "rows")
        ]
        made = [Preparer(limits or Collector(), book, self.clock, veil) for _ in self.stores]
        self.columns = Watched(self.stores[0], made[0])
        self.rows = OneByOne(StoreSink(self.stores[1], made[1]))

    def load(self, path: Path, batch: str, form: str = "csv", **options: Any) -> ImportSummary:
        asked = ImportOptions(now=self.clock.now(), **options)
        left = run_import([path], form, asked, self.columns, batch_id=batch)
        right = run_import([path], form, asked, self.rows, batch_id=batch)
        assert told(left) == told(right)
        self.same()
        return left

    def same(self) -> None:
        left, right = self.stores
        assert calls(left) == calls(right)
        assert beside(left) == beside(right)
        assert content(left.path) == content(right.path)

    def close(self) -> None:
        for store in self.stores:
            store.close()
