"""All benchmarks of the store in one table, each figure with the reference that ran beside it.

Databases are made by `tui-monitor import` from the generator's files, one of a tenth of the calls and one of
all of them; they stay in `--folder`, and are taken from there the next time. Each part says in its own file
what its sides include: record.py, live.py, ingest.py, questions.py and panes.py.

    python benchmarks/store.py --all
    python benchmarks/store.py --calls 10000000 --parts questions panes
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import ingest
import live
import panes
import questions
import record
from data import write_csv
from table import Row, show

PARTS = ("record", "ingest", "live", "questions", "panes")


class Databases:
    """Imported databases of some sizes, made when they are first needed."""

    def __init__(self, folder: Path, days: float) -> None:
        self._folder = folder
        self._days = days

    def of(self, count: int) -> Path:
        """The database of that many calls, as it is an hour after the import."""
        database = self._folder / f"{count}.csv.db"
        if not database.exists():
            source, made = (self._folder / f"{count}.{what}" for what in ("csv", "making"))
            made.unlink(missing_ok=True)
            write_csv(source, count, self._days)
            ingest.bring(source, made, "csv", self._folder)
            ingest.settle(made)
            made.rename(database)
            source.unlink()
        return database

    def duck(self, count: int) -> Path:
        """The same rows in a DuckDB file."""
        duck = self._folder / f"{count}.duckdb"
        if not duck.exists():
            questions.fill(self.of(count), duck)
        return duck


def rows(part: str, databases: Databases, count: int, days: float, runs: int) -> Iterator[Row]:
    """The figures of one part."""
    few = max(100_000, count // 10)
    parts: dict[str, Callable[[], Iterator[Row]]] = {
        "record": lambda: record.compare(min(count, 200_000), runs),
        "ingest": lambda: (
            row for form in ingest.REACH for row in ingest.compare(form, count, days, runs, None)
        ),
        "live": lambda: live.measure([1_000, 10_000], 20, databases.of(count)),
        "questions": lambda: iter(
            questions.against_duckdb(databases.of(count), databases.duck(count), 3 * runs, runs)
        ),
        "panes": lambda: panes.compare(databases.of(few), databases.of(count), runs),
    }
    return parts[part]()


def main() -> None:
    """Print the table, part by part and then whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every part")
    parser.add_argument("--parts", choices=PARTS, nargs="+", default=[])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--folder", type=Path, default=Path("build/benchmarks"), help="where databases are kept"
    )
    args = parser.parse_args()
    parts = PARTS if args.all or not args.parts else args.parts
    args.folder.mkdir(parents=True, exist_ok=True)
    databases = Databases(args.folder, args.days)
    found: list[Row] = []
    for part in parts:
        one = list(rows(part, databases, args.calls, args.days, args.runs))
        show(one)
        found += one
    print(f"\n{args.calls:,} calls over {args.days:g} days, {os.cpu_count()} cores, {args.runs} runs\n")
    show(found)


if __name__ == "__main__":
    main()
