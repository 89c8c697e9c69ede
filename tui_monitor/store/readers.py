"""Reading connections that wait for the next question, with what is known of the file they read."""

import os
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tui_monitor.store import opening, sealed
from tui_monitor.store.dictionary import Lookup
from tui_monitor.store.series.cached import SampleCache

T = TypeVar("T")
_IDLE = 4
_File = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A connection; `lookup` knows the texts and label sets of its file, `samples` those read lately."""

    conn: sqlite3.Connection
    lookup: Lookup
    file: _File
    samples: SampleCache


class Readers:
    """The connections of one database, for any thread.

    Where another file has taken its place, as `db restore` does, everything begins anew: what a number means
    there may be something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[Reading] = []
        self._file: _File = (0, 0)
        self._lookup = Lookup()
        self._samples = SampleCache()
        self._closed = False
        self._moments = threading.local()

    @contextmanager
    def moment(self) -> Iterator[None]:
        """What this thread reads within is read through one connection, in one transaction.

        It begins with the first reading. One within another is part of it.
        """
        if _held(self._moments) is not None:
            yield
            return
        with ExitStack() as held:
            self._moments.held, self._moments.reading, self._moments.told = held, None, {}
            try:
                yield
            finally:
                self._moments.held = self._moments.reading = self._moments.told = None

    @contextmanager
    def reading(self, check: Callable[[Reading], None]) -> Iterator[Reading]:
        """A connection that sees one moment of the database; `check` looks at it first."""
        held = _held(self._moments)
        if held is None:
            with self._begun(check) as reading:
                yield reading
            return
        if self._moments.reading is None:
            self._moments.reading = held.enter_context(self._begun(check))
        yield self._moments.reading

    def once(self, what: Hashable, ask: Callable[[], T]) -> T:
        """The answer to a small question, asked once in a moment of this thread; nobody may change it."""
        told = getattr(self._moments, "told", None)
        if told is None:
            return ask()
        if what not in told:
            told[what] = ask()
        return told[what]

    @contextmanager
    def _begun(self, check: Callable[[Reading], None]) -> Iterator[Reading]:
        reading = self.take()
        try:
            reading.conn.execute("BEGIN")
            # It reads of the file, and with that the moment is chosen.
            check(reading)
            yield reading
        finally:
            if reading.conn.in_transaction:
                reading.conn.execute("ROLLBACK")
            self.give_back(reading)

    def take(self) -> Reading:
        """A connection to the file that is there now. Raises SQLite's errors."""
        while True:
            file = self._there()
            with self._lock:
                if file != self._file:
                    self._close_idle()
                    self._file, self._lookup, self._samples = file, Lookup(), SampleCache()
                if self._idle:
                    return self._idle.pop()
                lookup, samples = self._lookup, self._samples
            conn = opening.connect_reader(self._path)
            conn.create_function("attribute", 2, sealed.attribute, deterministic=True)
            if self._there() == file:
                return Reading(conn, lookup, file, samples)
            conn.close()

    def give_back(self, reading: Reading) -> None:
        """It is not needed at the moment."""
        with self._lock:
            if not self._closed and reading.file == self._file and len(self._idle) < _IDLE:
                self._idle.append(reading)
                return
        reading.conn.close()

    def close(self) -> None:
        """Close those that wait, and the others when they are given back."""
        with self._lock:
            self._closed = True
            self._close_idle()

    def _close_idle(self) -> None:
        for reading in self._idle:
            reading.conn.close()
        self._idle.clear()

    def _there(self) -> _File:
        try:
            found = os.stat(self._path)
        except OSError:
            # Between two files, or on a disk in trouble: who has it open can go on.
            return self._file
        return found.st_dev, found.st_ino


def _held(moments: threading.local) -> ExitStack | None:
    """What the moment of this thread holds open, if it is in one."""
    return getattr(moments, "held", None)
