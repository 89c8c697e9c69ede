"""The series of a name with their samples, as they are handed out: those of one scrape side by side."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.store.api import SeriesInfo

Choose = Callable[[list[SeriesInfo], dict[Hashable, Any]], np.ndarray]
"""Which series are asked for, by their places; what it works out of them it may keep in the dictionary."""
Afford = Callable[[int], None]
"""Told how many samples are to be read, and 0 between pieces of work; what it raises ends the reading."""


def any_number(_samples: int) -> None:
    """Lets everything be read."""


@dataclass(frozen=True, slots=True)
class SampleGrid:
    """Some series that have samples at the same times, side by side. Shared: change nothing in place."""

    rows: np.ndarray
    """int64: their places in `Sampled.series`."""
    times: np.ndarray
    """int64 µs, ascending, at least one."""
    values: np.ndarray
    """float64 (rows, times)."""
    living: bool
    """Whether no series ends in it: there is no marker `STALE`."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """All series of a name, and their floats in a span at least; some beyond it may be there too."""

    series: list[SeriesInfo]
    grids: tuple[SampleGrid, ...]
    steps_until: Micros | None
    """Up to here some samples are no longer kept one by one; `None` where all are."""
    histograms: bool
    """Whether any of them has native histograms: then there may be no grids."""
    memo: dict[Hashable, Any]
    """What whoever asks has worked out of these series: it is kept while they stay what they are."""


@dataclass(slots=True)
class Steps:
    """What stayed of samples past their retention: points by time, each for some of what was sampled.

    Of gauges one for each 5 minutes, at their end; of counters some of the samples as they were; of
    observations of a histogram one for each 5 minutes and value, to 0.55 %. A point of weight 0 is the
    marker `STALE`: a gauge or counter ended there.
    """

    times: np.ndarray
    """int64 µs, ascending."""
    mean: np.ndarray
    weight: np.ndarray
    """How many samples the point stands for (float64)."""
    low: np.ndarray
    high: np.ndarray
