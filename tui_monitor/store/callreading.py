"""What the store answers about single calls: its `Reader` methods of them."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from tui_monitor.model.call import Call
from tui_monitor.model.timerange import Span
from tui_monitor.store import finding, onecall
from tui_monitor.store.api import StoredCall
from tui_monitor.store.readers import Reading
from tui_monitor.store.where import EVERY, Where, go_on


class CallReader(Protocol):
    """For whoever has connections to read with. Methods are those of `store.api.Reader`."""

    def _read(self) -> AbstractContextManager[sqlite3.Connection]:
        """A connection that sees one moment of the database."""
        ...

    def _reading(self) -> AbstractContextManager[Reading]:
        """The same, with what is known of its file."""
        ...

    def calls(
        self, span: Span, where: Where = EVERY, check: Callable[[], None] = go_on, below: int | None = None
    ) -> Iterator[tuple[Call, int]]:
        """Raw calls booked in the span that pass, the newest first, with their numbers."""
        with self._reading() as reading:
            yield from finding.newest(reading.conn, reading.lookup, span, where, check, below)

    def count_calls(self, span: Span, where: Where = EVERY, check: Callable[[], None] = go_on) -> int:
        """How many raw calls booked in the span pass."""
        with self._reading() as reading:
            return finding.count(reading.conn, reading.lookup, span, where, check)

    def one_call(self, id: str) -> StoredCall:
        """One raw call by its id, or by what a source calls it."""
        with self._read() as conn:
            return onecall.find(conn, id)
