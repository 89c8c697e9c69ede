"""Samples: append rate, bytes per sample by shape of data, memory, and hours of a thousand series read back.

The data are made of the traces of `data.py`: arrivals counted (counter), the share of a server's slots in use
to four digits (gauge), lengths of gaps as measured (noise), limits (constant); a quarter of the series each.
Beside them Prometheus and VictoriaMetrics hold the same samples, where they are installed:

    apt install prometheus victoria-metrics
    python benchmarks/samples.py --series 1000 --hours 6 --runs 5

What each side's time is made of is printed with it. Prometheus answers over HTTP in JSON; ours is read in
this process, once as arrays and once with the same JSON made of it.
"""

import argparse
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import orjson
from data import END, load
from peers import Data, prometheus, timed, victoria

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import HOUR, SECOND, ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.model.histogram import NativeHistogram, bucket_of
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series import codec, histogram_codec
from tui_monitor.store.series.histograms import Histograms

TICK = 15 * SECOND
SLOTS = 64
RUN = 64
FEW = 40
"""Series of each shape in a database of its own."""
MEMORY = """
import gc, resource, sys, tracemalloc
from pathlib import Path
from tui_monitor.model.clock import ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
traced = sys.argv[2] == "traced"
clock = ManualClock(1_772_323_200_000_000)
store = Store.open(Path(sys.argv[1]), write=True, clock=clock)
def scrape():
    clock.advance(15_000_000)
    at = clock.now()
    store.write(WriteBatch(samples=[
        Sample("m", at, float(at % 97 + i), {"host": str(i)}, "counter") for i in range(1000)]))
def resident():
    gc.collect()
    fields = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return [int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "RssFile", "RssShmem")]
scrape()
if traced:
    tracemalloc.start()
before = resident()
for _ in range(2):
    for _ in range(100):
        scrape()
    more = [b - a for a, b in zip(before, resident())]
    print(tracemalloc.get_traced_memory()[0] if traced else more[0], more[1] + more[2])
"""


def shapes(series: int, ticks: int) -> Data:
    """A quarter of the series of each shape."""
    traces, rng, each = load(), np.random.default_rng(1), max(1, series // 4)
    per_tick = max(2, round(15 / float(traces.gaps.mean())))
    # Runs of consecutive gaps keep the bursts of the originals.
    runs = -(-ticks * per_tick // RUN)
    starts = rng.integers(0, len(traces.gaps) - RUN, (each, runs))
    gaps = traces.gaps[(starts[:, :, None] + np.arange(RUN)).reshape(each, -1)]
    arrived = np.cumsum(gaps, axis=1)
    edges = np.arange(1, ticks + 1) * 15.0
    counts = np.array([np.searchsorted(row, edges) for row in arrived], dtype=np.float64)
    new = np.diff(counts, axis=1, prepend=0)
    return {
        "constant": np.repeat(rng.integers(1, 1_000, (each, 1)) * 1e6, ticks, axis=1),
        "counter": counts,
        "gauge": np.round(np.minimum(1.0, new / SLOTS + 0.001 * rng.integers(0, 9, new.shape)), 4),
        "noise": gaps[:, :ticks] * 1.000001,
    }


def times(ticks: int) -> np.ndarray:
    """When each of them is measured; µs."""
    return END - np.arange(ticks, 0, -1) * TICK


def append(path: Path, data: Data, at: np.ndarray) -> float:
    """Write all as scrapes do, one commit for each instant; seconds."""
    store = Store.open(path, write=True, clock=ManualClock(int(at[-1])))
    named = [
        ({"shape": shape, "host": str(i)}, row)
        for shape, rows in data.items()
        for i, row in enumerate(rows.tolist())
    ]
    start = time.perf_counter()
    for tick, moment in enumerate(at.tolist()):
        store.write(WriteBatch(samples=[Sample("bench", moment, row[tick], labels) for labels, row in named]))
    spent = time.perf_counter() - start
    store.close()
    return spent


def append_plainly(path: Path, data: Data, at: np.ndarray) -> float:
    """The same rows into a plain table, one commit for each instant; seconds."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=NORMAL")
    conn.execute(
        "CREATE TABLE s (series INTEGER, ts INTEGER, value REAL, PRIMARY KEY (series, ts)) WITHOUT ROWID"
    )
    rows = [row for many in data.values() for row in many.tolist()]
    start = time.perf_counter()
    for tick, moment in enumerate(at.tolist()):
        conn.execute("BEGIN")
        conn.executemany(
            "INSERT OR REPLACE INTO s VALUES (?, ?, ?)",
            [(i, moment, row[tick]) for i, row in enumerate(rows)],
        )
        conn.execute("COMMIT")
    spent = time.perf_counter() - start
    conn.close()
    return spent


def sealed_bytes(path: Path) -> int:
    """Bytes that a database uses once all samples are in chunks."""
    clock = ManualClock(END + 25 * HOUR)
    store = Store.open(path, write=True, clock=clock)
    store.retain(Retention(), clock.now())
    used = store.size_bytes()
    store.close()
    return used


def bytes_by_shape(folder: Path, data: Data, at: np.ndarray) -> None:
    """Print bytes per sample of each shape, in a database of its own, without what an empty one takes."""
    empty = folder / "empty.db"
    Store.open(empty, write=True, clock=ManualClock(END)).close()
    base = sealed_bytes(empty)
    for shape, many in data.items():
        path, rows = folder / f"{shape}.db", many[:FEW]
        append(path, {shape: rows}, at)
        told = (sealed_bytes(path) - base) / rows.size
        print(
            f"  {shape:9} {told:5.2f} bytes/sample, labels and indexes included | ratio {told / 16:.3f} of 16"
        )
        path.unlink()


def bytes_of_histograms(ticks: int) -> None:
    """Print bytes per native histogram beside those of the same counts as classic buckets."""
    traces, rng = load(), np.random.default_rng(2)
    lengths = np.array([ms for ms, _ in traces.outcomes if ms])
    totals: dict[int, float] = {}
    total, bodies = 0.0, []
    for _ in range(ticks):
        for ms in rng.choice(lengths, 30):
            index = -(-bucket_of(ms) // 8)
            totals[index] = totals.get(index, 0.0) + 1
            total += float(ms)
        bodies.append(NativeHistogram(3, sum(totals.values()), total, positive=tuple(sorted(totals.items()))))
    table = Histograms.of(bodies).positive.table()[1]
    classic = [
        *np.cumsum(table, axis=1).T,
        np.array([b.count for b in bodies]),
        np.array([b.sum for b in bodies]),
    ]
    ours = len(histogram_codec.encode(Histograms.of(bodies))) / ticks
    theirs = sum(len(codec.encode_floats(np.ascontiguousarray(column))) for column in classic) / ticks
    logged = sum(len(body.to_bytes()) for body in bodies) / ticks
    print(
        f"native histograms, {table.shape[1]} buckets, 30 new observations each 15 s: {ours:.1f} bytes each "
        f"in chunks, {logged:.1f} in the log | as classic buckets {theirs:.1f} | ratio {ours / theirs:.3f}"
    )


def memory(folder: Path) -> None:
    """Print what a process takes more after 100,000 samples of 1,000 series it knows."""
    found: dict[str, list[float]] = {}
    for how in ("traced", "resident"):
        command = [sys.executable, "-c", MEMORY, str(folder / f"{how}.db"), how]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        found[how] = [float(part) / 1e6 for part in told.split()]
    python, (own, mapped, more, _) = found["traced"][0], found["resident"]
    print(
        f"memory of 100,000 samples (1,000 series × 100) beyond the base: {own:.2f} MB of the process's own, "
        f"{python:.2f} of them Python objects; {more:.2f} MB after 100,000 more | {own / 2:.2f} of the 2 MB "
        f"allowed\n  (beside it {mapped:.2f} MB of the file's pages are mapped: the system takes them back)"
    )


def as_json(store: Store, span: Span) -> bytes:
    """What Prometheus answers to `[6h]`, from our samples."""
    series = {s.id: s for s in store.series()}
    found = store.samples(list(series), span)
    rows = [
        {
            "metric": {"__name__": series[number].name, **series[number].labels},
            "values": list(zip((at / 1e6).tolist(), map(repr, values.tolist()), strict=True)),
        }
        for number, (at, values) in found.items()
    ]
    return orjson.dumps({"status": "success", "data": {"resultType": "matrix", "result": rows}})


def compare(path: Path, peer: dict[str, tuple[float, float]], ticks: int, runs: int) -> None:
    """Print what reading all back takes on both sides."""
    store = Store.open(path, write=False, clock=ManualClock(END))
    span = Span(END - (ticks + 1) * TICK, END)
    ids = [s.id for s in store.series()]
    sides = {
        "arrays in this process": timed(lambda: store.samples(ids, span), runs),
        "the same JSON made in this process, no HTTP": timed(lambda: as_json(store, span), runs),
    }
    store.close()
    for what, (first, warm) in sides.items():
        print(f"  ours, {what}: first {first * 1e3:,.0f} ms, warm {warm * 1e3:,.0f} ms")
    named = {
        "all": "all samples as JSON over HTTP, not parsed",
        "count": "all samples counted there, one number over HTTP",
    }
    for name, (first, warm) in peer.items():
        print(f"  prometheus, {named[name]}: first {first * 1e3:,.0f} ms, warm {warm * 1e3:,.0f} ms")
    if peer:
        arrays, text = (warm for _, warm in sides.values())
        print(
            f"  ratio of warm times: JSON to JSON {text / peer['all'][1]:.3f}, "
            f"arrays to counting {arrays / peer['count'][1]:.3f}"
        )


def main() -> None:
    """Print every figure with its reference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--series", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=6.0)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    ticks = int(args.hours * HOUR // TICK)
    data, at = shapes(args.series, ticks), times(ticks)
    samples = sum(rows.size for rows in data.values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        memory(folder)
        bytes_of_histograms(ticks)
        path = folder / "samples.db"
        ours, plain = append(path, data, at), append_plainly(folder / "plain.db", data, at)
        print(
            f"append, {args.series} series a commit: {samples / ours:,.0f} samples/s, sealing included | "
            f"plain table {samples / plain:,.0f} rows/s | ratio {plain / ours:.3f}"
        )
        print(f"all shapes together: {sealed_bytes(path) / samples:.2f} bytes/sample, the whole database")
        bytes_by_shape(folder, data, at)
        peer = prometheus(folder, data, at, args.runs)
        victoria(folder, data, at)
        print(f"reading {args.series} series × {args.hours:g} h at 15 s back:")
        compare(path, peer, ticks, args.runs)
        print(
            f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB"
        )


if __name__ == "__main__":
    main()
