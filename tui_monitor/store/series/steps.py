"""Samples that are too old, thinned out: one point per 5 minutes, so that what matters stays exact.

Of gauges the sum, number, least and greatest of each 5 minutes stay; of counters the last sample of each,
and every one before a restart, so that growth over whole steps is what it was; of observations of a
histogram how many there were in each log bucket, with the least and greatest as they were.
"""

import sqlite3
from collections.abc import Sequence

import numpy as np

from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import SampleType
from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, buckets_of, middle
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Steps
from tui_monitor.store.series import sealing
from tui_monitor.store.series.chunks import LONGEST, MOST, Chunk, Group, Points, Table, joined

STEP = 5 * MINUTE
_COLUMNS = ("value", "weight", "low", "high")
_AT_ONCE = 500
"""Chunks thinned out in one transaction."""


def table(conn: sqlite3.Connection) -> Table:
    """Where steps are kept."""
    return Table(conn, "sample_steps", _COLUMNS)


def expire_step(conn: sqlite3.Connection, before: Micros, *, thin: bool) -> int:
    """Drop some of the samples that happened and arrived up to a time, with `thin` leaving steps of them.

    Chunks go whole, once all of their samples are old enough. The number of samples; 0 when none is left.
    """
    chunks = Table(conn).find(
        """start <= ?1 AND end <= ?1 AND (arrived IS NULL OR arrived <= ?1)
        ORDER BY series, start LIMIT ?2""",
        (before, _AT_ONCE),
    )
    if thin:
        for number in dict.fromkeys(chunk.series for chunk in chunks):
            _thin(conn, number, [chunk for chunk in chunks if chunk.series == number])
    Table(conn).delete(chunks)
    return sum(chunk.n for chunk in chunks)


def expire_steps(conn: sqlite3.Connection, before: Micros) -> int:
    """Drop steps that happened and arrived up to a time; how many chunks of them."""
    return conn.execute(
        "DELETE FROM sample_steps WHERE end <= ?1 AND (arrived IS NULL OR arrived <= ?1)", (before,)
    ).rowcount


def steps(conn: sqlite3.Connection, ids: Sequence[int], span: Span) -> dict[int, Steps]:
    """What stayed of old samples of these series in the span, where there is any."""
    kept = table(conn)
    chunks = kept.meeting(ids, span)
    if not chunks:
        return {}
    found: dict[int, list[Points]] = {}
    for chunk, points in zip(chunks, kept.read(chunks), strict=True):
        first, last = np.searchsorted(points.times, (span.start, span.end), side="right").tolist()
        if first < last:
            found.setdefault(chunk.series, []).append(points.take(slice(first, last)))
    return {number: _as_steps(joined(parts)) for number, parts in found.items()}


def _as_steps(points: Points) -> Steps:
    value, *more = points.columns
    if not more:
        return Steps(points.times, value, np.ones(len(value)), value, value)
    weight = more[0]
    if len(more) == 1:
        return Steps(points.times, value, weight, value, value)
    with np.errstate(invalid="ignore"):
        return Steps(points.times, value / weight, weight, more[1], more[2])


def _thin(conn: sqlite3.Connection, series: int, chunks: list[Chunk]) -> None:
    (kind,) = conn.execute("SELECT type FROM sample_series WHERE id = ?", (series,)).fetchone()
    raw, kept = Table(conn), table(conn)
    groups: dict[Group, list[Points]] = {}
    for chunk in chunks:
        try:
            (points,) = raw.read([chunk])
        except StoreError:
            # Nothing can be read of it, and its time is over.
            continue
        thinned = thin(kind, points)
        if len(thinned):
            groups.setdefault(chunk.group, []).append(thinned)
    for group, parts in groups.items():
        points = joined(parts)
        before = _room_before(kept, series, group, points)
        if before is not None:
            points = joined([*kept.read([before]), points])
            kept.delete([before])
        kept.add(series, group, _merged(kind, points))


def _room_before(kept: Table, series: int, group: Group, points: Points) -> Chunk | None:
    found = kept.find(
        """series = ? AND batch_id_t IS ? AND arrived IS ? AND start <= ? AND start > ?
        ORDER BY start DESC LIMIT 1""",
        (series, *group, int(points.times[0]), int(points.times[0]) - LONGEST),
    )
    return next((chunk for chunk in found if chunk.n + sealing.FULL <= MOST), None)


def thin(kind: SampleType, points: Points) -> Points:
    """What stays of samples of one series; staleness markers and other NaN do not."""
    (values,) = points.columns
    known = ~np.isnan(values)
    times, values = points.times[known], values[known]
    if not len(times):
        return Points(times, (values,))
    ends = -(-times // STEP) * STEP
    if kind == "counter":
        last = np.append(ends[1:] != ends[:-1], True)
        last[:-1] |= values[1:] < values[:-1]
        return Points(times[last], (values[last],))
    if kind == "histogram":
        return _spread(ends, values)
    ones = np.ones(len(values))
    return _merged("gauge", Points(ends, (values, ones, values, values)))


def _merged(kind: SampleType, points: Points) -> Points:
    """Gauges have one point for each step; their points are in order."""
    if kind != "gauge":
        return points
    starts = np.flatnonzero(np.append(True, np.diff(points.times) > 0))
    total, weight, low, high = points.columns
    with np.errstate(invalid="ignore"):
        sums = np.add.reduceat(total, starts)
    return Points(
        points.times[starts],
        (
            _tidy(sums), np.add.reduceat(weight, starts),
            np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts),
        ),
    )  # fmt: skip


def _tidy(sums: np.ndarray) -> np.ndarray:
    """To 15 digits: sums of decimals are decimals again, and take little room."""
    return np.array([float(f"{value:.15g}") for value in sums.tolist()])


def _spread(ends: np.ndarray, values: np.ndarray) -> Points:
    """Values of each step by log bucket: the bucket's middle, and how many."""
    order = np.lexsort((values, ends))
    ends, values = ends[order], values[order]
    buckets = np.where(np.isfinite(values), buckets_of(values), np.int32(ZERO_BUCKET))
    read = np.where(buckets == ZERO_BUCKET, values, middle(0) * np.exp2(buckets / (1 << SCALE)))
    first = np.append(True, ends[1:] != ends[:-1])
    last = np.append(first[1:], True)
    read[first], read[last] = values[first], values[last]
    starts = np.flatnonzero(np.append(True, (np.diff(ends) > 0) | (read[1:] != read[:-1])))
    weight = np.diff(np.append(starts, len(read))).astype(np.float64)
    return Points(ends[starts], (read[starts], weight))
