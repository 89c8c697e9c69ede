"""Several sets of series made one, and brought into another order."""

import numpy as np

from tui_monitor.query.promql.values import Grid, SeriesSet


def concatenated(sets: list[SeriesSet]) -> SeriesSet:
    """The series of all sets, one set after the other."""
    if len(sets) == 1:
        return sets[0]
    if not sets:
        nothing = np.empty(0, dtype=np.int64)
        return SeriesSet([], np.zeros(1, dtype=np.int64), nothing, np.empty(0))
    labels = [of for one in sets for of in one.labels]
    remarks = tuple(dict.fromkeys(remark for one in sets for remark in one.remarks))
    grids = [one.grids for one in sets]
    if None not in grids:
        bases = np.cumsum([0, *(len(one) for one in sets)])
        moved = [
            Grid(grid.rows + base, grid.times, grid.values, grid.living)
            for mine, base in zip(grids, bases.tolist(), strict=False)
            for grid in mine or ()
        ]
        made = SeriesSet.of_grids(labels, moved)
    else:
        bases = np.cumsum([0, *(len(one.times) for one in sets)])
        made = SeriesSet(
            labels,
            np.concatenate([[0], *(one.offsets[1:] + base for one, base in zip(sets, bases, strict=False))]),
            np.concatenate([one.times for one in sets]),
            np.concatenate([one.values for one in sets]),
            _histograms(sets),
        )
    made.remarks = remarks
    return made


def _histograms(sets: list[SeriesSet]) -> np.ndarray | None:
    if all(one.histograms is None for one in sets):
        return None
    return np.concatenate(
        [np.full(len(one.times), None) if one.histograms is None else one.histograms for one in sets]
    )


def sorted_by_labels(series: SeriesSet) -> SeriesSet:
    """The same series in the order of their labels."""
    order = sorted(range(len(series)), key=series.labels.__getitem__)
    if order == list(range(len(series))):
        return series
    rows = np.array(order, dtype=np.int64)
    labels = [series.labels[row] for row in order]
    if series.grids is not None:
        place = np.empty(len(rows), dtype=np.int64)
        place[rows] = np.arange(len(rows))
        grids = [Grid(place[grid.rows], grid.times, grid.values, grid.living) for grid in series.grids]
        made = SeriesSet.of_grids(labels, grids)
    else:
        sizes = np.diff(series.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(offsets[-1]) + np.repeat(series.offsets[:-1][rows] - offsets[:-1], sizes)
        histograms = None if series.histograms is None else series.histograms[places]
        made = SeriesSet(labels, offsets, series.times[places], series.values[places], histograms)
    made.remarks = series.remarks
    return made
