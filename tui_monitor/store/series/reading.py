"""The reader's side: which series there are, and their samples from chunks and log."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import StoreError
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import LabelTest, SeriesInfo
from tui_monitor.store.series import log, steps, versions
from tui_monitor.store.series.chunks import LONGEST, Chunk, Points, Table, joined, of_histograms
from tui_monitor.store.series.histograms import Histograms
from tui_monitor.store.series.log import TABLES
from tui_monitor.store.series.sampled import Afford, any_number

Read = tuple[np.ndarray, np.ndarray]
"""Times and values."""
_AT_ONCE = 400
"""Chunks looked through together."""
_DECODED = 2_000
"""Chunks that are whole in memory at a time, 12 kB each at most."""


def series(
    conn: sqlite3.Connection, name: str | None, matching: Sequence[LabelTest] = (), most: int = -1
) -> list[SeriesInfo]:
    """Series of that name, or all, whose labels pass, so many at most; only those are read."""
    condition = "name = ?" if name is not None else "TRUE"
    bound: list[str | int] = [name] if name is not None else []
    for test in matching:
        part, numbers = _condition(conn, test)
        condition += f" AND {part}"
        bound.append(json.dumps(numbers))
    select = f"SELECT id, name, labels, type FROM sample_series WHERE {condition} ORDER BY id LIMIT ?"
    rows = conn.execute(select, [*bound, most])
    return [SeriesInfo(number, text, json.loads(labels), kind) for number, text, labels, kind in rows]


def _condition(conn: sqlite3.Connection, test: LabelTest) -> tuple[str, list[int]]:
    """SQL that keeps the series that pass, and the numbers of label values it is about."""
    if test.equals:
        found = conn.execute(
            "SELECT id FROM sample_labels WHERE name = ? AND value = ?", (test.label, test.equals)
        )
        return _HAVE, [number for (number,) in found]
    values = conn.execute("SELECT id, value FROM sample_labels WHERE name = ?", (test.label,)).fetchall()
    if test.accepts(""):
        # A label that is not there is empty, and passes: all but those with a value that does not.
        return f"NOT {_HAVE}", [number for number, value in values if not test.accepts(value)]
    return _HAVE, [number for number, value in values if test.accepts(value)]


_HAVE = "id IN (SELECT series FROM sample_postings WHERE label IN (SELECT value FROM json_each(?)))"


def samples(conn: sqlite3.Connection, ids: Sequence[int], span: Span) -> dict[int, Read]:
    """Times and values of each series in the span, by time; a value that is no number is NaN.

    Raises `StoreError` for a chunk that is damaged.
    """
    return floats(conn, ids, span)[0]


def count(conn: sqlite3.Connection, ids: Sequence[int], span: Span) -> int:
    """How many floats these series have in a span, about: of a chunk its share."""
    listed = json.dumps(list(ids))
    (logged,) = conn.execute(
        "SELECT count(*) FROM json_each(?) j JOIN samples s ON s.series = j.value AND s.ts > ? AND s.ts <= ?",
        (listed, span.start, span.end),
    ).fetchone()
    (sealed,) = conn.execute(
        """SELECT total(n * (min(end, ?3) - max(start, ?2) + 1.0) / (end - start + 1)) FROM sample_chunks
        WHERE series IN (SELECT value FROM json_each(?1)) AND start > ?4 AND start <= ?3 AND end > ?2""",
        (listed, span.start, span.end, max(span.start - LONGEST, -(1 << 63))),
    ).fetchone()
    return logged + round(sealed)


def floats(
    conn: sqlite3.Connection, ids: Sequence[int], span: Span, afford: Afford = any_number
) -> tuple[dict[int, Read], bool]:
    """As `samples`, and whether the log has native histograms of any of the series too."""
    rows = log.rows(conn, ids, span, afford)
    parts = _inside(Table(conn), ids, span, rows, afford)
    found: dict[int, Read] = {}
    for number in ids:
        mine = [(points.times, points.columns[0]) for points in parts.get(number, ())]
        if number in rows:
            mine.append(rows[number].floats())
        found[number] = _joined(mine)
    return found, any(newest.others is not None for newest in rows.values())


def came(conn: sqlite3.Connection, ends: Mapping[int, Micros]) -> tuple[np.ndarray, ...] | None:
    """Floats of each series after a time of its own: series, times and values, by series and time.

    `None` where there are native histograms among them. Raises `StoreError` for a chunk that is damaged.
    """
    behind = "json_each(?) j JOIN {} s ON s.series = j.value ->> 0 AND s.{} > j.value ->> 1"
    listed = json.dumps(list(ends.items()))
    rows = conn.execute(
        f"SELECT s.series, s.ts, s.value FROM {behind.format('samples', 'ts')}", (listed,)
    ).fetchall()
    if conn.execute(
        f"SELECT 1 FROM {behind.format('histogram_chunks', 'end')} LIMIT 1", (listed,)
    ).fetchone():
        return None
    table = Table(conn)
    chunks = table.find(f"id IN (SELECT s.id FROM {behind.format('sample_chunks', 'end')})", (listed,))
    owners, times, values = zip(*rows, strict=True) if rows else ((), (), ())
    logged = log.logged(times, values)
    if logged.others is not None:
        return None
    parts = [(np.array(owners, dtype=np.int64), *logged.floats())]
    for chunk, points in zip(chunks, table.read(chunks), strict=True):
        new = slice(int(points.times.searchsorted(ends[chunk.series], "right")), None)
        mine = points.take(new)
        parts.append((np.full(len(mine), chunk.series), mine.times, mine.columns[0]))
    whole = tuple(np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((whole[1], whole[0]))
    return tuple(column[order] for column in whole)


def chunks_after(conn: sqlite3.Connection, ids: Sequence[int], end: Micros) -> int:
    """How many chunks of these series lie after a time."""
    return conn.execute(
        "SELECT count(*) FROM json_each(?) j JOIN sample_chunks s ON s.series = j.value AND s.start > ?",
        (json.dumps(list(ids)), end),
    ).fetchone()[0]


def start_of_chunks(conn: sqlite3.Connection, ids: Sequence[int], at: Micros) -> Micros | None:
    """The first sample of the chunks of these series that begin up to a time and end after it."""
    return conn.execute(
        """SELECT min(s.start) FROM json_each(?) j JOIN sample_chunks s
        ON s.series = j.value AND s.start > ? AND s.start <= ? AND s.end > ?""",
        (json.dumps(list(ids)), max(at - LONGEST, -(1 << 63)), at, at),
    ).fetchone()[0]


def steps_until(conn: sqlite3.Connection, ids: Sequence[int]) -> Micros | None:
    """The newest time at which anything of these series is kept in steps."""
    return conn.execute(
        f"""SELECT max(end) FROM ({
            " UNION ALL ".join(
                f"SELECT s.end FROM {_OF_SERIES.format(table)}"
                for table in ("sample_steps", "histogram_steps")
            )
        })""",
        {"ids": json.dumps(list(ids))},
    ).fetchone()[0]


def has_histograms(conn: sqlite3.Connection, ids: Sequence[int]) -> bool:
    """Whether chunks have native histograms of any of these series."""
    found = conn.execute(
        f"SELECT 1 FROM {_OF_SERIES.format('histogram_chunks')} LIMIT 1", {"ids": json.dumps(list(ids))}
    )
    return found.fetchone() is not None


_OF_SERIES = "json_each(:ids) j JOIN {} s ON s.series = j.value"


def histogram_samples(
    conn: sqlite3.Connection, ids: Sequence[int], span: Span
) -> dict[int, tuple[np.ndarray, Histograms]]:
    """Times and native histograms of each series that has any in the span, by time.

    Raises `StoreError` for a chunk that is damaged.
    """
    rows = log.rows(conn, ids, span)
    parts = _inside(of_histograms(conn), ids, span, rows)
    for number, newest in rows.items():
        times, bodies = newest.histograms()
        if len(times):
            parts.setdefault(number, []).append(Points(times, (), bodies))
    return {number: steps.histograms_of(joined(mine)) for number, mine in parts.items()}


def _inside(
    table: Table, ids: Sequence[int], span: Span, rows: Mapping[int, log.Logged], afford: Afford = any_number
) -> dict[int, list[Points]]:
    """What chunks have in the span; a row of a mixed series, of whatever kind, hides what is at its time."""
    parts: dict[int, list[Points]] = {}
    chunks = table.meeting(ids, span)
    for chunk, points in _read(table, chunks, afford):
        if chunk.start <= span.start or chunk.end > span.end:
            first, last = np.searchsorted(points.times, (span.start, span.end), side="right").tolist()
            # A copy: a part would keep the whole chunk.
            points = points.take(np.arange(first, last))
        newest = rows.get(chunk.series)
        if newest is not None and (table.histograms or newest.others is not None):
            points = points.take(~np.isin(points.times, newest.times))
        if len(points):
            parts.setdefault(chunk.series, []).append(points)
    return parts


def _read(table: Table, chunks: list[Chunk], afford: Afford) -> Iterator[tuple[Chunk, Points]]:
    for at in range(0, len(chunks), _DECODED):
        afford(0)
        some = chunks[at : at + _DECODED]
        yield from zip(some, table.read(some), strict=True)


def _joined(parts: Sequence[Read]) -> Read:
    """All of them by time; of equal times the later part's."""
    if len(parts) <= 1:
        return parts[0] if parts else (np.zeros(0, dtype=np.int64), np.zeros(0))
    times, values = (np.concatenate(column) for column in zip(*parts, strict=True))
    if (times[1:] > times[:-1]).all():
        return times, values
    order = np.argsort(times, kind="stable")
    times, values = times[order], values[order]
    last = np.append(times[1:] != times[:-1], True)
    return times[last], values[last]


def shape(conn: sqlite3.Connection, since: Micros) -> tuple[int, Micros | None, Micros | None, int]:
    """How many samples there are, the first and last instant, and how many lie after a time.

    A chunk that reaches over that time counts whole.
    """
    return conn.execute(
        """SELECT ifnull(sum(n), 0), min(start), max(end), ifnull(sum(n) FILTER (WHERE end > ?), 0)
        FROM (SELECT n, start, end FROM sample_chunks UNION ALL SELECT n, start, end FROM histogram_chunks
        UNION ALL SELECT 1, ts, ts FROM samples)""",
        (since,),
    ).fetchone()


def damaged(conn: sqlite3.Connection, most: int) -> list[str]:
    """Chunks that cannot be read, so many at most. Reads all of them."""
    told: list[str] = []
    for table in (Table(conn), of_histograms(conn), *steps.tables(conn)):
        ids = conn.execute(f"SELECT id FROM {table.name} ORDER BY id").fetchall()
        for at in range(0, len(ids), _AT_ONCE):
            told += _unread(table, [number for (number,) in ids[at : at + _AT_ONCE]])
            if len(told) >= most:
                return told[:most]
    return told


def _unread(table: Table, ids: list[int]) -> list[str]:
    chunks = table.find("id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
    try:
        table.read(chunks)
    except StoreError:
        return [why for chunk in chunks if (why := _why(table, chunk))]
    return []


def _why(table: Table, chunk: Chunk) -> str:
    try:
        table.read([chunk])
    except StoreError as error:
        return error.message
    return ""


def drop_batch(conn: sqlite3.Connection, batch: int) -> None:
    """Drop what an import brought, once all of it is in chunks."""
    for table in TABLES:
        conn.execute(f"DELETE FROM {table} WHERE batch_id_t = ?", (batch,))
    versions.change(conn)


def drop_empty(conn: sqlite3.Connection, after: int, most: int) -> tuple[int, int] | None:
    """Drop those of the next series, in order of their numbers, that have nothing left.

    The last number looked at and how many went; `None` where no series is left to look at.
    """
    (last,) = conn.execute(
        "SELECT max(id) FROM (SELECT id FROM sample_series WHERE id > ? ORDER BY id LIMIT ?)", (after, most)
    ).fetchone()
    if last is None:
        return None
    nothing = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} WHERE series = sample_series.id)"
        for table in ("samples", *TABLES)
    )
    gone = conn.execute(f"DELETE FROM sample_series WHERE id > ? AND id <= ? AND {nothing}", (after, last))
    if gone.rowcount:
        versions.change(conn)
    return last, gone.rowcount
