"""Metrics of calls over a real store, against an evaluation in plain Python."""

import random

import pytest
from query_oracle import AMOUNTS, COUNTS, SHARES, answer, random_calls

from tui_monitor.model.calendar import PERIODS, Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, from_datetime
from tui_monitor.model.timerange import Span, format_duration
from tui_monitor.query import plan
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.result import Result
from tui_monitor.store.api import Layer, WriteBatch

NOW = 1_773_835_200_000_000
"""The clock's noon, 2026-03-18 12:00 UTC."""
BERLIN = Calendar("Europe/Berlin", week_start=6, month_starts_on=5)
BYS = [(), ("provider",), ("model", "status"), ("user",), ("provider", "project", "user"), ("folder",)]
SPREADS = ["avg", "sum", "min", "max", "count", "p50", "p95", "p99.9"]


def questions() -> list[tuple[str, str]]:
    """(metric, aggregate) of every kind."""
    found = [(metric, how) for metric in COUNTS for how in ("sum", "rate")]
    found += [(metric, "avg") for metric in (*SHARES, "cache_hit_rate")]
    found += [(metric, how) for metric in AMOUNTS for how in SPREADS]
    return [*found, ("cost", "rate"), ("tokens", "rate")]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """A month of calls, read through the layers and, by another engine, from raw calls only."""
    from tui_monitor.model.clock import ManualClock
    from tui_monitor.store.database import Store

    path = tmp_path_factory.mktemp("query") / "calls.db"
    store = Store.open(path, write=True, clock=ManualClock(NOW), zone="Europe/Berlin")
    calls = random_calls(1, 4_000, NOW - 60 * DAY, NOW)
    store.write(WriteBatch(calls=calls))
    yield store, calls
    store.close()


def groups(result: Result, by: tuple[str, ...], at: int = 0) -> dict[tuple[str, ...], float | None]:
    return {tuple(s.label(name) for name in by): s.values[at] for s in result.series}


def close(found: dict, expected: dict, how: str) -> bool:
    """Equal groups and values; quantiles of buckets within 1 %."""
    rel = 0.01 if how.startswith("p") else 1e-9
    return found == {g: v if v is None else pytest.approx(v, rel=rel) for g, v in expected.items()}


@pytest.mark.parametrize(("metric", "how"), questions())
def test_every_aggregate_is_what_plain_python_makes_of_the_calls(loaded, metric, how):
    store, calls = loaded
    engine = LocalEngine(store, BERLIN)
    draw = random.Random(f"{metric} {how}")
    for by in BYS:
        length = draw.choice([HOUR, DAY, 3 * DAY + 5 * HOUR + 7 * SECOND, 30 * DAY, 59 * DAY])
        at = NOW - draw.choice([0, 1, 17 * SECOND, 90 * MINUTE, DAY])
        by_text = f"by({', '.join(by)})" if by else ""
        result = engine.instant(f"{metric} [{format_duration(length)}] {how} {by_text}", at)
        expected = answer(calls, metric, how, by, at - length, at)
        assert close(groups(result, by), expected, how), (by, length, at, result.layers)
        assert result.span == Span(at - length, at)


@pytest.mark.parametrize(("metric", "how"), questions())
def test_roll_ups_and_raw_calls_say_the_same(loaded, metric, how, monkeypatch):
    store, _ = loaded
    text = f"{metric} [45d] {how} by(provider)"
    at = NOW - 12_345_678_901
    mixed = LocalEngine(store, BERLIN).instant(text, at)
    monkeypatch.setattr(plan, "COARSE_FIRST", (Layer.RAW,))
    raw = LocalEngine(store, BERLIN).instant(text, at)
    assert raw.layers == ("raw",)
    assert [s.labels for s in mixed.series] == [s.labels for s in raw.series]
    assert [s.value for s in mixed.series] == [s.value for s in raw.series]


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("calendar", [BERLIN, Calendar("Asia/Kathmandu"), Calendar()], ids=lambda c: c.zone)
def test_calendar_ranges_end_with_the_period_or_now(loaded, period, calendar):
    store, calls = loaded
    start, end = calendar.period(period, NOW)
    result = LocalEngine(store, calendar).instant(f"requests [{period}] by(model)", NOW)
    expected = answer(calls, "requests", "sum", ("model",), start - 1, min(NOW, end - 1))
    assert groups(result, ("model",)) == expected
    assert result.span == Span(start - 1, min(NOW, end - 1))
    # The store's days are Berlin's: they answer nobody else's.
    whole_days = period != "today" and (period, calendar.zone) != ("week", "UTC")
    if calendar is BERLIN and whole_days:
        assert "day" in result.layers
    if calendar is not BERLIN:
        assert "day" not in result.layers


def test_a_month_over_the_change_of_summer_time(make_store):
    store = make_store("Europe/Berlin")
    noon = from_datetime(BERLIN.local(NOW).replace(month=4, day=20))
    first, last = from_datetime_of(3, 1), from_datetime_of(4, 1)
    # The first and last instants of March, and those just outside it.
    calls = [Call("t", str(ts), ts_end=ts, provider="openai") for ts in (first - 1, first, last - 1, last)]
    store.write(WriteBatch(calls=calls))
    engine = LocalEngine(store, Calendar("Europe/Berlin"))
    result = engine.instant("requests [last_month]", noon)
    assert result.scalar == 2
    assert result.layers == ("day",), "whole days need nothing finer"
    assert result.span is not None
    assert result.span.length == 31 * DAY - HOUR


def from_datetime_of(month: int, day: int) -> int:
    return Calendar("Europe/Berlin").midnight(BERLIN.local(NOW).date().replace(month=month, day=day))


@pytest.mark.parametrize("width", [MINUTE, HOUR, DAY])
def test_a_call_on_the_border_of_a_window_belongs_to_the_one_that_ends_there(store, engine, width):
    border = NOW // DAY * DAY
    calls = [
        Call("t", str(i), ts_end=border + i, status="success") for i in (-width, 1 - width, 0, 1)
    ]  # fmt: skip
    store.write(WriteBatch(calls=calls))
    length = format_duration(width)
    assert engine.instant(f"requests [{length}]", border).scalar == 2
    assert engine.instant(f"requests [{length}]", border + 1).scalar == 2
    assert engine.instant(f"requests [{length}]", border - 1).scalar == 2
    assert engine.instant(f"requests [{length}]", border + width).scalar == 1
    assert engine.instant(f"requests [{length}] offset {length}", border + width).scalar == 2


@pytest.mark.parametrize("step", [7 * SECOND, MINUTE, 90 * SECOND, 5 * MINUTE, HOUR, 6 * HOUR, DAY])
@pytest.mark.parametrize(
    ("metric", "how"),
    [("requests", "sum"), ("latency", "p95"), ("cost", "sum"), ("error_rate", "avg"), ("tokens", "rate")],
)
def test_a_chart_is_the_aggregate_in_windows_of_one_step(loaded, step, metric, how):
    store, calls = loaded
    engine = LocalEngine(store, BERLIN)
    end = NOW - 34_567_890
    result = engine.range(f"{metric} {how} by(provider)", end - 40 * step, end, step)
    starts = [(t - 1) // step * step for t in result.times]
    assert result.times[-1] == end
    assert all(t % step == 0 for t in result.times[:-1])
    assert [b - a for a, b in zip(result.times, result.times[1:-1], strict=False)] == [step] * 39
    for i, (start, t) in enumerate(zip(starts, result.times, strict=True)):
        expected = answer(calls, metric, how, ("provider",), start, t)
        found = {g: v for g, v in groups(result, ("provider",), i).items() if v is not None}
        assert close(found, {g: v for g, v in expected.items() if v is not None}, how), (i, t)


def test_a_chart_on_the_grid_reads_no_single_call(loaded):
    store, _ = loaded
    end = NOW // HOUR * HOUR
    result = LocalEngine(store, BERLIN).range("cost by(model)", end - 30 * DAY, end, HOUR)
    assert (result.layers, len(result.times)) == (("hour",), 720)
    fine = LocalEngine(store, BERLIN).range("latency p95", end - 6 * HOUR, end, MINUTE)
    assert (fine.layers, len(fine.times)) == (("minute",), 360)


def test_a_chart_with_an_offset_shows_the_past_at_the_times_of_now(loaded):
    store, _ = loaded
    engine = LocalEngine(store, BERLIN)
    shifted = engine.range("requests offset 1d", NOW - DAY, NOW, HOUR)
    past = engine.range("requests", NOW - 2 * DAY, NOW - DAY, HOUR)
    assert shifted.series[0].values == past.series[0].values
    assert shifted.times == tuple(t + DAY for t in past.times)


@pytest.mark.parametrize(
    ("matchers", "keep"),
    [
        ('provider="claude"', lambda c: c.provider == "anthropic"),
        ('provider!="gemini"', lambda c: c.provider != "google"),
        ('provider=""', lambda c: c.provider is None),
        ('provider!=""', lambda c: c.provider is not None),
        ('model=~"gpt-.*|flash"', lambda c: c.model_served in ("gpt-4o", "flash")),
        ('model=~"gpt"', lambda c: False),
        ('model!~"g.*",user="ana"', lambda c: c.model_served != "gpt-4o" and c.user == "ana"),
        ('provider="openai",provider="google"', lambda c: False),
        ('status="error",error_type="server"', lambda c: c.error_category == "server"),
        ('folder="a"', lambda c: c.attrs.get("folder") == "a"),
        ('folder=""', lambda c: "folder" not in c.attrs),
        ('nonsense="x"', lambda c: False),
        ('nonsense=""', lambda c: True),
    ],
)  # fmt: skip
def test_matchers(loaded, matchers, keep):
    store, calls = loaded
    found = LocalEngine(store, BERLIN).instant(f"requests{{{matchers}}} [40d] by(model)", NOW)
    expected = answer([c for c in calls if keep(c)], "requests", "sum", ("model",), NOW - 40 * DAY, NOW)
    assert groups(found, ("model",)) == expected


def test_a_label_may_be_grouped_by_under_its_other_name(loaded):
    store, _ = loaded
    engine = LocalEngine(store, BERLIN)
    ours = engine.instant("errors [30d] by(error_category)", NOW).by("error_category")
    theirs = engine.instant("llm_errors_total [30d] by(error_type)", NOW).by("error_type")
    assert ours == theirs
    assert ours["server"] > 0


@pytest.mark.parametrize(
    ("short", "long", "factor"),
    [("requests", "llm_requests_total", 1), ("latency", "llm_request_duration_seconds", 1000),
     ("ttft", "llm_time_to_first_token_seconds", 1000), ("cost", "llm_cost_usd_total", 1),
     ("input_tokens", "llm_tokens_input_total", 1), ("output_tokens", "llm_tokens_output_total", 1)],
)  # fmt: skip
def test_long_names(loaded, short, long, factor):
    store, _ = loaded
    engine = LocalEngine(store, BERLIN)
    value = engine.instant(f"{long} [10d]", NOW).scalar
    assert value is not None
    assert engine.instant(f"{short} [10d]", NOW).scalar == pytest.approx(value * factor)


def test_no_calls_is_no_series_and_an_empty_step_is_a_gap(store, engine):
    assert engine.instant("requests", NOW).series == ()
    store.write(WriteBatch(calls=[Call("t", "1", ts_end=NOW - 90 * MINUTE, status="success")]))
    result = engine.range("errors", NOW - 3 * HOUR, NOW, HOUR)
    assert result.series[0].values == (None, 0.0, None)
    assert engine.instant("latency [1d]", NOW).series[0].values == (None,)
    assert engine.instant("latency [1d] count", NOW).scalar == 0
    assert engine.instant("cache_hit_rate [1d]", NOW).series[0].values == (None,)


def test_unpriced_calls_are_told_of_and_never_free(store, engine):
    priced = [Call("t", str(i), ts_end=NOW, cost=1, cost_status="computed") for i in range(3)]
    unpriced = [Call("t", f"u{i}", ts_end=NOW, in_uncached=5) for i in range(2)]
    store.write(WriteBatch(calls=priced))
    assert engine.instant("cost", NOW).warnings == ()
    assert engine.instant("cost", NOW).scalar == 3e-9, "nano-dollars are not lost"
    store.write(WriteBatch(calls=unpriced))
    result = engine.instant("cost", NOW)
    assert (result.scalar, result.warnings) == (3e-9, ("2 of 5 calls have no price and are not in cost",))
    assert engine.instant('cost{model=""} [1m] offset 1h', NOW).series == ()


def test_only_unpriced_calls_cost_an_unknown_sum(store, engine):
    store.write(WriteBatch(calls=[Call("t", "1", ts_end=NOW, in_uncached=5)]))
    assert engine.instant("cost", NOW).series[0].values == (None,)
    assert engine.instant("unpriced", NOW).scalar == 1
    assert engine.instant("unpriced_tokens", NOW).scalar == 5


def test_sums_of_money_are_exact(store, engine):
    calls = [Call("t", str(i), ts_end=NOW, cost=9 * 10**15 + 1, cost_status="reported") for i in range(3)]
    store.write(WriteBatch(calls=calls))
    assert engine.instant("cost", NOW).scalar == (27 * 10**15 + 3) / 10**9


def test_a_label_nobody_knows_is_told_of(loaded):
    store, _ = loaded
    engine = LocalEngine(store, BERLIN)
    assert engine.instant("requests by(foldr)", NOW).warnings == (
        "no call has a label foldr; did you mean folder?",
    )
    assert engine.instant("requests by(folder)", NOW).warnings == ()


def test_an_answer_is_kept_until_the_data_changes(store, engine):
    store.write(WriteBatch(calls=[Call("t", "1", ts_end=NOW)]))
    first = engine.instant("requests", NOW)
    assert engine.instant("requests", NOW) is first
    assert engine.instant("requests", NOW + 1) is not first
    store.write(WriteBatch(calls=[Call("t", "2", ts_end=NOW)]))
    assert engine.instant("requests", NOW).scalar == 2


def test_a_quantile_never_leaves_the_values_there_are(store, engine):
    calls = [Call("t", str(i), ts_end=NOW, latency_ms=101.0) for i in range(3)]
    store.write(WriteBatch(calls=calls))
    # The middle of the bucket is 101.4.
    assert {engine.instant(f"latency {how}", NOW).scalar for how in ("p0", "p50", "p99", "p100")} == {101.0}
