"""A collector under load: processor time, memory, how long pushes and questions wait.

A real `collect` process takes calls over HTTP in requests of 200 lines, sent at an even pace from this
process; the requests are made before. Meanwhile another process has the database open for reading, as a
viewer has, and asks the questions of the panes one after the other, nothing kept between them. Processor
seconds are the collector's own, as a share of one core; memory is what lies in RAM (RSS), and its
proportional share of what several processes have in common (PSS).

A push waits for its commit; the times are measured again while a reader holds a transaction open all along.
The times of questions are compared with those of the same process, a moment before, while nothing came in.

    python benchmarks/live.py --seconds 20 --rates 1000 10000
"""

import argparse
import http.client
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import orjson
from data import chunks, events, load
from panes import asked, now_of, took
from table import HERE, Row, private, show

from tui_monitor.model.clock import SystemClock
from tui_monitor.store.database import Store

LINES = 200
SENDERS = 8
_TICKS = os.sysconf("SC_CLK_TCK")
_KEPT = ("RAW", "MINUTE", "HOUR", "DAY", "SAMPLES", "SAMPLES_STEPS")


@dataclass
class Collector:
    """A running collector and how to reach it."""

    process: subprocess.Popen[bytes]
    port: int
    database: Path

    def processor(self) -> float:
        """Seconds of processor it has used."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / _TICKS

    def memory(self) -> tuple[float, float]:
        """RSS and PSS in MB."""
        lines = Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
        return int(sizes["Rss"]) / 1000, int(sizes["Pss"]) / 1000


@contextmanager
def collecting(folder: Path, stored: Path | None) -> Iterator[Collector]:
    """A collector over a new database or a copy of one."""
    database = folder / "monitor.db"
    if stored is not None:
        shutil.copyfile(stored, database)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**private(folder), "TUI_MONITOR_SERVER__LISTEN": f"127.0.0.1:{port}"}
    # A database of long ago is not to be tidied while it is measured.
    env |= {f"TUI_MONITOR_RETENTION__{name}": "3650d" for name in _KEPT}
    env["TUI_MONITOR_RETENTION__SIZE"] = "0"
    command = [sys.executable, "-m", "tui_monitor", "--db", str(database), "collect"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            if _ready(port):
                break
            time.sleep(0.1)
        else:
            sys.exit("the collector did not come up")
        yield Collector(process, port, database)
    finally:
        process.terminate()
        process.wait(30)


def _ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False


@dataclass
class Load:
    """What came of pushing at a pace."""

    rate: int
    seconds: float
    calls: int = 0
    refused: int = 0
    waits: list[float] = field(default_factory=list)
    """Milliseconds from sending a request to its answer, which comes after the commit."""
    late: list[float] = field(default_factory=list)
    """Seconds by which requests were sent after their time."""


def bodies(rate: int, seconds: float, name: str) -> list[bytes]:
    """The requests of a load; the calls of each end before it is sent, in the order of the traces."""
    traces = load()
    count = int(rate * seconds)
    made: list[bytes] = []
    now = time.time()
    number = 0
    for chunk in chunks(traces, count, 1, size=LINES):
        lines = []
        for event in events(traces, chunk, name, number):
            number += 1
            event["ts_end"] = now + (number - LINES) / rate
            lines.append(orjson.dumps(event))
        made.append(b"\n".join(lines))
    return made


def push(collector: Collector, rate: int, seconds: float, name: str) -> Load:
    """Send at an even pace over some connections; whoever is late sends at once."""
    requests = bodies(rate, seconds, name)
    done = Load(rate, seconds)
    lock, turn = threading.Lock(), iter(enumerate(requests))
    began = time.perf_counter()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", collector.port, timeout=60)
        headers = {"Content-Type": "application/x-ndjson"}
        while True:
            with lock:
                number, body = next(turn, (0, b""))
            if not body:
                return
            due = began + number * LINES / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            sent = time.perf_counter()
            try:
                connection.request("POST", "/monitor/v1/events", body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except OSError:
                # It has ended.
                with lock:
                    done.refused += LINES
                return
            with lock:
                done.waits.append((time.perf_counter() - sent) * 1000)
                done.late.append(sent - due)
                if answer.status == 200:
                    done.calls += orjson.loads(text)["accepted"]
                else:
                    done.refused += LINES

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.seconds = time.perf_counter() - began
    return done


def ask_on(database: Path, seconds: float) -> list[float]:
    """Milliseconds of the questions of the panes, one after the other, for that long."""
    store = Store.open(database, write=False, clock=SystemClock())
    questions = list(asked(store, now_of(store)).values())
    times: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for ask in questions:
            times.append(took(store, ask))
            time.sleep(0.02)
            if time.perf_counter() > end:
                break
    store.close()
    return times


@contextmanager
def asking(database: Path, seconds: float) -> Iterator[list[float]]:
    """`ask_on` in a process of its own; the list is filled at the end."""
    command = [sys.executable, str(HERE / "live.py"), "--ask", str(database), "--seconds", str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    times: list[float] = []
    try:
        yield times
    finally:
        output, _ = process.communicate()
        times += orjson.loads(output)


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return float(np.quantile(values, 0.99))


def measure(rates: list[int], seconds: float, stored: Path | None) -> Iterator[Row]:
    """The collector at rest, and at each rate; the last rate again with a reader that stays."""
    with tempfile.TemporaryDirectory() as name, collecting(Path(name), stored) as collector:
        push(collector, 1000, 1, "first")
        time.sleep(5)
        rss, pss = collector.memory()
        yield Row("collector's memory at rest", f"{rss:.0f} MB RSS, {pss:.0f} MB PSS", asked="stated")
        with asking(collector.database, seconds) as quiet:
            pass
        for number, rate in enumerate(rates):
            with asking(collector.database, seconds) as times:
                time.sleep(1)
                used = collector.processor()
                load = push(collector, rate, seconds, f"load{number}")
                used = (collector.processor() - used) / load.seconds
            yield from _told(collector, load, used, times, quiet)
        with _long_reader(collector.database):
            load = push(collector, rates[-1], seconds, "beside")
        yield Row(
            f"push at {rates[-1]:,} calls/s, a reader's transaction open",
            f"p99 {p99(load.waits):.0f} ms, longest {max(load.waits):.0f} ms", asked="no wait for readers",
        )  # fmt: skip


def _told(
    collector: Collector, load: Load, used: float, times: list[float], quiet: list[float]
) -> Iterator[Row]:
    at = f"at {load.rate:,} calls/s"
    reached = load.calls / load.seconds
    asked = "< 0.5 core" if load.rate == 10_000 else "stated"
    good = (used < 0.5 and reached > 0.95 * load.rate) if load.rate == 10_000 else None
    yield Row(
        f"collector's processor {at}",
        f"{used:.2f} of a core",
        f"took {reached:,.0f} calls/s",
        "",
        asked,
        good,
    )
    rss, pss = collector.memory()
    yield Row(f"collector's memory {at}", f"{rss:.0f} MB RSS, {pss:.0f} MB PSS", asked="stated")
    yield Row(
        f"push {at}, {LINES} calls each", f"median {statistics.median(load.waits):.0f} ms, "
        f"p99 {p99(load.waits):.0f} ms, longest {max(load.waits):.0f} ms",
        f"{load.refused:,} calls refused; sent late by {max(load.late):.1f} s at most", asked="stated",
    )  # fmt: skip
    yield Row(
        f"question of a pane {at}", f"p99 {p99(times):.0f} ms, longest {max(times):.0f} ms",
        f"nothing coming in: p99 {p99(quiet):.0f} ms, longest {max(quiet):.0f} ms",
        f"{p99(times) / p99(quiet):.2f}", "stated",
    )  # fmt: skip


@contextmanager
def _long_reader(database: Path) -> Iterator[None]:
    conn = sqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    conn.execute("BEGIN")
    conn.execute("SELECT count(*) FROM meta").fetchone()
    try:
        yield
    finally:
        conn.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rates", type=int, nargs="+", default=[1_000, 10_000], help="calls per second")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--stored", type=Path, help="a database to begin with; it is copied")
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.ask:
        print(orjson.dumps(ask_on(args.ask, args.seconds)).decode())
        return
    show(list(measure(args.rates, args.seconds, args.stored)))


if __name__ == "__main__":
    main()
