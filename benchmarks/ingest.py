"""Bulk import: rows/s and peak memory, beside plain `sqlite3.executemany` of the same rows.

The reference parses the same file with the `csv` module and writes it into one wide table with a unique
key, WAL and `synchronous = NORMAL`: no cleaning, no prices, no identities, no roll-ups. Each side runs in a
process of its own, in turn, so that a drift of the machine's speed meets both.

    python benchmarks/ingest.py --calls 1000000 --runs 3
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from data import FIELDS, write_csv

PRIVATE = ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")
REFERENCE = """
import csv, sqlite3, sys
con = sqlite3.connect(sys.argv[2], isolation_level=None)
con.execute("PRAGMA journal_mode=WAL"); con.execute("PRAGMA synchronous=NORMAL")
con.execute("CREATE TABLE calls(id INTEGER PRIMARY KEY, source_key TEXT UNIQUE, ts, provider, model, user,"
            " input_tokens INTEGER, output_tokens INTEGER, latency_ms REAL, status)")
with open(sys.argv[1], newline="") as file:
    rows = csv.reader(file); next(rows)
    batch = []
    def flush():
        con.execute("BEGIN")
        con.executemany("INSERT OR IGNORE INTO calls(source_key,ts,provider,model,user,input_tokens,"
                        "output_tokens,latency_ms,status) VALUES(?,?,?,?,?,?,?,?,?)", batch)
        con.execute("COMMIT"); batch.clear()
    for number, row in enumerate(rows):
        batch.append((f"row-{number}", *row))
        if len(batch) == 10_000: flush()
    flush()
"""


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


def main() -> None:
    """Print rows/s and memory of both sides, and the ratio run by run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "calls.csv"
        write_csv(source, args.calls, args.days)
        mapping = [part for field in FIELDS for part in ("--map", f"{field}={field}")]
        ratios: list[float] = []
        for run in range(args.runs):
            home = Path(folder) / f"run{run}"
            home.mkdir()
            env = {
                **os.environ,
                "XDG_DATA_HOME": str(home),
                "XDG_STATE_HOME": str(home),
                "XDG_RUNTIME_DIR": str(home),
            }
            ours, memory = measured(
                [sys.executable, "-m", "tui_monitor", "--db", str(home / "monitor.db"), "import",
                 "--format", "csv", *mapping, str(source)], env,
            )  # fmt: skip
            theirs, reference_memory = measured(
                [sys.executable, "-c", REFERENCE, str(source), str(home / "reference.db")], env
            )
            ratios.append(theirs / ours)
            size, reference_size = ((home / name).stat().st_size for name in ("monitor.db", "reference.db"))
            print(
                f"run {run + 1}: import {args.calls / ours:,.0f} rows/s, {memory:.0f} MB peak, "
                f"{size / args.calls:.0f} bytes/call | reference {args.calls / theirs:,.0f} rows/s, "
                f"{reference_memory:.0f} MB peak, {reference_size / args.calls:.0f} bytes/call | "
                f"ratio {ratios[-1]:.3f}"
            )
            for file in home.iterdir():
                file.unlink() if file.is_file() else None
        print(f"median ratio {statistics.median(ratios):.3f} of the reference's rows/s")


if __name__ == "__main__":
    main()
