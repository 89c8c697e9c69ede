"""Panes' questions, asked of the store and of real servers that hold what a collector wrote to them."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests import peers
from tests.query.engines.written import write
from tui_monitor.config.querying import Query
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, ManualClock, Micros
from tui_monitor.model.errors import QueryError, UnknownMetric
from tui_monitor.model.timerange import Span
from tui_monitor.query.engine import Engine
from tui_monitor.query.engines.choose import close, engine_for
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.result import Result
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store

NOW: Micros = 1_773_835_200 * SECOND
"""2026-03-18 12:00 UTC."""
START = NOW - 90 * MINUTE
MODELS = {"anthropic": ("opus", "haiku"), "ollama": ("qwen",)}
CATEGORIES = (None, None, None, "rate_limit")

Starting = Callable[[Path], AbstractContextManager[peers.Peer]]


def calls() -> Iterator[Call]:
    """About a thousand in ninety minutes, some failed, some without a price."""
    draw = random.Random(6)
    at, number = START + 40 * SECOND, 0
    while at < NOW:
        provider = draw.choice(list(MODELS))
        category = draw.choice(CATEGORIES)
        cost = None if provider == "ollama" else draw.randrange(10**6, 10**8)
        yield Call(
            "test", str(number), ts_end=at, provider=provider, model_served=draw.choice(MODELS[provider]),
            status="error" if category else "success", error_category=category,
            latency_ms=draw.lognormvariate(7, 0.6), ttft_ms=draw.lognormvariate(5, 0.5),
            in_uncached=draw.randrange(100, 2_000), cache_read=draw.randrange(0, 100),
            out_total=draw.randrange(10, 500), cost=cost, cost_computed=cost,
            cost_status="unpriced" if cost is None else "computed",
        )  # fmt: skip
        number += 1
        at += round(draw.expovariate(1 / 5) * SECOND) + 1


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The database of the collector that wrote to the servers."""
    store = Store.open(tmp_path_factory.mktemp("db") / "monitor.db", write=True, clock=ManualClock(NOW))
    store.write(WriteBatch(list(calls())))
    yield store
    store.close()


@pytest.fixture(scope="module", params=["prometheus", "classic", "victoria"])
def remote(
    request: pytest.FixtureRequest, history: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A server with that history; `classic` is a Prometheus that got no native histograms."""
    starting: Starting = peers.victoria if request.param == "victoria" else peers.prometheus
    with starting(tmp_path_factory.mktemp(request.param)) as peer:
        write(peer, history, START, NOW, native=request.param == "prometheus")
        if request.param == "victoria":
            # It shows what it took a moment later, or when it is told to.
            peer.opener.open(f"{peer.url}/internal/force_flush", timeout=30).read()
        settings = Query.model_validate({"engine": "prometheus", "prometheus": {"url": peer.url}})
        engine = engine_for(settings, LocalEngine(history, Calendar()), Calendar(), ManualClock(NOW))
        yield engine
        close(engine)


EXACT = 0.001
"""Windows of whole intervals: nothing is left to guess."""
NEAR = 0.02
"""Quantiles of native histograms."""
COARSE = 1.0
"""Quantiles of classic ones: a bucket is twice as wide as the one before."""

QUESTIONS = [
    # What the panes, the budgets and the shipped rules ask.
    ("requests{} [1h] sum by(provider)", EXACT),
    ("requests{} [1h] sum", EXACT),
    ("requests{} [1m] sum", EXACT),
    ("requests{} [5m] rate", EXACT),
    ("success_rate{} [1h] avg by(provider)", EXACT),
    ("error_rate{} [5m] avg by(provider)", EXACT),
    ("provider_error_rate{} [5m] by(provider)", EXACT),
    ("tokens{} [1h] sum by(provider)", EXACT),
    ("input_tokens{} [today] sum by(model)", EXACT),
    ("output_tokens{} [month] sum by(project)", EXACT),
    ("cache_hit_rate{} [month] avg by(model)", EXACT),
    ("cost{} [today] sum by(provider)", EXACT),
    ("cost{} [month] sum by(model)", EXACT),
    ('cost{provider="claude"} [month] sum', EXACT),
    ("cost{} [yesterday] sum", EXACT),
    ("cost{} [1h] avg", EXACT),
    ("unpriced{} [today] sum by(provider)", EXACT),
    ("unpriced_tokens{} [today] sum", EXACT),
    ("list_cost{} [today] sum", EXACT),
    ("errors{} [1h] sum by(error_category)", EXACT),
    ("latency{} [5m] avg by(provider)", EXACT),
    ("latency{} [1h] count by(model)", EXACT),
    ("latency{} [1h] avg > 1s", EXACT),
    ("latency{} [1h] sum / requests{} [1h]", EXACT),
    ("requests{} [30m] offset 30m", EXACT),
    ("latency{} [1h] p50 by(provider)", NEAR),
    ("latency{} [1h] p95 by(model)", NEAR),
    ("ttft{} [30m] p99", NEAR),
    ('sum(increase(llm_requests_total{job=""}[1h]))', EXACT),
    ("sum by(model) (rate(llm_cost_usd_total[5m]))", EXACT),
    ("sum(increase(latency_sum[30m])) / sum(increase(latency_count[30m]))", EXACT),
    ("histogram_quantile(0.9, sum by(model) (rate(latency[1h])))", NEAR),
]


def _values(result: Result) -> dict:
    return {
        series.labels: series.values for series in result.series if any(v is not None for v in series.values)
    }


def _close(one: float | None, other: float | None, tolerance: float) -> bool:
    if one is None or other is None:
        return one is other
    return one == pytest.approx(other, rel=tolerance)


@pytest.mark.parametrize(("text", "tolerance"), QUESTIONS)
def test_a_server_answers_as_the_collector_does(remote, history, text: str, tolerance: float) -> None:
    local, answer = LocalEngine(history, Calendar()).instant(text, NOW), remote.instant(text, NOW)
    if tolerance == NEAR and "histograms" in " ".join(answer.warnings):
        tolerance = COARSE
    here, there = _values(local), _values(answer)
    assert here.keys() == there.keys()
    assert [of for of in here if not _close(there[of][0], here[of][0], tolerance)] == []
    assert (answer.unit, answer.kind, answer.approximate) == (local.unit, local.kind, True)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("requests{} sum by(provider)", 5 * MINUTE),
        ("requests{} sum by(provider)", MINUTE),
        ("cost{} by(model)", 10 * MINUTE),
        ("error_rate{}", 10 * MINUTE),
        ("sum(increase(requests[5m]))", 5 * MINUTE),
    ],
)
def test_charts_have_the_steps_of_the_collector(remote, history, text: str, step: Micros) -> None:
    span = NOW - HOUR, NOW
    local, answer = LocalEngine(history, Calendar()).range(text, *span, step), remote.range(text, *span, step)
    assert answer.times == local.times
    assert answer.kind == "matrix"
    here, there = _values(local), _values(answer)
    assert here.keys() == there.keys()
    for of, values in here.items():
        assert all(_close(b, a, EXACT) for a, b in zip(values, there[of], strict=True)), (
            of,
            values,
            there[of],
        )


def test_the_last_step_may_be_shorter(remote, history) -> None:
    end = NOW - 30 * SECOND
    answer = remote.range("requests{}", end - HOUR, end, 10 * MINUTE)
    local = LocalEngine(history, Calendar()).range("requests{}", end - HOUR, end, 10 * MINUTE)
    assert answer.times == local.times
    assert answer.times[-1] == end
    assert answer.series[0].value == pytest.approx(local.series[0].value, rel=0.1)


def test_windows_shorter_than_samples_are_apart_are_told_from_longer_ones(remote) -> None:
    cost = remote.instant("cost{} [20s] sum", NOW)
    assert cost.scalar == pytest.approx(remote.instant("cost{} [1m] sum", NOW).scalar / 3)
    calls = remote.instant("requests{} [20s] sum", NOW).scalar
    assert calls == round(remote.instant("requests{} [1m] sum", NOW).scalar / 3)


def test_which_server_it_is_stands_beside_the_answer(remote, request) -> None:
    name = remote.instant("requests{}", NOW).layers[0]
    assert name.startswith(("prometheus 2", "victoria-metrics"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("requests{} [1h] by(session)", "session"),
        ('requests{folder="x"} [1h]', "folder"),
        ("cache_hits{} [1h]", "events"),
        ("requests_active{}", "events"),
        ("latency{} [1h] max", "max"),
        ("requests{} [1h] avg", "avg of requests has no meaning"),
        ("cost{} [1h] p99", "p99"),
        ("sum by(session) (rate(llm_requests_total[5m]))", "session"),
        ('sum(rate(requests{trace_id="1"}[5m]))', "trace_id"),
        ('baseline(sum(rate(requests[5m])), "7d")', "baseline"),
        ("stdvar_over_time(latency_sum[5m])", "milliseconds"),
        ("rate(cache_hits[5m])", "cache_hits"),
    ],
)
def test_what_no_server_knows_is_refused_with_the_reason(remote, text: str, word: str) -> None:
    with pytest.raises(QueryError) as caught:
        remote.instant(text, NOW)
    assert word in caught.value.message
    with pytest.raises(QueryError):
        remote.check(text)


def test_what_the_server_finds_wrong_is_an_error_of_the_query(remote) -> None:
    with pytest.raises(QueryError, match="the server refuses it"):
        remote.instant("llm_requests_total + on(model) llm_tokens_total", NOW)


def test_a_name_that_nobody_sent_is_told_as_here(remote) -> None:
    with pytest.raises(UnknownMetric, match="did you mean latency"):
        remote.instant("latancy{} [1h]", NOW)
    assert remote.type_of("llm_nothing_total") is None


def test_filters_are_answered_from_here(remote, history) -> None:
    span = Span(NOW - HOUR, NOW)
    assert remote.count_calls("provider=claude", span) == 347
    assert len(remote.calls("provider=claude", span, 5).calls) == 5
