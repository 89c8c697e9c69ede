"""What waits to be sent: a file of its own beside the database, bounded, safe against `kill -9`.

A request is queued in the transaction that remembers how far counters were sent, so what is sent after a
crash goes on from what was sent before it. Each receiver has its own place in the queue.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.forward.amounts import Amount, restored, stored
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError

_LOG_SIZE = 4_000_000
"""Bytes that the log beside the file keeps."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT, newest INTEGER NOT NULL, samples INTEGER NOT NULL,
    size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS batch_sizes ON batches (id, size, samples, newest);
CREATE TABLE IF NOT EXISTS receivers (
    name TEXT PRIMARY KEY, done INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0, lost INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (
    series TEXT PRIMARY KEY, base REAL NOT NULL, last REAL NOT NULL, grown INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
"""


class QueueError(MonitorError):
    """The queue cannot be read or written."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One request that waits; `newest` is the time of its newest sample (µs)."""

    id: int
    newest: Micros
    samples: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a receiver is; sums since it is known."""

    waiting_bytes: int
    waiting_samples: int
    oldest: Micros | None
    """The time of what it waits for longest (µs)."""
    sent: int
    """Samples it took."""
    refused: int
    """Samples in requests that it refused for good."""
    lost: int
    """Samples that had to go because the queue was full."""


@dataclass(slots=True)
class Counter:
    """How far one counter was sent."""

    base: Amount
    """What was counted up to the mark `settled`."""
    last: Amount
    """What was sent last."""
    grown: Micros
    """When it was sent with more than before; below 0, when it was told that it ended."""

    @property
    def ended(self) -> Micros:
        """When it was told that it ended; 0 where it goes on."""
        return max(0, -self.grown)


def path_for(database: Path) -> Path:
    """Where the queue of a database lies."""
    return database.with_name(f"{database.name}-forward")


class Queue:
    """The queue on disk. Methods block and raise `QueueError`; any thread may call them."""

    def __init__(self, path: Path, size: int, receivers: Sequence[str]) -> None:
        """Open it, or begin one. `size` bytes may wait; receivers that are not named are forgotten."""
        self._lock = threading.Lock()
        self._size = size
        self._names = list(receivers)
        self.set_aside: Path | None = None
        """Where a damaged queue was put when this one was begun instead."""
        try:
            try:
                self._conn = _opened(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self.set_aside = _put_aside(path)
                self._conn = _opened(path)
            self._begin()
        except (sqlite3.Error, OSError) as error:
            raise QueueError(f"the queue {path} cannot be opened: {error}") from error

    def _begin(self) -> None:
        with self._conn:
            names = ",".join("?" * len(self._names))
            self._conn.execute(f"DELETE FROM receivers WHERE name NOT IN ({names})", self._names)
            first = self._one("SELECT ifnull(min(id), 1) - 1 FROM batches")
            self._conn.executemany(
                "INSERT OR IGNORE INTO receivers (name, done) VALUES (?, ?)",
                [(name, first) for name in self._names],
            )
        self._waiting = self._one("SELECT ifnull(sum(size), 0) FROM batches")
        with self._conn:
            self._drop_oldest()

    def close(self) -> None:
        """Close it; later calls raise."""
        with self._lock:
            self._conn.close()

    def put(
        self, batches: Iterable[tuple[Micros, int, bytes]], counters: Mapping[str, Counter | None],
        marks: Mapping[str, Micros],
    ) -> None:  # fmt: skip
        """Queue requests (newest sample, samples, body), and remember counters and marks, all at once.

        A counter that is `None` is forgotten. Beyond the size the oldest requests go, and are counted.
        """
        added = [(newest, samples, len(body), body) for newest, samples, body in batches]
        gone = [(series,) for series, state in counters.items() if state is None]
        kept = [
            (series, stored(s.base), stored(s.last), s.grown)
            for series, s in counters.items()
            if s is not None
        ]
        with self._lock, _told():
            try:
                with self._conn:
                    self._conn.executemany(
                        "INSERT INTO batches (newest, samples, size, body) VALUES (?, ?, ?, ?)", added
                    )
                    self._conn.executemany("DELETE FROM counters WHERE series = ?", gone)
                    self._conn.executemany("INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?)", kept)
                    self._conn.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?)", list(marks.items()))
                    self._waiting += sum(size for _, _, size, _ in added)
                    self._drop_oldest()
            except BaseException:
                self._waiting = self._one("SELECT ifnull(sum(size), 0) FROM batches")
                raise

    def next(self, receiver: str) -> Batch | None:
        """The request that is next for a receiver."""
        with self._lock, _told():
            row = self._conn.execute(
                """SELECT id, newest, samples, body FROM batches
                WHERE id > (SELECT done FROM receivers WHERE name = ?) ORDER BY id LIMIT 1""",
                (receiver,),
            ).fetchone()
        return None if row is None else Batch(*row)

    def done(self, receiver: str, batch: Batch, *, refused: int = 0) -> None:
        """A receiver took a request, but for so many samples that it will never take."""
        with self._lock, _told(), self._conn:
            # A request that was dropped while it was under way is not counted twice.
            self._conn.execute(
                """UPDATE receivers SET sent = sent + ?, refused = refused + ?, done = ?
                WHERE name = ? AND done < ?""",
                (batch.samples - refused, refused, batch.id, receiver, batch.id),
            )
            self._delete(self._one("SELECT min(done) FROM receivers"))

    def standing(self, receiver: str) -> Standing:
        """How far a receiver is."""
        with self._lock, _told():
            row = self._conn.execute(
                """SELECT ifnull(sum(size), 0), ifnull(sum(samples), 0), min(newest) FROM batches
                WHERE id > (SELECT done FROM receivers WHERE name = ?)""",
                (receiver,),
            ).fetchone()
            sums = self._conn.execute(
                "SELECT sent, refused, lost FROM receivers WHERE name = ?", (receiver,)
            ).fetchone()
        return Standing(*row, *sums)

    def counters(self) -> dict[str, Counter]:
        """How far each counter was sent; without those that cannot be read."""
        with self._lock, _told():
            rows = self._conn.execute("SELECT series, base, last, grown FROM counters").fetchall()
        known: dict[str, Counter] = {}
        for series, base, last, grown in rows:
            # One that cannot be read begins anew, rather than stop all others.
            with suppress(ValueError):
                known[series] = Counter(restored(base), restored(last), grown)
        return known

    def marks(self) -> dict[str, Micros]:
        """The instants that are remembered."""
        with self._lock, _told():
            return dict(self._conn.execute("SELECT name, at FROM marks").fetchall())

    def _one(self, statement: str, *values: object) -> int:
        return self._conn.execute(statement, values).fetchone()[0]

    def _delete(self, through: int) -> None:
        freed = self._one("SELECT ifnull(sum(size), 0) FROM batches WHERE id <= ?", through)
        self._conn.execute("DELETE FROM batches WHERE id <= ?", (through,))
        self._waiting -= freed

    def _drop_oldest(self) -> None:
        if self._waiting <= self._size:
            return
        over, through = self._waiting - self._size, 0
        with closing(self._conn.execute("SELECT id, size FROM batches ORDER BY id")) as rows:
            for number, size in rows:
                through, over = number, over - size
                if over <= 0:
                    break
        for name, done in self._conn.execute("SELECT name, done FROM receivers").fetchall():
            lost = self._one(
                "SELECT ifnull(sum(samples), 0) FROM batches WHERE id > ? AND id <= ?", done, through
            )
            self._conn.execute(
                "UPDATE receivers SET lost = lost + ?, done = max(done, ?) WHERE name = ?",
                (lost, through, name),
            )
        self._delete(through)


class _told:
    """Errors of SQLite as ours."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            raise QueueError(f"the queue of what is to be forwarded: {error}") from error


def _opened(path: Path) -> sqlite3.Connection:
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    conn = sqlite3.connect(path, timeout=5.0, check_same_thread=False)
    try:
        # Room of what was sent is given back; only a new file takes that.
        conn.execute("PRAGMA auto_vacuum = FULL")
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("PRAGMA synchronous = NORMAL")
        # What one large look once needed is given back; the log beside the file is no part of the bound.
        conn.execute(f"PRAGMA journal_size_limit = {_LOG_SIZE}")
        conn.executescript(_SCHEMA)
    except BaseException:
        conn.close()
        raise
    return conn


def _put_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    os.replace(path, aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.unlink(path.with_name(path.name + suffix))
    return aside
