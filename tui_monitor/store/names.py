"""Names in a database, for shells that complete them: at once, read-only, and nothing where there is trouble.

Importing this loads SQLite and nothing else.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.store import opening

_SECONDS = 0.08
_MOST = 500
_NEWEST = """SELECT label FROM sample_postings WHERE series IN (
    SELECT id FROM sample_series WHERE name = ? ORDER BY id DESC LIMIT 1000)"""


def label_values(path: Path, label: str) -> list[str]:
    """Values of a label of calls."""
    place = f"$[{DIMENSIONS.index(label)}]"
    return _texts(path, "SELECT DISTINCT json_extract(labels, ?) FROM series_keys WHERE fine NOT NULL", place)


def attributes(path: Path) -> list[str]:
    """Names of the free attributes of calls."""
    return _texts(path, "SELECT name FROM attribute_names")


def samples(path: Path) -> list[str]:
    """Names of metrics that came as samples."""
    return _texts(path, "SELECT DISTINCT name FROM sample_series")


def sample_labels(path: Path, metric: str) -> list[str]:
    """Labels of the newest series of a metric that came as samples."""
    return _texts(path, f"SELECT DISTINCT name FROM sample_labels WHERE id IN ({_NEWEST})", metric)


def sample_label_values(path: Path, label: str, metric: str) -> list[str]:
    """Values of one of them."""
    return _texts(
        path, f"SELECT value FROM sample_labels WHERE id IN ({_NEWEST}) AND name = ?", metric, label
    )


def sample_types(path: Path, metric: str) -> list[str]:
    """What kind of samples a metric has; nothing where there are none."""
    return _texts(path, "SELECT DISTINCT type FROM sample_series WHERE name = ?", metric)


def alerts(path: Path) -> list[str]:
    """Ids of alerts, the open ones first."""
    return _texts(path, "SELECT id FROM alerts ORDER BY resolved IS NOT NULL, since DESC")


def rules(path: Path) -> list[str]:
    """Names of rules that had alerts."""
    return _texts(path, "SELECT DISTINCT json_extract(record, '$.rule') FROM alerts")


def silences(path: Path) -> list[str]:
    """Ids of silences, the last to end first."""
    return _texts(path, "SELECT id FROM silences ORDER BY ends DESC")


def batches(path: Path) -> list[str]:
    """Imports that can be taken back, newest first."""
    return _texts(path, "SELECT batch_id FROM imports WHERE undone IS NULL ORDER BY started DESC")


def _texts(path: Path, question: str, *values: str) -> list[str]:
    try:
        if not path.is_file():
            return []
        with closing(opening.connect_quietly(path, _SECONDS)) as conn:
            opening.stop_after(conn, _SECONDS)
            rows: Sequence[tuple[object]] = conn.execute(f"{question} LIMIT {_MOST}", values).fetchall()
    except (sqlite3.Error, OSError, ValueError):
        return []
    return [text for (text,) in rows if isinstance(text, str) and text]
