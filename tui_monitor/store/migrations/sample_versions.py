"""Two numbers that tell whether samples that were read are still what they were."""

import sqlite3

NAME = "sample_versions"
AFTER: tuple[str, ...] = ("native_histograms",)


def up(conn: sqlite3.Connection) -> None:
    """Begin both; series that go change the second by themselves."""
    conn.execute("INSERT INTO meta VALUES ('samples_grown', 0), ('samples_changed', random())")
    conn.execute(
        """CREATE TRIGGER sample_series_changed AFTER DELETE ON sample_series BEGIN
        UPDATE meta SET value = random() WHERE name = 'samples_changed'; END"""
    )
