"""Single calls by a filter, the newest first: segments are opened only when one of theirs may be next."""

import heapq
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.timerange import Span
from tui_monitor.store import head, sealed, segments
from tui_monitor.store.api import LabelColumn
from tui_monitor.store.blobs import UNKNOWN, Integers
from tui_monitor.store.dictionary import Lookup
from tui_monitor.store.facts import text_expression
from tui_monitor.store.filtering import Filter
from tui_monitor.store.segments import Segment
from tui_monitor.store.where import Where

_FIRST, _MOST = 1_000, 16_000
"""Calls of the row table that are looked at together: few at first, then more and more."""
_STEP, _LARGEST = 100, 3_200
"""Calls that are put together at a time, likewise."""
_AFTER = 1 << 62
"""Greater than the number of any call."""

Key = tuple[int, int]
"""Booking and number of a call; calls are told in falling order of it."""


class _Source(Protocol):
    """Where calls lie, with the greatest key that one of them may have."""

    @property
    def upto(self) -> Key: ...

    def passing(self, chosen: Filter, span: Span) -> "tuple[_Run, _Source | None]":
        """The calls that pass, and where more of them are."""
        ...


@dataclass(slots=True)
class _Run:
    """Calls that pass, in order."""

    booked: np.ndarray
    ids: np.ndarray
    at: np.ndarray
    """Their rows in a segment."""
    segment: Segment | None
    done: int = 0

    @property
    def upto(self) -> Key:
        return int(self.booked[self.done]), int(self.ids[self.done])

    def above(self, key: Key) -> int:
        """How many of the rest come before a key."""
        rest = slice(self.done, None)
        booked, ids = self.booked[rest], self.ids[rest]
        return int(((booked > key[0]) | ((booked == key[0]) & (ids > key[1]))).sum())

    def take(self, conn: sqlite3.Connection, count: int) -> Iterator[tuple[Call, int]]:
        """The next calls with their numbers."""
        taken = slice(self.done, self.done + count)
        self.done += count
        if self.segment is None:
            ids = self.ids[taken].tolist()
            found = head.load(conn, ids)
            yield from ((found[number].call, number) for number in ids)
            return
        values = self.segment.tuples(self.at[taken])
        ids = self.ids[taken].tolist()
        for full, number in zip(head.with_texts(conn, values), ids, strict=True):
            yield head.decode(full), number


def _run(booked: np.ndarray, ids: np.ndarray, at: np.ndarray, segment: Segment | None) -> _Run:
    order = np.lexsort((-ids, -booked))
    return _Run(booked[order], ids[order], at[order], segment)


@dataclass(slots=True)
class _Sealed:
    """A segment."""

    segment: Segment
    upto: Key
    below: int = _AFTER
    """Of the calls booked when the span ends, only those with a smaller number."""

    @property
    def rows(self) -> int:
        return self.segment.rows

    def integers(self, name: str) -> np.ndarray:
        return self.segment.integers(name)

    def narrow(self, name: str) -> Integers:
        return self.segment.narrow(name)

    def label(self, name: str) -> LabelColumn:
        return sealed.text_column(self.segment, name, np.arange(self.segment.rows))

    def chosen(self, chosen: Filter, span: Span) -> np.ndarray:
        """Which rows pass."""
        return chosen.passing(self) & self.segment.within(span)

    def passing(self, chosen: Filter, span: Span) -> tuple[_Run, None]:
        at = np.flatnonzero(self.chosen(chosen, span))
        booked, ids = (self.segment.integers(name, at) for name in ("booked", "id"))
        if self.below < _AFTER:
            left = (booked < span.end) | (ids < self.below)
            booked, ids, at = booked[left], ids[left], at[left]
        return _run(booked, ids, at, self.segment), None


@dataclass(slots=True)
class _Head:
    """Calls of the row table up to a key."""

    conn: sqlite3.Connection
    upto: Key
    size: int = _FIRST
    rows: int = 0
    _condition: str = ""
    _bounds: Sequence[int | str] = ()
    _read: dict[str, np.ndarray] = field(default_factory=dict)

    def integers(self, name: str) -> np.ndarray:
        found = self._read.get(name)
        if found is None:
            # Names of columns come from the tests' own tables.
            sql = f"SELECT ifnull({name}, {UNKNOWN}) {self._condition}"
            found = np.fromiter((n for (n,) in self.conn.execute(sql, self._bounds)), np.int64, self.rows)
            self._read[name] = found
        return found

    def narrow(self, name: str) -> Integers:
        return Integers.of(self.integers(name))

    def label(self, name: str) -> LabelColumn:
        expression, parameters = text_expression(name)
        rows = self.conn.execute(f"SELECT {expression} {self._condition}", (*parameters, *self._bounds))
        known: dict[str | None, int] = {}
        codes = np.fromiter((known.setdefault(text, len(known)) for (text,) in rows), np.int64, self.rows)
        return LabelColumn(codes, list(known))

    def passing(self, chosen: Filter, span: Span) -> "tuple[_Run, _Head | None]":
        narrower, values = chosen.narrower()
        self._condition = f"""FROM calls WHERE booked > ? AND (booked, id) <= (?, ?) AND {narrower}
            ORDER BY booked DESC, id DESC LIMIT ?"""
        self._bounds = (span.start, *self.upto, *values, self.size)
        keys = self.conn.execute(f"SELECT booked, id {self._condition}", self._bounds).fetchall()
        self.rows = len(keys)
        booked, ids = np.array(keys, dtype=np.int64).reshape(-1, 2).T
        at = np.flatnonzero(chosen.passing(self)) if keys else np.zeros(0, dtype=np.int64)
        more = None
        if len(keys) == self.size:
            more = _Head(self.conn, (keys[-1][0], keys[-1][1] - 1), min(_MOST, self.size * 4))
        return _run(booked[at], ids[at], at, None), more


def newest(
    conn: sqlite3.Connection, lookup: Lookup, span: Span, where: Where, check: Callable[[], None],
    below: int | None = None,
) -> Iterator[tuple[Call, int]]:  # fmt: skip
    """The calls booked in a span that pass, the newest first; read some at a time, in one transaction.

    Each comes with its number, which is its own as long as it is kept. Of those booked at the span's end only
    the ones with a number less than `below` are told. `check` is called between segments and may raise.
    Raises `StoreError` for a segment that is damaged, when it is reached.
    """
    chosen, below = Filter(conn, lookup, where), _AFTER if below is None else below
    waiting: list[tuple[int, int, int, _Source | _Run]] = []
    number, step = 0, _STEP

    def wait(entry: _Source | _Run) -> None:
        nonlocal number
        number += 1
        booked, identity = entry.upto
        heapq.heappush(waiting, (-booked, -identity, number, entry))

    wait(_Head(conn, (span.end, below - 1)))
    for segment in segments.overlapping(conn, span, lookup.columns):
        if chosen.may_pass(segment):
            wait(_Sealed(segment, (min(segment.booked_high, span.end), _AFTER), below))
    while waiting:
        check()
        *_, entry = heapq.heappop(waiting)
        if not isinstance(entry, _Run):
            run, more = entry.passing(chosen, span)
            if more is not None:
                wait(more)
            if len(run.ids):
                wait(run)
            continue
        count = len(entry.ids) - entry.done
        if waiting:
            count = min(count, max(1, entry.above((-waiting[0][0], -waiting[0][1]))))
        yield from entry.take(conn, min(count, step))
        step = min(_LARGEST, step * 2)
        if entry.done < len(entry.ids):
            wait(entry)


def count(
    conn: sqlite3.Connection, lookup: Lookup, span: Span, where: Where, check: Callable[[], None]
) -> int:
    """How many calls booked in a span pass; otherwise as `newest`."""
    chosen = Filter(conn, lookup, where)
    total = 0
    for segment in segments.overlapping(conn, span, lookup.columns):
        check()
        if chosen.may_pass(segment):
            sealed_calls = _Sealed(segment, (segment.booked_high, _AFTER))
            total += int(np.count_nonzero(sealed_calls.chosen(chosen, span)))
    rest: _Head | None = _Head(conn, (span.end, _AFTER), _MOST)
    while rest is not None:
        check()
        run, rest = rest.passing(chosen, span)
        total += len(run.ids)
    return total
