"""Questions in PromQL, asked of our collector, of Prometheus and of VictoriaMetrics over the same samples.

All three hold the same series (`promql_data.py`), ours written as scrapes do; Prometheus has them in blocks
that promtool made. The span asked for ends 7 s off the scrapes' grid, so that both semantics of ranges say
the same, and every number is compared with Prometheus's to 1e-9.

Over HTTP the three are asked in turn, nothing compressed, the answer read to its end and not parsed. Every
time the span is 2 ms later, so that nobody has the answer already, and VictoriaMetrics is told to look into
none. Evaluation alone is ours from the text to the matrix, in this process, reading the store included, and
Prometheus's own `evalTotalTime`. First: the first time of each question, in this order, in servers that were
just started. Warm: the best of the runs after it, for each side alike, since what else runs only adds to it.
Processor: seconds of all threads of a server for one warm answer, again the best.

    apt install prometheus victoria-metrics
    python benchmarks/promql.py --sets 1000x6 10000x1 --runs 7
"""

import argparse
import http.client
import math
import resource
import shutil
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from data import END
from live import collecting
from peers import backfilled, import_into, processor, prometheus_over, started, victoria_over
from promql_data import TICK, Scraped, lines, series
from table import Row, show

from tui_monitor.model.clock import HOUR, MINUTE, MS, SECOND, ManualClock, Micros
from tui_monitor.model.feed import Sample
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

NEAR = 1e-9
BEFORE = 30 * MINUTE
"""Of samples before the span: what windows and look-backs reach into."""
_RATE = "rate(bench_requests_total[5m])"
_BUCKETS = "rate(bench_duration_seconds_bucket[5m])"
QUESTIONS = {
    "rate": _RATE,
    "sum by of rate": f"sum by(job, code) ({_RATE})",
    "histogram_quantile": f"histogram_quantile(0.95, sum by(le, job) ({_BUCKETS}))",
    "histogram_quantile each": f"histogram_quantile(0.9, {_BUCKETS})",
    "topk": "topk(5, bench_temperature)",
    "max_over_time": "max_over_time(bench_temperature[30m])",
    "avg_over_time": "avg_over_time(bench_temperature[10m])",
    "regex": 'sum by(path) (rate(bench_requests_total{instance=~"host-.*[02468]:9100",path!~"/a.*"}[5m]))',
    "join": 'rate(bench_requests_total{code="200"}[5m]) * on(instance) group_left(version) bench_info',
    "ratio": 'sum by(instance) (rate(bench_requests_total{code=~"5.."}[5m])) '
    "/ sum by(instance) (rate(bench_requests_total[5m]))",
    "subquery": "max_over_time(sum by(job) (rate(bench_requests_total[5m]))[30m:1m])",
    "gauges, raw": "bench_temperature",
    "all, raw": '{job=~".+"}',
}  # fmt: skip
WIDE = ("gauges, raw", "all, raw")
"""No slower than Prometheus is enough."""
MANY = 1_000
"""Answers of no more series than that are to be much quicker over HTTP."""
IDLE = 5.0
"""Seconds after which a connection is made anew, while the others had their turn: servers close idle ones."""
SIDES = ("ours", "prometheus", "victoria")
ASKED = {
    ("evaluation", "prometheus"): 0.2, ("http", "prometheus"): 0.3, ("http", "victoria"): 1.0,
    ("first", "prometheus"): 0.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One set of series and the span that is asked for."""

    count: int
    hours: int
    number: int = 0
    """How often it was asked before."""

    @property
    def step(self) -> Micros:
        """Between instants."""
        return MINUTE if self.hours > 1 else TICK

    @property
    def end(self) -> Micros:
        """Off the grid of all scrapes."""
        return END + 7 * SECOND + 2 * MS * self.number

    @property
    def start(self) -> Micros:
        """The first instant."""
        return self.end - self.hours * HOUR

    def series(self) -> list[Scraped]:
        """Its series."""
        return series(self.count, (self.hours * HOUR + BEFORE) // TICK)


def fill_ours(path: Path, scraped: list[Scraped]) -> None:
    """Write all as scrapes do, one commit for each tick."""
    clock = ManualClock(int(scraped[0].times[0]))
    store = Store.open(path, write=True, clock=clock)
    rows = [(one, one.times.tolist(), one.values.tolist()) for one in scraped]
    start = time.perf_counter()
    for tick in range(len(rows[0][1])):
        clock.advance(TICK)
        samples = [Sample(one.name, at[tick], v[tick], one.labels, one.kind) for one, at, v in rows]
        store.write(WriteBatch(samples=samples))
    spent = time.perf_counter() - start
    print(f"ours: {len(rows) * len(rows[0][1]) / spent:,.0f} samples/s written, sealing included")
    store.close()


def prepared(folder: Path, asked: Asked) -> Path:
    """A folder with all three filled; one that was made before is used again."""
    mine = folder / f"promql-{asked.count}x{asked.hours}"
    if (mine / "ready").exists():
        return mine
    mine.mkdir(parents=True, exist_ok=True)
    scraped = asked.series()
    fill_ours(mine / "monitor.db", scraped)
    backfilled(mine, lines(scraped, SECOND))
    with victoria_over(mine / "victoria") as address:
        import_into(address, lines(scraped, MS))
    (mine / "ready").touch()
    return mine


class Server:
    """One side over HTTP: a connection that is kept."""

    def __init__(self, address: str, process: int, *, token: str = "", **more: str) -> None:
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=600)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._more = more
        self._process = process
        self._asked = time.monotonic()

    def processor(self) -> float:
        """Seconds that its threads have worked."""
        return processor(self._process)

    def ask(self, asked: Asked, text: str, **more: str) -> bytes:
        """The body of the answer to a query over the span."""
        form = {
            "query": text, "start": f"{asked.start / SECOND:.3f}", "end": f"{asked.end / SECOND:.3f}",
            "step": f"{asked.step / SECOND:g}", **self._more, **more,
        }  # fmt: skip
        if time.monotonic() - self._asked > IDLE:
            self._connection.close()
        self._connection.request(
            "GET", f"/api/v1/query_range?{urllib.parse.urlencode(form)}", headers=self._headers
        )
        response = self._connection.getresponse()
        body = response.read()
        self._asked = time.monotonic()
        if response.status != 200:
            sys.exit(f"{text}: {response.status} {body[:500]!r}")
        return body

    def resident(self) -> float:
        """MB in RAM, as it says itself."""
        self._connection.request("GET", "/metrics")
        for line in self._connection.getresponse().read().decode().splitlines():
            if line.startswith("process_resident_memory_bytes"):
                return float(line.split()[-1]) / 1e6
        return math.nan


@dataclass
class Took:
    """Seconds of one question on one side."""

    first: float = math.nan
    warm: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    evaluation: list[float] = field(default_factory=list)


def timed(work: Callable[[], bytes]) -> tuple[bytes, float]:
    """What it gives, and the seconds that it takes."""
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start


def evaluated(store: Store, asked: Asked, text: str) -> float:
    """Seconds from a text to the matrix, in this process."""
    start = time.perf_counter()
    Engine(StoredSamples(store)).range(text, asked.start, asked.end, asked.step)
    return time.perf_counter() - start


def apart(ours: bytes, theirs: bytes, *, any_of_equals: bool) -> str:
    """Where two answers differ; empty where they are the same.

    With `any_of_equals` only the numbers at each instant count: which of equal ones is among the five
    greatest is nobody's promise.
    """
    left, right = (_points(orjson.loads(one)["data"]["result"], any_of_equals) for one in (ours, theirs))
    if left.keys() != right.keys():
        return f"{len(left)} series, {len(right)} of Prometheus"
    for metric, points in left.items():
        mine, other = (np.array(side, dtype=np.float64) for side in (points, right[metric]))
        if mine.shape != other.shape or not np.allclose(mine, other, rtol=NEAR, atol=0, equal_nan=True):
            return f"{metric}: {points[:2]} … , {right[metric][:2]} … of Prometheus"
    return ""


def _points(rows: list[dict[str, Any]], any_of_equals: bool) -> dict[str, list[list[Any]]]:
    if any_of_equals:
        return {"": sorted([time, float(value)] for row in rows for time, value in row["values"])}
    return {orjson.dumps(row["metric"], option=orjson.OPT_SORT_KEYS).decode(): row["values"] for row in rows}


def measure(folder: Path, asked: Asked, runs: int) -> None:
    """Ask one set of series everything, and print it."""
    mine = prepared(folder, asked)
    store = Store.open(mine / "monitor.db", write=False, clock=ManualClock(END))
    took = {name: {side: Took() for side in SIDES} for name in QUESTIONS}
    wide: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory() as place,
        collecting(Path(place), mine / "monitor.db") as collector,
        prometheus_over(mine / "blocks") as prometheus,
        victoria_over(mine / "victoria") as victoria,
    ):
        token = next(Path(place).rglob("token")).read_text().strip()
        servers = {
            "ours": Server(f"127.0.0.1:{collector.port}", collector.process.pid, token=token),
            "prometheus": Server(prometheus, started("prometheus")),
            "victoria": Server(victoria, started("victoria-metrics"), nocache="1"),
        }
        before = collector.memory()[0]
        for name, text in QUESTIONS.items():
            bodies: dict[str, bytes] = {}
            for side, server in servers.items():
                bodies[side], took[name][side].first = timed(lambda s=server: s.ask(asked, text))  # noqa: B023
            wide[name] = len(orjson.loads(bodies["prometheus"])["data"]["result"])
            if wrong := apart(bodies["ours"], bodies["prometheus"], any_of_equals=name == "topk"):
                print(f"DIFFERS: {text}: {wrong}")
            evaluated(store, asked, text)
            for number in range(1, runs + 1):
                _once(replace(asked, number=number), text, took[name], servers, store)
        sizes = [f"{side} {servers[side].resident():.0f} MB" for side in ("prometheus", "victoria")]
        grown = f"collector {before:.0f} MB at first, {collector.memory()[0]:.0f} MB after all questions"
        print(f"memory: {' | '.join([grown, *sizes])}")
    store.close()
    show(table(took, wide))


def _once(asked: Asked, text: str, took: dict[str, Took], servers: dict[str, Server], store: Store) -> None:
    for side, server in servers.items():
        before = server.processor()
        took[side].warm.append(timed(lambda s=server: s.ask(asked, text))[1])
        took[side].processor.append(server.processor() - before)
    took["ours"].evaluation.append(evaluated(store, asked, text))
    told = orjson.loads(servers["prometheus"].ask(asked, text, stats="all"))["data"]["stats"]
    took["prometheus"].evaluation.append(told["timings"]["evalTotalTime"])


def table(took: dict[str, dict[str, Took]], wide: dict[str, int]) -> list[Row]:
    """Every figure with its reference, and the means over all questions."""
    rows: list[Row] = []
    ratios: dict[tuple[str, str], list[float]] = {}
    for name, sides in took.items():
        ours, prometheus, victoria = (sides[side] for side in SIDES)
        pairs = [
            ("evaluation", "prometheus", min(ours.evaluation), min(prometheus.evaluation), 1.0),
            ("http", "prometheus", min(ours.warm), min(prometheus.warm), 1.0),
            ("http", "victoria", min(ours.warm), min(victoria.warm), math.inf),
            ("processor", "prometheus", min(ours.processor), min(prometheus.processor), math.inf),
            ("processor", "victoria", min(ours.processor), min(victoria.processor), math.inf),
            ("first", "prometheus", ours.first, prometheus.first, 1.0),
        ]
        for what, side, mine, theirs, most in pairs:
            if what in ("evaluation", "first") or (wide[name] <= MANY and name not in WIDE):
                ratios.setdefault((what, side), []).append(mine / theirs)
            good = mine / theirs <= most if most < math.inf else None
            rows.append(
                Row(
                    f"{name}, {wide[name]} series: {what}", f"{mine * 1e3:.1f} ms",
                    f"{side} {theirs * 1e3:.1f} ms", f"{mine / theirs:.2f}",
                    f"≤ {most:g}" if most < math.inf else "", good,
                )
            )  # fmt: skip
    for (what, side), found in ratios.items():
        mean, most = statistics.geometric_mean(found), ASKED.get((what, side))
        judged = ("", None) if most is None else (f"≤ {most:g}", mean <= most)
        rows.append(Row(f"all: {what}, geometric mean", "", side, f"{mean:.2f}", *judged))
    return rows


def main() -> None:
    """Print every figure with its reference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=["1000x6", "10000x1"], help="series × hours")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--folder", type=Path, default=Path("build/benchmarks"))
    args = parser.parse_args()
    for name in ("prometheus", "promtool", "victoria-metrics"):
        if not shutil.which(name):
            sys.exit(f"{name} is not installed: apt install prometheus victoria-metrics")
    for text in args.sets:
        count, hours = map(int, text.split("x"))
        print(f"{count} series × {hours} h at 15 s")
        measure(args.folder, Asked(count, hours), args.runs)
        print(
            f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB"
        )


if __name__ == "__main__":
    main()
