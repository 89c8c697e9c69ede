"""Counters of calls at given instants: everything up to the first, and what came from each to the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.timerange import Span
from tui_monitor.query.calls import CallQuery, Tallies
from tui_monitor.query.result import Labels
from tui_monitor.query.windows import Windows, one

_RUNS = 8
"""Evenly spaced stretches of instants that are read one by one, each in its own layers."""


@dataclass(slots=True)
class Counters:
    """Sums over the calls up to each instant, of groups × instants, int64, in the store's integers."""

    groups: list[Labels]
    calls: np.ndarray
    total: np.ndarray
    known: np.ndarray
    buckets: list[tuple[np.ndarray, np.ndarray]]
    """Of each group: its buckets, ascending, and what is in them at each instant (instants × buckets)."""


def counted(query: CallQuery, instants: np.ndarray, origin: Micros, *, whole: bool) -> Counters:
    """The counters at ascending, different instants (int64 µs), from `origin` on.

    `whole` where the values themselves are wanted, not their differences. Raises `QueryError`, `StoreError`.
    """
    parts: list[tuple[int, Tallies]] = []
    first = int(instants[0])
    if first > origin:
        parts.append((0, query.tallies(one(Span(origin, first)), silently=not whole)))
    at = 1
    for windows in _runs(instants):
        parts.append((at, query.tallies(windows)))
        at += len(windows)
    return _summed(parts, len(instants))


def _runs(instants: np.ndarray) -> Iterator[Windows]:
    """The windows between the instants, as few stretches of equal steps as they make."""
    steps = np.diff(instants)
    if not len(steps):
        return
    turns = np.flatnonzero(np.diff(steps)) + 1
    if len(turns) >= _RUNS:
        yield Windows(instants, int(np.gcd.reduce(steps)))
        return
    edges = [0, *turns.tolist(), len(steps)]
    for low, high in pairwise(edges):
        yield Windows(instants[low : high + 1], int(steps[low]) if high - low > 1 else 0)


def _summed(parts: list[tuple[int, Tallies]], width: int) -> Counters:
    rows: dict[Labels, int] = {}
    places = [
        np.array([rows.setdefault(labels, len(rows)) for labels in tallies.groups], dtype=np.int64)
        for _, tallies in parts
    ]
    sums = np.zeros((3, len(rows), width), dtype=np.int64)
    for (at, tallies), place in zip(parts, places, strict=True):
        columns = slice(at, at + tallies.calls.shape[1])
        for into, values in zip(sums, (tallies.calls, tallies.total, tallies.known), strict=True):
            into[place, columns] = values
    calls, total, known = np.cumsum(sums, axis=2)
    return Counters(list(rows), calls, total, known, _histograms(parts, places, len(rows), width))


def _histograms(
    parts: list[tuple[int, Tallies]], places: list[np.ndarray], groups: int, width: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    pieces = [
        (place[t.cells // t.calls.shape[1]], at + t.cells % t.calls.shape[1], t.buckets, t.counts)
        for (at, t), place in zip(parts, places, strict=True)
        if len(t.cells)
    ]
    if not pieces:
        return []
    row, column, bucket, count = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    order = np.argsort(row, kind="stable")
    edges = np.searchsorted(row[order], np.arange(groups + 1))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for low, high in pairwise(edges):
        mine = order[low:high]
        buckets, places_of = np.unique(bucket[mine], return_inverse=True)
        table = np.zeros((width, len(buckets)), dtype=np.int64)
        np.add.at(table, (column[mine], places_of), count[mine])
        found.append((buckets, np.cumsum(table, axis=0)))
    return found
