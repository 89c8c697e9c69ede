"""Every record is cleaned, normalised, checked and priced in one place."""

import math
from dataclasses import replace
from typing import Any, get_args

import pytest

from tests.recorder.conftest import MakeCall
from tui_monitor.config.settings import Collector
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, SECOND, ManualClock
from tui_monitor.model.feed import STALE, Event, Retract, Sample, SampleType, Start, is_stale
from tui_monitor.model.histogram import NativeHistogram
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.prepare import OTHER, Preparer, Rejection
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store


def prepared(preparer: Preparer, call: Call) -> Call:
    result = preparer.prepare(call)
    assert isinstance(result, Call), result
    return result


def test_names_and_enumerations_become_canonical(preparer: Preparer, make: MakeCall) -> None:
    call = prepared(preparer, make(
        provider=" Claude ", status="Succeeded", operation="Embedding", error_category="", user="  ",
        project="se\x1b[31march\u202e", model_served="gpt-5\x00",
    ))  # fmt: skip
    assert (call.provider, call.status, call.operation) == ("anthropic", "success", "embeddings")
    assert (call.error_category, call.user) == (None, None)
    assert (call.project, call.model_served) == ("se[31march", "gpt-5")


def test_a_prepared_call_has_its_price(preparer: Preparer, make: MakeCall) -> None:
    assert prepared(preparer, make(in_uncached=1_000_000, out_total=0)).cost == 1_250_000_000
    assert prepared(preparer, make(model_served="nobody-knows")).cost_status == "unpriced"


def test_latency_follows_from_both_times_only(preparer: Preparer, make: MakeCall, clock: ManualClock) -> None:
    now = clock.now()
    assert prepared(preparer, make(ts_start=now - 2 * SECOND)).latency_ms == 2000
    assert prepared(preparer, make(ts_start=now - 2 * SECOND, latency_ms=5)).latency_ms == 5
    assert prepared(preparer, make()).latency_ms is None
    assert prepared(preparer, make(ts_start=now)).latency_ms is None


@pytest.mark.parametrize(
    ("fields", "status", "category"),
    [
        ({"status": "unknown", "http_status": 200}, "success", None),
        ({"status": "unknown", "http_status": 529}, "error", "overloaded"),
        ({"status": "error", "http_status": 429}, "error", "rate_limit"),
        ({"status": "error", "http_status": 418}, "error", "bad_request"),
        ({"status": "error", "http_status": 522}, "error", "server"),
        ({"status": "unknown", "error_category": "Timeout"}, "error", "timeout"),
        ({"status": "unknown", "error_category": "cancelled"}, "cancelled", "cancelled"),
        ({"status": "unknown"}, "unknown", None),
        ({"status": "error"}, "error", None),
    ],
)
def test_status_and_category_complete_each_other(
    preparer: Preparer, make: MakeCall, fields: dict[str, Any], status: str, category: str | None
) -> None:
    call = prepared(preparer, make(**fields))
    assert (call.status, call.error_category) == (status, category)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"in_uncached": -5}, ["input_tokens", "-5", "negative"]),
        ({"out_total": 1.5}, ["output_tokens", "1.5"]),
        ({"out_total": "12"}, ["output_tokens", "'12'"]),
        ({"cache_read": True}, ["cache_read_tokens", "True"]),
        ({"in_uncached": 2**63}, ["input_tokens", "larger"]),
        ({"cost_reported": -1}, ["cost_reported", "negative"]),
        ({"latency_ms": math.nan}, ["latency_ms", "nan"]),
        ({"latency_ms": math.inf}, ["latency_ms", "inf"]),
        ({"ttft_ms": -0.5}, ["ttft_ms", "negative"]),
        ({"latency_ms": 1e15}, ["latency_ms", "year"]),
        ({"status": "sucess"}, ["status", "'sucess'", "did you mean 'success'"]),
        ({"operation": "chta"}, ["operation", "'chta'", "did you mean 'chat'"]),
        ({"error_category": "meteor"}, ["error_category", "'meteor'", "rate_limit"]),
        ({"ts_end": None}, ["ts_end", "missing"]),
        ({"ts_end": 915_148_800_000_000}, ["ts_end", "1999-01-01", "before 2000"]),
        ({"reasoning": 11}, ["reasoning_tokens 11", "output_tokens 10"]),
        ({"source_key": ""}, ["source_key"]),
        ({"http_status": 1000}, ["http_status"]),
        ({"stream": "yes"}, ["stream"]),
        ({"user": ["a"]}, ["user"]),
        ({"media": {"web_searches": -1}}, ["media.web_searches", "negative"]),
        ({"status": ["success"]}, ["unhashable"]),
        ({"attrs": {"size_bytes": "big"}}, ["size_bytes", "'big'"]),
        ({"attrs": {"avg_similarity": math.nan}}, ["avg_similarity"]),
    ],
)
def test_rejections_name_field_and_value(
    preparer: Preparer, make: MakeCall, fields: dict[str, Any], words: list[str]
) -> None:
    result = preparer.prepare(make(**fields))
    assert isinstance(result, Rejection)
    for word in words:
        assert word in result.reason


def test_times_that_cannot_be(preparer: Preparer, make: MakeCall, clock: ManualClock) -> None:
    now = clock.now()
    assert isinstance(preparer.prepare(make(ts_end=now + HOUR)), Call)
    late = preparer.prepare(make(ts_end=now + HOUR + 1))
    assert isinstance(late, Rejection)
    assert "2026-03-18T13:00:00.000001Z" in late.reason
    backwards = preparer.prepare(make(ts_start=now, ts_end=now - SECOND))
    assert backwards == Rejection("ts_end is 1 s before ts_start")


def test_long_or_odd_identities_stay_apart(preparer: Preparer, make: MakeCall) -> None:
    keys = ["x" * 300 + "a", "x" * 300 + "b", "a\x00b", "ab", "é"]
    found = [prepared(preparer, make(key)).source_key for key in keys]
    assert len(set(found)) == len(keys)
    assert all(key.isascii() and len(key) <= 256 for key in found)


def test_attributes_are_bounded_and_hold_no_text_of_a_prompt(preparer: Preparer, make: MakeCall) -> None:
    call = prepared(preparer, make(attrs={
        "document_id": 17, "size_bytes": 5.0, "nested": {"a": {"b": 1}}, "list": list(range(2000)),
        "prompt": "secret words", "messages": [{"role": "user"}], "nothing": None, "big": 2**70,
        "long": "y" * 5000, "odd\x1b": "v",
    }))  # fmt: skip
    assert call.attrs["document_id"] == "17"
    assert call.attrs["size_bytes"] == 5
    assert call.attrs["nested.a.b"] == 1
    assert len(call.attrs["list"]) == 1024
    assert len(call.attrs["long"]) == 256
    assert call.attrs["odd"] == "v"
    assert not {"prompt", "messages", "nothing", "big"} & call.attrs.keys()
    many = prepared(preparer, make(attrs={f"a{i}": i for i in range(200)}))
    assert len(many.attrs) == 64


def test_values_beyond_the_cap_are_counted_as_other(
    book: PriceBook, clock: ManualClock, make: MakeCall
) -> None:
    preparer = Preparer(Collector(max_label_values=10), book, clock)
    users = [prepared(preparer, make(user=f"u{i}")).user for i in range(15)]
    assert users == [f"u{i}" for i in range(10)] + [OTHER] * 5
    assert preparer.overflow["user"] == 5
    assert prepared(preparer, make(user="u3", session="s9")).session == "s9"


def test_a_restart_keeps_the_known_values_apart(
    book: PriceBook, clock: ManualClock, make: MakeCall, store: Store
) -> None:
    first = Preparer(Collector(max_label_values=10), book, clock)
    calls = [prepared(first, make(str(i), user=f"u{i}", app=f"a{i}")) for i in range(10)]
    store.write(WriteBatch(calls=calls))
    second = Preparer(Collector(max_label_values=10), book, clock)
    second.seed(store)
    assert prepared(second, make(user="u7", app="a7")).user == "u7"
    assert prepared(second, make(user="new")).user == OTHER


def test_samples(preparer: Preparer, clock: ManualClock) -> None:
    now = clock.now()
    sample = preparer.prepare(Sample("queue.depth", now, 3, {"queue name": "a\x1bb", "empty": ""}, "gauge"))
    assert sample == Sample("queue_depth", now, 3.0, {"queue_name": "ab"}, "gauge")
    for bad, word in [
        (Sample("x", now, math.nan), "nan"),
        (Sample("", now, 1), "name"),
        (Sample("x", now, -1, {}, "counter"), "negative"),
        (Sample("x", now, 1, {}, "gage"), "gage"),  # type: ignore[arg-type]
        (Sample("x", now + 2 * HOUR, 1), "future"),
        (Sample("x", now, 1, {f"l{i}": "v" for i in range(40)}), "labels"),
    ]:
        result = preparer.prepare(bad)
        assert isinstance(result, Rejection), bad
        assert word in result.reason


def test_native_histograms_and_ends_of_series(preparer: Preparer, clock: ManualClock) -> None:
    now = clock.now()
    good = NativeHistogram(3, 4, 2.5, zero_count=1, positive=((-2, 1), (5, 2)))
    assert preparer.prepare(Sample("x", now, good, {}, "native_histogram")) == Sample(
        "x", now, good, {}, "native_histogram"
    )
    for kind in get_args(SampleType):
        ended = preparer.prepare(Sample("x", now, STALE, {}, kind))
        assert isinstance(ended, Sample)
        assert isinstance(ended.value, float)
        assert is_stale(ended.value)
    for bad, word in [
        (Sample("x", now, 1.0, {}, "native_histogram"), "value of x is no native histogram"),
        (Sample("x", now, good), "value of x is a native histogram"),
        (Sample("x", now, replace(good, count=7), {}, "native_histogram"), "value of x: 4 observations"),
        (Sample("x", now, replace(good, schema="3"), {}, "native_histogram"), "malformed"),  # type: ignore[arg-type]
    ]:
        result = preparer.prepare(bad)
        assert isinstance(result, Rejection), bad
        assert word in result.reason


def test_events_starts_and_retractions(preparer: Preparer, clock: ManualClock) -> None:
    now = clock.now()
    event = preparer.prepare(Event("cache", now, "events", "1", "HIT", 0.1, {"provider": "claude"}))
    assert isinstance(event, Event)
    assert (event.name, event.labels) == ("hit", {"provider": "anthropic"})
    assert isinstance(preparer.prepare(Event("cache", now, "events", "1", "maybe")), Rejection)
    assert isinstance(preparer.prepare(Event("mark", now, "events", "1", "\x1b")), Rejection)
    assert isinstance(preparer.prepare(Event("score", now, "events", "1", "f1", math.inf)), Rejection)
    start = preparer.prepare(Start("events", "1", now, "Gemini", "m\x1b", "Chat"))
    assert start == Start("events", "1", now, "google", "m", "chat")
    assert preparer.prepare(Retract("events", "1")) == Retract("events", "1")


def test_what_calls_share_is_looked_up_but_no_other_field_is_let_through(
    preparer: Preparer, make: MakeCall
) -> None:
    for key in ("1", "2"):
        call = prepared(preparer, make(key, provider="Claude", user="ana", status="OK", session="a\x1bb"))
        assert (call.provider, call.status, call.session) == ("anthropic", "success", "ab")
    for key in ("3", "4"):
        call = prepared(
            preparer, make(key, provider="anthropic", user="ana", status="success", session="c\x1b")
        )
        assert (call.provider, call.user, call.session) == ("anthropic", "ana", "c")
    for bad in (make("5", user="ana", out_total=-1), make("6", user=["ana"]), make(" ", user="ana")):
        assert isinstance(preparer.prepare(bad), Rejection)
