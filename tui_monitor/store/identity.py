"""Which call is it? 64-bit hashes of what sources call it, kept beside the rows and beyond them."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

from tui_monitor.model.call import Call
from tui_monitor.store.merge import content


@dataclass(frozen=True, slots=True)
class Gone:
    """An identity whose raw row was dropped; `content` tells equal records from changed ones."""

    content: int | None


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def source_hash(source: str, source_key: str) -> int:
    """The identity a source gives."""
    return _hash(f"s\x00{source}\x00{source_key}")


def key_hashes(call_keys: Iterable[str]) -> list[int]:
    """The identities that other sources may know too."""
    return [_hash(f"k\x00{key}") for key in call_keys]


def hashes(call: Call) -> list[int]:
    """All identities of one source's record, its own first."""
    own = source_hash(call.source, call.source_key)
    return [own, *key_hashes(call.call_keys)] if call.call_keys else [own]


def content_mark(call: Call) -> int:
    """16 bits that tell, nearly always, whether a record says the same as before."""
    return _hash(repr(content(call))) & 0xFFFF


def lookup(conn: sqlite3.Connection, wanted: Iterable[int]) -> dict[int, int | Gone]:
    """What is known of these hashes: the row's number, or that it is gone."""
    numbers = list(wanted)
    found: dict[int, int | Gone] = {}
    for at in range(0, len(numbers), 5000):
        rows = conn.execute(
            "SELECT hash, call, content FROM identities WHERE hash IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers[at : at + 5000]),),
        )
        for number, call, mark in rows:
            found[number] = Gone(mark) if call is None else call
    return found


def remember(conn: sqlite3.Connection, places: dict[int, int]) -> None:
    """Let each hash lead to its row."""
    # In order of the hash, neighbours share pages.
    conn.executemany("INSERT OR REPLACE INTO identities (hash, call) VALUES (?, ?)", sorted(places.items()))


def forget(conn: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Know these hashes no more."""
    conn.executemany("DELETE FROM identities WHERE hash = ?", [(n,) for n in numbers])


def outlive(conn: sqlite3.Connection, marks: Iterable[tuple[int, int | None, int]]) -> None:
    """Keep hashes although their rows are dropped: (hash, content mark, day of arrival from the epoch)."""
    conn.executemany("UPDATE identities SET call = NULL, content = ?2, day = ?3 WHERE hash = ?1", marks)


def expire(conn: sqlite3.Connection, before_day: int) -> int:
    """Know identities no more whose rows were stored before that day; how many."""
    return conn.execute("DELETE FROM identities WHERE call IS NULL AND day < ?", (before_day,)).rowcount
