"""Native histograms of one series over time, column by column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tui_monitor.model.histogram import CounterReset, Counts, NativeHistogram


class Kind(NamedTuple):
    """What most histograms of a series have in common; the fields are those of `NativeHistogram`."""

    schema: int
    zero_threshold: float
    bounds: tuple[float, ...]
    reset: CounterReset


@dataclass(slots=True)
class Buckets:
    """Buckets of many histograms one after the other; only those with something in them."""

    ends: np.ndarray
    """Where those of each histogram end; int64."""
    index: np.ndarray
    """int64, ascending within each histogram."""
    count: np.ndarray
    """float64."""

    @classmethod
    def of(cls, rows: Sequence[Counts]) -> "Buckets":
        """Those of some histograms."""
        flat = [pair for counts in rows for pair in counts]
        return cls(
            np.cumsum([len(counts) for counts in rows], dtype=np.int64),
            np.array([index for index, _ in flat], dtype=np.int64),
            np.array([count for _, count in flat], dtype=np.float64),
        )

    @classmethod
    def of_table(cls, index: np.ndarray, table: np.ndarray) -> "Buckets":
        """Of a table with a column for each index, 0 where there is nothing."""
        row, column = np.nonzero(table)
        ends = np.cumsum(np.bincount(row, minlength=len(table)), dtype=np.int64)
        return cls(ends, index[column], table[row, column])

    @property
    def row(self) -> np.ndarray:
        """The number of the histogram of each bucket."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))

    def table(self) -> tuple[np.ndarray, np.ndarray]:
        """Every index that is there, and a table with a column for each, 0 where there is nothing."""
        index, column = np.unique(self.index, return_inverse=True)
        table = np.zeros((len(self.ends), len(index)))
        table[self.row, column] = self.count
        return index, table

    def take(self, places: np.ndarray) -> "Buckets":
        """Those of some histograms, by their numbers."""
        sizes = np.diff(self.ends, prepend=0)
        mine = sizes[places]
        ends = np.cumsum(mine)
        flat = np.repeat((self.ends - sizes)[places] - (ends - mine), mine) + np.arange(int(mine.sum()))
        return Buckets(ends, self.index[flat], self.count[flat])

    def at(self, place: int) -> Counts:
        """Those of one histogram."""
        start = int(self.ends[place - 1]) if place else 0
        mine = slice(start, int(self.ends[place]))
        return tuple(zip(self.index[mine].tolist(), self.count[mine].tolist(), strict=True))


@dataclass(slots=True)
class Histograms:
    """Native histograms as columns of their fields, float64 where nothing else is said."""

    kinds: tuple[Kind, ...]
    kind: np.ndarray
    """The number of each one's kind; int64."""
    count: np.ndarray
    sum: np.ndarray
    zero_count: np.ndarray
    positive: Buckets
    negative: Buckets

    def __len__(self) -> int:
        return len(self.kind)

    @classmethod
    def of(cls, histograms: Sequence[NativeHistogram]) -> "Histograms":
        """Some histograms as columns."""
        kinds: dict[Kind, int] = {}
        kind = [
            kinds.setdefault(Kind(h.schema, h.zero_threshold, h.bounds, h.reset), len(kinds))
            for h in histograms
        ]
        return cls(
            tuple(kinds),
            np.array(kind, dtype=np.int64),
            np.array([h.count for h in histograms], dtype=np.float64),
            np.array([h.sum for h in histograms], dtype=np.float64),
            np.array([h.zero_count for h in histograms], dtype=np.float64),
            Buckets.of([h.positive for h in histograms]),
            Buckets.of([h.negative for h in histograms]),
        )

    def at(self, place: int) -> NativeHistogram:
        """One of them."""
        kind = self.kinds[self.kind[place]]
        return NativeHistogram(
            kind.schema, float(self.count[place]), float(self.sum[place]), kind.zero_threshold,
            float(self.zero_count[place]), self.positive.at(place), self.negative.at(place),
            kind.bounds, kind.reset,
        )  # fmt: skip

    def take(self, chosen: np.ndarray | slice) -> "Histograms":
        """Some of them, by their numbers or by a mask."""
        places = np.arange(len(self))[chosen]
        return Histograms(
            self.kinds, self.kind[places], self.count[places], self.sum[places], self.zero_count[places],
            self.positive.take(places), self.negative.take(places),
        )  # fmt: skip

    def cells(self) -> int:
        """How large a table of all counts would be."""
        return len(self) * sum(len(np.unique(side.index)) for side in (self.positive, self.negative))

    def restarted(self) -> np.ndarray:
        """For each but the first: whether its counts may have begun anew since the one before.

        Where they are of another scheme that is not known, so it may be. Those of gauges never do.
        """
        told = np.array([kind.reset for kind in self.kinds], dtype=np.int64)[self.kind]
        schemes: dict[tuple[object, ...], int] = {}
        scheme = np.array([schemes.setdefault(kind[:3], len(schemes)) for kind in self.kinds])[self.kind]
        anew = (told[1:] == CounterReset.RESET) | (np.diff(scheme) != 0)
        anew |= (np.diff(self.count) < 0) | (np.diff(self.zero_count) < 0)
        for side in (self.positive, self.negative):
            anew |= (np.diff(side.table()[1], axis=0) < 0).any(axis=1)
        return anew & (told[1:] != CounterReset.GAUGE)


def joined(parts: Sequence[Histograms]) -> Histograms:
    """All of them, one part after the other."""
    if len(parts) == 1:
        return parts[0]
    kinds: dict[Kind, int] = {}
    numbers = [np.array([kinds.setdefault(k, len(kinds)) for k in p.kinds], dtype=np.int64) for p in parts]
    return Histograms(
        tuple(kinds),
        np.concatenate([number[part.kind] for number, part in zip(numbers, parts, strict=True)]),
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.sum for part in parts]),
        np.concatenate([part.zero_count for part in parts]),
        _one([part.positive for part in parts]),
        _one([part.negative for part in parts]),
    )


def _one(parts: Sequence[Buckets]) -> Buckets:
    before = np.cumsum([0, *(len(part.index) for part in parts[:-1])])
    ends = [part.ends + more for part, more in zip(parts, before, strict=True)]
    return Buckets(
        np.concatenate(ends),
        np.concatenate([part.index for part in parts]),
        np.concatenate([part.count for part in parts]),
    )
