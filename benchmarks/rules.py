"""One look at all shipped rules and six budgets, on a copy of a database to which calls are added between.

Rounds are a minute apart from the last stored call on, as a collector would look; the first one is cold.

Without a database, one of a million calls is made, or taken from build/benchmarks.

    python benchmarks/rules.py monitor.db --rounds 8
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from databases import MANY, Databases

from tui_monitor.alerts.rules import compile_rules, read
from tui_monitor.alerts.shipped import shipped_rules
from tui_monitor.config.load import Settings
from tui_monitor.model.call import Call
from tui_monitor.model.clock import MINUTE, SECOND, Micros, SystemClock
from tui_monitor.query.local import LocalEngine
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

BUDGETS = [
    {
        "name": f"{period} {scope or 'all'}",
        "period": period,
        "amount_usd": 500,
        "scope": scope and {"model": scope},
    }
    for period in ("day", "week", "month")
    for scope in ("", "gpt-4o-mini")
]


def main() -> None:
    """Measure, and print each round and its three slowest rules in ms."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("database", type=Path, nargs="?")
    parser.add_argument("--rounds", type=int, default=8)
    args = parser.parse_args()
    database = args.database or Databases().of(MANY)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.db"
        shutil.copyfile(database, path)
        measure(path, args.rounds)


def measure(path: Path, rounds: int) -> None:
    """Look at the rules of a database that is written to between."""
    budgets = [{**budget, "scope": budget["scope"] or {}} for budget in BUDGETS]
    settings = Settings.model_validate({"budgets": budgets})
    calendar = settings.calendar()
    store = Store.open(path, write=True, clock=SystemClock(), zone=calendar.zone)
    engine = LocalEngine(store, calendar)
    rules = compile_rules(
        [], engine, shipped=shipped_rules(settings), budgets=settings.all_budgets(), calendar=calendar
    )
    extent = store.extent()
    assert extent.last is not None, "the database is empty"
    print(f"{extent.calls:,} calls, {len(rules)} rules")
    took: list[float] = []
    for number in range(rounds):
        at: Micros = (extent.last // MINUTE + number) * MINUTE
        times: dict[str, float] = {}
        for rule in rules:
            began = time.perf_counter()
            read(rule, engine, at)
            times[rule.name] = (time.perf_counter() - began) * 1000
        took.append(sum(times.values()))
        slowest = sorted(times.items(), key=lambda pair: -pair[1])[:3]
        print(f"round {number}: {took[-1]:6.0f} ms  " + ", ".join(f"{n} {ms:.0f}" for n, ms in slowest))
        call = Call("bench", str(number), ts_end=at + 30 * SECOND, provider="openai", status="success")
        store.write(WriteBatch(calls=[call]))
    print(f"median after the first: {statistics.median(took[1:]):.0f} ms")
    store.close()


if __name__ == "__main__":
    main()
