"""Sums over calls while they are gathered, and when they are: in the store's own integers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tui_monitor.query import aggregate
from tui_monitor.query.aggregate import Grid
from tui_monitor.query.result import Labels
from tui_monitor.store.api import Measure, SampledSpan


@dataclass(slots=True)
class Tally:
    """Sums over calls as they are gathered, one array per piece: cell, total and in how many it is known."""

    cells: list[np.ndarray] = field(default_factory=list)
    total: list[np.ndarray] = field(default_factory=list)
    known: list[np.ndarray] = field(default_factory=list)

    def add(self, cells: np.ndarray, total: np.ndarray, known: np.ndarray) -> None:
        self.cells.append(cells)
        self.total.append(total)
        self.known.append(known)

    def sums(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Total and known of each cell; int64."""
        cells = joined(self.cells)
        return (
            aggregate.sums(cells, joined(self.total), size),
            aggregate.sums(cells, joined(self.known), size),
        )


@dataclass(slots=True)
class Gathered:
    """Everything that was read for one selector."""

    grid: Grid
    histograms: Sequence[Measure] = ()
    """Those that are wanted."""
    calls: Tally = field(default_factory=Tally)
    value: Tally = field(default_factory=Tally)
    over: Tally = field(default_factory=Tally)
    extremes: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    """(cell, lowest, highest) of rows."""
    counts: list[np.ndarray] = field(default_factory=list)
    """Where single calls are looked at: how often each counts."""
    buckets: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    """(cell, bucket, count)."""
    sampled: list[SampledSpan] = field(default_factory=list)
    """Where a single call that was read stands for several."""


@dataclass(slots=True)
class Tallies:
    """Sums over the calls of groups × windows, int64, in the store's own integers."""

    groups: list[Labels]
    calls: np.ndarray
    total: np.ndarray
    known: np.ndarray
    """In how many calls the metric is known."""
    cells: np.ndarray
    """Of the histograms, group · windows + window: `counts[i]` values of the cell are in `buckets[i]`."""
    buckets: np.ndarray
    counts: np.ndarray


def joined(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """One behind the other; integers where there are none."""
    return np.concatenate(arrays) if arrays else np.zeros(0, dtype=np.int64)
