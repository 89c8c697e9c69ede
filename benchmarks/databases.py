"""Databases of imported calls that several benchmarks ask; made when they are first needed, and kept.

Unlike fixtures of a test they take minutes, so that they stay in a folder and are taken from there the next
time. Nobody may write to them: a benchmark that does copies one before.
"""

from pathlib import Path

import ingest
from data import write_csv

FOLDER = Path("build/benchmarks")
"""Where they are kept unless told otherwise, below the working directory."""
FEW, MANY = 100_000, 1_000_000
"""Calls of those that are asked where none is named: the same span, a tenth of the calls and all."""
DAYS = 30.0


class Databases:
    """Imported databases of some sizes."""

    def __init__(self, folder: Path = FOLDER, days: float = DAYS) -> None:
        self._folder = folder
        self._days = days

    def of(self, count: int) -> Path:
        """The database of that many calls, as it is an hour after the import."""
        self._folder.mkdir(parents=True, exist_ok=True)
        database = self._folder / f"{count}.csv.db"
        if not database.exists():
            print(f"making {database}", flush=True)
            source, made = (self._folder / f"{count}.{what}" for what in ("csv", "making"))
            made.unlink(missing_ok=True)
            write_csv(source, count, self._days)
            ingest.bring(source, made, "csv", self._folder)
            ingest.settle(made)
            made.rename(database)
            source.unlink()
        return database
