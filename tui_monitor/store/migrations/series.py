"""Samples in compressed chunks, steps of old ones, and an index of series by their labels."""

import sqlite3

NAME = "series"
AFTER: tuple[str, ...] = ("imported_feed",)


def up(conn: sqlite3.Connection) -> None:
    """Create the tables; samples that are there stay in the log until they are sealed like new ones."""
    for statement in (*_TABLES, *_INDEX, *_FOLLOWING):
        conn.execute(statement)
    conn.execute("INSERT INTO sample_labels (name, value) SELECT DISTINCT j.key, j.value" + _EVERY)
    conn.execute(
        "INSERT INTO sample_postings SELECT l.id, s.id"
        + _EVERY
        + " JOIN sample_labels l ON l.name = j.key AND l.value = j.value"
    )


_EVERY = " FROM sample_series s, json_each(s.labels) j"
_KEYS = """id INTEGER PRIMARY KEY, series INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    n INTEGER NOT NULL, times INTEGER NOT NULL, batch_id_t INTEGER, arrived INTEGER"""
_TABLES = (
    # Times of many chunks: series that are looked at together share them.
    "CREATE TABLE sample_times (id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, data BLOB NOT NULL)",
    "CREATE INDEX sample_times_hash ON sample_times (hash)",
    # All samples of a chunk came with one import or none, and late in the same hour or in time.
    f"CREATE TABLE sample_chunks ({_KEYS}, value BLOB NOT NULL)",
    # Of gauges the sum, number, least and greatest of 5 minutes; of observations a value and how often;
    # of counters samples only.
    f"CREATE TABLE sample_steps ({_KEYS}, value BLOB NOT NULL, weight BLOB, low BLOB, high BLOB)",
    *(
        statement
        for table in ("sample_chunks", "sample_steps")
        for statement in (
            f"CREATE INDEX {table}_series ON {table} (series, start, end)",
            f"CREATE INDEX {table}_times ON {table} (times)",
            f"CREATE INDEX {table}_batch ON {table} (batch_id_t) WHERE batch_id_t IS NOT NULL",
        )
    ),
)
_INDEX = (
    "CREATE TABLE sample_labels (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL, "
    "UNIQUE (name, value))",
    """CREATE TABLE sample_postings (label INTEGER NOT NULL, series INTEGER NOT NULL,
    PRIMARY KEY (label, series)) WITHOUT ROWID""",
    "CREATE INDEX sample_postings_series ON sample_postings (series)",
)


def _unused(table: str) -> str:
    return f"""CREATE TRIGGER {table}_gone AFTER DELETE ON {table} BEGIN
        DELETE FROM sample_times WHERE id = old.times
        AND NOT EXISTS (SELECT 1 FROM sample_chunks WHERE times = old.times)
        AND NOT EXISTS (SELECT 1 FROM sample_steps WHERE times = old.times); END"""


_FOLLOWING = (
    _unused("sample_chunks"),
    _unused("sample_steps"),
    """CREATE TRIGGER sample_series_new AFTER INSERT ON sample_series BEGIN
        INSERT OR IGNORE INTO sample_labels (name, value) SELECT key, value FROM json_each(new.labels);
        INSERT INTO sample_postings SELECT l.id, new.id FROM json_each(new.labels) j
        JOIN sample_labels l ON l.name = j.key AND l.value = j.value; END""",
    """CREATE TRIGGER sample_series_gone AFTER DELETE ON sample_series BEGIN
        DELETE FROM sample_labels WHERE id IN (SELECT label FROM sample_postings WHERE series = old.id)
        AND NOT EXISTS (SELECT 1 FROM sample_postings WHERE label = sample_labels.id AND series <> old.id);
        DELETE FROM sample_postings WHERE series = old.id; END""",
)
