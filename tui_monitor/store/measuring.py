"""What is counted of many calls at once: `measures.measured`, column by column."""

from collections.abc import Callable, Iterable

import numpy as np

from tui_monitor.store.api import MEASURES, Measure
from tui_monitor.store.blobs import UNKNOWN
from tui_monitor.store.measures import INPUT
from tui_monitor.store.segments import Segment

Column = Callable[[str], np.ndarray]
"""A column of the row table as int64, `UNKNOWN` where there is no value; `unpriced` is 1 for such calls."""


def column_of(segment: Segment, at: np.ndarray, unpriced: int) -> Column:
    """The columns of some calls of a segment; `unpriced` is the number of that cost status."""

    def column(name: str) -> np.ndarray:
        if name == "unpriced":
            return (segment.integers("cost_status_t", at) == unpriced).astype(np.int64)
        return segment.integers(name, at)

    return column


def measure(name: Measure, column: Column) -> np.ndarray:
    """One measure of each call."""
    match name:
        case "calls":
            return np.ones(len(column("booked")), dtype=np.int64)
        case "input":
            return _sum_of_known(map(column, INPUT))
        case "cache_write":
            return _sum_of_known(map(column, INPUT[2:]))
        case "output":
            return column("out_total")
        case "unpriced_tokens":
            return np.where(column("unpriced") == 1, _sum_of_known(map(column, (*INPUT, "out_total"))), 0)
        case _:
            return column(name)


def measured(column: Column) -> np.ndarray:
    """All measures in their order: calls × measures."""
    return np.column_stack([measure(name, column) for name in MEASURES])


def _sum_of_known(columns: Iterable[np.ndarray]) -> np.ndarray:
    found = np.stack(list(columns))
    known = found != UNKNOWN
    return np.where(known.any(axis=0), np.where(known, found, 0).sum(axis=0), UNKNOWN)
