"""Many calls at once, column by column: for ways in that bring more calls than objects can be made of."""

from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np

from tui_monitor.model.call import Call

UNKNOWN = int(np.iinfo(np.int64).min)
"""Stands in a column of integers for a value that is not known."""
INTEGERS: tuple[str, ...] = (
    "ts_start", "ts_end", "in_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "out_total",
    "reasoning", "cost_reported", "cost_computed", "list_cost", "cost",
)  # fmt: skip
"""Fields of a call that a column may hold: µs, tokens, nano-dollars."""
INPUT: tuple[str, ...] = ("in_uncached", "cache_read", "cache_write_5m", "cache_write_1h")
"""Fields whose sum is all input."""
LENGTHS: tuple[str, ...] = ("latency_ms", "ttft_ms", "queue_wait_ms")
"""Fields of a call that a column of lengths may hold: ms, NaN where unknown."""


T = TypeVar("T")
_ENOUGH = 100_000
"""Models something is remembered of at a time."""


class PerModel(Generic[T]):
    """What was made of models, which the calls of later blocks have again; found by the object itself."""

    def __init__(self) -> None:
        self._made: dict[int, tuple[Call, T]] = {}

    def get(self, model: Call) -> T | None:
        """What was made of it."""
        # The entry keeps the model, so no other takes its place in memory.
        found = self._made.get(id(model))
        return None if found is None else found[1]

    def put(self, model: Call, made: T) -> T:
        """Remember it."""
        if len(self._made) >= _ENOUGH:
            self._made.clear()
        self._made[id(model)] = model, made
        return made


def numbered(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different codes, ascending, and of each row which it has; codes are small and not negative.

    It is `np.unique` without sorting, which takes most of the time there.
    """
    there = np.bincount(codes) > 0
    return np.flatnonzero(there), (np.cumsum(there) - 1)[codes]


@dataclass(slots=True)
class CallColumns:
    """Calls without call keys and media, each by its model (everything that many have in common) and numbers.

    All arrays have one length. A field without a column is that of the model.
    """

    models: list[Call]
    """The different sets of labels and attributes, as calls; they may not be changed."""
    model: np.ndarray
    """Of each call the index of its model (int64)."""
    keys: np.ndarray
    """Of each call its `source_key`: plain ASCII, as bytes of a fixed width."""
    identities: np.ndarray
    """Of each call the hash of its source and key (int64)."""
    integers: dict[str, np.ndarray] = field(default_factory=dict)
    lengths: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.model)

    @property
    def booked(self) -> np.ndarray:
        """When each counts, µs; `UNKNOWN` where neither start nor end is known."""
        start, end = self.integer("ts_start"), self.integer("ts_end")
        return np.where(end != UNKNOWN, end, start)

    def integer(self, name: str) -> np.ndarray:
        """A column of integers."""
        found = self.integers.get(name)
        return np.full(len(self), UNKNOWN, dtype=np.int64) if found is None else found

    def sum_of_known(self, *names: str) -> np.ndarray:
        """The sums of some columns; `UNKNOWN` where all of them are."""
        here = [self.integers[name] for name in names if name in self.integers]
        if not here:
            return np.full(len(self), UNKNOWN, dtype=np.int64)
        known = np.zeros(len(self), dtype=bool)
        total = np.zeros(len(self), dtype=np.int64)
        for column in here:
            this = column != UNKNOWN
            known |= this
            total += np.where(this, column, 0)
        return np.where(known, total, UNKNOWN)

    def take(self, rows: np.ndarray) -> "CallColumns":
        """Some of the calls, by index or mask."""
        return CallColumns(
            self.models, self.model[rows], self.keys[rows], self.identities[rows],
            {name: column[rows] for name, column in self.integers.items()},
            {name: column[rows] for name, column in self.lengths.items()},
        )  # fmt: skip

    def used(self) -> "CallColumns":
        """The same without models that no call has."""
        numbers, model = numbered(self.model)
        if len(numbers) == len(self.models):
            return self
        return replace(self, models=[self.models[n] for n in numbers.tolist()], model=model)

    def call(self, row: int) -> Call:
        """One of them as an object of its own."""
        model = self.models[int(self.model[row])]
        fields: dict[str, Any] = {"source_key": self.keys[row].decode("ascii"), "attrs": dict(model.attrs)}
        for name, column in self.integers.items():
            value = int(column[row])
            fields[name] = None if value == UNKNOWN else value
        for name, column in self.lengths.items():
            length = float(column[row])
            fields[name] = None if length != length else length
        return replace(model, **fields)
