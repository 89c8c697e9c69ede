"""Runs of packed identities in the database: looked into, put together, dropped."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tui_monitor.model.errors import StoreError
from tui_monitor.store import blobs
from tui_monitor.store.packs import (
    CHUNK,
    CHUNK_BITS,
    FILTER_BITS,
    FORGOTTEN,
    GONE,
    SLICE_BITS,
    SLICES,
    Entries,
    Packed,
    days,
    filter_places,
    live,
    newest,
    pack,
    unpack_chunk,
)  # fmt: skip

_LARGEST = 1 << 20
"""Hashes of a run beyond which it is not put together with others."""
_DEAD = 64
"""A run is made anew when more than one entry in so many is dead."""
_FILTERS = 64 << 20
"""Bytes of filters held in memory; runs beyond that are looked into without."""


@dataclass(slots=True)
class Run:
    """What is held in memory of a run."""

    id: int
    firsts: np.ndarray
    filter: np.ndarray | None = None

    def maybe(self, hashes: np.ndarray) -> np.ndarray:
        """Which of these can be in it."""
        if self.filter is None:
            return hashes >= self.firsts[0]
        words, bits = filter_places(hashes, len(self.filter))
        return self.filter[words] & bits == bits


class Packs:
    """The runs of a database, for its writer. `forget` after a rollback."""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._conn = conn
        self._runs: list[list[Run]] | None = None
        """By slice, the newest first."""
        self._held: dict[int, Run] = {}
        self._turn = 0

    def turn(self) -> int:
        """The slice whose turn it is; each comes after all others."""
        self._turn = (self._turn + 1) % SLICES
        return self._turn

    def forget(self) -> None:
        """Empty the cache."""
        self._runs = None
        self._held = {}

    def renew(self) -> None:
        """Look again which runs there are."""
        self._runs = None

    def lookup(self, wanted: Iterable[int]) -> dict[int, int]:
        """The values of these signed hashes that are in a run."""
        runs = self._known()
        if not any(runs):
            return {}
        hashes = np.unique(np.fromiter(wanted, dtype=np.int64).view(np.uint64))
        found: dict[int, int] = {}
        slices = (hashes >> np.uint64(64 - SLICE_BITS)).astype(np.int64)
        for number in np.unique(slices).tolist():
            left = hashes[slices == number]
            for run in runs[number]:
                here = _find(self._conn, run, left[run.maybe(left)])
                signed = here.hashes.view(np.int64).tolist()
                found.update(zip(signed, here.values.tolist(), strict=True))
                left = left[~np.isin(left, here.hashes)] if len(here) else left
        return found

    def _known(self) -> list[list[Run]]:
        if self._runs is None:
            runs: list[list[Run]] = [[] for _ in range(SLICES)]
            room = _FILTERS
            held: dict[int, Run] = {}
            rows = self._conn.execute("SELECT id, slice, count FROM identity_runs ORDER BY id DESC")
            for number, part, count in rows.fetchall():
                room -= count * FILTER_BITS // 8
                held[number] = self._held.get(number) or self._load(number, filtered=room >= 0)
                runs[part].append(held[number])
            self._runs, self._held = runs, held
        return self._runs

    def _load(self, number: int, *, filtered: bool) -> Run:
        sql = f"SELECT firsts, {'filter' if filtered else 'NULL'} FROM identity_runs WHERE id = ?"
        firsts, kept = self._conn.execute(sql, (number,)).fetchone()
        run = Run(number, np.frombuffer(_unsealed(number, firsts), dtype="<u8"))
        if kept is not None:
            run.filter = np.frombuffer(_unsealed(number, kept), dtype="<u8")
        return run


def _find(conn: sqlite3.Connection, run: Run, hashes: np.ndarray) -> Entries:
    # Both are in ascending order, so each chunk is asked for some neighbours.
    at = np.searchsorted(run.firsts, hashes, side="right") - 1
    parts: list[Entries] = [Entries(hashes[:0], hashes[:0])]
    chunks = np.unique(at[at >= 0])
    bounds = zip(
        *(np.searchsorted(at, chunks, side=side).tolist() for side in ("left", "right")), strict=True
    )
    for chunk, (begin, end) in zip(chunks.tolist(), bounds, strict=True):
        entries = read_chunk(conn, run.id, chunk)
        places = np.searchsorted(entries.hashes, hashes[begin:end])
        places = places[places < len(entries)]
        here = entries.keep(places)
        parts.append(here.keep(np.isin(here.hashes, hashes[begin:end])))
    return Entries(
        *(np.concatenate(column) for column in zip(*((p.hashes, p.values) for p in parts), strict=True))
    )


def find(conn: sqlite3.Connection, wanted: int) -> int | None:
    """The value of one signed hash, if it is in a run; reads of its slice only where which chunk begins."""
    hashes = np.array([wanted], dtype=np.int64).view(np.uint64)
    part = int(hashes[0] >> np.uint64(64 - SLICE_BITS))
    rows = conn.execute("SELECT id, firsts FROM identity_runs WHERE slice = ? ORDER BY id DESC", (part,))
    for number, firsts in rows.fetchall():
        found = _find(conn, Run(number, np.frombuffer(_unsealed(number, firsts), dtype="<u8")), hashes)
        if len(found):
            return int(found.values[0])
    return None


def _unsealed(run: int, blob: bytes) -> bytes:
    try:
        return blobs.unseal(blob)
    except blobs.Damaged as error:
        raise _damaged(run) from error


def _damaged(run: int) -> StoreError:
    return StoreError(
        f"run {run} of packed identities is damaged", hint="put a copy back (`tui-monitor db restore FILE`)"
    )


def read_chunk(conn: sqlite3.Connection, run: int, chunk: int) -> Entries:
    """Some neighbouring hashes of a run."""
    number = (run << CHUNK_BITS) + chunk
    row = conn.execute("SELECT data FROM identity_chunks WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise _damaged(run)
    try:
        return unpack_chunk(row[0])
    except blobs.Damaged as error:
        raise _damaged(run) from error


def read_run(conn: sqlite3.Connection, run: int, count: int) -> Entries:
    """All of a run."""
    parts = [read_chunk(conn, run, chunk) for chunk in range(-(-count // CHUNK))]
    return Entries(np.concatenate([p.hashes for p in parts]), np.concatenate([p.values for p in parts]))


def store(conn: sqlite3.Connection, packed: Packed) -> None:
    """Put a run in the place of others; inside a transaction."""
    for run in packed.instead:
        drop(conn, run)
    if not packed.count:
        return
    number = conn.execute(
        "INSERT INTO identity_runs (slice, count, call_high, day, firsts, filter) VALUES (?, ?, ?, ?, ?, ?)",
        (packed.slice, packed.count, packed.call_high, packed.day, packed.firsts, packed.filter),
    ).lastrowid
    assert number is not None
    conn.executemany(
        "INSERT INTO identity_chunks VALUES (?, ?)",
        [((number << CHUNK_BITS) + at, blob) for at, blob in enumerate(packed.chunks)],
    )


def add(conn: sqlite3.Connection, entries: Entries, lowest: int) -> None:
    """Pack new entries of all slices; inside a transaction, while nobody else packs. Renew `Packs` then."""
    for packed in of_slices(conn, entries, lowest):
        store(conn, packed)


def of_slices(conn: sqlite3.Connection, entries: Entries, lowest: int) -> Iterator[Packed]:
    """Runs of new entries, for each slice one, with those of before that they take the place of."""
    bounds = np.arange(1, SLICES, dtype=np.uint64) << np.uint64(64 - SLICE_BITS)
    ends = [0, *np.searchsorted(entries.hashes, bounds).tolist(), len(entries)]
    for part, (begin, end) in enumerate(pairwise(ends)):
        if end > begin:
            fresh = Entries(entries.hashes[begin:end], entries.values[begin:end])
            yield with_older(conn, part, fresh, lowest)


def drop(conn: sqlite3.Connection, run: int) -> None:
    """Drop a run; inside a transaction."""
    conn.execute("DELETE FROM identity_runs WHERE id = ?", (run,))
    low, high = run << CHUNK_BITS, (run + 1) << CHUNK_BITS
    conn.execute("DELETE FROM identity_chunks WHERE id >= ? AND id < ?", (low, high))


def with_older(conn: sqlite3.Connection, part: int, fresh: Entries, lowest: int) -> Packed:
    """A run of new entries and of the runs before it that are no larger than what comes together.

    `lowest` is the lowest number of a call that is kept: what leads to earlier ones goes.
    """
    rows = conn.execute(
        "SELECT id, count FROM identity_runs WHERE slice = ? ORDER BY id DESC", (part,)
    ).fetchall()
    group, instead, total = [fresh], [], len(fresh)
    for run, count in rows:
        if count > total or total + count > _LARGEST:
            break
        group.append(read_run(conn, run, count))
        instead.append(run)
        total += count
    entries = newest(group)
    dead = (entries.values & np.uint64(GONE)) == 0
    dead &= entries.values < np.uint64(live(lowest))
    if len(instead) == len(rows):
        dead |= entries.values == np.uint64(FORGOTTEN)
    return pack(part, entries.keep(~dead), instead)


def expire(conn: sqlite3.Connection, before_day: int, lowest: int) -> int:
    """Drop the gone of before a day, and runs that lead to no call that is kept; how many of the gone."""
    dropped = 0
    rows = conn.execute(
        "SELECT id, slice, count FROM identity_runs WHERE day < ? ORDER BY id", (before_day,)
    ).fetchall()
    for run, part, count in rows:
        entries = read_run(conn, run, count)
        when = days(entries.values)
        old = ((entries.values & np.uint64(GONE)) != 0) & (when > 0) & (when < np.uint64(before_day + 1))
        dropped += int(old.sum())
        rewrite(conn, run, pack(part, entries.keep(~old), []))
    for (run,) in conn.execute(
        "SELECT id FROM identity_runs WHERE day IS NULL AND call_high < ?", (lowest,)
    ).fetchall():
        drop(conn, run)
    return dropped


def total(conn: sqlite3.Connection) -> int:
    """Entries of all runs."""
    return conn.execute("SELECT ifnull(sum(count), 0) FROM identity_runs").fetchone()[0]


def count(conn: sqlite3.Connection, part: int, more: np.ndarray) -> int:
    """Different hashes of the runs of a slice and some more; where a run is damaged, each run by itself."""
    rows = conn.execute("SELECT id, count FROM identity_runs WHERE slice = ?", (part,)).fetchall()
    if len(rows) + bool(len(more)) > 1:
        try:
            found = [more, *(read_run(conn, run, entries).hashes for run, entries in rows)]
            return len(np.unique(np.concatenate(found)))
        except StoreError:
            pass
    return len(more) + sum(entries for _, entries in rows)


def outdated(conn: sqlite3.Connection, part: int, lowest: int) -> Iterator[tuple[int, Packed]]:
    """Runs of a slice with dead entries, each with what is left of it; `rewrite` it while nobody else packs.

    Dead is what leads to calls below the lowest that is kept, and what a later run says anew.
    """
    rows = conn.execute(
        "SELECT id, count FROM identity_runs WHERE slice = ? ORDER BY id DESC", (part,)
    ).fetchall()
    few = sum(count for _, count in rows) <= _LARGEST
    later = np.zeros(0, dtype=np.uint64)
    for run, count in rows:
        entries = read_run(conn, run, count)
        dead = (entries.values & np.uint64(GONE)) == 0
        dead &= entries.values < np.uint64(live(lowest))
        if few:
            dead |= np.isin(entries.hashes, later)
            later = np.concatenate((later, entries.hashes))
        if int(dead.sum()) * _DEAD > count:
            yield run, pack(part, entries.keep(~dead), [])


def rewrite(conn: sqlite3.Connection, run: int, packed: Packed) -> None:
    """Put a run in the place of another and let it keep its number, and so its age.

    Inside a transaction; let `Packs` forget then.
    """
    drop(conn, run)
    if packed.count:
        conn.execute(
            "INSERT INTO identity_runs VALUES (?, ?, ?, ?, ?, ?, ?)",
            (run, packed.slice, packed.count, packed.call_high, packed.day, packed.firsts, packed.filter),
        )
        numbered = [((run << CHUNK_BITS) + at, blob) for at, blob in enumerate(packed.chunks)]
        conn.executemany("INSERT INTO identity_chunks VALUES (?, ?)", numbered)


def faults(conn: sqlite3.Connection) -> list[str]:
    """What is damaged."""
    found: list[str] = []
    rows = conn.execute("SELECT id, count, firsts, filter FROM identity_runs ORDER BY id").fetchall()
    for run, count, firsts, kept in rows:
        try:
            _unsealed(run, firsts)
            _unsealed(run, kept)
            read_run(conn, run, count)
        except StoreError as error:
            found.append(error.message)
    return found
