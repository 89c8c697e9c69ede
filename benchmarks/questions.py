"""Questions over many calls, beside DuckDB with 2 threads on the same rows.

Ours goes through the query engine as panes and rules do, from text to answer; what the engine keeps of
answers and of facts is emptied before each question, so that every one reads the database. Calls by a filter
come from the store's reader. DuckDB's table is filled from the stored calls in order of time, cost and all,
and its answers are compared with ours: sums and shares to 1e-9, quantiles to 1 %, rows one by one.

Warm: both sides in one process that has asked before, in turn, the median. First: a new process and
connection, and the database's pages dropped from the system's cache; from opening the file to the answer.
Spans end off the grid of the roll-ups, as "now" does.

Without a database, one of a million calls is made, or taken from build/benchmarks.

    python benchmarks/questions.py monitor.db --runs 9
"""

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from databases import MANY, Databases
from panes import now_of
from table import Row, alone, forget, show

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, MINUTE, Micros, SystemClock
from tui_monitor.model.timerange import Span
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.result import Result
from tui_monitor.store.api import Layer
from tui_monitor.store.database import Store
from tui_monitor.store.where import All, HasLabel, HasNumber, Where

LABELS = ("provider", "model", "user", "status", "source", "source_key", "cost_status")
NUMBERS = {"input": "BIGINT", "output": "BIGINT", "cost": "BIGINT", "latency": "BIGINT"}
_WITHIN = "booked > {start} AND booked <= {end}"


@dataclass(frozen=True, slots=True)
class Question:
    """The same thing asked of both sides."""

    name: str
    ask: Callable[[Store, Micros], Any]
    """From the store, at an instant; what is compared."""
    sql: str
    """Of DuckDB; `{within}` is the span, `{t}` its end."""
    length: Micros
    near: float = 1e-9
    """How far numbers may lie apart, as a share."""


def _engine(store: Store) -> LocalEngine:
    return LocalEngine(store, Calendar("UTC"))


def _by(result: Result) -> dict[str, list[float | None]]:
    return {",".join(v for _, v in series.labels): list(series.values) for series in result.series}


def instant(text: str) -> Callable[[Store, Micros], Any]:
    """A question for one value per group."""
    return lambda store, t: _by(_engine(store).instant(text, t))


def minutes(text: str) -> Callable[[Store, Micros], Any]:
    """A question for one value per minute of a day, as pairs."""

    def ask(store: Store, t: Micros) -> Any:
        result = _engine(store).range(text, t - DAY, t, MINUTE)
        values = result.series[0].values
        # The first window begins before the span, the last one is shorter.
        return {"": [value for value in values[1:-1] if value is not None]}

    return ask


def newest(where: Where) -> Callable[[Store, Micros], Any]:
    """A question for the newest hundred calls that pass, of all that are kept."""

    def ask(store: Store, t: Micros) -> Any:
        found = (call for call, _ in islice(store.calls(Span(0, t), where), 100))
        return [
            [call.booked, call.model, call.user, call.out_total, call.latency_ms, call.cost] for call in found
        ]

    return ask


_ROWS = """SELECT booked, model, "user", output, latency / 1000.0, cost FROM calls
    WHERE booked <= {t} AND %s ORDER BY booked DESC LIMIT 100"""
_RANK = "quantile_disc(latency, 0.95) / 1000.0"
QUESTIONS = (
    Question(
        "p95 latency by model, 24 h", instant("latency{} [24h] p95 by(model)"),
        f"SELECT model, {_RANK} FROM calls WHERE {{within}} GROUP BY model", DAY, 0.01,
    ),
    Question(
        "sum(cost) by model, 24 h", instant("cost{} [24h] sum by(model)"),
        "SELECT model, sum(cost) / 1e9 FROM calls WHERE {within} GROUP BY model", DAY,
    ),
    Question(
        "error rate at 1-min steps, 24 h", minutes("error_rate{}"),
        """SELECT '', e * 1.0 / n FROM (SELECT (booked - 1) // 60000000 AS m,
        count(*) FILTER (status = 'error') AS e, count(*) FILTER (status IN ('error', 'success')) AS n
        FROM calls WHERE booked > {first} AND booked <= {last} GROUP BY m) WHERE n > 0 ORDER BY m""", DAY,
    ),
    Question(
        "p95 latency by model, 7 d", instant("latency{} [7d] p95 by(model)"),
        f"SELECT model, {_RANK} FROM calls WHERE {{within}} GROUP BY model", 7 * DAY, 0.01,
    ),
    Question(
        "p95 cost of single calls by model, 24 h", instant("cost{} [24h] p95 by(model)"),
        "SELECT model, quantile_disc(cost, 0.95) / 1e9 FROM calls WHERE {within} GROUP BY model", DAY,
    ),
    Question(
        "latest 100 of provider=openai AND latency>1000",
        newest(All((HasLabel("provider", "openai".__eq__), HasNumber(("latency",), 1_000_001)))),
        _ROWS % "provider = 'openai' AND latency > 1000000", DAY,
    ),
    Question(
        "latest 100 of provider=anthropic AND status=error AND latency>500000",
        newest(All((
            HasLabel("provider", "anthropic".__eq__), HasLabel("status", "error".__eq__),
            HasNumber(("latency",), 500_000_001),
        ))),
        _ROWS % "provider = 'anthropic' AND status = 'error' AND latency > 500000000", DAY,
    ),
    Question(
        "latest 100 of provider=deepseek AND status=error",
        newest(All((HasLabel("provider", "deepseek".__eq__), HasLabel("status", "error".__eq__)))),
        _ROWS % "provider = 'deepseek' AND status = 'error'", DAY,
    ),
)  # fmt: skip


def fill(database: Path, duck: Path) -> None:
    """Copy the stored calls into a DuckDB file, in order of time."""
    import duckdb
    import pyarrow as pa

    store = Store.open(database, write=False, clock=SystemClock())
    extent = store.extent()
    assert extent.first is not None
    assert extent.last is not None
    columns = ["booked BIGINT", *(f"{n} VARCHAR" for n in LABELS), *(f"{n} {t}" for n, t in NUMBERS.items())]
    with duckdb.connect(duck, config={"threads": 2}) as conn:
        conn.execute(f"CREATE TABLE calls ({', '.join(columns)})")
        start = extent.first - 1
        while start < extent.last:
            span = Span(start, start + DAY // 2)
            facts = store.facts(Layer.RAW, span, LABELS, tuple(NUMBERS))  # type: ignore[arg-type]
            arrays: dict[str, Any] = {"booked": facts.end}
            for name in LABELS:
                column = facts.labels[name]
                arrays[name] = pa.DictionaryArray.from_arrays(
                    column.codes, pa.array(column.values, pa.string())
                )
            for name in NUMBERS:
                numbers = facts.numbers[name]
                arrays[name] = pa.array(numbers.total, mask=numbers.known == 0)
            chunk = pa.table(arrays)
            conn.register("chunk", chunk)
            conn.execute("INSERT INTO calls SELECT * FROM chunk ORDER BY booked")
            start = span.end
    store.close()


def ask_duck(conn: Any, question: Question, t: Micros) -> Any:
    """DuckDB's answer in the form of ours."""
    last = t // MINUTE * MINUTE
    sql = question.sql.format(
        within=_WITHIN.format(start=t - question.length, end=t), t=t, last=last,
        first=(t - DAY) // MINUTE * MINUTE + MINUTE,
    )  # fmt: skip
    rows = conn.execute(sql).fetchall()
    if len(rows) and len(rows[0]) > 2:
        return [list(row) for row in rows]
    answer: dict[str, list[float | None]] = {}
    for label, value in rows:
        answer.setdefault(label or "", []).append(value)
    return answer


def _rows_differ(ours: list[list[Any]], theirs: list[list[Any]]) -> str:
    """Calls booked at one instant come in any order, and any of the last instant's may be among them."""
    if [row[0] for row in ours] != [row[0] for row in theirs]:
        return f"{len(ours)} | {len(theirs)} rows, of other times"
    last = ours[-1][0] if ours else 0
    for a, b in zip(
        *(sorted((r for r in rows if r[0] > last), key=repr) for rows in (ours, theirs)), strict=True
    ):
        if a != b:
            return f"row {a} | {b}"
    return ""


def differ(question: Question, ours: Any, theirs: Any) -> str:
    """What is not equal, in short; empty where all is."""
    if isinstance(ours, list):
        return _rows_differ(ours, theirs)
    if set(ours) != set(theirs):
        return f"groups {sorted(ours)} | {sorted(theirs)}"
    for group, values in ours.items():
        others = theirs[group]
        if len(values) != len(others):
            return f"{group}: {len(values)} | {len(others)} values"
        for a, b in zip(values, others, strict=True):
            if a is None or b is None:
                same = a is b
            else:
                same = math.isclose(a, b, rel_tol=question.near, abs_tol=1e-12)
            if not same:
                return f"{group}: {a} | {b}"
    return ""


def first_time(side: str, number: int, database: Path, t: Micros) -> float:
    """Milliseconds in this new process, from opening the file to the answer."""
    question = QUESTIONS[number]
    if side == "duckdb":
        import duckdb

        forget(database)
        began = time.perf_counter()
        with duckdb.connect(database, read_only=True, config={"threads": 2}) as conn:
            ask_duck(conn, question, t)
            return (time.perf_counter() - began) * 1000
    forget(database)
    began = time.perf_counter()
    store = Store.open(database, write=False, clock=SystemClock())
    question.ask(store, t)
    took = (time.perf_counter() - began) * 1000
    store.close()
    return took


def _timed(ask: Callable[..., Any], *arguments: Any) -> float:
    began = time.perf_counter()
    ask(*arguments)
    return (time.perf_counter() - began) * 1000


def against_duckdb(database: Path, duck: Path, runs: int, firsts: int) -> list[Row]:
    """Every question to both, in turn."""
    import duckdb

    rows: list[Row] = []
    store = Store.open(database, write=False, clock=SystemClock())
    t = now_of(store)
    warm: list[tuple[float, float]] = []
    with duckdb.connect(duck, read_only=True, config={"threads": 2}) as conn:
        for question in QUESTIONS:
            wrong = differ(question, question.ask(store, t), ask_duck(conn, question, t))
            if wrong:
                sys.exit(f"{question.name}: the answers differ: {wrong}")
            pairs = [
                (_timed(question.ask, store, t), _timed(ask_duck, conn, question, t)) for _ in range(runs)
            ]
            warm.append((statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)))
    store.close()
    for number, question in enumerate(QUESTIONS):
        first = [
            tuple(
                alone("questions.py", file, "--first", side, number, "--at", t)
                for side, file in (("ours", database), ("duckdb", duck))
            )
            for _ in range(firsts)
        ]
        cold = statistics.median(a for a, _ in first), statistics.median(b for _, b in first)
        for how, (a, b) in (("warm", warm[number]), ("first", cold)):
            rows.append(
                Row(
                    f"{question.name}, {how}",
                    f"{a:.1f} ms",
                    f"DuckDB {b:.1f} ms",
                    f"{a / b:.2f}",
                    "< 1",
                    a < b,
                )
            )
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path, nargs="?")
    parser.add_argument("--duck", type=Path, help="DuckDB's file; made where it is missing")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--firsts", type=int, default=3)
    parser.add_argument("--first", nargs=2, metavar=("SIDE", "NUMBER"), help=argparse.SUPPRESS)
    parser.add_argument("--at", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    database = args.database or Databases().of(MANY)
    if args.first:
        side, number = args.first
        print(orjson.dumps(first_time(side, int(number), database, args.at)).decode())
        return
    duck = args.duck or database.with_suffix(".duckdb")
    if not duck.exists():
        fill(database, duck)
    show(against_duckdb(database, duck, args.runs, args.firsts))


if __name__ == "__main__":
    main()
