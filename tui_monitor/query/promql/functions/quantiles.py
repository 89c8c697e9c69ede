"""Quantiles and shares of histograms: classic ones, whose buckets are series with `le`, and native ones."""

import math
from dataclasses import dataclass

import numpy as np

from tui_monitor.query.promql.ast import NAME, Place
from tui_monitor.query.promql.evaluate.aggregating import number_text
from tui_monitor.query.promql.evaluate.calling import Calling, Implementation
from tui_monitor.query.promql.evaluate.merging import merged
from tui_monitor.query.promql.functions.histograms import of_histograms, of_table
from tui_monitor.query.promql.labels import Labels, remembered, replaced, value, without
from tui_monitor.query.promql.native import estimates
from tui_monitor.query.promql.values import Vector, joined

_TOLERANCE = 1e-12
"""Relative difference of two cumulative counts that is taken for rounding."""


@dataclass(slots=True)
class Classic:
    """One classic histogram at all steps: cumulative counts by ascending bounds."""

    labels: Labels
    bounds: np.ndarray
    """float64 (buckets), the last +∞ where there is one."""
    counts: np.ndarray
    """float64 (buckets, steps)."""
    present: np.ndarray
    """bool (buckets, steps)."""
    unnamed: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where a vector has a classic histogram."""

    labels: Labels
    bounds: np.ndarray
    """float64, ascending."""
    rows: list[list[int]]
    """Those of each bound."""


def classics(call: Calling, index: int) -> list[Classic]:
    """The classic histograms of a vector: its series with `le`, grouped by their other labels."""
    vector = call.vector(index).floats()
    keeps_names = call.context.semantics.keeps_names
    layouts, wrong = remembered(
        vector.labels, ("classic", keeps_names), lambda: _layouts(vector.labels, keeps_names)
    )
    for message in wrong:
        call.context.annotations.warn(message, call.place(index))
    return [_classic(vector, layout) for layout in layouts]


def _layouts(of: list[Labels], keeps_names: bool) -> tuple[list[_Layout], list[str]]:
    """Which rows make which histogram, and what is to be said of rows that make none."""
    groups: dict[Labels, dict[float, list[int]]] = {}
    wrong: list[str] = []
    names = ("le",) if keeps_names else ("le", NAME)
    for row, labels in enumerate(of):
        written = value(labels, "le")
        bound = _bound(written)
        if bound is None:
            name = value(labels, NAME)
            wrong.append(f"le is missing or no number: {written!r}{f' of {name}' if name else ''}")
        else:
            groups.setdefault(without(labels, names), {}).setdefault(bound, []).append(row)
    layouts = [
        _Layout(labels, np.array(sorted(rows)), [rows[bound] for bound in sorted(rows)])
        for labels, rows in groups.items()
    ]
    return layouts, wrong


def _bound(text: str) -> float | None:
    try:
        found = float(text.replace("_", "x"))
    except ValueError:
        return None
    return None if math.isnan(found) else found


def _classic(vector: Vector, layout: _Layout) -> Classic:
    rows = np.array([row for found in layout.rows for row in found])
    present = vector.present[rows]
    counts = vector.values[rows] if present.all() else np.where(present, vector.values[rows], 0.0)
    unnamed = vector.unnamed is not None and bool(vector.unnamed[rows].any())
    if len(rows) > len(layout.rows):
        # Bounds that are written in several ways.
        starts = np.cumsum([0, *(len(found) for found in layout.rows[:-1])])
        present = np.logical_or.reduceat(present, starts, axis=0)
        counts = np.add.reduceat(counts, starts, axis=0)
    return Classic(layout.labels, layout.bounds, counts, present, unnamed)


def _steps_alike(classic: Classic) -> list[np.ndarray]:
    """Steps at which the same buckets are there."""
    if classic.present.all():
        return [np.arange(classic.present.shape[1])]
    patterns, inverse = np.unique(classic.present, axis=1, return_inverse=True)
    inverse = inverse.reshape(-1)
    return [
        np.flatnonzero(inverse == number) for number in range(patterns.shape[1]) if patterns[:, number].any()
    ]


def _monotonic(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts that never fall from bucket to bucket, and at which steps they did by more than rounding."""
    if (counts[1:] >= counts[:-1]).all():
        return counts, np.zeros(counts.shape[1], dtype=bool)
    fixed = np.fmax.accumulate(counts, axis=0)
    with np.errstate(all="ignore"):
        lost = (fixed - counts) > _TOLERANCE * np.maximum(np.abs(fixed), np.abs(counts))
    return fixed, np.atleast_1d(lost.any(axis=0))


def _of_classics(call: Calling, index: int, found: list[Classic], wanted: np.ndarray) -> np.ndarray:
    """The quantile of each histogram at each step; those with the same buckets at all steps together."""
    values = np.empty((len(found), len(wanted)))
    together: dict[bytes, list[int]] = {}
    for row, classic in enumerate(found):
        bounds, counts = classic.bounds, classic.counts
        whole = len(bounds) > 1 and np.isposinf(bounds[-1]) and classic.present.all()
        if whole and (counts[1:] >= counts[:-1]).all():
            together.setdefault(bounds.tobytes(), []).append(row)
        else:
            values[row] = _of_classic(call, index, classic, wanted)
    for rows in together.values():
        counts = np.array([found[row].counts for row in rows]).swapaxes(0, 1)
        values[rows] = _quantiles(found[rows[0]].bounds, counts, wanted)
    return values


def _of_classic(call: Calling, index: int, classic: Classic, wanted: np.ndarray) -> np.ndarray:
    found = np.full(classic.present.shape[1], np.nan)
    for steps in _steps_alike(classic):
        kept = classic.present[:, steps[0]]
        bounds = classic.bounds[kept]
        if len(bounds) < 2 or not np.isposinf(bounds[-1]):
            found[steps] = _outside(wanted[steps], np.full(len(steps), np.nan))
            continue
        counts, fell = _monotonic(classic.counts[np.ix_(kept, steps)])
        if fell.any():
            call.context.annotations.inform(
                "cumulative counts that fell from a bucket to the next were raised", call.place(index)
            )
        found[steps] = _quantiles(bounds, counts, wanted[steps])
    return found


def _outside(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    found = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, found))
    return np.where(np.isnan(wanted), np.nan, found)


def _quantiles(bounds: np.ndarray, counts: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The quantile at each step, linear within the bucket that has the rank.

    `counts` are (buckets, steps), or (buckets, histograms, steps) of several that have the same.
    """
    total = counts[-1]
    with np.errstate(all="ignore"):
        rank = wanted * total
        place = np.minimum((counts[:-1] < rank).sum(axis=0), len(bounds) - 1)
        below = np.maximum(place - 1, 0)
        low = np.where(place > 0, bounds[below], 0.0)
        before = np.where(place > 0, _bucket(counts, below), 0.0)
        inside = low + (bounds[place] - low) * ((rank - before) / (_bucket(counts, place) - before))
    found = np.where(place == len(bounds) - 1, bounds[-2], inside)
    found = np.where((place == 0) & (bounds[0] <= 0), bounds[0], found)
    return _outside(wanted, np.where((total == 0) | np.isnan(total), np.nan, found))


def _bucket(counts: np.ndarray, place: np.ndarray) -> np.ndarray:
    """The count of one bucket at each step."""
    return np.take_along_axis(counts, place[None], axis=0)[0]


def _quantile(call: Calling) -> Vector:
    return _at(call, 1, call.scalar(0), call.place(0))


def _at(call: Calling, index: int, wanted: np.ndarray, place: Place) -> Vector:
    if (~((wanted >= 0) & (wanted <= 1))).any():
        call.context.annotations.warn("a quantile is between 0 and 1", place)
    vector = call.vector(index)
    if vector.table is None:
        native = of_histograms(vector, lambda one, step: estimates.quantile(one, float(wanted[step])))
    else:
        native = of_table(vector, vector.table.quantiles(wanted))
    _remark_unknown(call, index, vector)
    found = classics(call, index)
    if not found:
        return native.pruned()
    values = _of_classics(call, index, found, wanted)
    present = np.array([classic.present.any(axis=0) for classic in found])
    unnamed = np.array([classic.unnamed for classic in found])
    return _both(call, index, native, Vector([one.labels for one in found], values, present, None, unnamed))


def _both(call: Calling, index: int, native: Vector, classic: Vector) -> Vector:
    """Native and classic results; neither where a histogram comes as both."""
    rows = {labels: row for row, labels in enumerate(native.labels)}
    for row, labels in enumerate(classic.labels):
        twin = rows.get(labels)
        if twin is None:
            continue
        both = native.present[twin] & classic.present[row]
        if both.any():
            call.context.annotations.warn(
                "a histogram that comes classic and native gives no result", call.place(index)
            )
            native.present[twin] &= ~both
            classic.present[row] &= ~both
    whole = joined([native.pruned(), classic.pruned()], call.context.steps)
    return merged(call.context, whole, call.node.place)


def _remark_unknown(call: Calling, index: int, vector: Vector) -> None:
    """An info where a native histogram has observations that were NaN."""
    # The sums of a table are finite.
    if vector.table is not None or vector.histograms is None:
        return
    for histogram in vector.histograms[vector.is_histogram()].tolist():
        if math.isnan(histogram.sum):
            call.context.annotations.inform(
                f"{call.node.function} looks at histograms with observations that are NaN", call.place(index)
            )
            return


def _several(call: Calling) -> Vector:
    label = call.text(1)
    parts: list[Vector] = []
    for index in range(2, len(call)):
        wanted = call.scalar(index)
        part = _at(call, 0, wanted, call.place(index))
        written = number_text(float(wanted[0])) if len(wanted) else ""
        part.labels = [replaced(labels, label, written) for labels in part.labels]
        parts.append(part)
    return merged(call.context, joined(parts, call.context.steps), call.node.place)


def _fraction(call: Calling) -> Vector:
    low, high = call.scalar(0), call.scalar(1)
    vector = call.vector(2)
    _remark_unknown(call, 2, vector)
    if vector.table is None:
        native = of_histograms(
            vector, lambda one, step: estimates.fraction(one, float(low[step]), float(high[step]))
        )
    else:
        native = of_table(vector, vector.table.fractions(low, high))
    found = classics(call, 2)
    if not found:
        return native.pruned()
    values = np.array([_share_of_classic(classic, low, high) for classic in found])
    present = np.array([classic.present.any(axis=0) for classic in found])
    unnamed = np.array([classic.unnamed for classic in found])
    return _both(call, 2, native, Vector([one.labels for one in found], values, present, None, unnamed))


def _share_of_classic(classic: Classic, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    found = np.full(classic.present.shape[1], np.nan)
    for steps in _steps_alike(classic):
        kept = classic.present[:, steps[0]]
        bounds = classic.bounds[kept]
        if not np.isposinf(bounds[-1]):
            continue
        counts, _ = _monotonic(classic.counts[np.ix_(kept, steps)])
        with np.errstate(all="ignore"):
            ends = [_reached(bounds, counts, end[steps]) for end in (low, high)]
            share = (ends[1] - ends[0]) / counts[-1]
        unknown = np.isnan(low[steps]) | np.isnan(high[steps]) | (counts[-1] == 0)
        found[steps] = np.where(unknown, np.nan, np.where(low[steps] >= high[steps], 0.0, share))
    return found


def _reached(bounds: np.ndarray, counts: np.ndarray, at: np.ndarray) -> np.ndarray:
    """How many observations are at most `at`, linear within a bucket; the last is all above."""
    steps = np.arange(counts.shape[1])
    place = np.minimum(np.searchsorted(bounds, at), len(bounds) - 1)
    before = np.where(place > 0, counts[np.maximum(place - 1, 0), steps], 0.0)
    low = np.where(place > 0, bounds[np.maximum(place - 1, 0)], 0.0 if bounds[0] > 0 else -np.inf)
    share = np.clip((at - low) / (bounds[place] - low), 0.0, 1.0)
    share = np.where(np.isneginf(low), np.where(np.isneginf(at), 0.0, 1.0), share)
    inside = before + (counts[place, steps] - before) * share
    top = place == len(bounds) - 1
    return np.where(top, np.where(np.isposinf(at), counts[-1], before), inside)


FUNCTIONS: dict[str, Implementation] = {
    "histogram_quantile": _quantile,
    "histogram_quantiles": _several,
    "histogram_fraction": _fraction,
}
"""By name."""
