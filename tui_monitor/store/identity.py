"""Which call is it? 64-bit hashes of what sources call it, kept beside the rows and beyond them."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import orjson

from tui_monitor.model.call import Call, identity_of
from tui_monitor.store import packs, runs
from tui_monitor.store.merge import content
from tui_monitor.store.runs import Packs

_MANY = 200_000
"""Identities that wait to be packed from which on some are looked up rather than all read."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An identity whose raw row was dropped; `content` tells equal records from changed ones."""

    content: int | None


def _hash(text: str) -> int:
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def source_hash(source: str, source_key: str) -> int:
    """The identity a source gives."""
    return identity_of(source, source_key)


def own_prefix(source: str) -> bytes:
    """What stands before a key in the bytes that `source_hash` hashes."""
    return f"s\x00{source}\x00".encode("utf-8", "surrogatepass")


def key_hashes(call_keys: Iterable[str]) -> list[int]:
    """The identities that other sources may know too."""
    return [_hash(f"k\x00{key}") for key in call_keys]


def hashes(call: Call) -> list[int]:
    """All identities of one source's record, its own first."""
    return hashes_of([call])[0]


def hashes_of(calls: Sequence[Call]) -> list[list[int]]:
    """`hashes` of each of many."""
    # Spelled out here, for it is done of every call there is: see `source_hash`.
    digests = [
        blake2b(
            f"s\x00{call.source}\x00{call.source_key}".encode("utf-8", "surrogatepass"), digest_size=8
        ).digest()
        for call in calls
    ]
    own = np.frombuffer(b"".join(digests), dtype=">i8").tolist()
    return [
        [number, *key_hashes(call.call_keys)] if call.call_keys else [number]
        for number, call in zip(own, calls, strict=True)
    ]


def content_mark(call: Call) -> int:
    """16 bits that tell, nearly always, whether a record says the same as before."""
    return mark_of(repr(content(call)))


def mark_of(text: str) -> int:
    """The mark of a content that is written out."""
    return _hash(text) & 0xFFFF


def lookup(conn: sqlite3.Connection, known: Packs, wanted: Iterable[int]) -> dict[int, int | Gone]:
    """What is known of these hashes: the row's number, or that it is gone.

    A packed hash may lead to a row that is there no longer, or that has lost this identity.
    """
    numbers = set(wanted)
    found: dict[int, int | Gone] = {}
    listed = list(numbers)
    for at in range(0, len(listed), 5000):
        rows = conn.execute(
            "SELECT hash, call, content, day FROM identities WHERE hash IN (SELECT value FROM json_each(?))",
            (orjson.dumps(listed[at : at + 5000]).decode(),),
        )
        for number, call, mark, day in rows:
            numbers.discard(number)
            if call is not None or day is not None:
                found[number] = Gone(mark) if call is None else call
    for number, value in known.lookup(numbers).items():
        if value != packs.FORGOTTEN:
            call = packs.call_of(value)
            found[number] = Gone(packs.content_of(value)) if call is None else call
    return found


def find(conn: sqlite3.Connection, wanted: int) -> int | Gone | None:
    """As `lookup` of one hash, where nothing is held in memory; `None` where nothing is known of it."""
    row = conn.execute("SELECT call, content, day FROM identities WHERE hash = ?", (wanted,)).fetchone()
    if row is not None:
        call, mark, day = row
        return call if call is not None else None if day is None else Gone(mark)
    value = runs.find(conn, wanted)
    if value is None or value == packs.FORGOTTEN:
        return None
    call = packs.call_of(value)
    return Gone(packs.content_of(value)) if call is None else call


def known_among(conn: sqlite3.Connection, known: Packs, hashes: np.ndarray) -> np.ndarray:
    """Which of these hashes anything is said of, even that they are forgotten; hashes may come twice."""
    (rows,) = conn.execute("SELECT count(*) FROM (SELECT 1 FROM identities LIMIT ?)", (_MANY,)).fetchone()
    if rows < _MANY:
        listed = conn.execute("SELECT hash FROM identities")
        said = np.fromiter((number for (number,) in listed), dtype=np.int64)
    else:
        said = np.array(list(_said(conn, hashes.tolist())), dtype=np.int64)
    packed = np.fromiter(known.lookup(hashes.tolist()), dtype=np.int64)
    return np.isin(hashes, np.concatenate((said, packed)))


def _said(conn: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[int]:
    for at in range(0, len(numbers), 5000):
        rows = conn.execute(
            "SELECT hash FROM identities WHERE hash IN (SELECT value FROM json_each(?))",
            (json.dumps(numbers[at : at + 5000]),),
        )
        yield from (number for (number,) in rows)


def remember(conn: sqlite3.Connection, places: dict[int, int]) -> None:
    """Let each hash lead to its row."""
    # In order of the hash, neighbours share pages.
    conn.executemany("INSERT OR REPLACE INTO identities (hash, call) VALUES (?, ?)", sorted(places.items()))


def forget(conn: sqlite3.Connection, known: Packs, numbers: Iterable[int]) -> None:
    """Know these hashes no more."""
    wanted = list(numbers)
    drop(conn, wanted)
    # What a run says of one that was gone before must not come to light again.
    gone = [(n,) for n, value in known.lookup(wanted).items() if packs.call_of(value) is None]
    conn.executemany("INSERT INTO identities (hash) VALUES (?)", gone)


def drop(conn: sqlite3.Connection, numbers: Iterable[int]) -> None:
    """Delete hashes whose rows are dropped; what runs know of them leads nowhere."""
    conn.executemany("DELETE FROM identities WHERE hash = ?", [(n,) for n in numbers])


def outlive(conn: sqlite3.Connection, marks: Iterable[tuple[int, int | None, int]]) -> None:
    """Keep hashes although their rows are dropped: (hash, content mark, day of arrival from the epoch)."""
    conn.executemany("INSERT OR REPLACE INTO identities (hash, content, day) VALUES (?, ?, ?)", marks)


def expire(conn: sqlite3.Connection, before_day: int) -> int:
    """Know identities no more whose rows were stored before that day; how many."""
    lowest = lowest_call(conn)
    dropped = conn.execute("DELETE FROM identities WHERE call IS NULL AND day < ?", (before_day,)).rowcount
    return dropped + runs.expire(conn, before_day, lowest)


def count(conn: sqlite3.Connection) -> int:
    """How many identities are kept, each counted once; reads the runs of those slices that have several."""
    found = 0
    for part in range(packs.SLICES):
        rows = conn.execute(
            "SELECT hash FROM identities WHERE hash BETWEEN ? AND ?", packs.slice_bounds(part)
        )
        waiting = np.fromiter((number for (number,) in rows), dtype=np.int64)
        found += runs.count(conn, part, waiting.view(np.uint64))
    return found


def lowest_call(conn: sqlite3.Connection) -> int:
    """No call with a lower number is kept, nor will there be one."""
    sql = """SELECT min(ifnull((SELECT min(id) FROM calls), n.value),
        ifnull((SELECT min(first) FROM segments), n.value)) FROM meta n WHERE n.name = 'next_call'"""
    return conn.execute(sql).fetchone()[0]


def waiting(
    conn: sqlite3.Connection, part: int, limit: int
) -> list[tuple[int, int | None, int | None, int | None]]:
    """(hash, call, content, day) of the identities of a slice that are not packed yet; some of them."""
    return conn.execute(
        "SELECT hash, call, content, day FROM identities WHERE hash BETWEEN ? AND ? ORDER BY hash LIMIT ?",
        (*packs.slice_bounds(part), limit),
    ).fetchall()


def entries(rows: Sequence[tuple[int, int | None, int | None, int | None]]) -> packs.Entries:
    """Identities as a run has them."""
    hashes = np.array([row[0] for row in rows], dtype=np.int64).view(np.uint64)
    return packs.Entries(hashes, np.array([_value(*row[1:]) for row in rows], dtype=np.uint64))


def _value(call: int | None, content: int | None, day: int | None) -> int:
    if call is not None:
        return packs.live(call)
    return packs.FORGOTTEN if day is None else packs.gone(day, content)
