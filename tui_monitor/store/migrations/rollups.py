"""Sums and histograms per minute, hour and day, and the ledger of sessions."""

import sqlite3

NAME = "rollups"
AFTER: tuple[str, ...] = ("calls",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables."""
    for table in ("minute", "hour", "day"):
        conn.execute(_cells(table))
    conn.execute("CREATE TABLE zones (id INTEGER PRIMARY KEY, name TEXT UNIQUE, used INTEGER, built INTEGER)")
    conn.execute(
        """CREATE TABLE sessions (session INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL,
        calls INTEGER NOT NULL, tokens INTEGER NOT NULL, cost INTEGER NOT NULL)"""
    )
    conn.execute(
        """CREATE TABLE dropped (layer TEXT NOT NULL, zone INTEGER NOT NULL, start INTEGER NOT NULL,
        end INTEGER NOT NULL, PRIMARY KEY (layer, zone, start)) WITHOUT ROWID"""
    )


def _cells(table: str) -> str:
    # The key is the cell's number times 2**32 plus the label set, so that a span is one run of rows.
    # `_n` counts the calls where the measure is known; the three latencies are µs, buckets in ms.
    columns = [f"{name} INTEGER NOT NULL, {name}_n INTEGER NOT NULL" for name in _SUMS]
    columns += [f"{name}_low INTEGER, {name}_high INTEGER, {name}_hist BLOB" for name in _SPREAD]
    return f"""CREATE TABLE {table} (key INTEGER PRIMARY KEY, born INTEGER NOT NULL, touched INTEGER NOT NULL,
        calls INTEGER NOT NULL, unpriced INTEGER NOT NULL, {", ".join(columns)})"""


_SUMS = (
    "input", "cache_read", "cache_write", "output", "reasoning", "cost", "list_cost", "unpriced_tokens",
    "latency", "ttft", "queue_wait",
)  # fmt: skip
_SPREAD = ("latency", "ttft", "queue_wait")
