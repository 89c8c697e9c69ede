"""What expressions evaluate to: matrices of series × steps, and the samples that they are computed from.

Whether a cell has a sample is kept apart from its number, as NaN is a number like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tui_monitor.query.promql.labels import Labels

STALE_BITS = 0x7FF0000000000002
"""The bits of the NaN that says that a series has ended."""
STALE = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]


_IS_THERE = np.frompyfunc(lambda histogram: histogram is not None, 1, 1)


def there(histograms: np.ndarray) -> np.ndarray:
    """bool: which of these are histograms."""
    return np.asarray(_IS_THERE(histograms), dtype=bool)


def masked(histograms: np.ndarray | None, mask: np.ndarray) -> np.ndarray | None:
    """The histograms of a mask alone."""
    if histograms is None:
        return None
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
    histograms: np.ndarray | None = None
    """`NativeHistogram` or None (series, steps); no array at all where no cell has one."""
    unnamed: np.ndarray | None = None
    """bool (series): whose metric name goes away in the end, kept until then for functions of labels."""
    times: np.ndarray | None = None
    """int64 µs (series, steps) of the samples themselves, where they were asked for."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def steps(self) -> int:
        """How many instants there are."""
        return self.present.shape[1]

    def is_histogram(self) -> np.ndarray:
        """bool (series, steps): which cells are histograms."""
        if self.histograms is None:
            return np.zeros_like(self.present)
        return self.present & there(self.histograms)

    def is_float(self) -> np.ndarray:
        """bool (series, steps): which cells are floats."""
        return self.present if self.histograms is None else self.present & ~self.is_histogram()

    def rows(self, index: np.ndarray) -> "Vector":
        """Some of the series, in this order."""
        return Vector(
            [self.labels[i] for i in index],
            self.values[index],
            self.present[index],
            None if self.histograms is None else self.histograms[index],
            None if self.unnamed is None else self.unnamed[index],
            None if self.times is None else self.times[index],
        )

    def pruned(self) -> "Vector":
        """Without series that have no sample at any step."""
        alive = self.present.any(axis=1)
        return self if alive.all() else self.rows(np.flatnonzero(alive))

    def floats(self) -> "Vector":
        """Without the histograms."""
        if self.histograms is None:
            return self
        return Vector(self.labels, self.values, self.is_float(), None, self.unnamed, self.times).pruned()


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
    if any(vector.histograms is not None for vector in vectors):
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


@dataclass(slots=True)
class SeriesSet:
    """Samples of many series, one after another: from `offsets[i]` to `offsets[i + 1]` those of series i."""

    labels: list[Labels]
    offsets: np.ndarray
    """int64 (series + 1)."""
    times: np.ndarray
    """int64 µs, ascending within a series."""
    values: np.ndarray
    """float64; stale markers are samples too."""
    histograms: np.ndarray | None = None
    """`NativeHistogram` or None for each sample; no array at all where there is none."""
    unnamed: np.ndarray | None = None
    """As of `Vector`: for what a subquery gave."""

    def __len__(self) -> int:
        return len(self.labels)

    def is_stale(self) -> np.ndarray:
        """bool for each sample: which are stale markers."""
        return self.values.view(np.uint64) == STALE_BITS

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
        edges = self.offsets.tolist()
        for row, (low, high) in enumerate(pairwise(edges)):
            found[row] = self.times[low:high].searchsorted(instants, side)
        return found + self.offsets[:-1, None]


@dataclass(slots=True)
class Windows:
    """A range vector: the samples of each series that lie in a window, at each step. No stale markers."""

    series: SeriesSet
    low: np.ndarray
    """int64 (series, steps): the first sample of the window, by its place in `series`."""
    high: np.ndarray
    """int64 (series, steps): the place after the last."""
    start: np.ndarray
    """int64 µs (steps): where the window begins."""
    end: np.ndarray
    """int64 µs (steps): where it ends."""

    @property
    def counts(self) -> np.ndarray:
        """int64 (series, steps): how many samples there are."""
        return self.high - self.low

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
