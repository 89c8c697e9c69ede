"""Events and samples know the import that brought them, and samples when they came late."""

import sqlite3

NAME = "imported_feed"
AFTER: tuple[str, ...] = ("feed",)


def up(conn: sqlite3.Connection) -> None:
    """Add the columns. `arrived` is set only where a sample came long after its time."""
    for statement in (
        "ALTER TABLE events ADD COLUMN batch_id_t INTEGER",
        "ALTER TABLE samples ADD COLUMN batch_id_t INTEGER",
        "ALTER TABLE samples ADD COLUMN arrived INTEGER",
        "CREATE INDEX events_batch ON events (batch_id_t) WHERE batch_id_t IS NOT NULL",
        "CREATE INDEX samples_batch ON samples (batch_id_t) WHERE batch_id_t IS NOT NULL",
    ):
        conn.execute(statement)
