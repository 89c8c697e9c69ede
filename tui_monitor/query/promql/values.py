"""What expressions evaluate to: matrices of series × steps, and the samples that they are computed from.

Whether a cell has a sample is kept apart from its number, as NaN is a number like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.native.matrix import Table

STALE_BITS = 0x7FF0000000000002
"""The bits of the NaN that says that a series has ended."""
STALE = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]


_FEW_GRIDS = 256
_IS_THERE = np.frompyfunc(lambda histogram: histogram is not None, 1, 1)


def there(histograms: np.ndarray) -> np.ndarray:
    """bool: which of these are histograms."""
    return np.asarray(_IS_THERE(histograms), dtype=bool)


def masked(histograms: "np.ndarray | Table | None", mask: np.ndarray) -> "np.ndarray | Table | None":
    """The histograms of a mask alone; in a table there is one in every cell."""
    if histograms is None or isinstance(histograms, Table):
        return histograms
    out = np.full(histograms.shape, None, dtype=object)
    out[mask] = histograms[mask]
    return out


@dataclass(slots=True)
class Scalar:
    """A number at each step."""

    values: np.ndarray
    """float64 (steps)."""


@dataclass(slots=True)
class Text:
    """A text."""

    value: str


@dataclass(slots=True)
class Vector:
    """Series × steps. A cell is a float where `present` and no histogram is there."""

    labels: list[Labels]
    values: np.ndarray
    """float64 (series, steps); of no meaning where nothing is present."""
    present: np.ndarray
    """bool (series, steps): whether there is a sample of either kind."""
    given: np.ndarray | Table | None = None
    """`NativeHistogram` or None (series, steps); a table where all that is present is histograms; or nothing
    at all where no cell has one."""
    unnamed: np.ndarray | None = None
    """bool (series): whose metric name goes away in the end, kept until then for functions of labels."""
    times: np.ndarray | None = None
    """int64 µs (series, steps) of the samples themselves, where they were asked for."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def histograms(self) -> np.ndarray | None:
        """`NativeHistogram` or None (series, steps); no array at all where no cell has one."""
        if isinstance(self.given, Table):
            self.given = self.given.objects(self.present)
        return self.given

    @property
    def table(self) -> Table | None:
        """All histograms, where they are given as a table."""
        return self.given if isinstance(self.given, Table) else None

    @property
    def steps(self) -> int:
        """How many instants there are."""
        return self.present.shape[1]

    def is_histogram(self) -> np.ndarray:
        """bool (series, steps): which cells are histograms."""
        if self.given is None:
            return np.zeros_like(self.present)
        if isinstance(self.given, Table):
            return self.present.copy()
        return self.present & there(self.given)

    def is_float(self) -> np.ndarray:
        """bool (series, steps): which cells are floats."""
        return self.present if self.given is None else self.present & ~self.is_histogram()

    def rows(self, index: np.ndarray) -> "Vector":
        """Some of the series, in this order."""
        return Vector(
            [self.labels[i] for i in index],
            self.values[index],
            self.present[index],
            _rows(self.given, index),
            None if self.unnamed is None else self.unnamed[index],
            None if self.times is None else self.times[index],
        )

    def pruned(self) -> "Vector":
        """Without series that have no sample at any step."""
        alive = self.present.any(axis=1)
        return self if alive.all() else self.rows(np.flatnonzero(alive))

    def floats(self) -> "Vector":
        """Without the histograms."""
        if self.given is None:
            return self
        return Vector(self.labels, self.values, self.is_float(), None, self.unnamed, self.times).pruned()


def _rows(given: np.ndarray | Table | None, index: np.ndarray) -> np.ndarray | Table | None:
    if given is None:
        return None
    return given.rows(index) if isinstance(given, Table) else given[index]


def empty(steps: int) -> Vector:
    """A vector without series."""
    return Vector([], np.empty((0, steps)), np.empty((0, steps), dtype=bool))


def joined(vectors: Sequence[Vector], steps: int) -> Vector:
    """The series of all of them."""
    vectors = [vector for vector in vectors if len(vector)]
    if not vectors:
        return empty(steps)
    if len(vectors) == 1:
        return vectors[0]
    histograms = unnamed = None
    if any(vector.given is not None for vector in vectors):
        blank = [np.full(vector.present.shape, None, dtype=object) for vector in vectors]
        histograms = np.concatenate(
            [b if v.histograms is None else v.histograms for v, b in zip(vectors, blank, strict=True)]
        )
    if any(vector.unnamed is not None for vector in vectors):
        unnamed = np.concatenate(
            [np.zeros(len(v), dtype=bool) if v.unnamed is None else v.unnamed for v in vectors]
        )
    return Vector(
        [labels for vector in vectors for labels in vector.labels],
        np.concatenate([vector.values for vector in vectors]),
        np.concatenate([vector.present for vector in vectors]),
        histograms,
        unnamed,
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """Some series of a set that have samples at the same times, side by side. No histograms."""

    rows: np.ndarray
    """int64: which series of the set."""
    times: np.ndarray
    """int64 µs, ascending, at least one."""
    values: np.ndarray
    """float64 (rows, times)."""
    living: bool = False
    """Whether it is known that there is no stale marker among them."""


class SeriesSet:
    """Samples of many series, one after another: from `offsets[i]` to `offsets[i + 1]` those of series i.

    Where series share their times, as those of one scrape do, they are kept as grids as well or instead;
    then the samples one after another are made when they are asked for.
    """

    __slots__ = ("_flat", "_grids", "_sought", "histograms", "labels", "remarks", "unnamed")

    def __init__(
        self, labels: list[Labels], offsets: np.ndarray, times: np.ndarray, values: np.ndarray,
        histograms: np.ndarray | None = None, unnamed: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """`offsets` are int64 (series + 1), `times` int64 µs, ascending within a series; float64 `values`."""
        self.labels = labels
        self.histograms = histograms
        """`NativeHistogram` or None for each sample; no array at all where there is none."""
        self.unnamed = unnamed
        """As of `Vector`: for what a subquery gave."""
        self.remarks: tuple[str, ...] = ()
        """What who asks is to be warned of."""
        self._flat: tuple[np.ndarray, np.ndarray, np.ndarray] | None = (offsets, times, values)
        self._grids: list[Grid] | None = None
        self._sought = False

    @classmethod
    def of_grids(
        cls, labels: list[Labels], grids: list[Grid], unnamed: np.ndarray | None = None
    ) -> "SeriesSet":
        """Series that are each in one of the grids."""
        made = cls.__new__(cls)
        made.labels, made.histograms, made.unnamed, made.remarks = labels, None, unnamed, ()
        made._flat, made._grids, made._sought = None, grids, True
        return made

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def size(self) -> int:
        """How many samples there are."""
        if self._grids is not None:
            return sum(grid.values.size for grid in self._grids)
        return len(self.times)

    @property
    def offsets(self) -> np.ndarray:
        """int64 (series + 1)."""
        return self._flattened()[0]

    @property
    def times(self) -> np.ndarray:
        """int64 µs, ascending within a series."""
        return self._flattened()[1]

    @property
    def values(self) -> np.ndarray:
        """float64; stale markers are samples too."""
        return self._flattened()[2]

    @property
    def grids(self) -> list[Grid] | None:
        """All series as grids; `None` where they have histograms, or hardly any share their times."""
        if not self._sought:
            self._sought = True
            self._grids = self._one_grid()
        many = 0 if self._grids is None else len(self._grids)
        return self._grids if many <= max(_FEW_GRIDS, len(self) // 4) else None

    def _one_grid(self) -> list[Grid] | None:
        offsets, times, values = self._flattened()
        many = len(self.labels)
        each = len(times) // many if many else 0
        if not each or self.histograms is not None or (np.diff(offsets) != each).any():
            return None
        table = times.reshape(many, each)
        if many > 1 and not (table[1:] == table[0]).all():
            return None
        return [Grid(np.arange(many), table[0], values.reshape(many, each))]

    def _flattened(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        if self._flat is None:
            assert self._grids is not None
            lengths = np.zeros(len(self.labels), dtype=np.int64)
            for grid in self._grids:
                lengths[grid.rows] = len(grid.times)
            offsets = np.concatenate([[0], np.cumsum(lengths)])
            times, values = np.empty(offsets[-1], dtype=np.int64), np.empty(offsets[-1])
            for grid in self._grids:
                places = offsets[grid.rows][:, None] + np.arange(len(grid.times))
                times[places], values[places] = grid.times, grid.values
            self._flat = (offsets, times, values)
        return self._flat

    def is_stale(self) -> np.ndarray:
        """bool for each sample: which are stale markers."""
        return stale(self.values)

    def living(self) -> "SeriesSet":
        """Without stale markers."""
        if self._grids is not None and all(
            grid.living or not stale(grid.values).any() for grid in self._grids
        ):
            return self
        return self.chosen(~self.is_stale())

    def chosen(self, kept: np.ndarray) -> "SeriesSet":
        """The samples of this mask alone."""
        if kept.all():
            return self
        before = np.concatenate(([0], np.cumsum(kept)))
        return SeriesSet(
            self.labels,
            before[self.offsets],
            self.times[kept],
            self.values[kept],
            None if self.histograms is None else self.histograms[kept],
            self.unnamed,
        )

    def positions(self, instants: np.ndarray, *, after: bool) -> np.ndarray:
        """int64 (series, instants): the first sample that comes at or, with `after`, after each instant.

        It is the place after the last sample of the series where none does. `instants` are int64 µs.
        """
        side = "right" if after else "left"
        found = np.empty((len(self.labels), len(instants)), dtype=np.int64)
        if self.grids is not None:
            for grid in self.grids:
                found[grid.rows] = grid.times.searchsorted(instants, side)
        else:
            edges, times = self.offsets.tolist(), self.times
            for row, (low, high) in enumerate(pairwise(edges)):
                found[row] = times[low:high].searchsorted(instants, side)
        return found + self.offsets[:-1, None]


def columns(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Some columns of a matrix, without a copy where they are evenly apart."""
    if len(places) > 1:
        step = int(places[1] - places[0])
        if step > 0 and (np.diff(places) == step).all():
            return values[:, int(places[0]) : int(places[-1]) + 1 : step]
    return values[:, places]


def stale(values: np.ndarray) -> np.ndarray:
    """bool: which of these floats are stale markers."""
    return values.view(np.uint64) == STALE_BITS


class Windows:
    """A range vector: the samples of each series that lie in a window, at each step. No stale markers."""

    __slots__ = ("_closed", "_given", "_places", "end", "series", "start")

    def __init__(
        self, series: SeriesSet, low: np.ndarray, high: np.ndarray, start: np.ndarray, end: np.ndarray
    ) -> None:
        """`low` and `high`, int64 (series, steps), are the places of the first sample and after the last."""
        self.series = series
        self.start = start
        """int64 µs (steps): where the window begins."""
        self.end = end
        """int64 µs (steps): where it ends."""
        self._places: tuple[np.ndarray, np.ndarray] | None = (low, high)
        self._given, self._closed = True, False

    @classmethod
    def cut(cls, series: SeriesSet, start: np.ndarray, end: np.ndarray, *, closed: bool) -> "Windows":
        """The windows between these instants, which are looked for when they are needed."""
        made = cls.__new__(cls)
        made.series, made.start, made.end = series, start, end
        made._places, made._given, made._closed = None, False, closed
        return made

    @property
    def low(self) -> np.ndarray:
        """int64 (series, steps): the first sample of the window, by its place in `series`."""
        return self._found()[0]

    @property
    def high(self) -> np.ndarray:
        """int64 (series, steps): the place after the last."""
        return self._found()[1]

    def _found(self) -> tuple[np.ndarray, np.ndarray]:
        if self._places is None:
            low = self.series.positions(self.start, after=not self._closed)
            self._places = (low, self.series.positions(self.end, after=True))
        return self._places

    @property
    def counts(self) -> np.ndarray:
        """int64 (series, steps): how many samples there are."""
        return self.high - self.low

    def edges_in(self, grid: Grid) -> tuple[np.ndarray, np.ndarray] | None:
        """int64 (steps): as `low` and `high` for each series of a grid, by their place in it.

        `None` where the windows are not those between the instants.
        """
        if self._given:
            return None
        low = grid.times.searchsorted(self.start, "left" if self._closed else "right")
        return low, grid.times.searchsorted(self.end, "right")

    def floats(self) -> "Windows":
        """Without the histograms."""
        if self.series.histograms is None:
            return self
        kept = ~there(self.series.histograms)
        before = np.concatenate(([0], np.cumsum(kept)))
        return Windows(self.series.chosen(kept), before[self.low], before[self.high], self.start, self.end)

    def histogram_counts(self) -> np.ndarray:
        """int64 (series, steps): how many histograms there are."""
        if self.series.histograms is None:
            return np.zeros_like(self.low)
        before = np.concatenate(([0], np.cumsum(there(self.series.histograms))))
        return before[self.high] - before[self.low]


Value = Scalar | Text | Vector | Windows
