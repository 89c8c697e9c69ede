"""Exponential histograms of many series and steps as one table of counts, without an object for each.

What is estimated from a table is the same, to the last bit, as from `NativeHistogram`: counts are added in
the same order, and what is no plain arithmetic is done by the same functions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from tui_monitor.model.histogram import ZERO_BUCKET, CounterReset, NativeHistogram
from tui_monitor.query.promql.native.arithmetic import upper
from tui_monitor.query.promql.native.estimates import Bucket, log_bounds, share_below
from tui_monitor.query.promql.sums import exact_sum

_WORTH = 16
"""Samples that one bucket of a histogram by itself is worth, as it takes so much memory."""
_WHOLE = 2.0**53
"""Up to here whole numbers add without rounding, in any order."""


@dataclass(frozen=True, slots=True)
class Table:
    """Histograms of one schema without negative buckets, whose zero bucket has no width.

    Columns `offsets[i]` to `offsets[i + 1]` are the buckets of series i. Each cell of series × steps is a
    histogram, also where a vector says that nothing is present.
    """

    schema: int
    reset: CounterReset
    index: np.ndarray
    """int64 (columns): of each bucket, ascending within a series; `ZERO_BUCKET` is the zero bucket."""
    offsets: np.ndarray
    """int64 (series + 1)."""
    counts: np.ndarray
    """float64 (steps, columns)."""
    count: np.ndarray
    """float64 (series, steps): all observations."""
    sum: np.ndarray
    """float64 (series, steps), finite: of all observations."""
    spend: Callable[[int], None] | None = field(default=None, compare=False)
    """Asked before the histograms of a series are made one by one, with how many samples they are worth."""

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def rows(self, chosen: np.ndarray) -> "Table":
        """Some of the series, in this order."""
        sizes = np.diff(self.offsets)[chosen]
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        columns = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], sizes) + np.arange(offsets[-1])
        return replace(
            self, index=self.index[columns], offsets=offsets, counts=self.counts[:, columns],
            count=self.count[chosen], sum=self.sum[chosen],
        )  # fmt: skip

    def objects(self, present: np.ndarray) -> np.ndarray:
        """`NativeHistogram` where something is present, else None (series, steps)."""
        out = np.full(present.shape, None, dtype=object)
        for row, (index, counts) in enumerate(self._series()):
            if self.spend is not None:
                self.spend(_WORTH * int(np.count_nonzero(counts[present[row]])))
            for step in np.flatnonzero(present[row]).tolist():
                filled = np.flatnonzero(counts[step])
                pairs = list(zip(index[filled].tolist(), counts[step, filled].tolist(), strict=True))
                zeros = pairs.pop(0)[1] if pairs and pairs[0][0] == ZERO_BUCKET else 0.0
                out[row, step] = NativeHistogram(
                    self.schema, float(self.count[row, step]), float(self.sum[row, step]),
                    zero_count=zeros, positive=tuple(pairs), reset=self.reset,
                )  # fmt: skip
        return out

    def quantiles(self, wanted: np.ndarray) -> np.ndarray:
        """`estimates.quantile` of each cell, `wanted` at each step."""
        bounds = log_bounds(self._distinct(), self.schema)
        found = [self._quantiles(row, *of, wanted, bounds) for row, of in enumerate(self._series())]
        return np.array(found).reshape(self.count.shape)

    def fractions(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """`estimates.fraction` of each cell, between `low` and `high` at each step."""
        out = np.full(self.count.shape, np.nan)
        indexes, where = np.unique(self.index, return_inverse=True)
        known = ~np.isnan(low) & ~np.isnan(high)
        for pair in {(a, b) for a, b in zip(low[known].tolist(), high[known].tolist(), strict=True)}:
            steps = np.flatnonzero((low == pair[0]) & (high == pair[1]))
            shares = np.array([self._share(index, *pair) for index in indexes.tolist()])[where]
            for row, (start, end) in enumerate(pairwise(self.offsets.tolist())):
                parts = self.counts[steps, start:end] * shares[start:end]
                # One after the other, as the buckets come.
                inside = np.cumsum(parts, axis=1)[:, -1] if end > start else np.zeros(len(steps))
                with np.errstate(all="ignore"):
                    out[row, steps] = 0.0 if pair[0] >= pair[1] else inside / self.count[row, steps]
        return np.where(self.count == 0, np.nan, out)

    def totals(self, groups: list[np.ndarray], present: np.ndarray) -> "Table | None":
        """The sum of each group of series where they are present; `None` where it would be rounded twice."""
        if all(len(rows) == 1 for rows in groups):
            return self.rows(np.concatenate(groups)) if groups else self.rows(np.zeros(0, dtype=np.int64))
        if not self._is_whole():
            return None
        counts = self.counts * np.repeat(present, np.diff(self.offsets), axis=0).T
        indexes, tables = [], []
        for rows in groups:
            columns = np.concatenate([np.arange(*self.offsets[row : row + 2]) for row in rows.tolist()])
            index, where = np.unique(self.index[columns], return_inverse=True)
            table = np.zeros((len(counts), len(index)))
            np.add.at(table.T, where, counts.T[columns])
            indexes.append(index)
            tables.append(table)
        return replace(
            self,
            index=np.concatenate(indexes),
            offsets=np.cumsum([0, *map(len, indexes)]),
            counts=np.concatenate(tables, axis=1),
            count=_sums(self.count, groups, present),
            sum=_sums(self.sum, groups, present),
        )

    def _is_whole(self) -> bool:
        most = float(self.count.max(initial=0.0)) * max(1, len(self))
        return most < _WHOLE and bool((self.counts == np.floor(self.counts)).all())

    def _series(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Of each series the indexes of its buckets, and what is in them at each step."""
        for start, end in pairwise(self.offsets.tolist()):
            yield self.index[start:end], self.counts[:, start:end]

    def _distinct(self) -> list[int]:
        return np.unique(self.index).tolist()

    def _quantiles(
        self, row: int, index: np.ndarray, counts: np.ndarray, wanted: np.ndarray,
        bounds: dict[int, tuple[float, float]],
    ) -> list[float]:  # fmt: skip
        count = self.count[row]
        out = np.full(len(count), np.nan)
        for forward in (True, False):
            steps = np.flatnonzero((count != 0) & ((wanted < 0.5) == forward) & (wanted >= 0) & (wanted <= 1))
            if len(steps) and len(index):
                part = counts[steps] if forward else counts[steps, ::-1]
                of = index if forward else index[::-1]
                out[steps] = _ranked(of, part, count[steps], wanted[steps], bounds, forward=forward)
        out = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, out))
        return np.where(np.isnan(wanted) | (count == 0), np.nan, out).tolist()

    def _share(self, index: int, low: float, high: float) -> float:
        """Which share of a bucket's observations is between two values."""
        if index == ZERO_BUCKET:
            bucket = Bucket(0.0, 0.0, 1.0, linear=True)
        else:
            empty = NativeHistogram(self.schema, 0.0, 0.0)
            bucket = Bucket(upper(empty, index - 1), upper(empty, index), 1.0)
        return share_below(bucket, high) - share_below(bucket, low)


def _ranked(
    index: np.ndarray, counts: np.ndarray, count: np.ndarray, wanted: np.ndarray,
    bounds: dict[int, tuple[float, float]], *, forward: bool,
) -> list[float]:  # fmt: skip
    """The value at a rank of each step, counted from the first bucket on."""
    rank = (wanted if forward else 1 - wanted) * count
    seen = np.cumsum(counts, axis=1)
    filled = counts > 0
    reached = filled & (seen >= rank[:, None])
    last = counts.shape[1] - 1 - np.argmax(filled[:, ::-1], axis=1)
    at = np.where(reached.any(axis=1), np.argmax(reached, axis=1), last)
    steps = np.arange(len(counts))
    upto, own = seen[steps, at], counts[steps, at]
    with np.errstate(all="ignore"):
        inside = rank - (upto - own) if forward else np.minimum(upto, count) - rank
        share = np.minimum(np.maximum(inside / own, 0.0), 1.0)
    found = index[at].tolist()
    low, high = np.array([bounds[i] for i in found]).T
    places = (low + (high - low) * share).tolist()
    return [
        float("nan") if not here else 0.0 if i == ZERO_BUCKET else 2.0**place
        for place, i, here in zip(places, found, own.tolist(), strict=True)
    ]


def _sums(values: np.ndarray, groups: list[np.ndarray], present: np.ndarray) -> np.ndarray:
    cells = np.where(present, values, 0.0)
    return np.array([[exact_sum(column) for column in cells[rows].T] for rows in groups])
