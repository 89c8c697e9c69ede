"""Tests of single calls, applied to many at once: to columns of rows, and to what is known of a segment."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.store.api import LabelColumn
from tui_monitor.store.blobs import UNKNOWN, Integers
from tui_monitor.store.dictionary import Lookup, highest
from tui_monitor.store.head import TERMS
from tui_monitor.store.measures import INPUT
from tui_monitor.store.segments import Segment
from tui_monitor.store.where import All, HasLabel, HasNumber, Not, Some, Where

_COLUMNS = {"input": INPUT, "cache_write": INPUT[2:], "output": ("out_total",)}
"""Numbers that are not a column of their name; their columns added up."""


class Rows(Protocol):
    """Some calls by columns."""

    @property
    def rows(self) -> int:
        """How many."""
        ...

    def integers(self, name: str) -> np.ndarray:
        """A column of integers, `UNKNOWN` where there is none."""
        ...

    def narrow(self, name: str) -> Integers:
        """The same as it is stored."""
        ...

    def label(self, name: str) -> LabelColumn:
        """A label that is neither a dimension nor a term."""
        ...


class Filter:
    """One question's tests. What the values of a label are worth is found once and kept."""

    def __init__(self, conn: sqlite3.Connection, lookup: Lookup, where: Where) -> None:
        self._conn = conn
        self._lookup = lookup
        self._where = where
        self._sets: dict[HasLabel, np.ndarray] = {}
        self._terms: dict[HasLabel, dict[int, bool]] = {}

    def passing(self, rows: Rows) -> np.ndarray:
        """Which rows pass. Raises `StoreError` for a column that is damaged."""
        return self._rows(self._where, rows)

    def may_pass(self, segment: Segment) -> bool:
        """Whether a call of a segment can pass, as far as its zones tell."""
        return self._zones(self._where, segment)[0]

    def narrower(self) -> tuple[str, Sequence[int | str]]:
        """A condition on the row table that every call meets that passes, and its parameters."""
        return self._condition(self._where) or ("1", [])

    def _condition(self, where: Where) -> tuple[str, Sequence[int | str]] | None:
        match where:
            case HasLabel() if where.label in DIMENSIONS:
                sets = np.flatnonzero(self._accepted_sets(where)).tolist()
                return "series IN (SELECT value FROM json_each(?))", [json.dumps(sets)]
            case HasNumber() if len(columns := _columns(where)) == 1:
                least, most = UNKNOWN + 1, np.iinfo(np.int64).max
                low, high = (where.low, where.high)
                bounds = [least if low is None else low, int(most) if high is None else high]
                return f"{columns[0]} BETWEEN ? AND ?", bounds
            case All(parts):
                found = [one for part in parts if (one := self._condition(part)) is not None]
                joint = " AND ".join(text for text, _ in found)
                return (f"({joint})", [v for _, values in found for v in values]) if found else None
            case _:
                return None

    def _rows(self, where: Where, rows: Rows) -> np.ndarray:
        match where:
            case HasLabel():
                return self._labels(where, rows)
            case HasNumber():
                return _between(where, rows)
            case Not(part):
                return ~self._rows(part, rows)
            case All(parts):
                found = np.ones(rows.rows, dtype=bool)
                for part in parts:
                    if found.any():
                        found &= self._rows(part, rows)
                return found
            case Some(parts):
                found = np.zeros(rows.rows, dtype=bool)
                for part in parts:
                    if not found.all():
                        found |= self._rows(part, rows)
                return found

    def _labels(self, test: HasLabel, rows: Rows) -> np.ndarray:
        if test.label in DIMENSIONS:
            return rows.narrow("series").chosen(self._accepted_sets(test))
        if test.label in TERMS:
            column = rows.narrow(f"{test.label}_t")
            if column.is_constant:
                return np.full(rows.rows, self._takes_term(test, column.low))
            numbers, codes = np.unique(column.at(slice(None)), return_inverse=True)
            return np.array([self._takes_term(test, n) for n in numbers.tolist()], dtype=bool)[codes]
        column = rows.label(test.label)
        return np.array([test.accepts(text or "") for text in column.values], dtype=bool)[column.codes]

    def _accepted_sets(self, test: HasLabel) -> np.ndarray:
        """For each number of a label set, whether its calls pass."""
        found = self._sets.get(test)
        if found is None:
            sets = self._lookup.sets.all(self._conn)
            at = DIMENSIONS.index(test.label)
            worth: dict[str | None, bool] = {}
            # Calls that are gone from their segment may have sets that are gone, too.
            found = np.zeros(max(highest(self._conn), max(sets, default=0)) + 1, dtype=bool)
            for number, labels in sets.items():
                if len(labels) == len(DIMENSIONS):
                    text = labels[at]
                    if text not in worth:
                        worth[text] = test.accepts(text or "")
                    found[number] = worth[text]
            self._sets[test] = found
        return found

    def _takes_term(self, test: HasLabel, number: int) -> bool:
        known = self._terms.setdefault(test, {})
        if number not in known:
            text = "" if number == UNKNOWN else self._lookup.terms(self._conn, [number]).get(number, "")
            known[number] = test.accepts(text)
        return known[number]

    def _zones(self, where: Where, segment: Segment) -> tuple[bool, bool]:
        """Whether a call can pass, and whether one can fail."""
        match where:
            case HasLabel():
                return self._label_zone(where, segment)
            case HasNumber():
                return _number_zone(where, segment)
            case Not(part):
                passes, fails = self._zones(part, segment)
                return fails, passes
            case All(parts):
                zones = [self._zones(part, segment) for part in parts]
                return all(passes for passes, _ in zones), any(fails for _, fails in zones)
            case Some(parts):
                zones = [self._zones(part, segment) for part in parts]
                return any(passes for passes, _ in zones), all(fails for _, fails in zones)

    def _label_zone(self, test: HasLabel, segment: Segment) -> tuple[bool, bool]:
        if test.label in DIMENSIONS:
            zone = segment.zones.get("series")
            if zone is None:
                return True, True
            worth = self._accepted_sets(test)[zone].tolist()
        else:
            zone = segment.zones.get(f"{test.label}_t")
            if zone is None:
                return True, True
            worth = [self._takes_term(test, UNKNOWN if n is None else n) for n in zone]
        return any(worth), not all(worth)


def _columns(test: HasNumber) -> list[str]:
    return [column for name in test.numbers for column in _COLUMNS.get(name, (name,))]


def _between(test: HasNumber, rows: Rows) -> np.ndarray:
    columns = _columns(test)
    if len(columns) == 1:
        return rows.narrow(columns[0]).between(test.low, test.high)
    total = np.zeros(rows.rows, dtype=np.int64)
    known = np.zeros(rows.rows, dtype=bool)
    for name in columns:
        values = rows.integers(name)
        here = values != UNKNOWN
        total += np.where(here, values, 0)
        known |= here
    if test.low is not None:
        known &= total >= test.low
    if test.high is not None:
        known &= total <= test.high
    return known


def _number_zone(test: HasNumber, segment: Segment) -> tuple[bool, bool]:
    """From the bounds of the columns: what is known of a call lies between their lowest and their sum."""
    try:
        known = [found for name in _columns(test) if (found := segment.bounds(name)) is not None]
    except KeyError:
        return True, True
    if not known:
        return False, True
    low, high = known[0]
    for lower, upper in known[1:]:
        low, high = min(low, lower, low + lower), max(high, upper, high + upper)
    passes = (test.high is None or low <= test.high) and (test.low is None or high >= test.low)
    return passes, True
