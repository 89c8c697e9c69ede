"""Calls as series of PromQL: exact rates, counters that never fall, histograms in both forms."""

import random

import numpy as np
import pytest

from tui_monitor.config.settings import Retention
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import Event, Retract, Sample, Start
from tui_monitor.query.context import Context
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.calls import DerivedCalls
from tui_monitor.query.promql.engine import Engine
from tui_monitor.query.promql.evaluate.context import Semantics
from tui_monitor.query.promql.limits import Limits, QueryCancelled, QueryLimit
from tui_monitor.query.reading import RecentFacts
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000
"""2026-03-18 12:00 UTC."""


def call(key: object, at: int, **fields: object) -> Call:
    known = {"provider": "openai", "model_served": "m", "status": "success", **fields}
    return Call("t", str(key), ts_end=at, **known)


@pytest.fixture
def many(store):
    """1,500 calls of two days, by three models and two providers, one in ten failed, a third unpriced."""
    dice = random.Random(7)
    calls = []
    for key in range(1_500):
        money = {} if dice.random() < 0.33 else {"cost": dice.randrange(10**9), "cost_status": "computed"}
        failed = dice.random() < 0.1
        calls.append(
            call(
                key, NOW - dice.randrange(2 * DAY), provider=dice.choice(["openai", "anthropic"]),
                model_served=dice.choice("mno"), status="error" if failed else "success",
                error_category="rate_limit" if failed else None, out_total=dice.randrange(4_000),
                latency_ms=dice.lognormvariate(6, 1), attrs={"tenant": dice.choice("ab")}, **money,
            )
        )  # fmt: skip
    store.write(WriteBatch(calls=calls))
    return calls


def by(result, label: str = "model") -> dict[str, float]:
    return {series.label(label): series.value for series in result.series}


def promql(store, text: str, at: int = NOW, **how):
    context = Context(store, Calendar(), text, RecentFacts(store), store.version())
    return Engine(DerivedCalls(context), **how).instant(text, at).value


def test_what_is_spent_is_the_same_to_the_nano_dollar(many, engine):
    whole = engine.instant("sum(increase(llm_cost_usd_total[30d]))", NOW)
    assert round(whole.scalar * 10**9) == sum(call.cost or 0 for call in many)
    assert whole.scalar == engine.instant("cost{} [30d] sum", NOW).scalar
    assert whole.unit == "usd"
    assert "day" in whole.layers
    assert "samples" not in whole.layers


@pytest.mark.parametrize("window", ["5h", "1d"])
def test_quantiles_are_those_of_the_short_form(many, engine, window):
    for model, exact in by(engine.instant(f"latency{{}} [{window}] p95 by(model)", NOW)).items():
        text = f"histogram_quantile(0.95, sum by(model)(rate(llm_request_duration_seconds[{window}])))"
        native = engine.instant(text, NOW)
        assert by(native)[model] * 1_000 == pytest.approx(exact, rel=0.01)
        assert native.unit == "s"


def test_buckets_are_counts_whose_bounds_have_the_unit(many, engine):
    name = "llm_request_duration_seconds"
    found = engine.instant(f"sum by (le) (increase({name}_bucket[1d]))", NOW)
    assert (found.unit, found.bounds) == ("", "s")
    counted = engine.instant(f"sum(increase({name}_count[1d]))", NOW)
    assert by(found, "le")["+Inf"] == counted.scalar
    assert (counted.unit, counted.bounds) == ("", "")
    # Added up over `le`, there are no bounds any more.
    assert engine.instant(f'sum(increase({name}_bucket{{le="0.5"}}[1d]))', NOW).bounds == ""
    buckets = f"sum by (le) (rate({name}_bucket[1d]))"
    for text in (buckets, f"sum(rate({name}[1d]))", f"{buckets} * 2", f"{buckets} + {buckets}"):
        quantile = engine.instant(f"histogram_quantile(0.9, {text})", NOW)
        assert (quantile.unit, quantile.bounds) == ("s", ""), text


@pytest.mark.parametrize("window", [5 * MINUTE, 7 * MINUTE, 26 * HOUR])
@pytest.mark.parametrize("step", [MINUTE, 13 * MINUTE])
def test_increase_counts_each_call(many, store, window, step):
    text = f"sum by(model, status)(increase(llm_requests_total[{window // SECOND}s]))"
    context = Context(store, Calendar(), text, RecentFacts(store), store.version())
    answer = Engine(DerivedCalls(context)).range(text, NOW - 3 * HOUR, NOW, step)
    for of, values in zip(answer.value.labels, answer.value.values, strict=True):
        mine = [c.ts_end for c in many if (("model", c.model_served), ("status", c.status)) == of]
        for at, value in zip(answer.instants.tolist(), values.tolist(), strict=True):
            assert value == sum(at - window < end <= at for end in mine)


def test_series_have_the_labels_of_the_hour_layer_and_those_asked_for(many, engine):
    failed = engine.instant('increase(llm_errors_total{model="m"}[2d])', NOW)
    assert [dict(series.labels) for series in failed.series] == [
        {"provider": provider, "model": "m", "operation": "chat", "error_type": "rate_limit"}
        for provider in ("anthropic", "openai")
    ]
    by_attribute = by(engine.instant("sum by(tenant)(increase(llm_requests_total[2d]))", NOW), "tenant")
    assert by_attribute == {t: sum(c.attrs["tenant"] == t for c in many) for t in "ab"}
    of_one = engine.instant('sum(rate(llm_requests_total{tenant="a"}[2d]))', NOW)
    assert of_one.scalar == pytest.approx(by_attribute["a"] / (2 * DAY / SECOND))
    assert of_one.unit == "requests/s"
    assert engine.instant('increase(llm_requests_total{job="x"}[1h])', NOW).series == ()
    claude = engine.instant('sum(increase(llm_requests_total{provider="claude", job=""}[1h]))', NOW)
    assert claude.scalar == engine.instant('requests{provider="anthropic"} [1h]', NOW).scalar


def test_a_counter_stands_on_a_grid_and_never_falls(many, engine, store):
    text = 'llm_requests_total{model="m",status="success",provider="openai"}[1h]'
    found = promql(store, text)
    inside = slice(int(found.low[0, 0]), int(found.high[0, 0]))
    times, values = found.series.times[inside], found.series.values[inside]
    assert (times % (15 * SECOND) == 0).all()
    assert len(times) == 240
    assert (np.diff(values) >= 0).all()
    mine = [
        c.ts_end for c in many
        if (c.model_served, c.status, c.provider) == ("m", "success", "openai")
    ]  # fmt: skip
    assert values.tolist() == [sum(end <= at for end in mine) for at in times.tolist()]
    # Of a closed range the instant where it begins counts too.
    closed = promql(store, text, semantics=Semantics(2))
    assert closed.counts.tolist() == [[241]]


def test_counters_go_on_when_single_calls_are_gone(many, store):
    before = promql(store, "sum(llm_cost_usd_total)").values[0, 0]
    dropped = store.retain(Retention.model_validate({"raw": "1d"}), NOW + 2 * DAY)
    assert dropped.calls > 0
    assert promql(store, "sum(llm_cost_usd_total)").values[0, 0] == before


def test_a_counter_that_exists_rises_by_nothing_and_one_that_does_not_is_absent(store, engine):
    store.write(WriteBatch(calls=[call(1, NOW - DAY), call(2, NOW - 2 * HOUR, model_served="n")]))
    text = "sum by(model)(increase(llm_requests_total[1h]))"
    assert by(engine.instant(text, NOW)) == {"m": 0.0, "n": 0.0}
    assert by(engine.instant(text, NOW - 2 * HOUR)) == {"m": 0.0, "n": 1.0}
    assert by(engine.instant(text, NOW - 12 * HOUR)) == {"m": 0.0}
    assert engine.instant(text, NOW - 3 * DAY).series == ()
    over = engine.range(text, NOW - 3 * HOUR, NOW, HOUR)
    assert {s.label("model"): s.values for s in over.series} == {"m": (0, 0, 0), "n": (1, 0, 0)}
    # What no call has a price for is unknown, and has no counter.
    assert engine.instant("increase(llm_cost_usd_total[2d])", NOW).series == ()


def test_late_calls_and_those_taken_back_are_seen_at_once(store, engine):
    store.write(WriteBatch(calls=[call(1, NOW - MINUTE)]))
    text = "sum(increase(llm_requests_total[1h]))"
    assert engine.instant(text, NOW).scalar == 1
    store.write(WriteBatch(calls=[call(2, NOW - 30 * MINUTE)]))
    assert engine.instant(text, NOW).scalar == 2
    store.write(WriteBatch(retracts=[Retract("t", "1")]))
    assert engine.instant(text, NOW).scalar == 1


def test_histograms_are_native_and_classic(store, engine):
    lengths = [5.0, 100.0, 100.0, 700.0, 90_000.0]
    calls = [call(key, NOW - MINUTE, latency_ms=ms) for key, ms in enumerate(lengths)]
    store.write(WriteBatch(calls=calls))
    name = "llm_request_duration_seconds"
    assert engine.instant(f"histogram_count(increase({name}[1h]))", NOW).scalar == 5
    assert engine.instant(f"histogram_sum(increase({name}[1h]))", NOW).scalar == pytest.approx(90.905)
    assert engine.instant(f"histogram_avg({name})", NOW).scalar == pytest.approx(90.905 / 5)
    assert engine.instant(f"increase({name}_sum[1h])", NOW).scalar == pytest.approx(90.905)
    assert engine.instant(f"sum(increase({name}_count[1h]))", NOW).scalar == 5
    classic = by(engine.instant(f"sum by(le)(increase({name}_bucket[1h]))", NOW), "le")
    wanted = {"0.01": 1, "0.08": 1, "0.16": 3, "0.64": 3, "1.28": 4, "81.92": 4, "+Inf": 5}
    assert {le: classic[le] for le in wanted} == wanted
    assert engine.instant(f'increase({name}_bucket{{le="1.28"}}[1h])', NOW).scalar == 4
    assert engine.instant(f"sum(increase({name}_bucket[1h]))", NOW).scalar == sum(classic.values())
    shown = engine.instant(f"increase({name}[1h])", NOW)
    assert shown.series == ()
    assert "histogram_quantile" in shown.warnings[0]


def test_events_and_calls_under_way(store, engine):
    looked = [("cache", 1, "hit", None), ("cache", 1, "hit", None), ("cache", 1, "miss", None)]
    scored = [("score", 2, "truth", 0.25), ("score", 1, "truth", 0.75)]
    events = [
        Event(kind, NOW - ago * MINUTE, "e", str(key), name, value, {"model": "m"})
        for key, (kind, ago, name, value) in enumerate([*looked, *scored])
    ]
    starts = [Start("t", "9", NOW - MINUTE, provider="openai")]
    store.write(WriteBatch(events=events, starts=starts))
    assert engine.instant("sum(increase(cache_hits[1h]))", NOW).scalar == 2
    scores = engine.instant('avg_over_time(llm_evaluation_score{model="m"}[1h])', NOW)
    assert (scores.scalar, scores.series[0].label("name")) == (0.5, "truth")
    assert engine.instant("abs(llm_evaluation_score)", NOW).scalar == 0.75
    assert engine.instant('sum by(provider)(llm_requests_active{provider=~".+"})', NOW).scalar == 1


def test_scraped_series_of_a_derived_name_keep_their_job(store, engine):
    scraped = [
        Sample("llm_requests_total", NOW - at * 15 * SECOND, 100.0 - at, {"job": "app"}, "counter")
        for at in range(20)
    ]
    store.write(WriteBatch(calls=[call(1, NOW - MINUTE)], samples=scraped))
    assert by(engine.instant("abs(llm_requests_total)", NOW), "job") == {"": 1, "app": 100}
    assert by(engine.instant("sum by(job)(increase(llm_requests_total[4m]))", NOW), "job") == {
        "": 1,
        "app": 16,
    }
    assert engine.instant('abs(llm_requests_total{job=""})', NOW).scalar == 1


def test_every_series_is_listed_once(many, engine):
    names = by(engine.instant('count by(__name__)({__name__=~".+", model="m"})', NOW), "__name__")
    assert {"llm_requests_total", "llm_cost_usd_total", "llm_request_duration_seconds_bucket"} <= set(names)
    assert not {"requests", "cost", "latency"} & set(names)


def test_one_query_is_limited_and_can_be_cancelled(many, store):
    import threading

    engine = LocalEngine(store, Calendar(), Limits(series=3))
    with pytest.raises(QueryLimit):
        engine.instant("increase(llm_requests_total[2d])", NOW)
    assert engine.instant("sum(increase(llm_requests_total[2d]))", NOW).scalar == len(many)
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(QueryCancelled):
        engine.range("sum(rate(llm_requests_total[2d]))", NOW - HOUR, NOW, MINUTE, cancel=cancelled)
    with pytest.raises(QueryError, match="values"):
        engine.instant("sum_over_time(llm_requests_total[600d])", NOW)


@pytest.mark.parametrize(
    "text", ["count_over_time(latency[1h])", "changes(latency[1h]) > 0", "latency * 2 or vector(0)"]
)
def test_histograms_that_are_made_one_by_one_are_limited(many, store, text):
    plenty = LocalEngine(store, Calendar())
    frugal = LocalEngine(store, Calendar(), Limits(samples=40_000))
    assert frugal.range("histogram_quantile(0.9, rate(latency[1d]))", NOW - HOUR, NOW, MINUTE).series
    plenty.range(text, NOW - HOUR, NOW, 5 * MINUTE)
    with pytest.raises(QueryLimit, match="samples"):
        frugal.range(text, NOW - HOUR, NOW, 5 * MINUTE)
