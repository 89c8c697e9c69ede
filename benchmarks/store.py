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
from databases import FOLDER, Databases
from table import Row, show

PARTS = ("record", "ingest", "live", "questions", "panes")


def duck(databases: Databases, count: int) -> Path:
    """The rows of the database of that many calls in a DuckDB file."""
    database = databases.of(count)
    found = database.with_name(f"{count}.duckdb")
    if not found.exists():
        questions.fill(database, found)
    return found


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
            questions.against_duckdb(databases.of(count), duck(databases, count), 3 * runs, runs)
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
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where databases are kept")
    args = parser.parse_args()
    parts = PARTS if args.all or not args.parts else args.parts
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
