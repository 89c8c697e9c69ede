"""Which series there are, and which labels they have, without reading a sample."""

import json
import sqlite3
from collections.abc import Sequence

from tui_monitor.model.feed import SampleType
from tui_monitor.model.timerange import Span
from tui_monitor.store.series.chunks import LONGEST
from tui_monitor.store.series.reading import TABLES

_EARLIEST = -(1 << 63)
_IN_CHUNKS = " OR ".join(
    f"EXISTS (SELECT 1 FROM {table} WHERE series = j.value AND start > ?3 AND start <= ?2 AND end > ?1)"
    for table in TABLES
)
_NEWEST = """SELECT label FROM sample_postings WHERE series IN (
    SELECT id FROM sample_series WHERE name = ? ORDER BY id DESC LIMIT 1000)"""
"""Numbers of the labels of a metric's newest series; all of them may be more than a person waits for."""


def sampled_in(conn: sqlite3.Connection, ids: Sequence[int], span: Span) -> set[int]:
    """Which of these series have a row in the span, or a chunk that meets it."""
    found = conn.execute(
        f"""SELECT j.value FROM json_each(?4) j WHERE
        EXISTS (SELECT 1 FROM samples WHERE series = j.value AND ts > ?1 AND ts <= ?2) OR {_IN_CHUNKS}""",
        (span.start, span.end, max(span.start - LONGEST, _EARLIEST), json.dumps(list(ids))),
    )
    return {number for (number,) in found}


def stamp(conn: sqlite3.Connection, name: str | None) -> tuple[int, int]:
    """How many series of that name, or of any, there are, and the newest: numbers are never used again."""
    which, bound = ("", ()) if name is None else (" WHERE name = ?", (name,))
    return conn.execute(f"SELECT count(*), ifnull(max(id), 0) FROM sample_series{which}", bound).fetchone()


def names(conn: sqlite3.Connection) -> list[str]:
    """Names of the series, sorted."""
    return _texts(conn, "SELECT DISTINCT name FROM sample_series ORDER BY name")


def labels(conn: sqlite3.Connection, metric: str | None = None) -> list[str]:
    """Names of the labels that series have, sorted; of a metric those of its newest series."""
    if metric is None:
        return _texts(conn, "SELECT DISTINCT name FROM sample_labels ORDER BY name")
    return _texts(
        conn, f"SELECT DISTINCT name FROM sample_labels WHERE id IN ({_NEWEST}) ORDER BY name", metric
    )


def values(conn: sqlite3.Connection, label: str, metric: str | None = None) -> list[str]:
    """Values of one label, sorted; of a metric those of its newest series."""
    if metric is None:
        return _texts(conn, "SELECT value FROM sample_labels WHERE name = ? ORDER BY value", label)
    select = f"SELECT value FROM sample_labels WHERE id IN ({_NEWEST}) AND name = ? ORDER BY value"
    return _texts(conn, select, metric, label)


def type_of(conn: sqlite3.Connection, metric: str) -> SampleType | None:
    """What kind of samples a metric has."""
    row = conn.execute("SELECT type FROM sample_series WHERE name = ? LIMIT 1", (metric,)).fetchone()
    return row[0] if row else None


def _texts(conn: sqlite3.Connection, select: str, *bound: str) -> list[str]:
    return [text for (text,) in conn.execute(select, bound)]
