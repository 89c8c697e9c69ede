"""The store: one SQLite file behind `store.api`'s Reader and Writer."""

import sqlite3
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tui_monitor.config.settings import Retention
from tui_monitor.model.call import DIMENSIONS, RAW_DIMENSIONS, Call
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import Event, EventKind, Start
from tui_monitor.model.once import Once
from tui_monitor.model.timerange import Span
from tui_monitor.store import (
    acts,
    calls,
    changes,
    damage,
    dictionary,
    entry,
    events,
    facts,
    imports,
    ledger,
    migrations,
    opening,
    rebuild,
    retention,
    sampled,
    sealing,
    stats,
    upgrade,
    upkeep,
    zones,
)
from tui_monitor.store import forget as forgetting
from tui_monitor.store import reprice as repricing
from tui_monitor.store.api import (
    Extent,
    Facts,
    Holding,
    ImportInfo,
    Layer,
    Measure,
    Part,
    WriteBatch,
    WriteResult,
)  # fmt: skip
from tui_monitor.store.callreading import CallReader
from tui_monitor.store.damage import SetAside
from tui_monitor.store.forget import AuditEntry, Forgotten
from tui_monitor.store.lock import WriteLock
from tui_monitor.store.readers import Readers, Reading
from tui_monitor.store.rebuild import RebuildReport
from tui_monitor.store.reprice import RepriceReport
from tui_monitor.store.retention import RetentionReport
from tui_monitor.store.sealing import Limits, Sealed
from tui_monitor.store.series.asking import SampleReader
from tui_monitor.store.stats import StoreStats
from tui_monitor.store.turns import TurnLock
from tui_monitor.store.upgrade import Update, Updated
from tui_monitor.store.upkeep import Compacted
from tui_monitor.store.where import go_on
from tui_monitor.store.writing import WriteSide

if TYPE_CHECKING:
    import numpy as np

    from tui_monitor.model.columns import CallColumns

T = TypeVar("T")
_UPDATE = Update()
_NEWEST = 200_000
"""Raw calls looked through for the values of a label that only they know."""


class Store(CallReader, SampleReader):
    """One database. Any thread may read; writing takes `guard`, so it is one thread at a time."""

    def __init__(
        self, path: Path, clock: Clock, zone: str, side: WriteSide | None = None,
        lock: WriteLock | None = None,
    ) -> None:  # fmt: skip
        self.path = path
        self._clock = clock
        self._zone = zone
        self._side = side
        self._lock = lock
        self._readers = Readers(path)
        self._closed = False
        self._limits = sealing.USUAL
        self._written = 0
        self._schema: tuple[object, ...] = ()
        """The tables that were last found to be those of this version."""
        self.updated: Updated | None = None
        """What was done to a database of an older version when it was opened."""

    @classmethod
    def open(
        cls, path: Path, *, write: bool, clock: Clock, zone: str = "UTC", synchronous: str = "normal",
        max_series: int = 20_000, update: Update = _UPDATE,
    ) -> "Store":  # fmt: skip
        """Open a database, and create or upgrade it when writing; `update` says how.

        `zone` is the one whose days are read. With `write` it holds the database's lock until `close`.
        Raises `StoreLocked` while another process writes it; `StoreError` for a file that is missing
        (reading), damaged, of a newer version, read-only or none of ours.
        """
        opening.check_file(path, write=write)
        if not write:
            store = cls(path, clock, zone)
            store._check_readable()
            return store
        opening.create_file(path)
        path = path.resolve()
        lock, side, updated = entry.enter(path, clock, zone, synchronous, max_series, update)
        store = cls(path, clock, zone, side, lock)
        store.updated = updated
        return store

    def close(self) -> None:
        """Close every connection and release the lock; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self._readers.close()
        if self._side is not None:
            with self._side.guard:
                entry.leave(self._side)
        if self._lock is not None:
            self._lock.release()

    def keep(self) -> None:
        """Look whether what is written stays; a lock whose file was removed is taken anew.

        Raises `FileGone`, and `StoreLocked` where another process has taken the lock meanwhile.
        """
        self._writing.check_file()
        if self._lock is not None:
            self._lock.keep()

    @property
    def guard(self) -> TurnLock:
        """Held while something is written; for whoever writes the same file beside the store."""
        return self._writing.guard

    @property
    def _writing(self) -> WriteSide:
        if self._side is None:
            raise StoreError(f"{self.path} is open for reading only")
        return self._side

    # Writer

    def write(self, batch: WriteBatch) -> WriteResult:
        """Store a batch in one transaction; durable on return."""
        result = self._going_on(lambda: self._writing.write(batch))
        self._written += len(batch.calls)
        if self._written >= self._limits.rows:
            self._written = 0
            # What is written is safe: where there is no room to pack, that waits.
            with suppress(StoreError), opening.explained(self.path):
                self._going_on(lambda: sealing.seal_some(self._writing, self._clock.now(), self._limits))
        return result

    def write_columns(self, calls: "CallColumns") -> "np.ndarray":
        """Store those of many calls that nothing is known of, in one transaction; a mask of them.

        The others go through `write`. Durable on return.
        """
        from tui_monitor.store import columns

        return self._going_on(lambda: columns.write(self._writing, calls))

    def begin_import(self, info: ImportInfo) -> None:
        """Note an import before its rows arrive."""
        self._writing.begin_import(info)

    def undo_import(self, batch_id: str, once: Once | None = None) -> int:
        """Take an import back out of every layer; the number of calls taken out."""
        return self._going_on(lambda: self._writing.undo_import(batch_id, once))

    def answered(self, once: Once, kind: str) -> Any:
        """What was answered to an act, of a kind, where it is done already; see `acts.answer_in`."""
        with self._read() as conn:
            return acts.find(conn, once, kind)

    def retain(self, settings: Retention, now: Micros) -> RetentionReport:
        """Drop what is too old or too much; may take a while, in short transactions."""
        with opening.explained(self.path):
            return self._going_on(lambda: retention.retain(self._writing, settings, now))

    def seal(self, now: Micros, limits: Limits = sealing.USUAL) -> Sealed:
        """Pack calls that are old or too many, and identities; may take a while, in short transactions."""
        with opening.explained(self.path):
            return self._going_on(lambda: sealing.seal(self._writing, now, limits))

    def reprice(
        self, since: Micros, price: Callable[[Call], None], told: Callable[[int, int], None] | None = None
    ) -> RepriceReport:
        """Price every raw call booked at or after `since` in place; roll-ups follow. `told`: done, of all."""
        with opening.explained(self.path):
            return self._going_on(lambda: repricing.reprice(self._writing, since, price, told))

    def price_merged(self, price: Callable[[Call], None]) -> None:
        """Price calls that are put together from several sources' parts with this from now on."""
        self._writing.price = price

    def rebuild_rollups(
        self, *, mend: bool, progress: Callable[[int, int], None] | None = None
    ) -> RebuildReport:
        """Make every roll-up anew from the raw calls, compare, and with `mend` put right what differs.

        Without `mend` nothing is written, and it may be open for reading only.
        """
        with opening.explained(self.path):
            if not mend:
                return rebuild.compare(self.path, progress)
            return self._going_on(lambda: rebuild.rebuild(self._writing, progress))

    def forget(self, label: str, value: str, who: str) -> Forgotten:
        """Take a person's name out of every layer; sums stay. `who` did it, for the audit."""
        with opening.explained(self.path):
            return self._going_on(lambda: forgetting.forget(self._writing, label, value, who))

    def audit(self) -> list[AuditEntry]:
        """What people had done to the stored data, newest first."""
        with self._read() as conn:
            return forgetting.audit(conn)

    def compact(self, progress: Callable[[int, int], None] | None = None) -> Compacted:
        """Give unused space back to the file system."""
        with opening.explained(self.path):
            return upkeep.compact(self._writing, progress)

    def stats(self, settings: Retention, now: Micros) -> StoreStats:
        """Rows, bytes, time span and growth of each layer; reads the whole file."""
        with self._read() as conn:
            return stats.stats(self.path, conn, settings, now)

    def raw_calls(self, span: Span) -> Iterator[Call]:
        """The raw calls booked in a span, oldest first, as they are at this moment; read some at a time."""
        return (call for call, _ in self.raw_sample(span))

    def raw_sample(self, span: Span) -> Iterator[tuple[Call, int]]:
        """The raw calls booked in a span as `raw_calls` gives them, with how many each stands for."""
        with self._read() as conn:
            yield from calls.booked_in(conn, span)

    def pushed_since(self, instant: Micros) -> int:
        """Raw rows of pushed calls that arrived at or after an instant."""
        with self._read() as conn:
            return sampled.pushed_since(conn, instant)

    def raw_count(self, span: Span) -> int:
        """How many raw calls are booked in a span."""
        with self._read() as conn:
            return calls.count(conn, span)

    def size_bytes(self) -> int:
        """Bytes of the database in use."""
        with self._read() as conn:
            return retention.used_bytes(conn)

    def offset(self, key: str) -> str | None:
        """Where a source left off."""
        with self._read() as conn:
            return imports.offset(conn, key)

    def offsets(self, prefix: str) -> dict[str, str]:
        """Where sources left off, for every key that begins so."""
        with self._read() as conn:
            return imports.offsets(conn, prefix)

    def _going_on(self, do: Callable[[], T]) -> T:
        return damage.going_on(self._writing, do)

    # Reader

    def set_aside(self) -> list[SetAside]:
        """Sealed calls that were found damaged and set aside."""
        with self._read() as conn:
            return damage.listed(conn)

    def moment(self) -> AbstractContextManager[None]:
        """All that this thread asks within sees the database as it is at the first question."""
        return self._readers.moment()

    def version(self) -> int:
        """Changes whenever a commit, of this process or another, changed what a query could see."""
        return self._once("version", changes.version)

    def changed(self, version: int, parts: Collection[Part]) -> bool:
        """Whether something of these parts changed, or may have, after the database had that version."""
        after = self._once(("since", version), lambda conn: changes.since(conn, version))
        with self._read() as conn:
            return changes.changed(conn, after, parts)

    def holdings(self) -> Mapping[Layer, Holding]:
        """What each layer still holds; the days are those of the zone it was opened with."""
        return self._once("holdings", lambda conn: zones.holdings(conn, self._zone))

    def extent(self) -> Extent:
        """How much there is, and from when to when."""
        return self._once("extent", ledger.extent)

    def _once(self, what: Hashable, ask: Callable[[sqlite3.Connection], T]) -> T:
        """A small answer, read once in a moment."""

        def read() -> T:
            with self._read() as conn:
                return ask(conn)

        return self._readers.once(what, read)

    def facts(
        self, layer: Layer, span: Span, labels: Sequence[str], measures: Sequence[Measure],
        histograms: Sequence[Measure] = (), where: Mapping[str, str] | None = None,
        check: Callable[[], None] = go_on,
    ) -> Facts:  # fmt: skip
        """Rows of a layer whose time lies in `span`: for roll-ups, cells that lie in it whole."""
        with self._reading() as reading:
            conn, lookup = reading.conn, reading.lookup
            if layer is Layer.RAW:
                return facts.raw_facts(conn, lookup, span, labels, measures, histograms, where or {}, check)
            zone = zones.find(conn, self._zone)
            return facts.rollup_facts(
                conn, lookup, layer, span, labels, measures, histograms, where or {}, zone, check
            )

    def label_values(self, label: str, limit: int = 1000) -> list[str]:
        """Known values of a label, sorted; of one that only raw calls know, those of the newest calls."""
        with self._read() as conn:
            if label in DIMENSIONS:
                found = {text for (text,) in dictionary.values(conn, label)}
            else:
                found = facts.newest_values(conn, label, _NEWEST)
            return sorted(text for text in found if text)[:limit]

    def label_names(self) -> list[str]:
        """Labels and free attributes that calls carry, sorted."""
        with self._read() as conn:
            attributes = {name for (name,) in conn.execute("SELECT name FROM attribute_names")}
        return sorted({*DIMENSIONS, *RAW_DIMENSIONS, *attributes})

    def events(self, kind: EventKind, span: Span, limit: int = 100_000) -> list[Event]:
        """Dated facts in the span, oldest first; beyond the limit the newest."""
        with self._read() as conn:
            return events.events(conn, kind, span, limit)

    def latest_event(self, kind: EventKind, *keys: str) -> list[Event]:
        """The newest event for each set of values of these labels (of `name` where a key is "name")."""
        with self._read() as conn:
            return events.latest(conn, kind, keys)

    def starts(self, since: Micros) -> list[Start]:
        """Calls that began after `since`, in the last ten minutes, and are not reported as ended."""
        with self._read() as conn:
            return events.starts(conn, max(since, self._clock.now() - events.START_KEPT))

    def imports(self) -> list[ImportInfo]:
        """Imports, newest first."""
        with self._read() as conn:
            return imports.listed(conn)

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """A reading connection, seeing one moment of the database."""
        with self._reading() as reading:
            yield reading.conn

    @contextmanager
    def _reading(self) -> Iterator[Reading]:
        """The same, with what is known of its file."""
        if self._closed:
            raise StoreError(f"{self.path} is closed")
        with opening.explained(self.path), self._readers.reading(self._check_tables) as reading:
            yield reading

    def _check_readable(self) -> None:
        with self._read():
            pass

    def _check_tables(self, reading: Reading) -> None:
        """Another version may bring the database up to date while it is read here."""
        schema = (reading.file, *reading.conn.execute("PRAGMA schema_version").fetchone())
        if schema != self._schema:
            try:
                migrations.refuse_older(self.path, reading.conn)
            except migrations.Older as error:
                raise upgrade.being_updated(self.path) or error from error
            self._schema = schema
