"""Metrics of cache lookups, rate limits, scores, progress and calls under way."""

import pytest

from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.feed import Event, Start
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000


def write(store, kind, *events):
    """(minutes ago, name, value, labels) each."""
    rows = [
        Event(kind, NOW - ago * MINUTE, "events:app", f"{kind}{i}", name, value, labels)
        for i, (ago, name, value, labels) in enumerate(events)
    ]
    store.write(WriteBatch(events=rows))


def test_hits_and_misses_of_the_response_cache(store, engine):
    hits = [(ago, "hit", 0.01, {"app": "a" if ago % 2 else "b"}) for ago in range(6)]
    misses = [(ago, "miss", None, {"app": "a"}) for ago in (10, 20)]
    write(store, "cache", *hits, *misses, (90, "miss", None, {}))
    rate = engine.instant("response_cache_hit_rate", NOW)
    assert (rate.scalar, rate.unit, rate.layers) == (0.75, "ratio", ("events",))
    assert engine.instant("response_cache_hit_rate avg by(app)", NOW).by("app") == {"a": 0.6, "b": 1.0}
    assert engine.instant("cache_hits", NOW).scalar == 6
    assert engine.instant("cache_misses by(app)", NOW).by("app") == {"a": 2.0, "b": 0.0}
    assert engine.instant("cache_misses [2h]", NOW).scalar == 3
    assert engine.instant("cache_hits [10m] rate", NOW).scalar == pytest.approx(0.01)
    chart = engine.range("response_cache_hit_rate", NOW - 30 * MINUTE, NOW, 10 * MINUTE)
    assert chart.series[0].values == (0.0, 0.0, 1.0)


def test_no_lookups_is_no_data(engine):
    assert engine.instant("response_cache_hit_rate", NOW).series == ()
    assert engine.instant("cache_hits", NOW).series == ()


def test_rate_limits(store, engine):
    denied = [(ago, "denied", 0.0, {"key": "k1", "limit_type": "rpm"}) for ago in (1, 2)]
    write(store, "rate_limit", *denied, (3, "allowed", 5.0, {"key": "k2", "limit_type": "rpm"}))
    assert engine.instant("rate_limit_denied by(key)", NOW).by("key") == {"k1": 2.0, "k2": 0.0}
    assert engine.instant('rate_limit_allowed{key="k2"}', NOW).scalar == 1


def test_scores(store, engine):
    scores = [(i, "accuracy", i / 10, {"model": "m"}) for i in range(1, 11)]
    write(store, "score", *scores, (1, "toxicity", 0.0, {"model": "m"}))
    text = 'llm_evaluation_score{name="accuracy"}'
    found = {how: engine.instant(f"{text} {how}", NOW).scalar for how in ("", "min", "max", "p90", "count")}
    assert found == {"": pytest.approx(0.55), "min": 0.1, "max": 1.0, "p90": 0.9, "count": 10.0}
    assert engine.instant("llm_evaluation_score by(name)", NOW).by("name")["toxicity"] == 0


def test_progress_is_a_share_and_takes_time(store, engine):
    write(
        store, "progress",
        (30, "mmlu", 0.0, {"total": "200", "state": "running"}), (10, "mmlu", 50.0, {"total": "200"}),
        (5, "gsm8k", 1.0, {"total": "?"}),
    )  # fmt: skip
    shares = engine.instant("llm_benchmark_progress by(name)", NOW)
    assert shares.by("name") == {"mmlu": 0.25}
    assert shares.unit == "ratio"
    took = engine.instant("llm_benchmark_duration_seconds by(name)", NOW)
    assert (took.by("name"), took.unit) == ({"mmlu": 1200.0, "gsm8k": 0.0}, "s")


def test_calls_under_way(store, engine):
    starts = [
        Start("events:app", "1", NOW - MINUTE, "anthropic", "m"),
        Start("events:app", "2", NOW - 2 * MINUTE, "anthropic", "n"),
        Start("events:app", "3", NOW - 3 * MINUTE, "openai", None),
        Start("events:app", "4", NOW - 11 * MINUTE, "openai", None),
        Start("events:app", "5", NOW + MINUTE, "openai", None),
    ]
    store.write(WriteBatch(starts=starts))
    assert engine.instant("requests_active", NOW).scalar == 3
    assert engine.instant('requests_active{provider="claude"} by(model)', NOW).by("model") == {
        "m": 1.0,
        "n": 1.0,
    }
    assert engine.instant("llm_requests_active by(model)", NOW).by("model")[""] == 1
    chart = engine.range("requests_active", NOW - HOUR, NOW, 20 * MINUTE)
    assert chart.series[0].values == (None, None, 3.0), "what has ended since is not known"
    assert engine.instant("requests_active", NOW - DAY).series == ()
