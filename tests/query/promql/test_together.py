"""Counters of calls asked together: equal to what each name gives alone, whatever comes between two looks."""

import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.query.exported import EXPORTED
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.ast import NAME
from tui_monitor.query.promql.derived import Form
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

NOW = 1_773_835_200_000_000
"""2026-03-18 12:00 UTC."""
GRID = 15 * SECOND


def random_call(dice: random.Random, key: str, at: int) -> Call:
    """A call of which anything may be unknown."""

    def maybe(value: object) -> object:
        return value if dice.random() < 0.7 else None

    failed = dice.random() < 0.2
    known = {
        "provider": maybe(dice.choice(["openai", "anthropic"])), "model_served": maybe(dice.choice("mn")),
        "operation": dice.choice(["chat", "embeddings"]), "app": maybe(dice.choice("xy")),
        "status": "error" if failed else dice.choice(["success", "success", "cancelled", "unknown"]),
        "error_category": maybe(dice.choice(["server", "rate_limit"])) if failed else None,
        "in_uncached": maybe(dice.randrange(9_000)), "out_total": maybe(dice.randrange(900)),
        "cache_read": maybe(dice.randrange(90)), "latency_ms": maybe(dice.lognormvariate(6, 2)),
        "ttft_ms": maybe(dice.lognormvariate(4, 2)), "queue_wait_ms": maybe(dice.choice([0.0, 3.0])),
        "cost": maybe(dice.randrange(10**9)), "list_cost": maybe(dice.randrange(10**9)),
    }  # fmt: skip
    return Call("t", key, ts_end=at, **known)


def happens(dice: random.Random, store: Store, now: int, number: int) -> None:
    """What may come between two looks: calls of now and of long ago, corrections, losses."""
    keys = [f"{number} {i}" for i in range(dice.randrange(1, 25))]
    ages = [MINUTE, 2 * HOUR, 2 * DAY, 40 * DAY]
    calls = [random_call(dice, key, now - dice.randrange(dice.choice(ages))) for key in keys]
    old = [f"{dice.randrange(number + 1)} {dice.randrange(20)}" for _ in range(3)]
    fixed = [random_call(dice, key, now - dice.randrange(DAY)) for key in old[:2]]
    store.write(WriteBatch(calls=[*calls, *fixed], retracts=[Retract("t", old[2])]))
    if dice.random() < 0.2:
        store.retain(Retention(), now)
        store.seal(now)


def alone(engine: LocalEngine, name: str, by: tuple[str, ...] | None, until: int, since: int | None):
    """What a query for one name answers."""
    found = EXPORTED[name]
    of = f'{{__name__="{name}",job=""}}'
    labels = (*(by or ()), "le") if found.form is Form.BUCKET else by
    summed = "sum without ()" if by is None else f"sum by ({', '.join(labels or ())})"
    query = f"{summed} ({of if since is None else f'increase({of}[{(until - since) // SECOND}s])'})"
    if found.form is Form.NATIVE:
        cells = engine.histograms(query, until)
    else:
        cells = [(one.labels, one.value) for one in engine.instant(query, until).series]
    return {(name, tuple(pair for pair in of if pair[0] != NAME)): value for of, value in cells}


def numbers(value: float | NativeHistogram) -> object:
    """What is to be equal. Sums of floats differ in their last bits by the order."""
    if isinstance(value, NativeHistogram):
        return value.count, value.zero_count, value.positive, pytest.approx(value.sum, rel=1e-12)
    return pytest.approx(value, rel=1e-12)


def grouping(dice: random.Random, name: str) -> tuple[str, ...] | None:
    outcome = "error_type" if EXPORTED[name].derived.metric.name == "errors" else "status"
    return dice.choice([None, ("provider", "model"), ("operation", outcome), ("app",), ()])


@settings(max_examples=examples(6))
@given(seed=st.integers(0, 1 << 32), zone=st.sampled_from(["UTC", "America/St_Johns"]))
def test_together_is_as_each_alone(
    empty_database: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, zone: str
) -> None:
    dice = random.Random(seed)
    clock = ManualClock(NOW + dice.randrange(DAY) // GRID * GRID)
    path = tmp_path_factory.mktemp("together") / "monitor.db"
    shutil.copy(empty_database, path)
    store = Store.open(path, write=True, clock=clock, zone=zone)
    try:
        engine = LocalEngine(store, Calendar(zone), clock=clock)
        by = {name: grouping(dice, name) for name in dice.sample(sorted(EXPORTED), 8)}
        settled = (clock.now() - HOUR) // HOUR * HOUR
        for number in range(4):
            happens(dice, store, clock.now(), number)
            at = clock.now() // GRID * GRID
            for since in (settled, None):
                # Answers of before belong to one engine, so the other knows none.
                fresh = LocalEngine(store, Calendar(zone), clock=clock)
                each = [alone(fresh, name, of, at, since) for name, of in by.items()]
                expected = {series: numbers(value) for found in each for series, value in found.items()}
                found = engine.counters(by, at, since)
                assert {series: numbers(value) for series, value in found.items()} == expected
            clock.advance(dice.choice([GRID, MINUTE, HOUR, 9 * HOUR]))
    finally:
        store.close()


def test_of_no_calls_there_are_no_counters(engine: LocalEngine) -> None:
    assert engine.counters(dict.fromkeys(EXPORTED), NOW) == {}
    assert engine.counters(dict.fromkeys(EXPORTED), NOW, NOW - HOUR) == {}
