"""What forwarding costs: processor time of a look, and memory, by how many series are sent.

Each label set (a model of its own) gets a call before each look, so every series grows each time; with
`--still` none does. A look reads what was counted, makes the requests and puts them into the queue, as a
collector does every 15 s; sending them is not in it. Processor time is this process's own, memory is what
lies in RAM (RSS) beyond what it was before the first look.

    python benchmarks/forward.py --sets 10 50 200 --looks 20
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from tui_monitor.config.forwarding import Forward
from tui_monitor.forward.gather import Gatherer
from tui_monitor.forward.queue import Queue
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import SECOND, ManualClock
from tui_monitor.query.exported import INTERVAL
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

_BEGIN = 1_790_000_010 * SECOND
"""On the grid of looks."""


def _resident() -> int:
    """Bytes in RAM."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1_024
    return 0


def _calls(sets: int, look: int, at: int) -> list[Call]:
    return [
        Call(
            "bench", f"{look}.{number}", ts_end=at, provider="openai", model_served=f"m{number}",
            status="success", latency_ms=100.0 + 37 * number % 9_000, ttft_ms=50.0, in_uncached=100,
            out_total=50, cost=10**6, cost_status="computed",
        )
        for number in range(sets)
    ]  # fmt: skip


def measured(sets: int, looks: int, *, natives: bool, still: bool) -> tuple[str, ...]:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(_BEGIN)
        store = Store.open(Path(folder) / "m.db", write=True, clock=clock)
        queue = Queue(Path(folder) / "q", 10**9, ["nobody"])
        engine = LocalEngine(store, Calendar(), clock=clock)
        settings = Forward(samples=False, native_histograms=natives, max_series=10**6)
        gatherer = Gatherer(settings, engine, StoredSamples(store), queue)
        store.write(WriteBatch(_calls(sets, 0, clock.now())))
        before, seconds = _resident(), []
        series = gatherer.look(clock.now())
        for look in range(1, looks + 1):
            clock.advance(INTERVAL)
            if not still:
                store.write(WriteBatch(_calls(sets, look, clock.now() - SECOND)))
            began = time.process_time()
            gatherer.look(clock.now())
            seconds.append(time.process_time() - began)
        memory, waiting = _resident() - before, queue.standing("nobody").waiting_bytes
        queue.close()
        store.close()
    middle = statistics.median(seconds)
    return (
        f"{series:,}", f"{middle * 1e3:.1f}", f"{middle / series * 1e6:.1f}",
        f"{middle * SECOND / INTERVAL * 100:.2f}", f"{memory / 1e6:.1f}",
        f"{waiting / (looks + 1) / series:.1f}",
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sets", type=int, nargs="+", default=[10, 50, 200])
    parser.add_argument("--looks", type=int, default=20)
    parser.add_argument("--natives", action="store_true", help="native histograms too")
    parser.add_argument("--still", action="store_true", help="no calls between looks")
    given = parser.parse_args()
    head = ("series", "ms a look", "ms per 1,000", "% of a core", "memory MB", "bytes a sample")
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for sets in given.sets:
        row = measured(sets, given.looks, natives=given.natives, still=given.still)
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
