"""One entry for both languages: which answers, whose error is shown, units and warnings."""

import pytest

from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, MINUTE, SECOND
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import Sample
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000


@pytest.fixture
def asked(store, engine):
    """A counter and a gauge on two hosts, and four calls."""
    samples = [
        Sample(name, NOW - at * 15 * SECOND, float(value * (40 - at)), {"host": host}, kind)
        for at in range(40)
        for host, value in (("a", 1), ("b", 2))
        for name, kind in (("disk_reads_total", "counter"), ("disk_used_bytes", "gauge"))
    ]
    calls = [
        Call("t", str(key), ts_end=NOW - MINUTE, provider="openai", model_served=model, status="success",
             latency_ms=1000.0, cost=10**9, cost_status="computed")
        for key, model in enumerate("mmno")
    ]  # fmt: skip
    store.write(WriteBatch(calls=calls, samples=samples))
    return engine


def test_a_rate_of_stored_series_is_promql_s(asked):
    found = asked.instant("rate(disk_reads_total[5m])", NOW)
    assert {s.label("host"): s.value for s in found.series} == pytest.approx({"a": 1 / 15, "b": 2 / 15})
    assert found.layers == ("samples",)
    over = asked.range("rate(disk_reads_total[5m])", NOW - 2 * MINUTE, NOW, MINUTE)
    assert over.kind == "matrix"
    assert over.times == (NOW - MINUTE, NOW)
    assert [len(series.values) for series in over.series] == [2, 2]


def test_the_short_form_stays_what_it_is(asked):
    # As PromQL the first would be one series for each model, and the second the counter's whole value.
    assert asked.instant("rate(requests[5m])", NOW).scalar == pytest.approx(4 / 300)
    assert asked.instant("sum(requests[30s])", NOW).scalar is None
    assert asked.instant("cost / requests", NOW).scalar == 1


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("sum by(host)(disk_used_bytes) * 2", "bytes"), ("sum(rate(llm_cost_usd_total[5m]))", "usd/s"),
        ("histogram_quantile(0.5, sum(rate(llm_request_duration_seconds[5m])))", "s"),
        ("histogram_quantile(0.5, sum(rate(latency[5m])))", "ms"),
        ("max_over_time(disk_used_bytes[5m]) > 3", "bytes"), ("count(disk_used_bytes) + 0", ""),
        ("topk(1, disk_used_bytes)", "bytes"), ("disk_used_bytes * disk_used_bytes", ""),
        ("sum(increase(llm_cost_usd_total[5m])) / sum(increase(llm_requests_total[5m]))", "usd"),
        ("sum(increase(latency_sum[5m])) + sum(increase(llm_cost_usd_total[5m]))", ""),
        ("disk_used_bytes > bool 3 or vector(1)", ""),
    ],
)  # fmt: skip
def test_units_come_from_the_metrics_through_the_functions(asked, text, unit):
    result = asked.instant(text, NOW)
    assert result.series
    assert result.unit == unit


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("sum by(host)(rat(disk_reads_total[5m]))", (13, 3), "unknown function rat"),
        ("latency p95 by(model", (14, 1), "( is not closed"),
        ("rate(disk_reads_total[5m]) + ", (29, 1), "expected"),
        ("disk_reads_total[5m] offset 1m @ end()", (0, 38), "not for a range vector"),
        ('up{a=~"("} unless up', (6, 3), "not a regular expression"),
        ("cost{} [1h] sumn", (12, 4), "expected an aggregate"),
        ("latancy{} [1h] avg", (0, 7), "did you mean latency?"),
    ],
)
def test_the_error_is_that_of_the_language_that_read_further(asked, text, place, message):
    for ask in (lambda: asked.instant(text, NOW), lambda: asked.check(text)):
        with pytest.raises(QueryError) as caught:
            ask()
        assert message in caught.value.message
        assert (caught.value.position, caught.value.length) == place


def test_what_is_probably_mistyped_is_said(asked):
    assert asked.instant("sum(rate(disk_read_total[5m]))", NOW).warnings == (
        "nobody has sent disk_read_total; did you mean disk_reads_total?",
    )
    (warning,) = asked.instant("max_over_time(error_rate[1h])", NOW).warnings
    assert warning.startswith("error_rate is no series")


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ('sum(rate(requests{modle="m"}[5m]))', "requests has no label modle; did you mean model?"),
        ('abs(disk_used_bytes{hots="a"})', "disk_used_bytes has no label hots; did you mean host?"),
        ('abs(requests{job=""})', ""), ('sum(rate(latency_bucket{le="1"}[5m]))', ""),
        ('topk(3, requests by(modle))', "no call has a label modle; did you mean model?"),
    ],
)  # fmt: skip
def test_labels_that_are_probably_mistyped_are_said(asked, text, warned):
    assert [one for one in asked.instant(text, NOW).warnings if "label" in one] == [warned] * bool(warned)


def test_nothing_is_no_number(asked):
    assert asked.instant("vector(0) / 0", NOW).scalar is None
    assert asked.instant("time() - time()", NOW).scalar == 0
    assert [s.label("host") for s in asked.instant("sort_desc(disk_used_bytes)", NOW).series] == ["b", "a"]
    assert asked.instant("sum(rate(disk_reads_total[5m]))", NOW) is asked.instant(
        "sum(rate(disk_reads_total[5m]))", NOW
    )


def test_baseline_is_the_median_of_the_same_time_on_past_days(store, engine):
    counts = {1: 2, 2: 10, 3: 4, 4: 6}
    calls = [
        Call("t", f"{day}-{key}", ts_end=NOW - day * DAY - MINUTE, provider="openai", model_served="m")
        for day, count in counts.items()
        for key in range(count)
    ]
    store.write(WriteBatch(calls=calls))
    past = "sum by(model)(increase(llm_requests_total[5m])) > 0"
    found = engine.instant(f'baseline({past}, "7d")', NOW)
    assert (found.series[0].label("model"), found.scalar, found.unit) == ("m", 5, "requests")
    assert engine.instant(f'baseline({past}, "3d")', NOW).scalar == 4
    assert engine.instant(f"baseline({past})", NOW - 2 * DAY).scalar is None
    over = engine.range(f"baseline({past})", NOW - MINUTE, NOW + 10 * MINUTE, 5 * MINUTE)
    assert over.series[0].values == (5, None, None)
    with pytest.raises(QueryError) as caught:
        engine.instant(f'baseline({past}, "36h")', NOW)
    assert "number of days" in caught.value.message
