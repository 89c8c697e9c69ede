"""What is usual at this hour: which hours, of what length, and how many days it takes."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, Micros, from_datetime, iso
from tui_monitor.model.feed import Sample
from tui_monitor.query.baseline import REFRESH, REFRESH_NOTHING, Baselines, longest, same_hours, same_times
from tui_monitor.query.local import LocalEngine
from tui_monitor.query.promql.parser import read as parse
from tui_monitor.query.result import labels_of
from tui_monitor.store.api import WriteBatch

BERLIN = Calendar("Europe/Berlin")
NOW: Micros = 1_773_835_200_000_000
"""12:00 UTC on Wednesday, 18 March 2026: the end of the hour that began at 11."""


def berlin(month: int, day: int, hour: int, minute: int = 0) -> Micros:
    return from_datetime(datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin")))


@pytest.fixture
def put(store):
    """Store so many calls of one provider at one instant."""
    keys = iter(range(1_000_000))

    def put(at: Micros, calls: int = 1, provider: str = "openai", **fields: object) -> None:
        known = {"status": "success", "latency_ms": 100.0, **fields}
        new = (
            Call("t", str(next(keys)), ts_end=at, provider=provider, **known)  # type: ignore[arg-type]
            for _ in range(calls)
        )
        store.write(WriteBatch(calls=list(new)))

    return put


def usual(engine: LocalEngine, query: str, at: Micros = NOW, calendar: Calendar | None = None) -> dict:
    return dict(Baselines(engine).of(parse(query), at, calendar or Calendar()))


def test_the_same_hour_is_the_users_over_a_change_of_summer_time():
    ends = same_hours(berlin(3, 30, 9, 20), BERLIN)
    assert [iso(end) for end in ends[:3]] == [
        "2026-03-29T08:00:00Z",
        "2026-03-28T09:00:00Z",
        "2026-03-27T09:00:00Z",
    ]
    assert len(ends) == 7


def test_an_hour_ends_on_its_last_instant():
    assert iso(same_hours(berlin(3, 18, 12), BERLIN)[0]) == "2026-03-17T11:00:00Z"


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        # 02:30 does not exist on the 29th of March, and exists twice on the 25th of October.
        ((3, 30, 2, 30), ["2026-03-29T02:00:00Z", "2026-03-28T02:00:00Z"]),
        ((10, 26, 2, 30), ["2026-10-25T01:00:00Z", "2026-10-24T01:00:00Z"]),
        ((10, 26, 14, 5), ["2026-10-25T14:00:00Z", "2026-10-24T13:00:00Z"]),
    ],
)
def test_hours_that_do_not_exist_or_exist_twice(at, ends):
    assert [iso(end) for end in same_hours(berlin(*at), BERLIN)[:2]] == ends


def test_longer_windows_end_at_the_same_time_of_the_users_day():
    ends = same_times(berlin(3, 30, 9, 23), BERLIN)
    assert [iso(end) for end in ends[:2]] == ["2026-03-29T07:20:00Z", "2026-03-28T08:20:00Z"]


@pytest.mark.parametrize(
    ("query", "length"),
    [("latency", HOUR), ("latency [5m] / requests [2h]", 2 * HOUR), ("-cost [5m] * 2", 5 * MINUTE),
     ("cost [today]", 0), ("5", 0)],
)  # fmt: skip
def test_the_longest_window_of_a_query(query, length):
    assert longest(parse(query)) == length


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # Day n has 60·n calls of 100·n ms and n dollars in all, in the hour that ends at 12:00.
        ("requests [5m]", 60 * 4 / 12),
        ("requests [30m]", 60 * 4 / 2),
        ("requests [5m] rate", 60 * 4 / 3600),
        ("latency [5m] avg", 400),
        ("latency [5m] max", 400),
        ("latency [5m] count", 60 * 4 / 12),
        ("latency [5m] sum", pytest.approx((60 * 4 * 400) / 12)),
        ("error_rate [5m]", 0),
        ("cost [5m]", pytest.approx(4 / 12)),
        ("cost [5m] avg", pytest.approx(1 / 60)),
        # The ratio of two sums is that of the hour.
        ("cost [5m] / requests [5m]", pytest.approx(1 / 60)),
        # An hour and longer: as it is.
        ("requests [1h]", 60 * 4),
        ("requests [90m]", 60 * 4),
        ("requests [5m] + requests [1h]", pytest.approx(60 * 4 * (1 + 1 / 12))),
    ],
)
def test_what_adds_up_is_brought_to_the_length_of_the_window(engine, put, query, expected):
    for day in range(1, 8):
        at = NOW - day * DAY - 20 * MINUTE
        put(at, 60 * day, latency_ms=100.0 * day, cost=NANO // 60, cost_status="reported")
        put(at + HOUR, 1_000, latency_ms=9.0)
    assert usual(engine, query)[()] == pytest.approx(expected, rel=0.01)


def test_two_days_are_too_few_and_a_day_without_calls_is_no_day_of_nothing(engine, put):
    for day in (1, 5):
        put(NOW - day * DAY - MINUTE, 12)
    assert usual(engine, "requests [5m] by(provider)") == {}
    put(NOW - 7 * DAY - MINUTE, 36)
    assert usual(engine, "requests [5m] by(provider)") == {labels_of(provider="openai"): 1}


def test_each_series_has_its_own(engine, put):
    for day in range(1, 5):
        put(NOW - day * DAY - MINUTE, 12)
        put(NOW - day * DAY - MINUTE, 24 if day < 3 else 48, "google")
    assert usual(engine, "requests [5m] by(provider)") == {
        labels_of(provider="openai"): 1,
        labels_of(provider="google"): 3,
    }
    assert usual(engine, 'requests{provider="gemini"} [5m]') == {(): 3}


@pytest.mark.parametrize(
    ("kind", "query", "expected"),
    [
        ("counter", "jobs_done [5m] sum", pytest.approx(60 / 12)),
        ("counter", "jobs_done [5m] rate", pytest.approx(60 / 3600)),
        ("gauge", "jobs_done [5m] sum", pytest.approx(30, abs=1)),
        ("gauge", "jobs_done [5m] last", 60),
        ("gauge", "jobs_done [5m] count", pytest.approx(60 / 12, abs=0.1)),
    ],
)
def test_samples_by_what_they_are(engine, store, kind, query, expected):
    rows = [
        Sample("jobs_done", NOW - day * DAY - HOUR + minute * MINUTE, float(minute), {}, kind)
        for day in range(1, 4)
        for minute in range(61)
    ]
    store.write(WriteBatch(samples=rows))
    assert usual(engine, query)[()] == expected


def test_a_metric_that_nobody_sent_has_none(engine):
    assert usual(engine, "nobody_sends_this [5m] by(zone)") == {}


def test_a_baseline_is_kept_for_a_while_although_the_data_changes(engine, put):
    for day, ms in enumerate((100.0, 5000.0, 300.0, 200.0), start=1):
        put(NOW - day * DAY - 10 * MINUTE, 5, latency_ms=ms)
    baselines, query = Baselines(engine), parse("latency [5m] p95")

    def asked(version: int, now: Micros) -> float:
        return baselines.of(query, NOW, Calendar(), version=version, now=now)[()]

    assert asked(1, NOW) == pytest.approx(250, rel=0.01)
    put(NOW - 5 * DAY - 10 * MINUTE, 5, latency_ms=300.0)
    assert asked(2, NOW + SECOND) == pytest.approx(250, rel=0.01)
    assert asked(1, NOW + HOUR) == pytest.approx(250, rel=0.01), "the data it rests on is unchanged"
    assert asked(2, NOW + REFRESH) == pytest.approx(300, rel=0.01)


def test_a_past_that_is_being_filled_in_is_seen_soon(engine, put):
    baselines, query = Baselines(engine), parse("latency [5m] p95")
    assert baselines.of(query, NOW, Calendar(), version=1, now=NOW) == {}
    for day in range(1, 5):
        put(NOW - day * DAY - 10 * MINUTE, 5, latency_ms=200.0)
    assert baselines.of(query, NOW, Calendar(), version=2, now=NOW + SECOND) == {}
    assert baselines.of(query, NOW, Calendar(), version=2, now=NOW + REFRESH_NOTHING) != {}
