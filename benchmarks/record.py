"""Durable ingest through the recorder, event by event, beside `executemany` of the same rows (see wide.py).

Ours: every call is handed over by itself by one of some thousand senders that wait for the commit; the
recorder cleans, prices, identifies and commits them in groups, as in a collector, with the collector's
settings, and keeps every roll-up. Building the calls is not timed, what the recorder's threads do is. Sides
in turn, each into a new database in a process of its own.

    python benchmarks/record.py --calls 200000 --runs 3
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
from data import chunks, load
from table import Row, alone, show
from wide import calls, prepared, preparer, store

from tui_monitor.config.settings import Collector
from tui_monitor.model.bus import EventBus
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.recorder.recorder import Recorder
from tui_monitor.store.database import Store

SENDERS = 4_000


def some(count: int) -> Iterator[Call]:
    """Calls of the last week before the end of the traces."""
    traces, first = load(), 0
    for chunk in chunks(traces, count, 7):
        yield from calls(traces, chunk, "bench", first)
        first += len(chunk.ts)


async def _record(database: Path, found: list[Call]) -> float:
    clock = SystemClock()
    target = Store.open(database, write=True, clock=clock)
    recorder = Recorder(target, preparer(clock.now()), Collector(), clock, EventBus())
    await recorder.start()
    waiting = iter(found)

    async def send() -> None:
        for call in waiting:
            await recorder.submit([call])

    began = time.perf_counter()
    await asyncio.gather(*(send() for _ in range(SENDERS)))
    took = time.perf_counter() - began
    await recorder.stop()
    target.close()
    return took


def one(side: str, database: Path, count: int) -> float:
    """Rows per second of one side."""
    found = list(some(count))
    if side == "reference":
        return count / store(database, prepared(found, SystemClock().now()))
    return count / asyncio.run(_record(database, found))


def compare(count: int, runs: int) -> Iterator[Row]:
    """Both sides in turn; medians."""
    pairs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(runs):
            ours, theirs = (
                alone(
                    "record.py",
                    "--side",
                    side,
                    "--calls",
                    count,
                    "--database",
                    Path(folder) / f"{side}{run}.db",
                )
                for side in ("ours", "reference")
            )
            pairs.append((ours, theirs))
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    yield Row(
        f"recorder, one by one, {count:,} calls", f"{ours:,.0f} calls/s", f"executemany {theirs:,.0f} rows/s",
        f"{ratio:.3f}", ">= 0.2", ratio >= 0.2,
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", choices=("ours", "reference"), help=argparse.SUPPRESS)
    parser.add_argument("--database", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.side:
        print(orjson.dumps(one(args.side, args.database, args.calls)).decode())
        return
    show(list(compare(args.calls, args.runs)))


if __name__ == "__main__":
    main()
