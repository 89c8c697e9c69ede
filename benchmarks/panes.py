"""The questions that the panes ask, over few calls and over many stored in the same span of time.

No list is kept here: the views of the Providers, Costs and System panes are built by the program's own code
over 1 h, 24 h, 7 d and 30 d, and every question that reaches the query engine on the way is noted. Each is
then asked of both databases in turn, with nothing kept from one question to the next.

Without databases, those of 100,000 and of a million calls are made, or taken from build/benchmarks.

    python benchmarks/panes.py 1m.db 10m.db
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from databases import FEW, MANY, Databases
from table import Row, show

from tui_monitor.config.load import Settings
from tui_monitor.costs.periods import KINDS
from tui_monitor.costs.summary import costs_view
from tui_monitor.health.providers import providers_view
from tui_monitor.health.system import system_view
from tui_monitor.health.views import CollectorStatus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros, SystemClock
from tui_monitor.model.timerange import TimeRange
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.ast import Expr
from tui_monitor.query.result import Result
from tui_monitor.store.database import Store

OFF = 17 * MINUTE + 23 * SECOND + 456_789
"""How far before the last call "now" is: off the grid of the roll-ups."""
SPANS = (HOUR, DAY, 7 * DAY, 30 * DAY)
POINTS = 24
Ask = Callable[[LocalEngine], Result]
Q = TypeVar("Q")


class _Listening(LocalEngine):
    """An engine that notes what it is asked."""

    def __init__(self, store: Store, calendar: Calendar) -> None:
        super().__init__(store, calendar)
        self.heard: dict[tuple[object, ...], Ask] = {}

    def instant(
        self, text: str, at: Micros, *, cancel: threading.Event | None = None, tree: Expr | None = None
    ) -> Result:
        """The engine's answer."""
        self.heard[text, at] = lambda engine: engine.instant(text, at, tree=tree)
        return super().instant(text, at, cancel=cancel, tree=tree)

    def range(
        self, text: str, start: Micros, end: Micros, step: Micros, *, cancel: threading.Event | None = None
    ) -> Result:
        """The engine's answer."""
        self.heard[text, start, end, step] = lambda engine: engine.range(text, start, end, step)
        return super().range(text, start, end, step, cancel=cancel)


def now_of(store: Store) -> Micros:
    """The moment of the questions."""
    last = store.extent().last
    assert last is not None, "the database is empty"
    return last - OFF


def asked(store: Store, now: Micros) -> dict[str, Ask]:
    """Every question of the panes at a moment, by what it says."""
    settings, calendar = Settings(), Calendar("UTC")
    engine = _Listening(store, calendar)
    for length in SPANS:
        shown = TimeRange(length)
        providers_view(engine, store, settings.health, calendar, shown, POINTS, now)
        system_view(engine, store, shown, POINTS, now, CollectorStatus(running=False))
    first = store.extent().first
    for period in KINDS:
        for by in ("model", "provider", "user"):
            costs_view(engine, settings, calendar, by, period, now, first)
    return {" ".join(map(str, key)): ask for key, ask in engine.heard.items()}


def took(store: Store, ask: Ask) -> float:
    """Milliseconds of one question to an engine that remembers nothing."""
    began = time.perf_counter()
    ask(LocalEngine(store, Calendar("UTC")))
    return (time.perf_counter() - began) * 1000


def paired(few: list[Q], many: list[Q]) -> list[tuple[Q, Q]]:
    """The same question to both. Ends the program where the databases are asked different things."""
    if len(few) != len(many):
        sys.exit(
            f"the two databases are not alike: {len(few)} questions about the first, {len(many)} about the "
            "second. Name two with the same providers, models and span of time, one with a tenth of the "
            "calls; without names both are made."
        )
    return list(zip(few, many, strict=True))


def compare(few: Path, many: Path, runs: int) -> Iterator[Row]:
    """Each question to both, in turn."""
    stores = [Store.open(path, write=False, clock=SystemClock()) for path in (few, many)]
    counts = [store.extent().calls for store in stores]
    questions = [asked(store, now_of(store)) for store in stores]
    # The two databases end at different moments, so their questions differ in times alone.
    pairs = paired(*(list(one.values()) for one in questions))
    names = list(questions[1])
    medians: list[tuple[float, float]] = []
    for pair in pairs:
        times = [[took(store, ask) for store, ask in zip(stores, pair, strict=True)] for _ in range(runs)]
        medians.append((statistics.median(a for a, _ in times), statistics.median(b for _, b in times)))
    for store in stores:
        store.close()
    ratios = [b / a for a, b in medians]
    what = f"{len(pairs)} questions of the panes, {counts[1]:,} calls against {counts[0]:,}"
    all_few, all_many = (sum(column) for column in zip(*medians, strict=True))
    middle = statistics.geometric_mean(ratios)
    yield Row(
        what, f"{all_many:.0f} ms for all", f"{all_few:.0f} ms", f"{all_many / all_few:.2f}", "<= 1.5",
        all_many / all_few <= 1.5,
    )  # fmt: skip
    yield Row("their ratios, geometric mean", "", "", f"{middle:.2f}", "<= 1.5", middle <= 1.5)
    # Below that, what differs is the machine's mood.
    long_ones = [entry for entry in zip(ratios, medians, names, strict=True) if max(entry[1]) >= 2]
    for ratio, (a, b), name in sorted(long_ones, reverse=True)[:3]:
        yield Row(f"  worst: {name}", f"{b:.1f} ms", f"{a:.1f} ms", f"{ratio:.2f}", "<= 1.5", ratio <= 1.5)
    (a, b), name = max(zip(medians, names, strict=True), key=lambda pair: pair[0][1])
    yield Row(f"  slowest: {name}", f"{b:.1f} ms", f"{a:.1f} ms", f"{b / a:.2f}", "< 50 ms", b < 50)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("few", type=Path, nargs="?", help="a tenth of the calls")
    parser.add_argument("many", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    if args.few and not args.many:
        parser.error("name both databases, or none")
    few, many = args.few or Databases().of(FEW), args.many or Databases().of(MANY)
    show(list(compare(few, many, args.runs)))


if __name__ == "__main__":
    main()
