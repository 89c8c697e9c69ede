"""Memory that the writer no longer needs goes back to the system."""

import ctypes
import sqlite3
from collections.abc import Callable
from functools import cache

from tui_monitor.model.clock import SECOND, Micros

_MANY, _SOME = 5_000, 500
"""Samples written since."""


class GivingBack:
    """When it is worth while as samples come: after many of them, or some and a second.

    Each series has a page of its own at the end of the log, so a scrape puts as many pages into SQLite's
    cache as it has series. The next one comes seconds later, and finds them in the system's.
    """

    def __init__(self) -> None:
        self._since = 0
        self._last: Micros = 0

    def due(self, written: int, now: Micros) -> bool:
        """Whether to do it now, after so many more samples; the count begins anew then."""
        self._since += written
        soon = 0 <= now - self._last < SECOND
        if self._since < (_MANY if soon else _SOME):
            return False
        self._since, self._last = 0, now
        return True


def give_back(conn: sqlite3.Connection) -> None:
    """Empty the connection's cache of pages, and let the allocator return what is free, where it can."""
    conn.execute("PRAGMA shrink_memory")
    trim = _trim()
    if trim is not None:
        trim(0)


@cache
def _trim() -> Callable[[int], int] | None:
    # glibc keeps what was freed in between for itself: https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None
