"""Prometheus and VictoriaMetrics beside us: filled with the same samples, and asked for them."""

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import numpy as np
from data import END

from tui_monitor.model.clock import HOUR

Data = dict[str, np.ndarray]
"""Shape → values, one row for each series; series are `bench{shape="…",host="…"}`."""
_SECOND_US, _MS_US = 1_000_000, 1_000


def timed(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Seconds the first time, and the median of the runs after it."""
    spent: list[float] = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return spent[0], statistics.median(spent[1:])


@contextmanager
def server(command: list[str], ready: str, port: int) -> Iterator[str]:
    """A server on loopback, once it answers; its address."""
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(address + ready, timeout=5).read()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def started(name: str) -> int:
    """The process of a server that this one runs; `name` as its command has it."""
    found = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    commands = {int(one): Path(f"/proc/{one}/cmdline").read_bytes() for one in found}
    return next(one for one, command in commands.items() if command.split(b"\0")[0] == name.encode())


def processor(process: int) -> float:
    """Seconds that all threads of a process have worked; those of threads that ended are not known."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def lines(data: Data, at: np.ndarray, unit: int) -> Iterator[str]:
    """The samples as text, one series after the other; times in units of so many µs."""
    moments = [str(moment // unit) for moment in at.tolist()]
    for shape, rows in data.items():
        for i, row in enumerate(rows.tolist()):
            name = f'bench{{shape="{shape}",host="{i}"}}'
            yield "".join(f"{name} {value!r} {moment}\n" for value, moment in zip(row, moments, strict=True))


def size_of(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def backfilled(folder: Path, samples: Iterable[str]) -> Path:
    """Blocks of a Prometheus with these lines of OpenMetrics in them."""
    blocks, text = folder / "blocks", folder / "samples.txt"
    with text.open("w") as out:
        out.writelines(samples)
        out.write("# EOF\n")
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(blocks)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    text.unlink()
    return blocks


@contextmanager
def prometheus_over(blocks: Path) -> Iterator[str]:
    """A Prometheus over blocks that scrapes nothing; its address."""
    config, port = blocks.with_name("prometheus.yml"), free_port()
    config.write_text("global: {}\n")
    command = [
        "prometheus", f"--config.file={config}", f"--storage.tsdb.path={blocks}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=100y", "--log.level=error",
    ]  # fmt: skip
    with server(command, "/-/ready", port) as address:
        yield address


@contextmanager
def victoria_over(place: Path) -> Iterator[str]:
    """A VictoriaMetrics over a folder; its address."""
    port = free_port()
    command = [
        "victoria-metrics", f"-storageDataPath={place}", f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
    ]  # fmt: skip
    with server(command, "/health", port) as address:
        yield address


def import_into(address: str, samples: Iterable[str]) -> None:
    """Bring lines, times in ms, into a VictoriaMetrics, until they can be asked for."""
    body = "".join(samples).encode()
    urllib.request.urlopen(f"{address}/api/v1/import/prometheus", data=body, timeout=300).read()
    urllib.request.urlopen(f"{address}/internal/force_flush", timeout=300).read()


def prometheus(folder: Path, data: Data, at: np.ndarray, runs: int) -> dict[str, tuple[float, float]]:
    """Fill a Prometheus, print bytes per sample; seconds of each question. Empty where it is missing."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        print("prometheus is not installed: apt install prometheus")
        return {}
    start = time.perf_counter()
    blocks = backfilled(folder, chain(["# TYPE bench gauge\n"], lines(data, at, _SECOND_US)))
    spent, samples = time.perf_counter() - start, sum(rows.size for rows in data.values())
    size = size_of(blocks)
    print(
        f"prometheus: {size / samples:.2f} bytes/sample in blocks, backfilled by promtool at "
        f"{samples / spent:,.0f} samples/s, the text written first"
    )
    selector = f"bench[{int(at[-1] - at[0]) // HOUR + 1}h]"
    questions = {"all": selector, "count": f"sum(count_over_time({selector}))"}
    with prometheus_over(blocks) as address:

        def ask(question: str) -> bytes:
            form = urllib.parse.urlencode({"query": question, "time": END / 1e6})
            return urllib.request.urlopen(f"{address}/api/v1/query?{form}", timeout=300).read()

        counted = json.loads(ask(questions["count"]))["data"]["result"][0]["value"][1]
        if float(counted) != samples:
            sys.exit(f"prometheus has {counted} samples, not {samples}")
        return {name: timed(lambda q=question: ask(q), runs) for name, question in questions.items()}


def victoria(folder: Path, data: Data, at: np.ndarray) -> None:
    """Fill a VictoriaMetrics and print bytes per sample, where it is installed."""
    if not shutil.which("victoria-metrics"):
        print("victoria-metrics is not installed: apt install victoria-metrics")
        return
    place = folder / "victoria"
    with victoria_over(place) as address:
        import_into(address, lines(data, at, _MS_US))
    samples = sum(rows.size for rows in data.values())
    print(
        f"victoria-metrics: {size_of(place / 'data') / samples:.2f} bytes/sample in its stopped data folder"
    )
