"""Random expressions over random series, asked of a real Prometheus 2.42 and of our engine.

`python tests/query/promql/random_answers.py --minutes 20` goes on with new seeds, and prints what differs.

What is asked falls in two kinds: what is the same to the last bit whoever computes it, which may be compared,
rounded or counted, and what differs in its last digits (a rate, a mean, a power), to which nothing of that
is done: there a difference of 1e-16 would be one of 1.
"""

import argparse
import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from peers import Peer, prometheus  # noqa: E402

from tui_monitor.forward.wire import Line  # noqa: E402
from tui_monitor.model.clock import MS, SECOND  # noqa: E402
from tui_monitor.model.errors import MonitorError  # noqa: E402
from tui_monitor.query.promql.engine import Engine  # noqa: E402
from tui_monitor.query.promql.evaluate.context import Semantics  # noqa: E402
from tui_monitor.query.promql.memory import MemoryStorage  # noqa: E402
from tui_monitor.query.promql.values import STALE  # noqa: E402

BEGIN = 1_700_000_000
"""s since the epoch: where the samples begin."""
LENGTH = 3_000
"""s of samples; Prometheus takes none that are an hour older than the newest."""
NEAR = 1e-9
"""What two numbers may differ by: of their size, or of 1 where they are smaller."""

COUNTERS, GAUGES = ("c_total", "d_total"), ("g", "h")
METRICS = (*COUNTERS, *GAUGES)
JOBS, INSTANCES = ("a", "b"), ("1", "2", "3")
LABELS = ("job", "instance", "le", "run", "nothing")
LENGTHS = ("15s", "1m", "90s", "5m", "7m30s", "20m", "1h")
COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
SAME_ARITHMETIC = ("+", "-", "*", "/", "%")
SAME_MATHS = ("abs", "ceil", "floor", "sgn", "sqrt", "round")
ROUGH_MATHS = (
    "exp", "ln", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "asinh", "acosh", "atanh", "deg", "rad",
)  # fmt: skip
CALENDAR = (
    "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year",
)  # fmt: skip
SAME_RANGES = (
    "min_over_time", "max_over_time", "count_over_time", "last_over_time", "present_over_time", "changes",
    "resets", "idelta", "absent_over_time",
)  # fmt: skip
ROUGH_RANGES = (
    "rate", "increase", "delta", "irate", "deriv", "avg_over_time", "sum_over_time", "stddev_over_time",
    "stdvar_over_time",
)  # fmt: skip


def series(random: Random, run: str) -> dict[tuple[tuple[str, str], ...], list[tuple[int, float]]]:
    """Random series of one run: labels → (ms, value). Values are eighths, so sums of them are exact."""
    found = {}
    for name in METRICS:
        for job in JOBS:
            for instance in INSTANCES:
                if random.random() < 0.8:
                    labels = {"__name__": name, "job": job, "instance": instance, "run": run}
                    found[tuple(sorted(labels.items()))] = _points(random, counter=name in COUNTERS)
    for job in JOBS:
        points = [_points(random, counter=True, holes=False) for _ in range(3)]
        for place, le in enumerate(("0.5", "2", "+Inf")):
            labels = {"__name__": "l_bucket", "job": job, "le": le, "run": run}
            parts = zip(*points[: place + 1], strict=True)
            summed = [(column[0][0], sum(value for _, value in column)) for column in parts]
            found[tuple(sorted(labels.items()))] = summed
    return found


def _points(random: Random, *, counter: bool, holes: bool = True) -> list[tuple[int, float]]:
    step = random.choice((15_000, 15_000, 30_000)) if holes else 15_000
    at, end = BEGIN * 1_000, (BEGIN + LENGTH) * 1_000
    jitter = holes and random.random() < 0.5
    points: list[tuple[int, float]] = []
    value = float(random.randrange(100))
    while at < end:
        what = random.random() if holes else 1.0
        if what < 0.01:
            at += random.choice((60_000, 300_000, 400_000))
        elif what < 0.02:
            points.append((at, float(STALE)))
            at += random.choice((30_000, 120_000))
        if counter:
            value = float(random.randrange(5)) if what > 0.97 and holes else value + random.randrange(4)
        else:
            odd = what < 0.03
            value = random.choice((math.nan, math.inf, -math.inf, 0.0, -0.0)) if odd else value
            value = value if odd else random.randrange(-800, 800) / 8
        points.append((at + (random.randrange(1, 3_000) if jitter else 0), value))
        at += step
    return points


class Expressions:
    """Makes well-typed expressions over the series of one run."""

    def __init__(self, random: Random, run: str) -> None:
        self._random = random
        self._run = run

    def whole(self) -> str:
        """One of any type."""
        shapes = [self.same, self.same, self.rough, self.rough, self.rough, self.number, self.range]
        return self._random.choice(shapes)(self._random.randrange(1, 4))

    def _one(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _maybe(self, share: float) -> bool:
        return self._random.random() < share

    def selector(self, *names: str) -> str:
        """A selector without its modifiers."""
        matchers = [f'run="{self._run}"']
        if self._maybe(0.3):
            matchers.append(f'job{self._one("=", "!=")}"{self._one(*JOBS, "")}"')
        if self._maybe(0.3):
            matchers.append(f'instance{self._one("=~", "!~")}"{self._one("1|2", "[^1]", ".+", "", "3.*")}"')
        name = self._one(*(names or METRICS))
        if self._maybe(0.05):
            return f'{{__name__=~"{name[0]}.*",{",".join(matchers)}}}'
        return f"{name}{{{','.join(matchers)}}}"

    def modifiers(self) -> str:
        """`offset` and `@`, mostly neither."""
        if self._maybe(0.7):
            return ""
        at = f" @ {self._one('start()', 'end()', str(BEGIN + self._random.randrange(LENGTH)))}"
        offset = f" offset {self._one('', '-')}{self._one(*LENGTHS)}"
        return self._one(at, offset, at + offset, offset + at)

    def range(self, depth: int = 0) -> str:
        """A range vector whose values are the same to the last bit."""
        if depth and self._maybe(0.25):
            inner = self.same(depth - 1)
            step = self._one("15s", "1m", "7s", "")
            # Where no step falls into the range 2.42 has one all the same for what no step changes.
            return f"({inner})[{self._one('5m', '7m30s', '20m')}:{step}]{self.modifiers()}"
        return f"{self.selector()}[{self._one(*LENGTHS)}]{self.modifiers()}"

    def number(self, depth: int = 0) -> str:
        """A number that is the same to the last bit."""
        if depth and self._maybe(0.3):
            return f"scalar({self.same(depth - 1)})"
        if depth and self._maybe(0.2):
            return f"({self.number(depth - 1)} {self._one(*SAME_ARITHMETIC)} {self.number(depth - 1)})"
        return self._one("0", "1", "2", "-3", "0.5", "100", "Inf", "NaN", "time()", "0x10", "1e3")

    def _labels(self) -> str:
        return f"({','.join(self._random.sample(LABELS[:4], self._random.randrange(3)))})"

    def _by(self) -> str:
        return f"{self._one('by', 'without')} {self._labels()}" if self._maybe(0.7) else ""

    def same(self, depth: int = 0) -> str:
        """An instant vector that is the same to the last bit."""
        if not depth:
            return self.selector() + self.modifiers()
        d = depth - 1
        makers = (
            # Of series that are one without their names, and follow each other, 2.42 takes no minus.
            lambda: f"-({self.selector()}{self.modifiers()})",
            lambda: f"{self._one(*SAME_MATHS)}({self.same(d)})",
            lambda: f"({self.same(d)}) {self._one(*SAME_ARITHMETIC)} {self.number(d)}",
            lambda: f"{self.number(d)} {self._one(*SAME_ARITHMETIC)} ({self.same(d)})",
            lambda: f"({self.same(d)}) {self._one(*COMPARISONS)} {self._one('', 'bool ')}{self.number(d)}",
            lambda: self._matched(d, (*SAME_ARITHMETIC, *COMPARISONS)),
            lambda: self._sets(d),
            lambda: f"{self._one(*SAME_RANGES)}({self.range(d)})",
            lambda: f"{self._one('min', 'max', 'count', 'group')} {self._by()} ({self.same(d)})",
            lambda: f"sum {self._by()} ({self.selector(*COUNTERS)})",
            lambda: f'count_values {self._by()} ("value", {self.same(d)})',
            lambda: f"clamp({self.same(d)}, {self.number()}, {self.number()})",
            lambda: f"{self._one('clamp_min', 'clamp_max')}({self.same(d)}, {self.number()})",
            lambda: f"round({self.same(d)}, {self._one('1', '0.25', '10', '-2', '0')})",
            # With `@` it takes no notice of an offset.
            lambda: f"timestamp({self.selector()}{self._one('', ' offset 1m', ' @ end()')})",
            lambda: f"timestamp(abs({self.same(d)}))",
            lambda: f"{self._one(*CALENDAR)}({self._one('', '-')}{self.selector(*COUNTERS)} * 1e7)",
            lambda: f"absent({self.same(d)})",
            lambda: f"vector({self.number(d)})",
            lambda: f"{self._one('sort', 'sort_desc')}({self.same(d)})",
            lambda: f'label_replace({self.same(d)}, "new", "$1-x", "{self._one(*LABELS)}", "(.).*")',
            lambda: f'label_join({self.same(d)}, "{self._one("new", "job")}", "-", "job", "instance")',
        )
        return self._random.choice(makers)()

    def _matched(self, depth: int, operators: tuple[str, ...]) -> str:
        op = self._one(*operators)
        if op in COMPARISONS and self._maybe(0.5):
            op += " bool"
        how = self._one("", "", f"on {self._labels()}", f"ignoring {self._labels()}", "on (job,instance)")
        if how and self._maybe(0.4):
            how += f" {self._one('group_left', 'group_right')}{self._one('()', '(job)', '')} "
        return f"({self.same(depth)}) {op} {how} ({self.same(depth)})"

    def _sets(self, depth: int) -> str:
        how = self._one("", f"on {self._labels()}", f"ignoring {self._labels()}")
        return f"({self.same(depth)}) {self._one('and', 'or', 'unless')} {how} ({self.same(depth)})"

    def rough(self, depth: int = 0) -> str:
        """An instant vector whose last digits may differ."""
        d = max(0, depth - 1)
        makers = (
            # Of 10 digits after the point that times have, a slope is left with fewer than are compared.
            lambda: f"{self._one(*ROUGH_RANGES[:4], *ROUGH_RANGES[5:])}({self.range(d)})",
            lambda: f"{self._one(*ROUGH_RANGES)}({self.range()})",
            lambda: f"{self._one(*ROUGH_MATHS)}({self.same(d)})",
            lambda: f"{self._one('sum', 'avg')} {self._by()} ({self.selector()})",
            # Of infinity alone 2.42 has the deviation 0, as no later version does.
            lambda: f"{self._one('stddev', 'stdvar')} {self._by()} ({self.selector(*COUNTERS)})",
            lambda: f"sum {self._by()} (rate({self.selector(*COUNTERS)}[{self._one(*LENGTHS)}]))",
            lambda: f"quantile {self._by()} ({self._one('0.5', '0', '1', '0.9', '-1', '2')}, {self.same(d)})",
            lambda: f"quantile_over_time({self._one('0.5', '0.01', '1', '2')}, {self.range(d)})",
            # 2.42 takes too few samples for it at the second step and later where `@` fixes the range.
            lambda: f"predict_linear({self.selector()}[{self._one(*LENGTHS)}], {self._one('60', '3600')})",
            lambda: f"holt_winters({self.range()}, 0.{self._one('1', '5', '9')}, 0.{self._one('1', '5')})",
            # After `atan2` 2.42 leaves the name there, as no later version does.
            lambda: f"(({self.same(d)}) * 1) {self._one('^', 'atan2')} {self._one('2', '0.5', '-1', '3')}",
            lambda: f"histogram_quantile({self._one('0.5', '0.9', '0', '1', '2')}, {self._buckets()})",
            lambda: f"({self.rough(d)}) * {self._one('2', '0.5', '-1')}" if depth else self.same(),
            lambda: f"{self._one('min', 'max')} {self._by()} ({self.rough(d)})" if depth else self.same(),
        )
        return self._random.choice(makers)()

    def _buckets(self) -> str:
        buckets = f'l_bucket{{run="{self._run}"}}'
        ranged = f"rate({buckets}[{self._one('1m', '5m', '20m')}])"
        return self._one(buckets, ranged, f"sum by (le) ({ranged})", f"sum by (le,job) ({buckets})")


@dataclass
class Both:
    """A Prometheus and our engine, with the same series."""

    peer: Peer
    runs: int = 0

    def __post_init__(self) -> None:
        self._storage = MemoryStorage()
        self._engine = Engine(self._storage, Semantics(2))

    def fill(self, random: Random) -> str:
        """Write random series to both; the name of the run."""
        run = str(self.runs)
        self.runs += 1
        found = series(random, run)
        for labels, points in found.items():
            self._storage.add(dict(labels), [(at * MS, value) for at, value in points])
        self.peer.write(Line(of, [(at * MS, value) for at, value in points]) for of, points in found.items())
        return run

    def difference(self, random: Random, text: str) -> str:
        """What the two say differently, at some instants; empty where they agree."""
        at = BEGIN + random.randrange(LENGTH)
        theirs = self.peer.ask("query", query=text, time=at)
        ours = self._ours(lambda: self._engine.instant(text, at * SECOND).api())
        if told := differing(ours, theirs):
            return f"{text}\n  at {at}: {told}"
        step = random.choice((15, 60, 77, 300))
        start, end = at - step * random.randrange(12), at + step * random.randrange(12)
        theirs = self.peer.ask("query_range", query=text, start=start, end=end, step=step)
        ours = self._ours(lambda: self._engine.range(text, start * SECOND, end * SECOND, step * SECOND).api())
        if told := differing(ours, theirs):
            return f"{text}\n  from {start} to {end} by {step}: {told}"
        return ""

    def _ours(self, ask: Any) -> dict[str, Any]:
        try:
            return ask()
        except MonitorError as error:
            return {"status": "error", "error": error.message}


def differing(ours: dict[str, Any], theirs: dict[str, Any]) -> str:
    """What two answers of the API differ in; empty where they agree."""
    if ours["status"] != theirs["status"]:
        return f"we say {_short(ours)}, they {_short(theirs)}"
    if ours["status"] == "error":
        return ""
    kinds = ours["data"]["resultType"], theirs["data"]["resultType"]
    if kinds[0] != kinds[1]:
        return f"we give a {kinds[0]}, they a {kinds[1]}"
    if kinds[0] in ("scalar", "string"):
        return _values([ours["data"]["result"]], [theirs["data"]["result"]])
    left, right = (_by_labels(answer["data"]["result"]) for answer in (ours, theirs))
    if left.keys() != right.keys():
        mine, their = sorted(left.keys() - right.keys()), sorted(right.keys() - left.keys())
        return f"only we have {mine}, only they {their}"
    return next((f"{of}: {told}" for of in left if (told := _values(left[of], right[of]))), "")


def _by_labels(rows: list[dict[str, Any]]) -> dict[tuple[tuple[str, str], ...], list[Any]]:
    return {
        tuple(sorted(row["metric"].items())): row["values"] if "values" in row else [row["value"]]
        for row in rows
    }


def _values(ours: list[Any], theirs: list[Any]) -> str:
    if [at for at, _ in ours] != [at for at, _ in theirs]:
        return f"we have values at {[at for at, _ in ours]}, they at {[at for at, _ in theirs]}"
    for (at, mine), (_, their) in zip(ours, theirs, strict=True):
        if not _near(float(mine), float(their)):
            return f"at {at} we say {mine}, they {their}"
    return ""


def _near(mine: float, their: float) -> bool:
    if math.isnan(mine) or math.isnan(their):
        return math.isnan(mine) and math.isnan(their)
    if math.isinf(mine) or math.isinf(their):
        return mine == their
    return abs(mine - their) <= NEAR * max(1.0, abs(mine), abs(their))


def _short(answer: dict[str, Any]) -> str:
    return repr(answer.get("error") or answer["data"])[:300]


def main() -> int:
    """Ask for so many minutes, and print each difference."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--minutes", type=float, default=20)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--most", type=int, default=30, help="differences after which it ends")
    given = options.parse_args()
    until = time.monotonic() + given.minutes * 60
    asked, told, seed = 0, 0, given.seed
    with tempfile.TemporaryDirectory() as folder, prometheus(Path(folder)) as peer:
        while time.monotonic() < until and told < given.most:
            both = Both(peer, runs=seed * 1_000)
            random = Random(seed)
            run = both.fill(random)
            for _ in range(400):
                text = Expressions(random, run).whole()
                difference = both.difference(random, text)
                asked += 1
                if difference:
                    told += 1
                    print(f"seed {seed}: {difference}\n", flush=True)
            seed += 1
            print(f"{asked} asked, {told} differ", file=sys.stderr, flush=True)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
