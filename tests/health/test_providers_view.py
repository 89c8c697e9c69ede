"""The Providers pane over a real database."""

import re

import numpy as np
import pytest

from tui_monitor.config.settings import HealthSettings
from tui_monitor.health.providers import providers_view
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND
from tui_monitor.model.states import Health
from tui_monitor.model.timerange import TimeRange
from tui_monitor.query.language import quote
from tui_monitor.store.api import WriteBatch


@pytest.fixture
def look(engine, store, clock):
    def look(shown: TimeRange | None = None, points: int = 12):
        return providers_view(
            engine, store, HealthSettings(), Calendar(), shown or TimeRange(), points, clock.now()
        )

    return look


def test_one_row_per_provider_with_the_figures_of_the_span(look, store, clock):
    now = clock.now()
    rng = np.random.default_rng(7)
    latencies = rng.lognormal(7, 0.6, 400)
    calls = [Call("t", "x", ts_end=now - MINUTE, provider="anthropic", status="cancelled")]
    for i, ms in enumerate(latencies):
        call = Call("t", str(i), ts_end=now - i * 8 * SECOND, provider="anthropic", latency_ms=float(ms))
        call.status, call.error_category = ("success", None) if i % 20 else ("error", "bad_request")
        call.in_uncached, call.out_total = 10, 5
        call.cost, call.cost_status = NANO // 100, "computed"
        calls.append(call)
    store.write(WriteBatch(calls))
    (row,) = look().rows
    for name, q in (("p50_ms", 50), ("p95_ms", 95), ("p99_ms", 99)):
        exact = np.percentile(latencies, q, method="inverted_cdf")
        assert getattr(row, name) == pytest.approx(exact, rel=0.01)
    assert row.success_rate == pytest.approx(0.95)
    assert row.error_rate == pytest.approx(0.05)
    assert (row.requests, row.tokens, row.unpriced) == (401, 400 * 15, 1)
    assert row.cost_today == pytest.approx(4.0)
    assert (row.state, row.flag) == (Health.HEALTHY, "")
    assert row.last_call == now
    assert sum(value or 0 for value in row.spark) == 401


def test_a_provider_without_calls_in_the_span_stays_for_a_week(look, put, clock):
    now = clock.now()
    put(now - 2 * MINUTE, "openai", 20)
    put(now - 20 * HOUR, "yesterday", 3)
    put(now - 6 * DAY, "lastweek", 3)
    put(now - 8 * DAY, "gone", 3)
    rows = {row.provider: row for row in look().rows}
    assert set(rows) == {"openai", "yesterday", "lastweek"}
    quiet = rows["lastweek"]
    assert quiet.state is Health.UNKNOWN
    assert quiet.reason == "no calls in 5m"
    assert [quiet.p50_ms, quiet.success_rate, quiet.requests, quiet.tokens, quiet.cost_today] == [None] * 5
    assert not any(quiet.spark)
    assert now - 6 * DAY <= (quiet.last_call or 0) <= now - 6 * DAY + HOUR
    assert now - 2 * MINUTE <= (rows["openai"].last_call or 0) <= now - MINUTE
    assert "gone" in {row.provider for row in look(TimeRange(30 * DAY)).rows}


def test_the_worst_provider_comes_first_and_says_why(look, put, clock):
    at = clock.now() - MINUTE
    put(at, "anthropic", 40)
    put(at, "google", 95)
    put(at, "google", 5, "overloaded")
    put(at, "openai", 8)
    put(at, "openai", 8, "server")
    put(at, "openai", 4, "timeout")
    put(at, "mistral", 3)
    put(clock.now() - 6 * MINUTE, "anthropic", 500, "server")
    told = [(row.provider, row.state, row.flag) for row in look().rows]
    assert told == [
        ("openai", Health.UNAVAILABLE, "success"),
        ("google", Health.DEGRADED, "success"),
        ("anthropic", Health.HEALTHY, ""),
        ("mistral", Health.UNKNOWN, ""),
    ]
    assert look().rows[0].reason == "12 of the last 20 calls failed: server 8, timeout 4"


def test_slower_than_usual_at_this_hour_is_degraded(look, put, clock):
    now = clock.now()
    for day in range(1, 4):
        put(now - day * DAY - 30 * MINUTE, "openai", 20, latency_ms=1000.0)
        # Other hours do not count.
        put(now - day * DAY - 3 * HOUR, "openai", 20, latency_ms=9000.0)
    put(now - MINUTE, "openai", 20, latency_ms=1900.0)
    assert look().rows[0].state is Health.HEALTHY
    put(now - MINUTE, "openai", 20, latency_ms=2300.0)
    (row,) = look().rows
    assert (row.state, row.flag) == (Health.DEGRADED, "p95")
    assert re.fullmatch(r"p95 2\.\d\d s is 2\.3 × the usual (1\.00 s|99\d ms)", row.reason)


def test_two_days_make_no_baseline(look, put, clock):
    for day in (1, 2):
        put(clock.now() - day * DAY - 30 * MINUTE, "openai", 20, latency_ms=100.0)
    put(clock.now() - MINUTE, "openai", 20, latency_ms=5000.0)
    assert look().rows[0].state is Health.HEALTHY


def test_travelling_shows_the_state_of_then(look, put, clock):
    then = clock.now() - 2 * DAY
    put(then - MINUTE, "openai", 20, "server", cost=NANO, cost_status="computed")
    put(clock.now() - MINUTE, "openai", 20)
    view = look(TimeRange(HOUR, end=then))
    assert (view.rows[0].state, view.span.end, view.at) == (Health.UNAVAILABLE, then, clock.now())
    assert view.rows[0].cost_today == 20.0, "today is the day of then"
    assert look().rows[0].state is Health.HEALTHY


def test_the_queries_behind_the_columns_give_the_same_figures(look, engine, put, clock):
    put(
        clock.now() - MINUTE,
        'odd"name\\',
        20,
        latency_ms=700.0,
        cost=NANO,
        cost_status="computed",
        in_uncached=5,
    )
    view = look()
    (row,) = view.rows
    for column, query in view.queries.items():
        answer = engine.instant(query.replace("{provider}", quote(row.provider)), view.span.end).scalar
        assert answer == getattr(row, column), column


def test_an_empty_database_has_no_rows(look):
    view = look()
    assert (view.rows, view.warnings) == ((), ())


class Counting:
    """Counts the questions that are passed on."""

    def __init__(self, engine) -> None:
        self._engine = engine
        self.asked = 0

    def instant(self, *args):
        self.asked += 1
        return self._engine.instant(*args)

    def together(self, texts, *args):
        self.asked += len(texts)
        return self._engine.together(texts, *args)

    def range(self, *args):
        self.asked += 1
        return self._engine.range(*args)


def test_the_number_of_questions_does_not_grow_with_the_providers(engine, store, put, clock):
    counting = Counting(engine)

    def ask() -> int:
        before = counting.asked
        view = providers_view(counting, store, HealthSettings(), Calendar(), TimeRange(), 12, clock.now())
        assert view.rows
        return counting.asked - before

    put(clock.now(), "openai")
    ask()
    one = ask()
    for number in range(20):
        put(clock.now(), f"provider-{number}")
    assert ask() == one


def test_a_provider_that_went_quiet_says_since_when_to_the_minute(look, store, clock):
    now = clock.now()
    calls = []
    for minute in range(60):
        calls.append(Call("t", f"a{minute}", ts_end=now - minute * MINUTE, provider="anthropic"))
        if minute >= 20:
            calls.append(Call("t", f"o{minute}", ts_end=now - minute * MINUTE, provider="openai"))
    last = now - 5 * HOUR - 7 * MINUTE
    calls.append(Call("t", "g", ts_end=last, provider="google"))
    store.write(WriteBatch(calls))
    rows = {row.provider: row for row in look(points=60).rows}
    assert rows["anthropic"].quiet_since is None
    assert rows["openai"].quiet_since == rows["openai"].last_call
    assert 0 <= rows["openai"].last_call - (now - 20 * MINUTE) <= MINUTE
    assert rows["google"].quiet_since is None, "one call is no habit"
    assert 0 <= rows["google"].last_call - last <= MINUTE


def test_a_range_that_grows_has_every_call_from_its_first_instant_on(look, store, clock):
    now = clock.now()
    midnight = now - 7 * HOUR - 12_345
    calls = [
        Call("t", "first", ts_end=midnight, provider="openai", status="success"),
        Call("t", "before", ts_end=midnight - 1, provider="openai", status="success"),
    ]
    store.write(WriteBatch(calls))
    (row,) = look(TimeRange(HOUR, None, midnight - 1)).rows
    assert row.requests == 1


def test_the_last_call_is_never_later_than_the_newest_one(look, store, clock):
    newest = clock.now() // MINUTE * MINUTE - 47 * SECOND
    store.write(WriteBatch([Call("t", "1", ts_end=newest, provider="openai", status="success")]))
    (row,) = look().rows
    assert row.last_call == newest
