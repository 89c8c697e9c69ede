"""Calls of which nobody said anything before, stored many at a time and column by column.

Nearly all calls are such. One by one they would go the way of the others (`head.replace`, `Deltas.of`,
`ledger.apply`), which makes a row, its parts and their merging of each; here a field is read once for all of
them, and what repeats from call to call, its labels, is looked up as a whole. Both ways store the same.
"""

import math
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np

from tui_monitor.model.call import Call
from tui_monitor.model.clock import Micros
from tui_monitor.store import head
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.dictionary import SeriesKeys, Terms, label_set
from tui_monitor.store.jsontext import to_json
from tui_monitor.store.measuring import measured
from tui_monitor.store.rollups import Deltas

_TERMS = tuple(name for name in head.TERMS if name != "session")
"""All terms but the one that most calls have to themselves."""
_REPEATED = (
    *_TERMS, "provider", "operation", "status", "error_category", "user", "project", "team", "key", "agent",
    "host", "app", "tier_estimated", "model_guessed", "stream", "batch",
)  # fmt: skip
_OWN = (*head.PLAIN, "latency_ms", "ttft_ms", "queue_wait_ms", "session", "call_keys", "media", "attrs")
_repeated = attrgetter(*_REPEATED)
_own = attrgetter(*_OWN)
_CODED = ("series", "fine", "flags", "unpriced", *(f"{name}_t" for name in _TERMS))
_LATENCIES = {"latency": "latency_ms", "ttft": "ttft_ms", "queue_wait": "queue_wait_ms"}
_ENOUGH = 20_000
"""Sets of labels a cache may hold before it starts anew."""

Code = tuple[int | None, ...]
"""Values of `_CODED`."""


class Codes:
    """What the labels of a call are stored as. `forget` after a rollback, and when label sets go."""

    def __init__(self, terms: Terms, keys: SeriesKeys) -> None:
        self._terms = terms
        self._keys = keys
        self._known: dict[tuple[object, ...], Code] = {}

    def of(self, calls: Sequence[Call]) -> list[Code]:
        """One for each call."""
        known = self._known
        found: list[Code] = []
        for call in calls:
            repeated = _repeated(call)
            code = known.get(repeated)
            if code is None:
                if len(known) >= _ENOUGH:
                    known.clear()
                code = known[repeated] = self._code(call)
            found.append(code)
        return found

    def forget(self) -> None:
        """Empty the cache."""
        self._known.clear()

    def _code(self, call: Call) -> Code:
        series = self._keys.id(label_set(call))
        flags, unpriced = head.flags_of(call, remember=False), int(call.cost_status == "unpriced")
        terms = (self._terms.id(getattr(call, name)) for name in _TERMS)
        return (series, self._keys.fine(series), flags, unpriced, *terms)


@dataclass(slots=True)
class Fresh:
    """Calls with their numbers, as columns."""

    calls: Sequence[Call]
    arrived: Micros
    columns: dict[str, Sequence[object]] = field(default_factory=dict)
    """Values of the row table's columns; those that no call knows are left out."""
    codes: dict[str, np.ndarray] = field(default_factory=dict)

    def integers(self, name: str) -> np.ndarray:
        """A column of integers, `UNKNOWN` where there is none."""
        return _integers(self.columns.get(name), len(self.calls))


def lay_out(
    calls: Mapping[int, Call], arrived: Micros, remember: bool, codes: Codes, terms: Terms
) -> Fresh:  # fmt: skip
    """The columns of calls by number; there must be some."""
    fresh = Fresh(list(calls.values()), arrived)
    own = dict(zip(_OWN, zip(*map(_own, fresh.calls), strict=True), strict=True))
    coded: dict[str, Sequence[Any]] = dict(zip(_CODED, zip(*codes.of(fresh.calls), strict=True), strict=True))
    count = len(fresh.calls)
    fresh.codes = {name: np.array(coded.pop(name), dtype=np.int64) for name in ("series", "fine", "unpriced")}
    if remember:
        coded["flags"] = [flags | head.REMEMBER for flags in coded["flags"]]
    booked = [call.booked for call in fresh.calls] if None in own["ts_end"] else own["ts_end"]
    columns: dict[str, Sequence[object]] = {
        "id": list(calls), "booked": booked, "series": fresh.codes["series"].tolist(),
        "arrived": [arrived] * count, **{name: own[name] for name in head.PLAIN}, **coded,
    }  # fmt: skip
    columns |= {name: _micros(own[given]) for name, given in _LATENCIES.items()}
    if any(text is not None for text in own["session"]):
        columns["session_t"] = [terms.id(text) for text in own["session"]]
    if any(own["call_keys"]):
        columns["call_keys"] = [to_json(keys) if keys else None for keys in own["call_keys"]]
    columns["media"] = [None if media is None else to_json(media) for media in own["media"]]
    if any(own["attrs"]):
        columns["attrs"] = [to_json(attrs) if attrs else None for attrs in own["attrs"]]
    fresh.columns = {n: v for n, v in columns.items() if v[0] is not None or v.count(None) < count}
    return fresh


def insert(conn: sqlite3.Connection, fresh: Fresh) -> None:
    """Put the calls into the row table."""
    names = [name for name in head.COLUMNS if name in fresh.columns]
    conn.executemany(
        f"INSERT INTO calls ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
        zip(*(fresh.columns[name] for name in names), strict=True),
    )


def deltas(fresh: Fresh) -> Deltas:
    """What the roll-ups gain."""
    count = len(fresh.calls)

    def column(name: str) -> np.ndarray:
        return fresh.codes[name] if name == "unpriced" else fresh.integers(name)

    return Deltas(
        sign=np.ones(count, dtype=np.int64),
        arrived=np.full(count, fresh.arrived, dtype=np.int64),
        booked=fresh.integers("booked"),
        series=fresh.codes["series"],
        fine=fresh.codes["fine"],
        values=measured(column),
    )


def _integers(column: Sequence[object] | None, count: int) -> np.ndarray:
    if column is None:
        return np.full(count, UNKNOWN, dtype=np.int64)
    try:
        return np.array(column, dtype=np.int64)
    except TypeError:
        return np.array([UNKNOWN if value is None else value for value in column], dtype=np.int64)


def _micros(column: Sequence[float | None]) -> list[int | None]:
    """`measures.micros` of each."""
    isfinite = math.isfinite
    return [None if ms is None or not isfinite(ms) else round(ms * 1000) for ms in column]
