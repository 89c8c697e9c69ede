"""One transaction's calls and retractions, worked out in memory before anything is written.

A row is what one or more sources said of one call. Every change is the same four steps: gather the parts
of the rows it touches, change the parts, group them anew by their call keys, merge each group. So a taken
back part leaves the others as if it had never been there.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, repeat
from operator import attrgetter

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.model.feed import Retract
from tui_monitor.store import calls as stored
from tui_monitor.store import identity, segments
from tui_monitor.store.api import Outcome
from tui_monitor.store.head import Row
from tui_monitor.store.identity import Gone
from tui_monitor.store.merge import Part, content, groups, merge, outgrows
from tui_monitor.store.runs import Packs

_batch_of = attrgetter("batch_id")


class Work:
    """Rows before and after, by number; `None` after is a row taken out."""

    def __init__(
        self, conn: sqlite3.Connection, runs: Packs, now: Micros, next_seq: int,
        price: Callable[[Call], None] | None = None,
    ) -> None:  # fmt: skip
        self._conn = conn
        self._runs = runs
        self._now = now
        self._price = price
        self.next_seq = next_seq
        self.before: dict[int, Row] = {}
        self.after: dict[int, Row | None] = {}
        self.brought: Counter[str | None] = Counter()
        """Calls that each import gains by what is added, or loses by what is corrected or taken back."""
        self.fresh: dict[int, tuple[Call, list[int]]] = {}
        """Calls of which nothing was known, with their identities; rows only when something touches them."""
        self.remember = False
        """Whether the identities of what is added outlive it."""
        self._places: dict[int, int | Gone] = {}

    def add(self, calls: Sequence[Call], remember: bool, rates: Sequence[int] = ()) -> list[Outcome]:
        """Take in calls, once; one outcome each. `rates` as in `WriteBatch`."""
        self.remember = remember
        hashed = identity.hashes_of(calls)
        numbers = list(chain.from_iterable(hashed))
        self._look_up(numbers)
        if not self._places and len(set(numbers)) == len(numbers) and all(rate == 1 for rate in rates):
            self._add_unknown(calls, hashed)
            return [Outcome.STORED] * len(calls)
        return [
            self._add(call, numbers, rate)
            for call, numbers, rate in zip(calls, hashed, rates or repeat(1), strict=bool(rates))
        ]

    def retract(self, retracts: Sequence[Retract]) -> list[Outcome]:
        """Take calls back out; one outcome each."""
        hashed = [identity.source_hash(r.source, r.source_key) for r in retracts]
        self._look_up(hashed)
        return [
            self._retract(r.source, r.source_key, number)
            for r, number in zip(retracts, hashed, strict=True)
        ]  # fmt: skip

    def changes(self) -> tuple[list[Row], list[Row], list[Row]]:
        """Rows to take out, rows to put in besides `fresh`, and new ones that are counted only.

        A row that stays the same is in none of them.
        """
        old = [row for number, row in self.before.items() if self.after.get(number, row) is not row]
        new = [row for number, row in self.after.items() if row and row is not self.before.get(number)]
        left_out = [row for row in new if _sampled(row) < 0]
        return old, [row for row in new if _sampled(row) > 0] if left_out else new, left_out

    def known(self, source: str, source_key: str) -> bool:
        """Whether a source's record is stored, or was."""
        number = identity.source_hash(source, source_key)
        self._look_up([number])
        return number in self._places

    def _look_up(self, numbers: Sequence[int]) -> None:
        fresh = {number for number in numbers if number not in self._places}
        found = identity.lookup(self._conn, self._runs, fresh)
        rows = {place for place in found.values() if isinstance(place, int)} - self.before.keys()
        if rows:
            self.before |= stored.load(self._conn, rows)
        lost = rows - self.before.keys()
        hidden = segments.hidden(self._conn, lost) if lost else set()
        for number, place in found.items():
            if isinstance(place, Gone) or place in self.before:
                self._places[number] = place
            elif place in hidden:
                # It is counted in every sum, and cannot be read to be corrected.
                self._places[number] = Gone(None)

    def _row(self, number: int) -> Row | None:
        if number in self.fresh:
            call, hashes = self.fresh.pop(number)
            self.after[number] = Row(number, [Part(number, call, self.remember, hashes)], call, self._now)
        return self.after[number] if number in self.after else self.before.get(number)

    def _add(self, call: Call, numbers: list[int], rate: int) -> Outcome:
        known = self._places
        if known.keys().isdisjoint(numbers):
            self.brought[call.batch_id] += 1
            seq = self._take_seq()
            if rate != 1:
                self._put([Part(seq, call, self.remember, numbers, rate=rate)])
                return Outcome.STORED
            self.fresh[seq] = call, numbers
            for number in numbers:
                known[number] = seq
            return Outcome.STORED
        places = [known[number] for number in numbers if number in known]
        # What takes over an identity of a call that is gone is known as long as that one.
        remember = self.remember or any(isinstance(place, Gone) for place in places)
        rows = self._rows_of(call, places)
        own = self._own_part(rows, call.source, call.source_key)
        if own is not None:
            said = replace(own, call=call, remember=own.remember or remember, hashes=numbers)
            return self._say_again(rows, own, call, said)
        gone = self._places.get(numbers[0])
        if isinstance(gone, Gone):
            same = gone.content == identity.content_mark(call)
            return Outcome.DUPLICATE if same else Outcome.LATE
        if not rows and any(isinstance(place, Gone) for place in places):
            return Outcome.LATE
        self.brought[call.batch_id] += 1
        # What a packed hash leads to may have nothing to do with it any more: then it is new all the same.
        said = Part(self._take_seq(), call, remember, numbers, rate=1 if rows else rate)
        self._regroup(rows, [part for row in rows for part in row.parts] + [said])
        return Outcome.MERGED if self._shared(numbers[0]) else Outcome.STORED

    def _add_unknown(self, calls: Sequence[Call], hashed: list[list[int]]) -> None:
        """`_add` of calls of which nothing is known, that have nothing to do with each other."""
        first = self.next_seq
        self.next_seq += len(calls)
        self.brought.update(map(_batch_of, calls))
        self.fresh.update(zip(range(first, self.next_seq), zip(calls, hashed, strict=True), strict=True))
        for seq, numbers in enumerate(hashed, first):
            for number in numbers:
                self._places[number] = seq

    def _say_again(self, rows: Sequence[Row], own: Part, call: Call, said: Part) -> Outcome:
        """A source says of a call what it said before, or corrects it."""
        same = content(own.call) == content(call) or not outgrows(call, own.call)
        # What came without an import too stays when the import is taken back.
        brought = None if own.call.batch_id is None else call.batch_id
        if same:
            if brought is not None or own.call.batch_id is None:
                return Outcome.DUPLICATE
            said = replace(own, call=replace(own.call, batch_id=None))
        elif brought is not call.batch_id:
            said = replace(said, call=replace(call, batch_id=None))
        self.brought[own.call.batch_id] -= 1
        self.brought[brought] += 1
        self._regroup(rows, [part for row in rows for part in row.parts if part is not own] + [said])
        return Outcome.DUPLICATE if same else Outcome.CORRECTED

    def _retract(self, source: str, source_key: str, number: int) -> Outcome:
        place = self._places.get(number)
        if isinstance(place, Gone):
            return Outcome.LATE
        row = self._row(place) if place is not None else None
        own = self._own_part([row], source, source_key) if row else None
        if row is None or own is None:
            return Outcome.MISSING
        self.brought[own.call.batch_id] -= 1
        self._regroup([row], [part for part in row.parts if part is not own])
        return Outcome.RETRACTED

    def _shared(self, number: int) -> bool:
        place = self._places.get(number)
        row = self._row(place) if isinstance(place, int) else None
        return row is not None and len(row.parts) > 1

    def _rows_of(self, call: Call, places: Sequence[int | Gone]) -> list[Row]:
        """The rows behind these places, without those that only share a hash."""
        keys = set(call.call_keys)
        rows: list[Row] = []
        for number in dict.fromkeys(place for place in places if isinstance(place, int)):
            row = self._row(number)
            if row is None:
                continue
            ours = self._own_part([row], call.source, call.source_key)
            if ours or any(keys & set(part.call.call_keys) for part in row.parts):
                rows.append(row)
        return rows

    @staticmethod
    def _own_part(rows: Sequence[Row], source: str, source_key: str) -> Part | None:
        for row in rows:
            for part in row.parts:
                if part.call.source_key == source_key and part.call.source == source:
                    return part
        return None

    def _regroup(self, rows: Sequence[Row], parts: list[Part]) -> None:
        for row in rows:
            self.after[row.id] = None
            for number in row_hashes(row):
                self._places.pop(number, None)
        for group in groups(parts) if parts else ():
            self._put(group)

    def _put(self, parts: list[Part]) -> None:
        # The first part's number is the row's, so that the same parts always make the same row.
        number = parts[0].seq
        call = parts[0].call if len(parts) == 1 else merge(parts, self._price)
        row = Row(number, parts, call, self._now, weight=_weight(parts))
        self.after[number] = row
        for key in row_hashes(row):
            self._places[key] = number

    def _take_seq(self) -> int:
        seq = self.next_seq
        self.next_seq += 1
        return seq


def _weight(parts: Sequence[Part]) -> int:
    """How many calls a row of these parts stands for: a call of several sources as many as before."""
    weight = max(part.weight for part in parts)
    if len(parts) > 1:
        for part in parts:
            part.weight, part.rate = weight, 1
    return weight


def _sampled(row: Row) -> int:
    """Settle how many calls a row stands for; negative where it gets no raw row."""
    rate = row.parts[0].rate
    if rate == 1 or row.call.status != "success":
        return row.weight
    row.weight = abs(rate)
    return rate


def row_hashes(row: Row) -> list[int]:
    """All identities that lead to a row."""
    if len(row.parts) == 1 and row.parts[0].hashes:
        return row.parts[0].hashes
    found: dict[int, None] = {}
    for part in row.parts:
        found.update(dict.fromkeys(part.hashes or identity.hashes(part.call)))
    return list(found)


def move_identities(conn: sqlite3.Connection, runs: Packs, old: Sequence[Row], new: Sequence[Row]) -> None:
    """Let identities lead to the new rows and no longer to the old ones."""
    places = {number: row.id for row in new for number in row_hashes(row)}
    stale = {number for row in old for number in row_hashes(row)} - places.keys()
    identity.forget(conn, runs, stale)
    identity.remember(conn, places)
