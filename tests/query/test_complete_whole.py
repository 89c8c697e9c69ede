"""Completion of whole PromQL and of filters, out of a store that may hold very many series."""

import pytest

from tests.query.offered import offers
from tui_monitor.model.call import Call
from tui_monitor.model.feed import Sample
from tui_monitor.query.promql.ast import AGGREGATIONS
from tui_monitor.query.promql.functions.table import TABLE
from tui_monitor.store.api import WriteBatch

NOW = 1_773_835_200_000_000


@pytest.fixture
def offered(store, engine):
    calls = [
        Call("t", "1", ts_end=NOW, provider="openai", model_served='odd "name"', team="infra team",
             attrs={"folder": "inbox", "odd name": "x"}),
        Call("t", "2", ts_end=NOW, provider="anthropic", model_served="sonnet", status="error"),
    ]  # fmt: skip
    samples = [
        Sample("gpu_temp", NOW, 1.0, {"gpu": "0", "host": "a"}),
        Sample("fan", NOW, 1.0, {"blade": "7"}),
    ]
    store.write(WriteBatch(calls=calls, samples=samples))

    return offers(engine)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("rat|", ["rate("]),
        ("histogram_q|", ["histogram_quantile(", "histogram_quantiles("]),
        ("sum(ra|", ["sum(rate_limit_denied", "sum(rate("]),
        ("topk|", ["topk("]),
        ("quant|", ["quantile(", "quantile_over_time("]),
        ("sum |", ["sum by(", "sum without("]),
        ("sum b|", ["sum by("]),
        ("sum by(|) (rate(gpu_temp[5m]))", ["sum by(gpu) (rate(gpu_temp[5m]))"]),
        ("sum by(|) (rate(fan[5m]))", ["sum by(blade) (rate(fan[5m]))"]),
        ("sum(rate(gpu_temp[5m])) |", ["sum(rate(gpu_temp[5m])) by(", "sum(rate(gpu_temp[5m])) without("]),
        ("rate(requests[|", ["rate(requests[5m]", "rate(requests[15m]"]),
        ("max_over_time(gpu_temp[1h:|", ["max_over_time(gpu_temp[1h:1m]"]),
        ("gpu_temp @ |", ["gpu_temp @ start()", "gpu_temp @ end()"]),
        ("gpu_temp o|", ["gpu_temp offset ", "gpu_temp or "]),
        ("gpu_temp > |", ["gpu_temp > bool ", "gpu_temp > on(", "gpu_temp > ignoring("]),
        ("gpu_temp / on(|", ["gpu_temp / on(gpu", "gpu_temp / on(host"]),
        ("gpu_temp * on(host) group_l|", ["gpu_temp * on(host) group_left("]),
        ("gpu_temp and fa|", ["gpu_temp and fan"]),
        ('sum(rate(gpu_temp{host="|', ['sum(rate(gpu_temp{host="a"']),
        ("prov|", ["provider_error_rate", "provider_status", "provider"]),
    ],
)
def test_promql(offered, text, first):
    found = offered(text)
    assert [one for one in found if one in first] == first, found[:8]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("provider |", ["provider =", "provider !=", "provider ~"]),
        ("provider=|", ["provider=anthropic", "provider=openai"]),
        ("provider=cl|", ["provider=claude"]),
        ("provider=claude |", ["provider=claude AND ", "provider=claude OR "]),
        ("provider=claude A|", ["provider=claude AND "]),
        ("provider=claude AND lat|", ["provider=claude AND latency"]),
        ("provider=claude AND latency|", ["provider=claude AND latency"]),
        (
            "provider=claude AND latency |",
            ["provider=claude AND latency >", "provider=claude AND latency >="],
        ),
        ("provider=claude AND N|", ["provider=claude AND NOT "]),
        ("latency>1000 AND sta|", ["latency>1000 AND status"]),
        ("where |", ["where provider", "where latency", "where NOT "]),
        ("where cost=|", ["where cost=unknown"]),
        ("status=e|", ["status=error"]),
        ("status=error AND (te|", ["status=error AND (team"]),
        ("team=|", ['team="infra team"']),
        ('team="inf|', ['team="infra team"']),
        ("model=odd|", [r'model="odd \"name\""']),
        ("status=error OR fo|", ["status=error OR folder"]),
        ("folder=|", ["folder=inbox"]),
        ("status=error AND odd|", ['status=error AND "odd name"']),
        ("error_type=rate|", ["error_type=rate_limit"]),
    ],
)
def test_filters(offered, text, first):
    found = offered(text)
    assert [one for one in found if one in first] == first, found[:8]


def test_a_number_has_no_values_to_offer(offered):
    assert offered("where latency>|") == []


def test_functions_come_with_signature_and_meaning(engine):
    for text, words in (("label_rep", "label_replace(vector, string"), ("topk", "topk(scalar, vector)")):
        (one,) = [
            one for one in engine.complete(text, len(text)) if one.text == f"{words.partition('(')[0]}("
        ]
        assert one.help.startswith(words)
    for name, function in TABLE.items():
        assert function.summary
        assert function.implementation() is not None, name
        assert any(one.text == f"{name}(" for one in engine.complete(name, len(name)))
    for name in AGGREGATIONS:
        assert any(one.text == f"{name}(" for one in engine.complete(name, len(name)))


def test_many_series_are_not_all_read(store, engine, monkeypatch):
    samples = [Sample(f"m{n % 20}", NOW, 1.0, {"pod": f"p{n}", "zone": f"z{n % 3}"}) for n in range(3000)]
    store.write(WriteBatch(samples=samples))

    def refuse(*_: object) -> None:
        raise AssertionError("every series of the store was read")

    monkeypatch.setattr(type(store), "series", refuse)
    assert [one.text for one in engine.complete("m7{", 3)][:2] == ["pod", "zone"]
    assert {one.text for one in engine.complete('m7{zone="', 9)} == {'"z0"', '"z1"', '"z2"'}
    assert len(engine.complete('m7{pod="', 8)) == 100
    assert "m7" in {one.text for one in engine.complete("m7", 2)}


def test_any_beginning_of_a_query_can_be_completed(offered):
    whole = 'sum by(model) (rate(requests{a="b"}[5m:1m] offset 1d)) / on(x) group_left(y) z > bool 5 # x'
    also = "NOT (provider=claude AND latency>1.5s) OR 'odd'!~\"x y\" AND cost=unknown"
    for text in (whole, also):
        for end in range(len(text)):
            offered(f"{text[:end]}|")
