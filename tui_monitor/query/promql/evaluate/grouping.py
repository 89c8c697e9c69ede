"""Which series belong together: groups of rows, side by side."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.labels import Labels, LabelSets, only, remembered, without
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
    key = ("grouped", chosen, without_these)
    labels, order, starts = remembered(
        vector.labels, key, lambda: _together(keep(of, chosen) for of in vector.labels)
    )
    unnamed = None
    if vector.unnamed is not None and len(labels):
        unnamed = np.logical_or.reduceat(vector.unnamed[order], starts[:-1])
    return Groups(labels, order, starts, unnamed)


def _together(signed: Iterable[Labels]) -> tuple[LabelSets, np.ndarray, np.ndarray]:
    """Each set of labels once, the rows of each side by side, and where those of each start."""
    numbers: dict[Labels, int] = {}
    ids = np.array([numbers.setdefault(of, len(numbers)) for of in signed], dtype=np.int64)
    counts = np.bincount(ids, minlength=len(numbers))
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return LabelSets(numbers), np.argsort(ids, kind="stable"), starts
