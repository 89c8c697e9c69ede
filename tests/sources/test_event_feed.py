"""The event feed: every kind, every form of time, and broken neighbours."""

import json
from typing import Any

import pytest

from tui_monitor.model.call import Call
from tui_monitor.model.feed import Event, Record, Sample, Start
from tui_monitor.recorder.prepare import Rejection
from tui_monitor.sources.feed import parse_feed

NOW = 1_773_835_200_000_000
AT = "2026-03-18T11:59:00Z"
AT_US = NOW - 60_000_000


def parse(*items: Any, key: str | None = "k", app: str | None = None) -> list[Record | Rejection]:
    return parse_feed(json.dumps(items).encode(), "application/json", idempotency_key=key, app=app, now=NOW)


def call(**fields: Any) -> Call:
    (parsed,) = parse({"ts_end": AT, **fields})
    assert isinstance(parsed, Call), parsed
    return parsed


def reason(**fields: Any) -> str:
    (parsed,) = parse({"ts_end": AT, **fields})
    assert isinstance(parsed, Rejection), parsed
    return parsed.reason


def test_a_call_with_everything() -> None:
    parsed = call(
        id="r1", provider="openai", model="gpt-5", operation="chat", input_tokens=1000, cache_read_tokens=600,
        cache_write_tokens=100, cache_write_1h_tokens=40, output_tokens=50, reasoning_tokens=20,
        latency_ms=812.5, ttft_ms=90, queue_wait_ms=3, status="success", cost_usd=0.0042, http_status=200,
        user=42, project="search", team="core", key="k1", agent="a", session="s", host="h", app="web",
        environment="prod", trace_id="t", span_id="p", response_id="resp_1", stream=True, attempts=2,
        finish_reason="stop", service_tier="flex", region="eu", api_base="https://x",
        document_id="d1", score=3,
    )  # fmt: skip
    assert (parsed.source, parsed.source_key, parsed.ts_end) == ("events:web", "r1", AT_US)
    parts = (parsed.in_uncached, parsed.cache_read, parsed.cache_write_5m, parsed.cache_write_1h)
    assert parts == (300, 600, 60, 40)
    assert (parsed.total_in, parsed.out_total, parsed.reasoning) == (1000, 50, 20)
    assert (parsed.cost_reported, parsed.latency_ms, parsed.user) == (4_200_000, 812.5, "42")
    assert parsed.call_keys == ("openai:resp_1", "t:p")
    assert parsed.attrs == {"document_id": "d1", "score": 3}


def test_what_is_not_said_stays_unknown() -> None:
    parsed = call(provider="openai", input_tokens=10, output_tokens=None, user="", status=None)
    assert (parsed.in_uncached, parsed.cache_read, parsed.out_total) == (10, None, None)
    assert (parsed.user, parsed.status, parsed.latency_ms, parsed.cost_reported) == (
        None,
        "unknown",
        None,
        None,
    )
    only_cache = call(cache_read_tokens=5)
    assert (only_cache.in_uncached, only_cache.cache_read) == (None, 5)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-18T11:59:00Z", "2026-03-18T12:59:00+01:00", "2026-03-18 11:59:00.000000000+00:00",
        "2026-03-18T11:59Z", AT_US // 10**6, AT_US / 10**6, AT_US // 1000, AT_US / 1000, AT_US, float(AT_US),
        AT_US * 1000, str(AT_US // 10**6), f"{AT_US / 10**6:.6f}",
    ],
)  # fmt: skip
def test_times_in_every_form(value: Any) -> None:
    (parsed,) = parse({"ts_end": value})
    assert isinstance(parsed, Call), parsed
    assert parsed.ts_end == AT_US


def test_a_fraction_of_a_second_is_kept() -> None:
    (parsed,) = parse({"ts_start": 1_773_835_140.25, "ts_end": "2026-03-18T11:59:00.123456Z"})
    assert isinstance(parsed, Call)
    assert (parsed.ts_start, parsed.ts_end) == (AT_US + 250_000, AT_US + 123_456)


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("2026-03-18T11:59:00", "no offset"), ("yesterday", "'yesterday'"), (True, "True"), (-5, "-5"),
        (1e25, "not a time"), ([1], "[…]"), ({"a": 1}, "{…}"), ("9" * 5000, "not a time"),
    ],
)  # fmt: skip
def test_times_that_are_none(value: Any, word: str) -> None:
    (parsed,) = parse({"ts_end": value})
    assert isinstance(parsed, Rejection), parsed
    assert parsed.reason.startswith("ts_end")
    assert word in parsed.reason


def test_an_event_without_a_time_is_of_its_arrival() -> None:
    (parsed,) = parse({"provider": "openai"})
    assert isinstance(parsed, Call)
    assert (parsed.ts_start, parsed.ts_end) == (None, NOW)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"input_tokens": "100"}, ["input_tokens", "'100'", "not a whole number"]),
        ({"input_tokens": -1}, ["input_tokens", "-1", "negative"]),
        ({"input_tokens": 1.5}, ["input_tokens", "1.5"]),
        ({"input_tokens": 10**30}, ["input_tokens", "larger"]),
        ({"input_tokens": 5, "cache_read_tokens": 9}, ["input_tokens 5", "9"]),
        ({"cache_write_tokens": 5, "cache_write_1h_tokens": 9}, ["cache_write_1h_tokens 9"]),
        ({"latency_ms": "fast"}, ["latency_ms", "'fast'"]),
        ({"cost_usd": -1}, ["cost_usd", "negative"]),
        ({"cost_usd": 1e300}, ["cost_usd", "larger"]),
        ({"cost_usd": [1]}, ["cost_usd"]),
        ({"model": {"name": "x"}}, ["model", "not a text"]),
        ({"stream": 1}, ["stream"]),
        ({"id": ["x"]}, ["id"]),
        ({"kind": "sampel"}, ["'sampel'", "rate_limit", "did you mean 'sample'"]),
        ({"kind": 7}, ["kind 7"]),
        ({"kind": {}}, ["kind {…}"]),
        ({"kind": False}, ["kind False"]),
    ],
)
def test_rejections_say_what_and_why(fields: dict[str, Any], words: list[str]) -> None:
    text = reason(**fields)
    for word in words:
        assert word in text


def test_order_and_neighbours_are_kept() -> None:
    parsed = parse({"id": "a", "ts_end": AT}, 7, {"id": "b", "ts_end": "?"}, {"id": "c", "ts_end": AT})
    assert [isinstance(p, Rejection) for p in parsed] == [False, True, True, False]


def test_lines_count_without_blank_ones() -> None:
    body = b'{"id":"a"}\r\n\n  \n{"id":"b"\n[1]\n{"id":"c"}'
    parsed = parse_feed(body, "application/x-ndjson", idempotency_key=None, app=None, now=NOW)
    assert [isinstance(p, Rejection) for p in parsed] == [False, True, True, False]
    broken = parsed[1]
    assert isinstance(broken, Rejection)
    assert "not JSON" in broken.reason


def test_lines_under_the_name_of_json() -> None:
    parsed = parse_feed(
        b'{"id":"a"}\n{"id":"b"}\n', "application/json", idempotency_key=None, app=None, now=NOW
    )
    assert [p.source_key for p in parsed if isinstance(p, Call)] == ["a", "b"]


@pytest.mark.parametrize("body", [b'{"id": ', b"\xff\xfe", b"[" * 100_000, b"nothing", b'{"a": NaN}'])
def test_a_body_that_is_no_json_is_one_rejection(body: bytes) -> None:
    (parsed,) = parse_feed(body, "application/json", idempotency_key=None, app=None, now=NOW)
    assert isinstance(parsed, Rejection)


def test_deep_nesting_does_no_harm() -> None:
    body = b'{"id":"a","x":' + b'{"y":' * 900 + b"1" + b"}" * 900 + b"}"
    (parsed,) = parse_feed(body, "application/json", idempotency_key=None, app=None, now=NOW)
    assert isinstance(parsed, Call | Rejection)


def test_identity_is_the_id_the_key_and_index_or_new() -> None:
    with_key = [p.source_key for p in parse({}, {"id": 5}, {}, key="batch-7") if isinstance(p, Call)]
    assert with_key == ["batch-7#0", "5", "batch-7#2"]
    first, second = (parse({}, {}, key=None) for _ in range(2))
    keys = {p.source_key for p in first + second if isinstance(p, Call)}
    assert len(keys) == 4


def test_the_app_is_part_of_the_source() -> None:
    parsed = parse({"id": "1"}, {"id": "1", "app": "job"}, app="web")
    assert [(p.source, p.app) for p in parsed if isinstance(p, Call)] == [
        ("events:web", "web"), ("events:job", "job"),
    ]  # fmt: skip


def test_every_other_kind() -> None:
    parsed = parse(
        {"kind": "cache", "ts": AT, "result": "hit", "saved_usd": 0.02, "saved_tokens": 900,
         "model": "gpt-5"},
        {"kind": "rate_limit", "ts": AT, "result": "denied", "key": "acme", "limit_type": "rpm", "limit": 60,
         "remaining": 0, "reset_s": 12.5},
        {"kind": "start", "ts": AT, "id": "r1", "provider": "openai", "model": "gpt-5", "operation": "chat"},
        {"kind": "sample", "ts": AT, "name": "queue_depth", "type": "gauge", "value": 7, "labels": {"q": 1}},
        {"kind": "score", "ts": AT, "name": "faithfulness", "value": 0.8, "model": "gpt-5",
         "prompt_type": "qa", "user_category": "pro", "call": "r1"},
        {"kind": "progress", "ts": AT, "name": "mmlu", "done": 30, "total": 100, "unit": "questions",
         "state": "running"},
        {"kind": "mark", "ts": AT, "text": "deploy 1.4", "labels": {"env": "prod"}},
        app="web",
    )  # fmt: skip
    cache, limit, start, sample, score, progress, mark = parsed
    assert isinstance(cache, Event)
    assert (cache.name, cache.value, cache.ts, cache.source) == ("hit", 0.02, AT_US, "events:web")
    assert cache.labels == {"saved_tokens": "900", "model": "gpt-5", "app": "web"}
    assert isinstance(limit, Event)
    assert (limit.name, limit.value, limit.labels["limit"]) == ("denied", 0.0, "60")
    assert (limit.labels["key"], limit.labels["limit_type"], limit.labels["reset_s"]) == (
        "acme",
        "rpm",
        "12.5",
    )
    assert start == Start("events:web", "r1", AT_US, "openai", "gpt-5", "chat", "web")
    assert sample == Sample("queue_depth", AT_US, 7.0, {"q": "1"}, "gauge")
    assert isinstance(score, Event)
    assert (score.name, score.value) == ("faithfulness", 0.8)
    assert score.labels == {
        "model": "gpt-5", "prompt_type": "qa", "user_category": "pro", "call": "r1", "app": "web",
    }  # fmt: skip
    assert isinstance(progress, Event)
    assert (progress.name, progress.value, progress.labels["total"]) == ("mmlu", 30.0, "100")
    assert isinstance(mark, Event)
    assert (mark.kind, mark.name, mark.labels) == ("mark", "deploy 1.4", {"env": "prod", "app": "web"})


@pytest.mark.parametrize(
    ("item", "word"),
    [
        ({"kind": "start"}, "id of start"),
        ({"kind": "sample", "name": "x"}, "value of sample"),
        ({"kind": "sample", "name": "x", "value": "1"}, "value"),
        ({"kind": "sample", "name": "x", "value": 1, "labels": [1]}, "labels"),
        ({"kind": "score", "name": "x"}, "value of score"),
        ({"kind": "progress", "name": "x"}, "done of progress"),
        ({"kind": "cache", "result": "hit", "saved_usd": "much"}, "saved_usd"),
        ({"kind": "cache", "result": {"a": 1}}, "result"),
    ],
)
def test_other_kinds_that_lack_something(item: dict[str, Any], word: str) -> None:
    (parsed,) = parse(item)
    assert isinstance(parsed, Rejection), parsed
    assert word in parsed.reason
