"""Ways to go on with a query."""

import pytest

from tests.query.offered import offers
from tui_monitor.model.call import Call
from tui_monitor.model.feed import Sample
from tui_monitor.query.result import Completion
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000


@pytest.fixture
def known(store, engine):
    calls = [
        Call("t", "1", ts_end=NOW, provider="openai", model_served='odd "name"', attrs={"folder": "inbox"}),
        Call("t", "2", ts_end=NOW, provider="anthropic", model_served="sonnet", error_category="server",
             status="error"),
    ]  # fmt: skip
    samples = [
        Sample("odd name", NOW, 1.0, {"why": "not"}),
        Sample("gpu_temp", NOW, 1.0, {"gpu": "0", "host": "a"}),
        Sample("jobs_total", NOW, 1.0, {}, "counter"),
    ]
    store.write(WriteBatch(calls=calls, samples=samples))

    return offers(engine)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("|", ["requests", "requests_active", "errors"]),
        ("lat|", ["latency"]),
        ("cost / req|", ["cost / requests", "cost / requests_active"]),
        ("(gp|", ["(gpu_temp"]),
        ("RATE|", ["rate_limit_denied", "rate_limit_allowed"]),
        ("latency |", ["latency avg", "latency sum", "latency min"]),
        ("requests{} |", ["requests{} sum", "requests{} count", "requests{} rate", "requests{} by("]),
        ("jobs_total |", ["jobs_total sum", "jobs_total count", "jobs_total rate"]),
        ("latency{} [1h] p|", ["latency{} [1h] p50", "latency{} [1h] p90"]),
        ("latency [1h] b|", ["latency [1h] by("]),
        ("latency p95 of|", ["latency p95 offset "]),
        ("latency offset |", ["latency offset 1h", "latency offset 1d"]),
        ("latency [|", ["latency [5m]", "latency [15m]"]),
        ("latency [to|", ["latency [today]"]),
        ("latency{|", ["latency{provider", "latency{model"]),
        ("latency{mod|", ["latency{model"]),
        ('latency{model="x", fol|', ['latency{model="x", folder']),
        ('latency{provider="|', ['latency{provider="anthropic"', 'latency{provider="openai"']),
        ('latency{provider=~"op|', ['latency{provider=~"openai"']),
        ("latency{provider=|", ['latency{provider="anthropic"']),
        ('latency{model="odd|', [r'latency{model="odd \"name\""']),
        ('errors{error_type="|', ['errors{error_type="server"']),
        ('cost{folder="|', ['cost{folder="inbox"']),
        ("gpu_temp{|", ["gpu_temp{gpu", "gpu_temp{host"]),
        ('gpu_temp{gpu="|', ['gpu_temp{gpu="0"']),
        ("gpu_temp by(|", ["gpu_temp by(gpu", "gpu_temp by(host"]),
        ("cost [1h] sum by(model, pro|", ["cost [1h] sum by(model, provider"]),
        ("llm_evaluation_score{|", ["llm_evaluation_score{name"]),
        ("cost # a comment {\n + lat|", ["cost # a comment {\n + latency"]),
        ("su|", ["sum("]),
        ("lat| + 5", ["latency + 5"]),
        ("odd|", ['{"odd name"}']),
        ('{"odd name", |', ['{"odd name", why']),
        ("sum(cost) by(us|", ["sum(cost) by(user"]),
    ],
)
def test_what_is_offered_first(known, text, first):
    found = known(text)
    assert [one for one in found if one in first] == first, found[:6]


def test_what_cannot_be_asked_is_not_offered(known):
    assert not [one for one in known("requests |") if one.endswith(("p95", "avg"))]
    assert known('latency{nonsense="|') == []
    assert known("zzz|") == []


def test_offers_say_what_they_are(engine, known):
    (latency,) = engine.complete("latenc", 6)
    assert latency == Completion("latency", 6, "metric")
    assert latency.help == "time from request to the end of the answer"
    kinds = {
        text: engine.complete(text, len(text))[0].kind
        for text in ("c", "cost{", "cost{model=", "cost ", "cost [")
    }
    assert list(kinds.values()) == ["metric", "label", "value", "function", "duration"]


@pytest.mark.parametrize("cursor", [-5, 0, 3, 99])
def test_any_cursor_will_do(engine, cursor):
    assert engine.complete("cost", cursor)


def test_a_huge_text_is_offered_nothing(engine):
    assert engine.complete("a{" * 50_000, 100_000) == []
    assert engine.complete("a{b=" * 2_400, 9_600) == []
