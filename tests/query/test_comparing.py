"""Conditions over stored calls: what they compare with what, worked out by hand."""

from contextlib import suppress
from itertools import count

import pytest

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import NANO, Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, Micros
from tui_monitor.model.errors import StoreError, UnknownMetric
from tui_monitor.query.comparing import Compared, compare
from tui_monitor.query.condition import Condition
from tui_monitor.query.promql.ast import Matcher
from tui_monitor.query.result import labels_of
from tui_monitor.store.api import WriteBatch

NOW: Micros = 1_773_835_200_000_000
"""12:00 UTC on Wednesday, 18 March 2026."""
WINDOW = 5 * MINUTE
_keys = count()


@pytest.fixture
def put(store):
    """Store so many calls of one provider at one instant."""

    def put(at: Micros, calls: int = 1, provider: str = "openai", **fields: object) -> None:
        known = {"status": "success", "latency_ms": 100.0, **fields}
        rows = [
            Call("t", str(next(_keys)), ts_end=at, provider=provider, **known)  # type: ignore[arg-type]
            for _ in range(calls)
        ]
        store.write(WriteBatch(calls=rows))

    return put


@pytest.fixture
def look(engine):
    """The series of a condition now, by the value of their only label."""

    def look(text: str, *, budget: float | None = None, scope: dict | None = None, at: Micros = NOW) -> dict:
        matchers = tuple(Matcher(name, "=", value) for name, value in (scope or {}).items())
        condition = Condition.parse(text).bound(WINDOW, budget, matchers)
        for tree in condition.trees():
            with suppress(UnknownMetric):
                engine.check(text, tree)
        found = compare(condition, engine, at, Calendar()).series
        return {"/".join(value for _, value in one.labels): one for one in found}

    return look


def figures(found: dict[str, Compared]) -> dict[str, tuple[float, float, bool]]:
    return {name: (one.value, one.threshold, one.holds) for name, one in found.items()}


def test_a_window_of_five_minutes_unless_another_is_named(put, look):
    put(NOW - 4 * MINUTE, 2)
    put(NOW - 6 * MINUTE, 10)
    assert figures(look("requests > 3")) == {"": (2, 3, False)}
    assert figures(look("requests [10m] > 3")) == {"": (12, 3, True)}
    assert figures(look("requests > requests offset 5m")) == {"": (2, 10, False)}


def test_three_times_the_usual_error_rate(put, look):
    for day in (1, 2, 3):
        put(NOW - day * DAY - 30 * MINUTE, 98)
        put(NOW - day * DAY - 30 * MINUTE, 2, status="error", error_category="server")
    put(NOW - MINUTE, 90)
    put(NOW - MINUTE, 10, status="error", error_category="server")
    found = look("error_rate > baseline * 3")
    assert figures(found) == {"": (0.1, pytest.approx(0.06), True)}
    assert found[""].usual == pytest.approx(0.02)
    assert figures(look("error_rate by(provider) > 6 * baseline")) == {
        "openai": (0.1, pytest.approx(0.12), False)
    }


def test_what_is_usual_may_be_calculated_with(put, look):
    for day in (1, 2, 3):
        put(NOW - day * DAY - 30 * MINUTE, 24, latency_ms=200.0)
    put(NOW - MINUTE, 9, latency_ms=1000.0)
    usual = pytest.approx(200, rel=0.01)
    assert look("latency avg > baseline")[""].threshold == usual
    assert look("latency avg > baseline + 1s")[""].threshold == pytest.approx(1200, rel=0.01)
    assert look("latency avg > 1.5s - -baseline / 2")[""].threshold == pytest.approx(1600, rel=0.01)
    assert look("latency avg > (baseline + latency avg) / 2")[""].threshold == pytest.approx(600, rel=0.01)
    assert look("llm_request_duration_seconds avg > 2 * baseline + 500ms")[""].threshold == pytest.approx(0.9)
    assert look("requests > baseline ^ 2")[""].threshold == 4
    assert look("requests > baseline / 0") == {}, "what is no number is no data"
    assert look("requests > 0 * baseline ^ -1")[""].holds
    assert look("requests > (baseline - 10) ^ 0.5") == {}


def test_silence_is_nothing_of_what_adds_up(put, look):
    for day in (1, 2, 3):
        put(NOW - day * DAY - 30 * MINUTE, 120)
        put(NOW - day * DAY - 30 * MINUTE, 120, provider="google")
    put(NOW - MINUTE, 9, provider="google")
    assert figures(look("requests by(provider) < 0.5 * baseline")) == {
        "openai": (0, 5, True),
        "google": (9, 5, False),
    }
    assert figures(look("latency by(provider) > 2 * baseline")).keys() == {"google"}, "an average of nothing"
    assert figures(look("requests by(provider) < 5")) == {"google": (9, 5, False)}, "no baseline, no silence"
    assert figures(look("requests by(provider) == 0 and baseline >= 10")) == {
        "openai": (0, 0, True),
        "google": (9, 0, False),
    }
    assert not look("requests by(provider) == 0 and baseline > 10")["openai"].holds
    assert figures(look("requests < baseline", at=NOW + 30 * MINUTE)) == {}, "nothing is usual at that hour"


def test_a_guard_is_looked_at_for_each_series(put, look):
    put(NOW - MINUTE, 1, status="error", error_category="server")
    put(NOW - MINUTE, 1)
    put(NOW - MINUTE, 12, provider="google")
    put(NOW - MINUTE, 12, provider="google", status="error", error_category="server")
    rate = "error_rate by(provider) > 5%"
    assert figures(look(f"{rate} and requests by(provider) >= 10")) == {
        "openai": (0.5, 0.05, False),
        "google": (0.5, 0.05, True),
    }
    held = {text: {name for name, one in look(f"{rate} and {text}").items() if one.holds} for text in (
        "requests >= 20", "requests >= 200", "requests by(provider) >= 2 and errors by(provider) >= 2",
        "nobody_sent_this > 0", "requests offset 1d >= 0",
    )}  # fmt: skip
    assert held == {
        "requests >= 20": {"openai", "google"},
        "requests >= 200": set(),
        "requests by(provider) >= 2 and errors by(provider) >= 2": {"google"},
        "nobody_sent_this > 0": set(),
        "requests offset 1d >= 0": set(),
    }


def test_a_guard_may_be_grouped_by_fewer_labels(put, look):
    for provider, model, calls in (("openai", "a", 3), ("openai", "b", 30), ("google", "c", 3)):
        put(
            NOW - MINUTE,
            calls,
            provider=provider,
            model_served=model,
            status="error",
            error_category="server",
        )
    found = look("error_rate by(provider, model) > 5% and requests by(provider) >= 10")
    assert {name for name, one in found.items() if one.holds} == {"a/openai", "b/openai"}


def test_spend_within_the_scope_of_the_budget(put, look):
    for project, dollars in (("search", 30), ("chat", 50)):
        put(NOW - HOUR, cost=dollars * NANO, cost_status="computed", project=project)
        put(NOW - 2 * DAY, cost=dollars * NANO, cost_status="computed", project=project)
        put(NOW - 16 * DAY, cost=dollars * NANO, cost_status="computed", project=project)
    scope = {"project": "search"}
    assert figures(look("daily_spend >= budget * 0.5", budget=100, scope=scope)) == {"": (30, 50, False)}
    assert figures(look("weekly_spend >= budget * 0.5", budget=100, scope=scope)) == {"": (60, 50, True)}
    assert figures(look("monthly_spend >= budget * 0.8", budget=100, scope=scope)) == {"": (90, 80, True)}
    assert figures(look("monthly_spend by(project) > 100")) == {
        "search": (90, 100, False),
        "chat": (150, 100, True),
    }
    # The scope is that of what was spent, not of other queries beside it.
    both = look("daily_spend >= 5 and cost [1d] >= $80", budget=100, scope=scope)
    assert both[""].holds


def test_an_error_of_the_store_is_not_taken_for_no_data(look, store):
    store.close()
    with pytest.raises(StoreError):
        look("requests > 5")


def test_labels_without_a_value_are_a_series_too(put, look):
    put(NOW - MINUTE, 5, provider=None)
    found = look("requests by(provider) > 2 and requests by(provider) > 3")
    assert [one.labels for one in found.values() if one.holds] == [labels_of(provider="")]
