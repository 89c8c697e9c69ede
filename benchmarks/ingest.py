"""Bulk import of CSV and JSON lines: rows/s, memory and bytes on disk, beside `executemany` (see wide.py).

Ours is the whole command `tui-monitor import`, from its start to its end: parsing, cleaning, pricing, finding
what is known already, roll-ups. The reference stores the same calls as ready rows; what it needs to make them
is not counted. Sides in turn, in processes of their own, so that a drift of the machine's speed meets both.

Memory is that of all processes of the import together, looked at every 20 ms. Bytes are those of the database
after the upkeep of an hour later and `db compact`, roll-ups and all, against those of the wide table with its
unique key. `--keep` leaves the last database of each format in a folder, for questions.py and panes.py.

    python benchmarks/ingest.py --calls 1000000 --formats csv jsonl --runs 3
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import orjson
from data import END, FIELDS, chunks, load, write_csv, write_jsonl
from table import Row, alone, private, show
from wide import calls, prepared, store

from tui_monitor.model.clock import HOUR, SystemClock
from tui_monitor.store.database import Store

REACH = {"csv": 1.0, "jsonl": 0.3}


def timed(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Seconds and peak memory (MB, all its processes together) of one command."""
    start = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=errors)
        peak = 0.0
        while True:
            peak = max(peak, sum(map(resident, family(process.pid))))
            try:
                process.wait(0.02)
                break
            except subprocess.TimeoutExpired:
                continue
        seconds = time.perf_counter() - start
        if process.returncode:
            errors.seek(0)
            sys.exit(f"{' '.join(command)}\n{errors.read().decode()}")
    # A peak between two looks is known of the largest one at least.
    return seconds, max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        try:
            tasks = [task / "children" for task in Path(f"/proc/{parent}/task").iterdir()]
            found += [int(child) for task in tasks for child in task.read_text().split()]
        except OSError:
            continue
    return found


def resident(pid: int) -> float:
    """MB of one process that lie in memory; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6
    except (OSError, IndexError):
        return 0.0


def measured(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """`timed` in a process of its own, so that one command's peak memory does not hide another's."""
    probe = (
        f"from ingest import timed; import json, os; print(json.dumps(timed({command!r}, dict(os.environ))))"
    )
    out = subprocess.run(
        [sys.executable, "-c", probe], env=env, cwd=Path(__file__).parent, capture_output=True, text=True
    )
    if out.returncode:
        sys.exit(out.stderr)
    seconds, memory = json.loads(out.stdout)
    return seconds, memory


def reference(path: Path, form: str, count: int, days: float) -> float:
    """Seconds to store the same calls in the wide table."""
    traces, first, took = load(), 0, 0.0
    for chunk in chunks(traces, count, days):
        found = list(calls(traces, chunk, "bench-1", first))
        for number, call in enumerate(found, first):
            call.source, call.batch_id = "import", "20260301-000000-0000"
            if form == "csv":
                # Rows without an id get a hash of theirs.
                call.source_key = blake2b(str(number).encode(), digest_size=12).hexdigest()
        first += len(found)
        took += store(path, prepared(found, END))
    return took


def settle(path: Path) -> None:
    """What the collector does in the hour after, at once."""
    clock = SystemClock()
    database = Store.open(path, write=True, clock=clock)
    database.seal(clock.now() + 2 * HOUR)
    database.compact()
    database.close()


def bring(source: Path, database: Path, form: str, folder: Path) -> tuple[float, float]:
    """Import a file; seconds and peak memory in MB."""
    mapping = [part for field in FIELDS for part in ("--map", f"{field}={field}")] if form == "csv" else []
    command = [sys.executable, "-m", "tui_monitor", "--db", str(database), "import", "--format", form]
    return measured([*command, *mapping, str(source)], private(folder))


def compare(form: str, count: int, days: float, runs: int, keep: Path | None) -> Iterator[Row]:
    """Both sides in turn, each time into new databases."""
    ours: list[float] = []
    theirs: list[float] = []
    peak = 0.0
    with tempfile.TemporaryDirectory(dir=keep) as name:
        folder = Path(name)
        source = folder / f"calls.{form}"
        (write_csv if form == "csv" else write_jsonl)(source, count, days)
        database, wide = folder / "monitor.db", folder / "wide.db"
        for _ in range(runs):
            for old in (*folder.glob("monitor.db*"), *folder.glob("wide.db*")):
                old.unlink()
            seconds, memory = bring(source, database, form, folder)
            ours.append(count / seconds)
            peak = max(peak, memory)
            args = ("--reference", wide, "--formats", form, "--calls", count, "--days", days)
            theirs.append(count / alone("ingest.py", *args))
        settle(database)
        size, wide_size = (path.stat().st_size / count for path in (database, wide))
        if keep is not None:
            database.rename(keep / f"{count}.{form}.db")
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    yield Row(
        f"import of {form}, {count:,} calls", f"{statistics.median(ours):,.0f} rows/s",
        f"executemany {statistics.median(theirs):,.0f} rows/s", f"{ratio:.3f}", f">= {REACH[form]}",
        ratio >= REACH[form],
    )  # fmt: skip
    yield Row(f"  its memory, {count:,} calls", f"{peak:.0f} MB", asked="bounded")
    yield Row(
        f"  bytes per call, {count:,} calls", f"{size:.1f}", f"wide table {wide_size:.1f}",
        f"{size / wide_size:.3f}", "<= 0.25", size / wide_size <= 0.25,
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--formats", choices=tuple(REACH), nargs="+", default=list(REACH))
    parser.add_argument("--keep", type=Path, help="a folder for the databases")
    parser.add_argument("--reference", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.reference:
        print(orjson.dumps(reference(args.reference, args.formats[0], args.calls, args.days)).decode())
        return
    for form in args.formats:
        show(list(compare(form, args.calls, args.days, args.runs, args.keep)))


if __name__ == "__main__":
    main()
