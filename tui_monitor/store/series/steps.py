"""Samples that are too old, thinned out: one point per 5 minutes, so that what matters stays exact.

Of gauges the sum, number, least and greatest of each 5 minutes stay; of counters the last sample of each,
and every one before a restart, so that growth over whole steps is what it was, and so of native histograms;
of observations of a histogram how many there were in each log bucket, with the least and greatest as they
were. Where a gauge or counter ended, a marker stays.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from tui_monitor.model.clock import MINUTE, Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.feed import STALE, SampleType
from tui_monitor.model.histogram import SCALE, ZERO_BUCKET, buckets_of, middle
from tui_monitor.model.timerange import Span
from tui_monitor.store.series import sealing, versions
from tui_monitor.store.series.chunks import LONGEST, MOST, Chunk, Group, Points, Table, joined, of_histograms
from tui_monitor.store.series.histograms import Histograms
from tui_monitor.store.series.sampled import Steps

STEP = 5 * MINUTE
Noted = Callable[[Span], None]
"""Is told where something changes."""
_COLUMNS = ("value", "weight", "low", "high")
_AT_ONCE = 500
"""Chunks thinned out in one transaction."""
_STEPS_AT_ONCE = 5_000
"""Chunks of steps dropped in one transaction."""


_STALE_BITS = np.array(STALE).view(np.uint64)


def tables(conn: sqlite3.Connection) -> tuple[Table, Table]:
    """Where steps are kept: those of floats, and those of native histograms."""
    return Table(conn, "sample_steps", _COLUMNS), of_histograms(conn, "histogram_steps")


def expire_step(conn: sqlite3.Connection, before: Micros, noted: Noted, *, thin: bool) -> int:
    """Drop some of the samples that happened and arrived up to a time, with `thin` leaving steps of them.

    Chunks go whole, once all of their samples are old enough. The number of samples; 0 when none is left.
    """
    dropped = 0
    for raw, kept in zip((Table(conn), of_histograms(conn)), tables(conn), strict=True):
        chunks = raw.find(
            """start <= ?1 AND end <= ?1 AND (arrived IS NULL OR arrived <= ?1)
            ORDER BY series, start LIMIT ?2""",
            (before, _AT_ONCE),
        )
        if thin:
            for number in dict.fromkeys(chunk.series for chunk in chunks):
                _thin(raw, kept, number, [chunk for chunk in chunks if chunk.series == number])
        raw.delete(chunks)
        if chunks:
            # What stays of the last minutes stands at the end of their step.
            first, last = min(chunk.start for chunk in chunks), max(chunk.end for chunk in chunks)
            noted(Span(first - 1, last + STEP))
        dropped += sum(chunk.n for chunk in chunks)
    if dropped:
        versions.change(conn)
    return dropped


def expire_steps(conn: sqlite3.Connection, before: Micros, noted: Noted) -> int:
    """Drop some of the steps that happened and arrived up to a time.

    How many chunks of them; 0 when none is left.
    """
    dropped = 0
    for kept in tables(conn):
        rows = conn.execute(
            f"""SELECT id, start, end FROM {kept.name}
            WHERE end <= ?1 AND (arrived IS NULL OR arrived <= ?1) ORDER BY id LIMIT ?2""",
            (before, _STEPS_AT_ONCE),
        ).fetchall()
        if rows:
            noted(Span(min(start for _, start, _ in rows) - 1, max(end for _, _, end in rows)))
            conn.executemany(f"DELETE FROM {kept.name} WHERE id = ?", [(number,) for number, _, _ in rows])
            dropped += len(rows)
    if dropped:
        versions.change(conn)
    return dropped


def steps(conn: sqlite3.Connection, ids: Sequence[int], span: Span) -> dict[int, Steps]:
    """What stayed of old samples of these series in the span, where there is any."""
    floats, _ = tables(conn)
    return {number: _one([_as_steps(part) for part in parts]) for number, parts in _read(floats, ids, span)}


def histogram_steps(
    conn: sqlite3.Connection, ids: Sequence[int], span: Span
) -> dict[int, tuple[np.ndarray, Histograms]]:
    """Which native histograms stayed of old ones of these series in the span, where there is any."""
    _, bodies = tables(conn)
    return {number: histograms_of(joined(parts)) for number, parts in _read(bodies, ids, span)}


def histograms_of(points: Points) -> tuple[np.ndarray, Histograms]:
    """Times and native histograms of points; of equal times the later."""
    assert points.histograms is not None
    last = np.append(np.diff(points.times) > 0, True)[-len(points.times) :]
    if last.all():
        return points.times, points.histograms
    return points.times[last], points.histograms.take(last)


def _read(kept: Table, ids: Sequence[int], span: Span) -> Iterable[tuple[int, list[Points]]]:
    """Parts of each series that has any, by their start."""
    chunks = kept.meeting(ids, span)
    found: dict[int, list[Points]] = {}
    for chunk, points in zip(chunks, kept.read(chunks), strict=True):
        first, last = np.searchsorted(points.times, (span.start, span.end), side="right").tolist()
        if first < last:
            found.setdefault(chunk.series, []).append(points.take(slice(first, last)))
    return found.items()


def _as_steps(points: Points) -> Steps:
    value, *more = points.columns
    if not more:
        weight = np.where(np.isnan(value), 0.0, 1.0)
        return Steps(points.times, value, weight, value, value)
    weight = more[0]
    if len(more) == 1:
        return Steps(points.times, value, weight, value, value)
    with np.errstate(invalid="ignore"):
        return Steps(points.times, np.where(weight > 0, value / weight, value), weight, more[1], more[2])


def _one(parts: list[Steps]) -> Steps:
    """All of them by time. They need not be of one type: a series may have had another's labels once."""
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(np.concatenate([part.times for part in parts]), kind="stable")
    names = ("times", "mean", "weight", "low", "high")
    return Steps(*(np.concatenate([getattr(part, name) for part in parts])[order] for name in names))


def _thin(raw: Table, kept: Table, series: int, chunks: list[Chunk]) -> None:
    (kind,) = raw.conn.execute("SELECT type FROM sample_series WHERE id = ?", (series,)).fetchone()
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
    # One column where it has histograms.
    width = len(points.columns) or 1
    return next((c for c in found if c.n + sealing.FULL <= MOST and len(c.columns) == width), None)


def thin(kind: SampleType, points: Points) -> Points:
    """What stays of samples of one series; NaN other than markers of its end do not."""
    ends = -(-points.times // STEP) * STEP
    if points.histograms is not None:
        last = _last_of(ends)
        last[:-1] |= points.histograms.restarted()
        return points.take(last)
    (values,) = points.columns
    known = ~np.isnan(values)
    if kind in ("counter", "native_histogram"):
        return _counted(points, ends, known)
    if kind == "histogram":
        return _spread(ends[known], values[known]) if known.any() else points.take(known)
    at_end = _last_of(ends) & _is_stale(values)
    # Behind the end of its step where that has a value, which stands at its end.
    behind = np.isin(ends[at_end], ends[known]) | (points.times[at_end] == ends[at_end])
    ended = np.where(behind, ends[at_end] + 1, points.times[at_end])
    markers = np.full(len(ended), STALE)
    ones, values = np.ones(np.count_nonzero(known)), values[known]
    parts = [
        Points(ends[known], (values, ones, values, values)),
        Points(ended, (markers, np.zeros(len(ended)), markers, markers)),
    ]
    return _merged("gauge", joined(parts))


def _counted(points: Points, ends: np.ndarray, known: np.ndarray) -> Points:
    """The last of each step, every one before a restart, and the markers that come right after a sample."""
    (values,) = points.columns
    stays = np.zeros(len(points), dtype=bool)
    last = _last_of(ends[known])
    last[:-1] |= np.diff(values[known]) < 0
    stays[np.flatnonzero(known)[last]] = True
    return points.take(stays | (_is_stale(values) & np.append(True, known[:-1])))


def _last_of(ends: np.ndarray) -> np.ndarray:
    """Which is the last of its step."""
    return np.append(ends[1:] != ends[:-1], True)[: len(ends)]


def _is_stale(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values).view(np.uint64) == _STALE_BITS


def _merged(kind: SampleType, points: Points) -> Points:
    """Gauges have one point for each step; their points are in order."""
    if kind != "gauge" or not len(points) or len(points.columns) < len(_COLUMNS):
        return points
    starts = np.flatnonzero(np.append(True, np.diff(points.times) > 0))
    total, weight, low, high = points.columns
    with np.errstate(invalid="ignore"):
        sums = np.add.reduceat(total, starts)
    weights = np.add.reduceat(weight, starts)
    least, most = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    # Only a marker stands for no sample, and sums know nothing of its bits.
    total, low, high = (np.where(weights > 0, one, STALE) for one in (_tidy(sums), least, most))
    return Points(points.times[starts], (total, weights, low, high))


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
