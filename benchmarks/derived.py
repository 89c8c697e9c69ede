"""Every question about calls that the screen, the rules and PromQL ask, slowest first.

Questions are those of the panes (see panes.py), every shipped rule with its baseline, and what people ask of
calls in PromQL: rates, quantiles of histograms in both forms, sums of money, plain counters, subqueries and
baselines over 1 h to 30 d. Each is asked of a database and, in turn, of one with a tenth of its calls in the
same span; the ratio tells what more calls cost, whatever the machine does.

Warm: asked before, by an engine that keeps no answers and no facts, so that every question reads the
database; the median of wall and processor time. First: of a database just opened, its pages dropped from the
system's cache.

Without databases, those of 100,000 and of a million calls are made, or taken from build/benchmarks.

    python benchmarks/derived.py 1m.db 10m.db --runs 5 --worst 20
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from databases import FEW, MANY, Databases
from panes import asked, now_of, paired
from rules import BUDGETS
from table import Row, forget, show

from tui_monitor.alerts.rules import compile_rules, read
from tui_monitor.alerts.shipped import shipped_rules
from tui_monitor.config.load import Settings
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros, SystemClock
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.database import Store

Ask = Callable[[LocalEngine], object]
LIMITS = {"pane": 50.0, "rule": 10.0, "promql": 50.0}
"""Milliseconds, warm."""
CHARTS = (
    (HOUR, MINUTE, "5m"), (DAY, 5 * MINUTE, "5m"), (DAY, 15 * MINUTE, "1h"), (HOUR, MINUTE, "1h"),
    (7 * DAY, 2 * HOUR, "2h"), (30 * DAY, 6 * HOUR, "6h"), (30 * DAY, DAY, "24h"),
)  # fmt: skip
"""Span, step and window."""
_TIMES = "llm_request_duration_seconds"
OVER_TIME = (
    "sum by(model)(rate(llm_requests_total[{w}]))",
    "sum(rate(llm_errors_total[{w}])) / sum(rate(llm_requests_total[{w}]))",
    f"histogram_quantile(0.95, sum by(model)(rate({_TIMES}[{{w}}])))",
    f"histogram_quantile(0.95, sum(rate({_TIMES}[{{w}}])))",
    f"histogram_avg(sum by(provider)(rate({_TIMES}[{{w}}])))",
    f"histogram_fraction(0, 1, sum by(model)(rate({_TIMES}[{{w}}])))",
    f"histogram_quantile(0.95, sum by(model, le)(rate({_TIMES}_bucket[{{w}}])))",
    f"sum by(model)(rate({_TIMES}_sum[{{w}}])) / sum by(model)(rate({_TIMES}_count[{{w}}]))",
    "sum by(user)(increase(llm_cost_usd_total[{w}]))",
    "sum by(model)(llm_requests_total)",
)
AT_ONCE = (
    "increase(llm_cost_usd_total[24h])",
    "sum(increase(llm_cost_usd_total[24h]))",
    "sum by(user)(increase(llm_cost_usd_total[30d]))",
    "topk(5, sum by(user)(increase(llm_cost_usd_total[7d])))",
    "sum by(model)(rate(llm_requests_total[5m]))",
    f"histogram_quantile(0.95, sum by(model)(rate({_TIMES}[5m])))",
    f"histogram_quantile(0.95, sum by(model)(rate({_TIMES}[24h])))",
    f"histogram_quantile(0.95, rate({_TIMES}[1h]))",
    f"histogram_quantile(0.95, sum by(le)(rate({_TIMES}_bucket[24h])))",
    'sum(rate(llm_requests_total{provider="openai", status="error"}[5m]))',
    "sum by(model)(llm_requests_total + 0)",
    f"histogram_quantile(0.95, sum by(model)({_TIMES}))",
    "max_over_time(sum(rate(llm_requests_total[5m]))[1h:1m])",
    "max_over_time(sum by(model)(rate(llm_requests_total[5m]))[24h:5m])",
    "avg_over_time(sum(llm_requests_total)[1h:])",
    "sum(rate(llm_cost_usd_total[1h])) > 3 * baseline(sum(rate(llm_cost_usd_total[1h])))",
    f"histogram_quantile(0.95, sum by(provider)(rate({_TIMES}[5m])))"
    f" > 2 * baseline(histogram_quantile(0.95, sum by(provider)(rate({_TIMES}[5m]))))",
)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked of an engine."""

    name: str
    kind: str
    ask: Ask


def questions(store: Store) -> Iterator[Question]:
    """All of them, at the moment of the panes' questions; in the same order for every database."""
    now = now_of(store)
    for name, ask in asked(store, now).items():
        yield Question(name, "pane", ask)
    yield from _rules(store, now)
    for text in AT_ONCE:
        yield Question(text, "promql", _instant(text, now))
    for span, step, window in CHARTS:
        for form in OVER_TIME:
            text = form.format(w=window)
            name = f"{text} over {span // HOUR} h by {step // SECOND} s"
            yield Question(name, "promql", _range(text, now, span, step))


def _instant(text: str, at: Micros) -> Ask:
    return lambda engine: engine.instant(text, at)


def _range(text: str, end: Micros, span: Micros, step: Micros) -> Ask:
    return lambda engine: engine.range(text, end - span, end, step)


def _rules(store: Store, now: Micros) -> Iterator[Question]:
    budgets = [{**budget, "scope": budget["scope"] or {}} for budget in BUDGETS]
    settings = Settings.model_validate({"budgets": budgets})
    calendar = Calendar("UTC")
    rules = compile_rules(
        [], LocalEngine(store, calendar), shipped=shipped_rules(settings), budgets=settings.all_budgets(),
        calendar=calendar,
    )  # fmt: skip
    for rule in rules:
        yield Question(f"{rule.name}: {rule.settings.expr}", "rule", lambda e, rule=rule: read(rule, e, now))


def opened(path: Path) -> Store:
    """The database, for reading."""
    return Store.open(path, write=False, clock=SystemClock())


def took(store: Store, ask: Ask) -> tuple[float, float]:
    """Milliseconds of wall and of processor time, by an engine that remembers nothing."""
    engine = LocalEngine(store, Calendar("UTC"))
    wall, cpu = time.perf_counter(), time.process_time()
    ask(engine)
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def first_time(path: Path, ask: Ask) -> float:
    """Milliseconds of a database that nobody has read, without opening it."""
    forget(path)
    store = opened(path)
    try:
        return took(store, ask)[0]
    finally:
        store.close()


Measured = list[tuple[Question, list[float]]]
"""Wall and processor time, wall time beside, and for the first time; in ms."""


def measure(few: Path, many: Path, runs: int, only: str, *, firsts: bool) -> Measured:
    """Each question to both in turn; the slowest first."""
    stores = [opened(few), opened(many)]
    pairs = [pair for pair in paired(*(list(questions(store)) for store in stores)) if only in pair[1].name]
    found: Measured = []
    for beside, question in pairs:
        times = [(*took(stores[1], question.ask), took(stores[0], beside.ask)[0]) for _ in range(runs + 1)]
        found.append((question, [statistics.median(column) for column in zip(*times[1:], strict=True)]))
    for store in stores:
        store.close()
    for question, medians in found:
        medians.append(first_time(many, question.ask) if firsts else float("nan"))
    return sorted(found, key=lambda one: -one[1][0])


def rows(found: Measured, worst: int) -> Iterator[Row]:
    """What all of a kind take, and the slowest of it."""
    for kind, limit in LIMITS.items():
        mine = [(question, figures) for question, figures in found if question.kind == kind]
        if not mine:
            continue
        wall, cpu, beside, _ = (sum(column) for column in zip(*(f for _, f in mine), strict=True))
        slow = sum(figures[0] >= limit for _, figures in mine)
        yield Row(
            f"{kind}: {len(mine)} questions, {slow} above {limit:g} ms", f"{wall:.0f} ms, CPU {cpu:.0f}",
            f"{beside:.0f} ms", f"{wall / beside:.2f}",
        )  # fmt: skip
        for question, (wall, cpu, beside, first) in mine[:worst]:
            yield Row(
                f"  {question.name}", f"{wall:.1f} ms, CPU {cpu:.1f}, first {first:.0f}", f"{beside:.1f} ms",
                f"{wall / beside:.2f}", f"< {limit:g} ms", wall < limit,
            )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("few", type=Path, nargs="?", help="a tenth of the calls")
    parser.add_argument("many", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--worst", type=int, default=10, help="how many of each kind are shown")
    parser.add_argument("--only", default="", help="questions that have this in them")
    parser.add_argument("--firsts", action="store_true", help="also for the first time")
    args = parser.parse_args()
    if args.few and not args.many:
        parser.error("name both databases, or none")
    few, many = args.few or Databases().of(FEW), args.many or Databases().of(MANY)
    show(list(rows(measure(few, many, args.runs, args.only, firsts=args.firsts), args.worst)))


if __name__ == "__main__":
    main()
