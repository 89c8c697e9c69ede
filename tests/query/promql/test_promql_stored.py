"""PromQL over a real store: native histograms, series that come and go, and what stayed of old samples."""

import numpy as np
import pytest

from tests.native_histograms import growing
from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.feed import STALE, Sample
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.memory import MemoryStorage
from tui_monitor.query.promql.stored import StoredSamples
from tui_monitor.store.api import WriteBatch

TICK = 15 * SECOND


def values(answer):
    """Labels without the name, as text → values of a range."""
    return {
        ",".join(value for name, value in row["metric"].items() if name != "__name__"): [
            float(value) for _, value in row["values"]
        ]
        for row in answer.api()["data"]["result"]
    }


def numbers(answer):
    """Labels without the name, as text → the value of the only instant."""
    return {
        ",".join(value for name, value in row["metric"].items() if name != "__name__"): float(row["value"][1])
        for row in answer.api()["data"]["result"]
    }


def test_native_histograms_of_the_store_are_series(store, clock):
    first = clock.now() - HOUR
    bodies = growing([[2, 4, 1]] * 100)
    samples = [
        Sample("took", first + i * TICK, body, {"job": "a"}, "native_histogram")
        for i, body in enumerate(bodies)
    ]
    samples += [Sample("took", first + i * TICK, float(i), {"job": "b"}) for i in range(100)]
    store.write(WriteBatch(samples=samples))
    engine, at = Engine(StoredSamples(store)), first + 99 * TICK
    assert numbers(engine.instant('histogram_count(took{job="a"})', at)) == {"a": bodies[-1].count}
    grown = bodies[-1].count - bodies[-20].count
    assert numbers(engine.instant("histogram_count(increase(took[5m]))", at)) == {
        "a": pytest.approx(grown * 20 / 19)
    }
    assert numbers(engine.instant('took{job="b"}', at)) == {"b": 99.0}


def test_answers_are_those_of_the_same_samples_in_memory(store, clock):
    """Scrapes at offsets of their own, gaps, resets, a series that ends and one that comes late."""
    first = clock.now() - 2 * HOUR
    rng = np.random.default_rng(5)
    memory = MemoryStorage()
    samples = []
    for number in range(12):
        labels = {"job": f"j{number % 3}", "n": str(number)}
        at = first + number % 3 * SECOND + np.arange(400) * TICK
        counts = np.cumsum(rng.poisson(3, 400)).astype(float)
        counts[250:] -= counts[249] if number % 4 == 0 else 0
        kept = (
            slice(100, None)
            if number == 7
            else np.flatnonzero(rng.random(400) < 0.9)
            if number > 9
            else slice(None)
        )
        pairs = list(zip(at[kept].tolist(), counts[kept].tolist(), strict=True))
        if number == 8:
            pairs = [*pairs[:200], (pairs[200][0], STALE)]
        memory.add({"__name__": "x", **labels}, pairs)
        samples += [Sample("x", time, value, labels, "counter") for time, value in pairs]
    store.write(WriteBatch(samples=samples))
    ours, theirs = Engine(StoredSamples(store)), Engine(memory)
    span = (first + 7 * SECOND, first + 110 * MINUTE, 37 * SECOND)
    for text in (
        "x", "rate(x[5m])", "irate(x[2m])", "sum by(job) (increase(x[5m]))", 'x{n=~"1.*"}', "resets(x[10m])",
        "max_over_time(x[7m])", "min_over_time(x[20s])", "avg_over_time(x[3m])", "sum_over_time(x[9m])",
        "count_over_time(x[4m])", "last_over_time(x[1m])", "delta(x[6m])", "timestamp(x)", "changes(x[8m])",
        "x @ end()", "rate(x[5m] @ start())", "sum_over_time(rate(x[5m])[10m:1m])",
        "quantile_over_time(0.3, x[5m])",
        'topk(2, x{job!="j0"})', "absent_over_time(x[1m])", "x offset 3m", "stddev_over_time(x[5m])",
    ):  # fmt: skip
        for _ in range(2):
            assert ours.range(text, *span).api() == theirs.range(text, *span).api(), text


def test_old_samples_answer_from_what_stayed_of_them(store, clock):
    first = clock.now() // HOUR * HOUR - 2 * DAY
    ticks = [first + i * TICK for i in range(1, 24 * 240 + 1)]
    samples = [Sample("load", at, float(i % 20), {}) for i, at in enumerate(ticks)]
    samples += [Sample("seen", at, float(i), {}, "counter") for i, at in enumerate(ticks)]
    store.write(WriteBatch(samples=samples))
    clock.advance(60 * DAY)
    engine, end = Engine(StoredSamples(store)), first + DAY
    before = numbers(engine.instant("increase(seen[12h])", end))
    store.retain(Retention.model_validate({"samples": "30d", "samples_steps": "400d"}), clock.now())
    answer = engine.instant("max_over_time(load[12h])", end)
    assert numbers(answer) == {"": 19.0}
    assert len(answer.warnings) == 1
    assert "one point for each 5 minutes" in answer.warnings[0]
    assert numbers(engine.instant("min_over_time(load[12h])", end)) == {"": 0.0}
    assert numbers(engine.instant("avg_over_time(load[12h])", end)) == {"": pytest.approx(9.5)}
    assert numbers(engine.instant("sum_over_time(load[1h])", end)) == {"": pytest.approx(9.5 * 240)}
    assert numbers(engine.instant("increase(seen[12h])", end))[""] == pytest.approx(before[""], rel=0.02)
    (series,) = values(engine.range("load", end - 2 * HOUR, end, 10 * MINUTE)).values()
    assert series == [9.5] * 13
    # What was not thinned out is answered without a word.
    store.write(WriteBatch(samples=[Sample("load", clock.now() - i * TICK, 3.0, {}) for i in range(40)]))
    recent = engine.instant("avg_over_time(load[5m])", clock.now())
    assert (numbers(recent), recent.warnings) == ({"": 3.0}, [])
