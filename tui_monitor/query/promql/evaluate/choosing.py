"""Aggregations that choose some series of each group and leave them as they are."""

import hashlib

import numpy as np

from tui_monitor.query.promql.evaluate.context import Context
from tui_monitor.query.promql.evaluate.grouping import Groups
from tui_monitor.query.promql.labels import Labels
from tui_monitor.query.promql.values import Vector, masked

CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


def chosen(context: Context, op: str, vector: Vector, groups: Groups, param: np.ndarray) -> Vector:
    """The chosen cells; of an instant query in the order of their values."""
    kept = np.zeros(vector.present.shape, dtype=bool)
    order: list[np.ndarray] = []
    for group in range(len(groups)):
        context.budget.check()
        rows = groups.rows(group)
        extreme = None if context.instant else _extreme(op, vector, rows, param)
        if extreme is not None:
            kept[rows] = extreme
            order.append(rows)
            continue
        ranks = _ranks(op, vector, rows)
        if op == "limit_ratio":
            kept[rows] = _share(vector.labels, rows, param) & vector.present[rows]
        else:
            kept[rows] = (ranks < np.maximum(np.trunc(param), 0)) & vector.present[rows]
        order.append(rows[np.argsort(ranks[:, 0], kind="stable")] if context.instant else rows)
    histograms = masked(vector.given, kept)
    result = Vector(vector.labels, vector.values, kept, histograms, vector.unnamed)
    return result.rows(np.concatenate(order)).pruned()


def _extreme(op: str, vector: Vector, rows: np.ndarray, param: np.ndarray) -> np.ndarray | None:
    """Which cells `topk` or `bottomk` takes, without their order; of equal ones the first.

    `None` where ranks tell it: infinite or unknown numbers, or another number of cells at each step.
    """
    present, values = vector.present[rows], vector.values[rows]
    most = int(np.clip(param[0], 0, len(rows)))
    if op not in ("topk", "bottomk") or not most or (param != param[0]).any():
        return None
    if not np.isfinite(np.where(present, values, 0.0)).all():
        return None
    keys = np.where(present, values if op == "topk" else -values, -np.inf)
    # Along rows that lie side by side in memory.
    least = np.partition(np.ascontiguousarray(keys.T), len(rows) - most, axis=1)[:, len(rows) - most]
    taken = present & (keys >= least)
    crowded = np.flatnonzero(np.count_nonzero(taken, axis=0) > most)
    if len(crowded):
        above = keys[:, crowded] > least[crowded]
        equal = taken[:, crowded] & ~above
        taken[:, crowded] = above | (equal & (np.cumsum(equal, axis=0) <= most - above.sum(axis=0)))
    return taken


def _ranks(op: str, vector: Vector, rows: np.ndarray) -> np.ndarray:
    """The rank of each cell within its step, 0 first; what is not there comes last, NaN before it."""
    present = vector.present[rows]
    if op in ("limitk", "limit_ratio"):
        keys = np.where(present, 0.0, 1.0)
        return _places(np.argsort(keys, axis=0, kind="stable"))
    values = vector.values[rows] if op == "bottomk" else -vector.values[rows]
    unknown = np.isnan(values)
    by_value = np.argsort(np.where(unknown, 0.0, values), axis=0, kind="stable")
    last = np.where(present, np.where(unknown, 1, 0), 2)
    behind = np.argsort(np.take_along_axis(last, by_value, axis=0), axis=0, kind="stable")
    return _places(np.take_along_axis(by_value, behind, axis=0))


def _places(order: np.ndarray) -> np.ndarray:
    """For each row its place in the order of its column."""
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(len(order))[:, None], axis=0)
    return ranks


def _share(labels: list[Labels], rows: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """Which series belong to a share: by a number between 0 and 1 that their labels give."""
    places = np.array([_fraction(labels[row]) for row in rows.tolist()])[:, None]
    ratio = np.clip(ratio, -1.0, 1.0)
    return np.where(ratio >= 0, places < ratio, places >= 1.0 + ratio)


def _fraction(labels: Labels) -> float:
    digest = hashlib.blake2b(repr(labels).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2.0**64
