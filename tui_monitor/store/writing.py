"""The writing side: one connection, one thread at a time, each change a transaction through all layers."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.errors import FileGone, StoreError
from tui_monitor.model.once import Once
from tui_monitor.store import (
    acts,
    blocks,
    dictionary,
    events,
    freed,
    fresh,
    head,
    identity,
    imports,
    ledger,
    rollups,
    sampled,
    segments,
    zones,
)
from tui_monitor.store.acts import Done
from tui_monitor.store.api import ImportInfo, Outcome, WriteBatch, WriteResult
from tui_monitor.store.changes import Changes, Kind
from tui_monitor.store.dictionary import SeriesKeys, Terms
from tui_monitor.store.head import Row
from tui_monitor.store.opening import explained
from tui_monitor.store.runs import Packs
from tui_monitor.store.series import sealing
from tui_monitor.store.series.log import SeriesTable
from tui_monitor.store.turns import TurnLock
from tui_monitor.store.work import Work, move_identities

_UNDO_STEP = 5_000


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file a path leads to; None where it leads to none. Looks, and opens nothing."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class WriteSide:
    """What `Store` does under its lock. Every method raises `StoreError`; then nothing was stored."""

    def __init__(self, path: Path, conn: sqlite3.Connection, clock: Clock, max_series: int) -> None:
        self.path = path
        self.conn = conn
        self._file = _identity(path)
        self.guard = TurnLock()
        self.upkeep = threading.Lock()
        """Held, before `guard`, by what moves calls about or goes through all of them."""
        self.touched: set[int] | None = None
        """Numbers of calls that change while some are being sealed."""
        self.changes = Changes()
        """What the transaction under way changes."""
        self.price: Callable[[Call], None] | None = None
        self._clock = clock
        self._max_series = max_series
        self.terms = Terms(conn)
        self.keys = SeriesKeys(conn)
        self._codes = fresh.Codes(self.terms, self.keys)
        self.series = SeriesTable(conn)
        self.packs = Packs(conn)
        self._sealing_samples = sealing.Pace()
        self._giving_back = freed.GivingBack()
        self._attributes: set[str] = set()
        rollups.prepare(conn)

    @contextmanager
    def transaction(self) -> Iterator[Micros]:
        """All or nothing; yields the time of arrival."""
        with self.guard, explained(self.path):
            self.check_file()
            self.conn.execute("BEGIN IMMEDIATE")
            self.changes.clear()
            try:
                yield self._clock.now()
                self.conn.execute("COMMIT")
            except BaseException:
                if self.conn.in_transaction:
                    self.conn.execute("ROLLBACK")
                self.forget()
                raise

    def check_file(self) -> None:
        """Raises `FileGone` where the file that is written is no longer the one of that name.

        SQLite would go on, and what it is given would be gone with the last process that has it open.
        """
        if _identity(self.path) != self._file:
            raise FileGone(
                f"{self.path} was removed or replaced while it was in use",
                hint="begin collecting anew: that opens the file that is there, or makes one",
            )

    def empty_log(self) -> None:
        """Fold the log into the file; where somebody reads in it just now, that happens soon, by itself."""
        with self.guard, explained(self.path):
            self.conn.execute("PRAGMA busy_timeout = 50")
            self.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self.conn.execute("PRAGMA busy_timeout = 10000")

    def forget(self) -> None:
        """Empty every cache: the database may know less than they do."""
        self.terms.forget()
        self.keys.forget()
        self._codes.forget()
        self.series.forget()
        self.packs.forget()
        self._attributes.clear()

    def write(self, batch: WriteBatch) -> WriteResult:
        """Store a batch in one transaction."""
        with self.transaction() as now:
            result = WriteResult()
            work = Work(self.conn, self.packs, now, self._next_call(), self.price)
            result.calls = work.add(batch.calls, batch.remember, batch.rates)
            result.retracts = work.retract(batch.retracts)
            changed = self._store_calls(work, now)
            imports.count(self.conn, work.brought)
            self._store_starts(batch, work, now)
            result.events = events.write(self.conn, batch.events, now, self.terms, self.changes)
            result.samples_rejected, days = self.series.write(
                batch.samples, self._max_series, now, self.terms
            )
            self.changes.days(Kind.SAMPLES, days)
            imports.save_offsets(self.conn, batch.offsets)
            if batch.done is not None:
                acts.note(self.conn, batch.done, now)
            if changed or batch.events or batch.samples or batch.starts:
                self.changes.save(self.conn)
        if self._sealing_samples.due(len(batch.samples), now):
            self._seal_some_samples(now)
        if self._giving_back.due(len(batch.samples), now):
            with self.guard:
                freed.give_back(self.conn)
        return result

    def seal_samples(self, until: Micros, after: int = 0) -> sealing.Step:
        """Seal some samples in one short transaction, as `sealing.seal_some` does. No answer changes."""
        with self.transaction():
            return sealing.seal_some(self.conn, until, after)

    def seal_all_samples(self, until: Micros) -> None:
        """Seal all samples of series that have enough, or some up to a time, in short transactions."""
        after: int | None = 0
        while after is not None:
            after = self.seal_samples(until, after).after
            # What is written meanwhile need not take steps of its own.
            self._sealing_samples.rest(self._clock.now())

    def begin_import(self, info: ImportInfo) -> None:
        """Note an import before its rows arrive."""
        with self.transaction():
            imports.begin(self.conn, info)
            self.changes.save(self.conn)

    def undo_import(self, batch_id: str, once: Once | None = None) -> int:
        """Take an import back, some thousand calls per transaction; after a stop halfway it goes on."""
        with explained(self.path), self.guard:
            before = None if once is None else acts.find(self.conn, once, "calls")
            if before is not None:
                return before
            imports.check_undo(self.path, self.conn, batch_id)
        taken = 0
        while True:
            with self.transaction() as now:
                found = imports.next_calls(self.conn, batch_id, _UNDO_STEP)
                if not found:
                    imports.drop_feed(self.conn, batch_id)
                    imports.finish_undo(self.conn, batch_id, now)
                    self.series.forget()
                    blocks.sweep_sets(self.conn)
                    self.keys.forget()
                    self._codes.forget()
                    self.bump()
                    if once is not None:
                        acts.note(self.conn, Done(once, "calls", taken), now)
                    return taken
                work = Work(self.conn, self.packs, now, self._next_call(), self.price)
                outcomes = work.retract(found)
                if Outcome.RETRACTED not in outcomes:
                    raise sqlite3.IntegrityError("calls of an import are not found by their identity")
                self._store_calls(work, now)
                imports.count(self.conn, work.brought)
                self.changes.save(self.conn)
                taken += outcomes.count(Outcome.RETRACTED)

    def change_rows(
        self, old: Sequence[Row], new: Sequence[Row], *, in_place: bool = False, left_out: Sequence[Row] = ()
    ) -> None:
        """Replace rows, and every layer with them; inside a transaction.

        `in_place` says that identities, times and labels stay as they are; `left_out` are calls that come
        without a raw row.
        """
        touched = self.touched
        if touched is not None:
            touched.update(row.id for row in (*old, *new))
        segments.take_out(self.conn, [row.id for row in old])
        head.replace(self.conn, old, new, self.terms, self.keys)
        self.note_attributes({name for row in new for name in row.call.attrs})
        if not in_place:
            move_identities(self.conn, self.packs, old, new)
        if left_out:
            for row in left_out:
                row.series = self.keys.id(dictionary.label_set(row.call))
            sampled.leave_out(self.conn, left_out)
            new = [*new, *left_out]
        deltas = rollups.Deltas.of(old, new, self.keys, in_place=in_place)
        self.changes.at(Kind.CALLS, deltas.booked)
        rollups.apply(self.conn, deltas, zones.names(self.conn), self.keys)
        ledger.apply(self.conn, old, new, self.terms)

    def _add_fresh(self, work: Work, now: Micros) -> None:
        """Put calls in of which nothing was known, and every layer with them."""
        places = {number: seq for seq, (_, numbers) in work.fresh.items() for number in numbers}
        added = {seq: call for seq, (call, _) in work.fresh.items()}
        laid = fresh.lay_out(added, now, work.remember, self._codes, self.terms)
        fresh.insert(self.conn, laid)
        self.note_attributes({name for call in laid.calls if call.attrs for name in call.attrs})
        identity.remember(self.conn, places)
        deltas = fresh.deltas(laid)
        self.changes.at(Kind.CALLS, deltas.booked)
        rollups.apply(self.conn, deltas, zones.names(self.conn), self.keys)
        ledger.come(self.conn, laid.calls, self.terms)

    def note_attributes(self, names: set[str]) -> None:
        """Keep the names of free attributes; inside a transaction."""
        more = names - self._attributes
        if more:
            self.conn.executemany("INSERT OR IGNORE INTO attribute_names VALUES (?)", [(n,) for n in more])
            self._attributes |= more

    def bump(self) -> None:
        """Let readers see that anything may have changed; inside a transaction.

        Where it is known what changed, `changes` is told, and saved.
        """
        self.changes.everything()
        self.changes.save(self.conn)

    def _seal_some_samples(self, now: Micros) -> None:
        """A step now and then, as samples come; what is written is safe, so trouble here only waits."""
        with suppress(StoreError):
            pace = self._sealing_samples
            pace.took(now, self.seal_samples(sealing.old(now), pace.after))

    def _next_call(self) -> int:
        return self.conn.execute("SELECT value FROM meta WHERE name = 'next_call'").fetchone()[0]

    def _store_calls(self, work: Work, now: Micros) -> bool:
        old, new, left_out = work.changes()
        if not old and not new and not left_out and not work.fresh:
            return False
        if old or new or left_out:
            self.change_rows(old, new, left_out=left_out)
        if work.fresh:
            self._add_fresh(work, now)
        self.conn.execute("UPDATE meta SET value = ? WHERE name = 'next_call'", (work.next_seq,))
        return True

    def _store_starts(self, batch: WriteBatch, work: Work, now: Micros) -> None:
        events.end(self.conn, batch.calls)
        if batch.starts:
            open_ones = [s for s in batch.starts if not work.known(s.source, s.source_key)]
            events.begin(self.conn, open_ones, now)
