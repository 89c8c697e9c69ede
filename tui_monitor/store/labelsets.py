"""Label sets by their numbers, for readers of any thread."""

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_monitor.model.call import DIMENSIONS

if TYPE_CHECKING:
    import numpy as np

LabelSet = tuple[str | None, ...]
"""Values of `DIMENSIONS`, or of the first five of them for a minute's cell."""
_WIDTH = ""
"""How many labels a set has, as if it were one of them."""
_GROWTH = 10_000
"""So many sets more than twice those of the database are kept before what is swept is forgotten."""


@dataclass(slots=True)
class _Codes:
    """The values of one dimension, numbered as they came."""

    by_set: "np.ndarray"
    """int64: the code of each set's value, in the order of the sets' numbers."""
    values: list[str | None] = field(default_factory=list)
    known: dict[str | None, int] = field(default_factory=dict)


class LabelSets:
    """The label sets of one database. A number never comes to mean another set.

    Readers may see different moments: what was swept since one of them began is kept for a while, and what
    only an earlier moment has is read when it is asked for.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sets: dict[int, LabelSet] = {}
        self._newest = 0
        self._whole = 0
        """How many there were when all were read."""
        self._leaving: frozenset[int] = frozenset()
        """Those that were swept already when all were last read."""
        self._numbers: np.ndarray | None = None
        """int64, ascending: the sets whose codes are known."""
        self._codes: dict[str, _Codes] = {}

    def __len__(self) -> int:
        return len(self._sets)

    def all(self, conn: sqlite3.Connection) -> dict[int, LabelSet]:
        """Every label set by its number, and some that were swept. The answer is shared: read it only."""
        with self._lock:
            self._follow(conn)
            return self._sets

    def matching(self, conn: sqlite3.Connection, where: Iterable[tuple[str, str]], width: int) -> list[int]:
        """The sets of that many labels that have these values; an empty value is unknown."""
        with self._lock:
            self._follow(conn)
            self._need(conn, self._uncoded())
            if self._numbers is None:
                return []
            passes = self._are(_WIDTH, str(width))
            for label, value in where:
                passes = passes & self._are(label, value or None)
            return self._numbers[passes].tolist()

    def coded(
        self, conn: sqlite3.Connection, labels: Sequence[str], numbers: "np.ndarray"
    ) -> "list[tuple[np.ndarray, list[str | None]]]":
        """For each dimension the codes of its values in these label sets, and the values by code.

        `numbers` are ascending, without repetition; those of minutes have the first few dimensions alone.
        Raises `KeyError` for a number that the connection does not see either.
        """
        import numpy as np

        with self._lock:
            known, at = self._found(numbers)
            if not known.all():
                self._need(conn, numbers[~known].tolist())
                known, at = self._found(numbers)
                # Where all began anew, the others have no codes any more.
                self._need(conn, numbers[~known].tolist())
                _, at = self._found(numbers)
            codes = [(one.by_set, one.values) for one in map(self._of, labels)]
        return [(by_set[at] if len(at) else np.zeros(0, dtype=np.int64), values) for by_set, values in codes]

    def _follow(self, conn: sqlite3.Connection) -> None:
        """Read the sets that came since."""
        fresh = _read(conn, "id > ?", self._newest)
        if fresh:
            self._make_room(conn, len(fresh))
            self._newest = max(fresh)
            self._sets = {**self._sets, **fresh}

    def _uncoded(self) -> list[int]:
        if self._numbers is not None and len(self._numbers) == len(self._sets):
            return []
        known: set[int] = set() if self._numbers is None else set(self._numbers.tolist())
        return [number for number in self._sets if number not in known]

    def _are(self, label: str, value: str | None) -> "np.ndarray":
        """bool for each set with codes: whether it has this value."""
        codes = self._of(label)
        return codes.by_set == codes.known.get(value, -1)

    def _found(self, numbers: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
        """Which of the numbers have codes, and where."""
        import numpy as np

        if self._numbers is None or not len(self._numbers):
            return np.zeros(len(numbers), dtype=bool), np.zeros(len(numbers), dtype=np.int64)
        at = np.minimum(np.searchsorted(self._numbers, numbers), len(self._numbers) - 1)
        return self._numbers[at] == numbers, at

    def _need(self, conn: sqlite3.Connection, numbers: list[int]) -> None:
        """Have codes for these sets."""
        missing = [number for number in numbers if number not in self._sets]
        if missing:
            self._make_room(conn, len(missing))
            found = _read(conn, "id IN (SELECT value FROM json_each(?))", json.dumps(missing))
            self._sets = {**self._sets, **found}
        self._take_in({number: self._sets[number] for number in numbers})

    def _take_in(self, sets: dict[int, LabelSet]) -> None:
        """Give codes to sets that have none; arrays that were handed out stay as they are."""
        import numpy as np

        if not sets:
            return

        before = np.zeros(0, dtype=np.int64) if self._numbers is None else self._numbers
        joined = np.concatenate((before, np.array(list(sets), dtype=np.int64)))
        order = np.argsort(joined, kind="stable")
        for label, codes in self._codes.items():
            more = [_code(codes, _value(labels, label)) for labels in sets.values()]
            codes.by_set = np.concatenate((codes.by_set, np.array(more, dtype=np.int64)))[order]
        self._numbers = joined[order]

    def _of(self, label: str) -> _Codes:
        """The codes of one dimension, as they are now."""
        import numpy as np

        codes = self._codes.get(label)
        if codes is None:
            codes = self._codes[label] = _Codes(np.zeros(0, dtype=np.int64))
            numbers = [] if self._numbers is None else self._numbers.tolist()
            found = [_code(codes, _value(self._sets[number], label)) for number in numbers]
            codes.by_set = np.array(found, dtype=np.int64)
        return codes

    def _make_room(self, conn: sqlite3.Connection, more: int) -> None:
        """Begin anew where swept sets fill the memory, with what there is, and once more what there was."""
        if len(self._sets) + more <= 2 * self._whole + _GROWTH:
            return
        live = _read(conn, "id > ?", 0)
        gone = self._sets.keys() - live.keys() - self._leaving
        self._sets = {**{number: self._sets[number] for number in gone}, **live}
        self._leaving, self._whole = frozenset(gone), len(live)
        self._newest = max(live, default=self._newest)
        self._numbers = None
        self._codes = {}


def _read(conn: sqlite3.Connection, condition: str, bound: object) -> dict[int, LabelSet]:
    rows = conn.execute(f"SELECT id, labels FROM series_keys WHERE {condition}", (bound,))
    return {number: tuple(json.loads(text)) for number, text in rows}


def _value(labels: LabelSet, label: str) -> str | None:
    if label == _WIDTH:
        return str(len(labels))
    at = DIMENSIONS.index(label)
    return labels[at] if at < len(labels) else None


def _code(codes: _Codes, value: str | None) -> int:
    code = codes.known.get(value)
    if code is None:
        code = codes.known[value] = len(codes.values)
        codes.values.append(value)
    return code
