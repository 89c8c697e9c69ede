"""Which series belong together: groups of rows, side by side."""

from dataclasses import dataclass

import numpy as np

from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.labels import Labels, only, without
from tui_monitor.query.promql.values import Vector


@dataclass(slots=True)
class Groups:
    """Rows by group: `order[starts[g]:starts[g + 1]]` are those of group g, in their own order."""

    labels: list[Labels]
    order: np.ndarray
    starts: np.ndarray
    """int64 (groups + 1)."""
    unnamed: np.ndarray | None
    """bool (groups): whether one of its series loses its name."""

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, group: int) -> np.ndarray:
        """The rows of one group."""
        return self.order[self.starts[group] : self.starts[group + 1]]


def grouped(vector: Vector, names: tuple[str, ...], *, without_these: bool) -> Groups:
    """The groups of an aggregation by, or without, these labels."""
    chosen = frozenset({*names, NAME} if without_these else names)
    keep = without if without_these else only
    numbers: dict[Labels, int] = {}
    ids = [numbers.setdefault(keep(labels, chosen), len(numbers)) for labels in vector.labels]
    order = np.argsort(np.array(ids, dtype=np.int64), kind="stable")
    counts = np.bincount(np.array(ids, dtype=np.int64), minlength=len(numbers))
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    unnamed = None
    if vector.unnamed is not None and len(numbers):
        unnamed = np.logical_or.reduceat(vector.unnamed[order], starts[:-1])
    return Groups(list(numbers), order, starts, unnamed)
