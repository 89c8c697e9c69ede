"""One call by what it is called: its identity leads to its row, however many calls there are."""

import re
import sqlite3
from collections.abc import Iterator

from tui_monitor.model.errors import NotFound
from tui_monitor.model.text import clean
from tui_monitor.store import calls, facts, identity
from tui_monitor.store.api import StoredCall
from tui_monitor.store.head import Row

_ID = re.compile(r"[0-9a-f]{16}")
_NEWEST = 20_000
"""Calls looked through for the sources whose key a text may be."""


def find(conn: sqlite3.Connection, text: str) -> StoredCall:
    """The call of an id, of `SOURCE:KEY`, of an identity that sources share, or of a source's key alone.

    Raises `NotFound` where there is none, or its row is gone.
    """
    gone = False
    for wanted in _meant(conn, text):
        number = identity.find(conn, wanted)
        if isinstance(number, identity.Gone):
            gone = True
        elif number is not None:
            row = calls.load(conn, [number]).get(number)
            if row is not None and _has(row, wanted):
                return _stored(row)
    if gone:
        raise NotFound(
            f"call {clean(text)} is not kept by itself, only in the sums",
            hint="it is older than retention.raw, or left out of a sample under flood",
        )
    raise NotFound(f"there is no call {clean(text)}", hint="it may have been taken back by its source")


def _meant(conn: sqlite3.Connection, text: str) -> Iterator[int]:
    """Identities that a text may stand for, the surest first."""
    if _ID.fullmatch(text):
        yield int.from_bytes(bytes.fromhex(text), "big", signed=True)
    for at, letter in enumerate(text):
        if letter == ":":
            yield identity.source_hash(text[:at], text[at + 1 :])
    yield from identity.key_hashes([text])
    for source in facts.newest_values(conn, "source", _NEWEST):
        if source:
            yield identity.source_hash(source, text)


def _has(row: Row, wanted: int) -> bool:
    """A packed identity may lead to a row that has lost it."""
    return any(wanted in identity.hashes(part.call) for part in row.parts)


def _stored(row: Row) -> StoredCall:
    told = tuple(part.call for part in row.parts) if len(row.parts) > 1 else ()
    return StoredCall(row.call, row.arrived, row.weight, told)
