"""The Overview: what needs somebody, what it costs, what changed, and the keys that go on from there."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.screen_fakes import (
    CALENDAR,
    KEY,
    NOON,
    RULES,
    FakeMonitor,
    alert,
    collector,
    dashboard,
    settle,
    text,
    tick,
)
from tui_monitor.model.alert import AlertsView
from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.model.happened import FeedEvent
from tui_monitor.model.states import AlertState, Health, Severity, SourceState
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui.drawing import BRAILLE
from tui_monitor.tui.keymap import DEFAULT
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes import alertlines, attention, happenings
from tui_monitor.tui.panes.earlier import trend
from tui_monitor.tui.panes.table import PANES

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def line_of(app: Any, words: str) -> str:
    return next(line for line in text(app).splitlines() if words in line)


async def test_it_is_first_and_answers_three_questions(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app = pilot.app
        assert app.screen.active == PANES[0].id == "overview"
        shown = text(app)
        order = [shown.index(words) for words in ("ATTENTION", "PROVIDERS", " SPEND", "COST by provider")]
        assert order == sorted(order)
        assert "✖ critical" in line_of(app, "12 of 20 calls to openai failed")
        assert "not taken" in line_of(app, "12 of 20 calls to openai failed")
        assert "ana 11:04" in line_of(app, "85 % of the month")
        assert "today $125.57 ▲ 12 %   week $388.00 ▼ 4 %   month $425.67 ▲ 12 % → ≈ $548.00" in shown
        assert "✖ unavailable" in line_of(app, "40.0 %")
        assert "$67.89" in line_of(app, "40.0 %")
        assert "PROVIDER  ✖ openai healthy → unavailable" in shown
        # What an alert tells of already is not told twice.
        assert "openai unavailable " not in shown
        assert shown.count("month budget  ") == 1


async def test_what_is_well_is_one_line(monitor: FakeMonitor) -> None:
    monitor.alert_list = []
    monitor.status = collector(
        sources=tuple(row for row in collector().sources if row.state is not SourceState.FAILED)
    )

    def well(answer: Any) -> Any:
        if hasattr(answer, "budgets"):
            return replace(answer, budgets=())
        rows = getattr(answer, "rows", ())
        if rows and hasattr(rows[0], "state"):
            return replace(answer, rows=tuple(replace(row, state=Health.HEALTHY) for row in rows))
        return answer

    monitor.change = well
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        words = "● all well: 4 of 4 providers healthy, 3 rules quiet, 2 sources run"
        assert words in line_of(pilot.app, "ATTENTION")
        assert "PROVIDERS" in text(pilot.app).splitlines()[3]
        monitor.status = replace(monitor.status, running=False)
        monitor.version += 1
        await tick(pilot)
        # What nobody looks at is not well.
        assert "○ nobody collects, no rule is looked at; 4 of 4" in line_of(pilot.app, "ATTENTION")
        assert "all well" not in text(pilot.app)


async def test_alerts_that_nobody_looks_at_are_told_so(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "left them" not in text(pilot.app)
        monitor.status = replace(monitor.status, running=False)
        monitor.change = lambda answer: (
            replace(answer, evaluated=None) if isinstance(answer, AlertsView) else answer
        )
        monitor.version += 1
        await tick(pilot)
        left = "as the last collector left them: nobody looks now"
        assert f"alerts {left}" in line_of(pilot.app, "ATTENTION")
        await settle(pilot, KEY["alerts"])
        assert left in line_of(pilot.app, "FIRING")
        # A filter or another order hides nothing of that.
        await settle(pilot, "o")
        assert "nobody looks now" in line_of(pilot.app, "FIRING")
        assert "newest first" in line_of(pilot.app, "FIRING")


@pytest.mark.parametrize(("running", "said"), [(True, "Nothing needs anybody"), (False, "nobody looks")])
def test_beside_a_collector_somebody_looks(running: bool, said: str) -> None:
    # When, is not known there.
    look = Look(NOON, 1, TimeRange(), CALENDAR, collector=collector(running=running))
    view = AlertsView(NOON, rules=RULES)
    assert said in alertlines.nothing(view, look, "", 80, BRAILLE, DEFAULT)


def test_the_worst_comes_first() -> None:
    look = Look(NOON, 1, None, None, collector=collector())  # type: ignore[arg-type]
    told = [
        alert("w", rule="slow", severity=Severity.WARNING, labels={}, since=NOON),
        alert("t", rule="taken", labels={}, acked_by="ana", state=AlertState.ACKNOWLEDGED),
        alert("s", rule="quiet", labels={}, state=AlertState.SILENCED),
        alert("c", rule="bad", labels={}, since=NOON - MINUTE),
    ]
    items = attention.needed(told, (), (), (), look)
    assert [item.subject for item in items] == ["bad", "taken", "slow", "probes failed"]


@pytest.mark.parametrize(
    ("value", "before", "good", "shown"),
    [
        (1200.0, 1000.0, "down", ("▲", "warn")),
        (800.0, 1000.0, "down", ("▼", "ok")),
        (1010.0, 1000.0, "down", (" ", "")),
        (None, 1000.0, "down", (" ", "")),
        (1000.0, None, "down", (" ", "")),
    ],
)
def test_a_trend_says_whether_it_is_good(value: Any, before: Any, good: Any, shown: Any) -> None:
    assert trend(value, before, good, BRAILLE, 50.0) == shown


def test_more_success_is_good() -> None:
    assert trend(0.99, 0.95, "up", BRAILLE, 0.005) == ("▲", "ok")
    assert trend(0.95, 0.99, "up", BRAILLE, 0.005) == ("▼", "warn")


async def test_comparisons_need_a_whole_range_before(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        asked = [args for name, args in monitor.asked if name == "query"]
        assert len(asked) == 4
        assert {at for _, at in asked} == {monitor.at - 60 * MINUTE}
        assert "against the 1 h before" in text(pilot.app)
        # Nothing that long was recorded before.
        await settle(pilot, *"]]]]]")
        monitor.asked.clear()
        await settle(pilot, "r")
        assert monitor.count("query") == 0
        assert "against the 90 d before" not in text(pilot.app)


# Going on from there.


async def test_the_cursor_goes_through_all_lists(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert pilot.app.focused.id == "overview-providers"
        await settle(pilot, "up")
        assert (pilot.app.focused.id, pilot.app.focused.cursor) == ("overview-needed", "alert a2")
        await settle(pilot, *["down"] * 5)
        assert (pilot.app.focused.id, pilot.app.focused.cursor) == ("overview-log", "899")
        await settle(pilot, *["down"] * 20)
        assert pilot.app.focused.cursor == "895"


@pytest.mark.parametrize(
    ("keys", "pane", "row"),
    [
        (["j", "enter"], "providers", "google"),
        (["up", "enter"], "alerts", "a2"),
        (["up", "home", "j", "enter"], "sources", "probes"),
        ([*"jjjj", "enter"], "sources", "probes"),
        ([*"jjjjj", "enter"], "alerts", "a1"),
        ([*"jjjjjj", "enter"], "providers", "openai"),
    ],
    ids=["provider", "alert", "source", "event of a source", "event of an alert", "event of a provider"],
)
async def test_enter_opens_the_row_where_there_is_more(
    monitor: FakeMonitor, keys: list[str], pane: str, row: str
) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, *keys)
        assert (pilot.app.screen.active, pilot.app.focused.cursor) == (pane, row)
        # There it is as free as ever.
        await settle(pilot, "home")
        monitor.version += 1
        await tick(pilot)
        assert pilot.app.focused.cursor == pilot.app.focused.rows[0].key or pilot.app.focused.rows[0].heading


async def test_enter_on_a_value_opens_its_query(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "right", "right", "right", "enter")
        assert pilot.app.screen.active == "query"
        assert 'latency{provider="openai"} [1h] p95' in text(pilot.app)


async def test_an_alert_is_taken_from_here(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "a", *"on it", "enter")
        assert ("acknowledged", ("a1", "ana", "on it")) in monitor.asked
        assert "ana" in line_of(pilot.app, "12 of 20 calls to openai failed")


async def test_the_list_is_ordered_by_a_value(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, *["right"] * 6, "o")
        grid = pilot.app.focused
        assert grid.order == ("today", True)
        assert [row.key for row in grid.rows][:2] == ["openai", "anthropic"]


async def test_charts_are_read_off_and_drawn_otherwise(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "c")
        assert pilot.app.focused.id == "overview-costs"
        await settle(pilot, "f6")
        assert pilot.app.focused.id == "overview-latency"
        await settle(pilot, "escape")
        before = text(pilot.app)
        await settle(pilot, "d")
        assert text(pilot.app) != before


# The log.


async def test_the_log_tells_of_calls_when_asked(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "3 calls of openai failed" not in text(pilot.app)
        await settle(pilot, "e")
        assert "CALL      ✖ 3 calls of openai failed  server" in text(pilot.app)
        await settle(pilot, "e")
        assert "3 calls of openai failed" not in text(pilot.app)


async def test_the_log_is_asked_for_when_something_changed(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        figures, log = monitor.count("providers"), monitor.count("happened")
        new = {"provider": "google", "state": "healthy", "before": "degraded", "reason": "well again"}
        monitor.events.insert(0, FeedEvent(901, NOON, "provider_status", new))
        monitor.status = replace(monitor.status, changed=901)
        await tick(pilot)
        assert "● google degraded → healthy  well again" in text(pilot.app)
        assert monitor.count("happened") == log + 1
        # The figures are those of before: nothing says that they changed.
        assert monitor.count("providers") == figures


async def test_more_of_the_log_comes_as_one_goes_down(monitor: FakeMonitor) -> None:
    told = {"task": "mmlu", "done": 1.0}
    monitor.events = [FeedEvent(900 - n, NOON - n * SECOND, "benchmark_started", told) for n in range(120)]
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        limits = [args for name, args in monitor.asked if name == "happened"]
        assert len(limits) == 1
        await settle(pilot, *"jjjj", "end")
        await settle(pilot, "end")
        await settle(pilot, "end")
        assert pilot.app.focused.cursor == "781"


def test_a_source_is_told_of_when_its_state_changes() -> None:
    said = [
        ("claude", "starting", ""), ("claude", "running", "1 of 9"), ("claude", "running", "5 of 9"),
        ("claude", "failed", ""), ("claude", "running", "6 of 9"), ("new", "failed", ""),
    ]  # fmt: skip
    events = [
        FeedEvent(n, NOON + n, "source_update", {"source": s, "state": state, "detail": detail})
        for n, (s, state, detail) in enumerate(said)
    ]
    assert [event.id for event in happenings.shown(events[::-1])] == [5, 4, 3]


def test_what_is_over_says_what_it_was() -> None:
    look = Look(NOON, 1, TimeRange(), CALENDAR)
    data = {"state": "resolved", "rule": "provider degraded", "summary": "anthropic is degraded"}
    row = happenings.rows_of([FeedEvent(1, NOON, "alert_update", data)], look, BRAILLE)[0]
    assert row.cells["what"].text == "provider degraded is over  it was: anthropic is degraded"


def test_what_is_off_is_not_told_to_work() -> None:
    look = Look(NOON, 1, TimeRange(), CALENDAR)
    events = [
        FeedEvent(1, NOON, "system_alert", {"state": "resolved", "subject": "http", "summary": how})
        for how in ("", "off")
    ]
    rows = happenings.rows_of(events, look, BRAILLE)
    assert [row.cells["what"].text for row in rows] == ["http works again", "http is off"]


async def test_where_nobody_collects_the_log_says_so(monitor: FakeMonitor) -> None:
    monitor.events, monitor.status = [], collector(running=False, pid=None)
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "Nobody collects: what happens is known while a collector runs." in text(pilot.app)


async def test_a_hidden_overview_asks_nothing(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, KEY["system"])
        monitor.asked.clear()
        monitor.version += 1
        monitor.status = replace(monitor.status, changed=5)
        await tick(pilot)
        assert {name for name, _ in monitor.asked} == {"snapshot", "system"}


async def test_without_room_charts_are_neither_shown_nor_asked_for(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert monitor.count("query_range") == 0
        assert "COST by provider" not in text(pilot.app)
