"""What a collector costs that has nothing to do: processor time, wake-ups and memory, with its doors open.

A collector is started as a process of its own on an empty database, or on a copy of one (`--database`), and
left alone for a while (`--settle`); then it is watched. Processor time is what the kernel counts for the
process, so other programs hardly change it. Wake-ups are how often its threads gave up the processor to wait
for something. With `--scrape`, `/metrics` is asked every so many seconds, and how long the answers took is
told as well; the first scrape of a database counts everything in it, and is told apart.

    python benchmarks/idle.py --minutes 5
    python benchmarks/idle.py --minutes 5 --scrape 15 --database /path/to/monitor.db
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

_START_SECONDS = 120.0
_PRIVATE = ("CONFIG_HOME", "DATA_HOME", "STATE_HOME", "RUNTIME_DIR")


@dataclass(frozen=True, slots=True)
class Seen:
    """A process at one moment."""

    at: float
    cpu: float
    woken: int
    resident: int


def seen(process: psutil.Process) -> Seen:
    """How it is now."""
    cpu, memory = process.cpu_times(), process.memory_info()
    woken = sum(
        int(line.split()[1])
        for task in Path(f"/proc/{process.pid}/task").iterdir()
        for line in (task / "status").read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )
    return Seen(time.monotonic(), cpu.user + cpu.system, woken, memory.rss)


def started(folder: Path, database: Path) -> tuple[subprocess.Popen[str], str]:
    """A collector, and where its TCP door stands."""
    env = {**os.environ, "TUI_MONITOR_SERVER__LISTEN": "127.0.0.1:0"}
    for name in _PRIVATE:
        place = folder / name.lower()
        place.mkdir(mode=0o700)
        env[f"XDG_{name}"] = str(place)
    command = [sys.executable, "-m", "tui_monitor", "--db", str(database), "collect"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and (line := process.stdout.readline()):
        if "listening on " in line:
            return process, line.partition("listening on ")[2].split()[0]
    raise SystemExit("the collector did not open its door")


def watched(process: psutil.Process, url: str, seconds: float, every: float) -> list[float]:
    """Wait, or scrape; how long each scrape took (s)."""
    until, took = time.monotonic() + seconds, []
    with httpx.Client(base_url=url, timeout=60) as client:
        while (left := until - time.monotonic()) > 0:
            if every:
                began = time.monotonic()
                client.get("/metrics").raise_for_status()
                took.append(time.monotonic() - began)
            time.sleep(min(left, every or left))
    return took


def main() -> None:
    """Print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--settle", type=float, default=60.0, help="seconds before it is watched")
    parser.add_argument("--database", type=Path, help="a database to copy; an empty one by default")
    parser.add_argument("--scrape", type=float, default=0.0, help="seconds between two scrapes of /metrics")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "monitor.db"
        if args.database:
            shutil.copyfile(args.database, database)
        collector, url = started(Path(folder), database)
        try:
            process = psutil.Process(collector.pid)
            first = watched(process, url, args.settle, args.scrape)
            before = seen(process)
            took = watched(process, url, args.minutes * 60, args.scrape)
            after = seen(process)
        finally:
            collector.terminate()
            collector.wait(10)
    length = after.at - before.at
    cpu = after.cpu - before.cpu
    print(f"watched        {length:.0f} s")
    print(f"processor      {cpu:.2f} s, {100 * cpu / length:.2f} % of a core")
    print(f"wake-ups       {(after.woken - before.woken) / length:.1f}/s")
    print(f"memory (RSS)   {before.resident / 1e6:.0f} MB, then {after.resident / 1e6:.0f} MB")
    if took:
        print(f"scrapes        {len(took)}, median {1000 * statistics.median(took):.1f} ms, "
              f"longest {1000 * max(took):.1f} ms; the very first {1000 * first[0]:.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
