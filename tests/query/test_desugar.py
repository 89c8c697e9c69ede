"""A short form and its PromQL give the same numbers, at an instant and over time."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE
from tui_monitor.model.errors import QueryError
from tui_monitor.model.feed import Event, Sample
from tui_monitor.query.desugar import desugared
from tui_monitor.query.promql.parser import parsed
from tui_monitor.query.promql.parser import read as parse
from tui_monitor.query.promql.printer import printed
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000
METRICS = {
    "requests": ["sum", "count", "rate"], "errors": ["sum", "rate"], "unpriced": ["sum"],
    "cost": ["sum", "avg", "count", "rate"], "tokens": ["sum", "rate"], "output_tokens": ["avg", "count"],
    "latency": ["avg", "sum", "count", "p50", "p95", "p99"], "ttft": ["avg", "p90"],
    "llm_request_duration_seconds": ["avg", "p95"], "success_rate": ["avg"], "error_rate": ["sum"],
    "provider_error_rate": ["avg"], "cache_hit_rate": ["avg"],
    "llm_evaluation_score": ["avg", "max", "count"],
    "room_temperature": ["avg", "sum", "min", "max", "count"],
}  # fmt: skip


@pytest.fixture
def filled(store, engine):
    """400 calls of three hours in which many things are unknown, and some scores and samples."""
    dice = random.Random(3)
    calls: list[Call] = []
    for key in range(400):
        status = dice.choice(["success", "success", "error", "cancelled", "unknown"])
        category = dice.choice(["rate_limit", "auth", "timeout"]) if status == "error" else None
        fields = {
            "latency_ms": dice.lognormvariate(6, 1), "ttft_ms": dice.lognormvariate(4, 1),
            "cost": dice.randrange(10**9), "out_total": dice.randrange(99), "in_uncached": dice.randrange(99),
            "cache_read": dice.randrange(99),
        }  # fmt: skip
        known = {name: value for name, value in fields.items() if dice.random() < 0.6}
        end = NOW - dice.randrange(3 * HOUR)
        provider, model = dice.choice([("openai", "m"), ("openai", "n"), ("google", None)])
        calls.append(
            Call("t", str(key), ts_end=end, provider=provider, model_served=model, status=status,
                 error_category=category, **known)
        )  # fmt: skip
    scores = [
        Event("score", NOW - dice.randrange(2 * HOUR), "e", str(key), "truth", key / 9, {"model": "m"})
        for key in range(9)
    ]
    samples = [Sample("room_temperature", NOW - k * MINUTE, 20.0 + k % 7, {"model": "m"}) for k in range(90)]
    store.write(WriteBatch(calls=calls, events=scores, samples=samples))
    return engine


@st.composite
def short_forms(draw: st.DrawFn) -> str:
    metric = draw(st.sampled_from(sorted(METRICS)))
    how = draw(st.sampled_from(METRICS[metric]))
    called = metric not in ("llm_evaluation_score", "room_temperature")
    matchers = ["", '{provider="openai"}', '{model!="m"}', '{model=~"m|n", provider!="x"}']
    of = draw(st.sampled_from(matchers)) if called else ""
    window = draw(st.sampled_from(["5m", "37m", "1h", "150m"]))
    offset = draw(st.sampled_from(["", " offset 11m"]))
    by = draw(st.sampled_from(["", " by(model)", " by(provider, model)"])) if called else ""
    return f"{metric}{of} [{window}]{offset} {how}{by}"


def numbers(result) -> dict:
    """Values that are there; an unknown label is no label in PromQL."""
    found = {}
    for series in result.series:
        of = tuple(pair for pair in series.labels if pair[1])
        found |= {(of, at): v for at, v in zip(result.times, series.values, strict=True) if v is not None}
    return found


def same(text: str, ours, theirs) -> None:
    near = 0.012 if " p" in text else 1e-9
    assert numbers(theirs).keys() == numbers(ours).keys()
    assert numbers(theirs) == pytest.approx(numbers(ours), rel=near, abs=1e-12)


SETTINGS = settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(text=short_forms())
def test_an_instant_has_the_same_numbers(filled, text):
    # A quantile may lie anywhere between two calls in PromQL: only its groups are the same.
    ours = filled.instant(text, NOW)
    theirs = filled.instant(printed(desugared(parse(text))), NOW)
    if " p" in text:
        assert numbers(theirs).keys() == numbers(ours).keys()
    else:
        same(text, ours, theirs)


WITHIN = (
    "topk(1, {})", "sum by(model)({})", "{} / 2 > 0.1", "abs({}) + 1", "({}) unless on(model) {} > 5",
    "{} * on(model) group_left() sum by(model)(increase(requests[1h]))", "count({}) or vector(0)",
)  # fmt: skip
"""Expressions of PromQL that a short form stands in."""


@settings(SETTINGS, max_examples=examples(20))
@given(short=short_forms().filter(lambda text: " p" not in text), within=st.sampled_from(WITHIN))
def test_a_short_form_within_promql_is_what_its_promql_is(filled, short, within):
    text = within.replace("{}", short)
    plain = printed(desugared(parse(text)))
    assert parsed(plain) == parsed(plain, strict=False), "nothing of the short form is left"
    same(text, filled.instant(text, NOW), filled.instant(plain, NOW))


@settings(SETTINGS, max_examples=examples(15))
@given(text=short_forms().filter(lambda text: " p" not in text and "room" not in text))
def test_a_range_has_the_same_numbers(filled, text):
    step = 20 * MINUTE
    ours = filled.range(text, NOW - HOUR, NOW, step)
    theirs = filled.range(printed(desugared(parse(text), step)), NOW - HOUR, NOW, step)
    same(text, ours, theirs)


@pytest.mark.parametrize(
    "text",
    [
        "cost by(model) / requests by(model) * 2",
        "cost by(model) > 3",
        "latency avg > bool 500",
        "llm_request_duration_seconds avg > 1s",
        "-cost",
        "2 + error_rate",
        "latency avg - 1s",
        "100 < requests",
    ],
)
def test_calculations_have_the_same_numbers(filled, text):
    same(
        text,
        filled.instant(text, NOW),
        filled.instant(printed(desugared(parse(text))) + " or vector(0) > 1", NOW),
    )


@pytest.mark.parametrize(
    "text", ["cost [today]", "cost max", "latency min", "tokens avg", "cache_hits", "requests_active",
             "tui_monitor_records_total", "room_temperature p95"],
)  # fmt: skip
def test_what_promql_cannot_say_is_refused(text):
    with pytest.raises(QueryError):
        desugared(parse(text))


def test_it_reads_like_promql():
    assert printed(desugared(parse("requests{} [5m] sum by(model)"))) == (
        "sum by (model) (increase(requests[5m])) > 0"
    )
    assert printed(desugared(parse('latency{provider="claude"} [1h] p95 by(model)'))) == (
        'histogram_quantile(0.95, sum by (model) (increase(latency{provider="claude"}[1h]))'
        ' and sum by (model) (increase(latency_count{provider="claude"}[1h])) > 0)'
    )
