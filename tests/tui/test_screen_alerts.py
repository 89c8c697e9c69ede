"""The Alerts pane: what it shows, and that every action is about the alert of its key press."""

import re
from dataclasses import replace
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, NOON, FakeMonitor, alert, dashboard, lines, settle, text, tick
from tui_monitor.model.alert import Matcher
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.errors import MonitorError, QueryError, UsageError
from tui_monitor.model.states import AlertState, Severity
from tui_monitor.tui.panes.alertlines import columns, left_of
from tui_monitor.tui.screens.acting import AcknowledgeDialog, SilenceDialog
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.until import read_end
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.columns import lay_out
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.prompt import Prompt

pytestmark = pytest.mark.usefixtures("undrawn")

SIZES = [(80, 24), (120, 40), (200, 50)]
OWN = (Matcher("alertname", "openai fails"), Matcher("provider", "openai"))


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def row(app: Any, word: str) -> str:
    return next(line for line in lines(app) if word in line)


def cursor(app: Any) -> str | None:
    return app.get_default_screen().query_one("#alerts-list", Grid).cursor


def asked(monitor: FakeMonitor, *methods: str) -> list[tuple[str, tuple[Any, ...]]]:
    return [(name, args) for name, args in monitor.asked if name in methods]


async def changed(pilot: Any, monitor: FakeMonitor) -> None:
    """Something about the data is another."""
    monitor.version += 1
    await tick(pilot)


def resolve(monitor: FakeMonitor, id: str) -> None:
    """The alert is over; it stands at the end of the list now."""
    over = next(one for one in monitor.alert_list if one.id == id)
    over = replace(over, state=AlertState.RESOLVED, resolved=monitor.at, acked_by=None, acked_at=None)
    monitor.alert_list = [*(one for one in monitor.alert_list if one.id != id), over]


# What it shows.


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_list(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot, KEY["alerts"])
        shown = text(pilot.app)
        assert "FIRING 2 (1 taken)   PENDING 1   SILENCED 0   RESOLVED today 1" in shown
        assert "✖2" in lines(pilot.app)[1]
        first = row(pilot.app, "✖ crit")
        for words in ("12 of 20 calls to openai failed", "60.0 % > 50.0 %", "11 m", "not taken"):
            assert words in first
        taken = row(pilot.app, "▲ warn")
        assert "$425.67 ≥ $400.00" in taken
        assert "ana 11:04" in taken
        waiting = row(pilot.app, "○ pend")
        assert "4.10 s > 3.90 s" in waiting
        assert "for 5 m" in waiting
        ended = next(line for line in lines(pilot.app) if "ended 10:30" in line)
        assert shown.index("RESOLVED TODAY") < shown.index(ended.rstrip())
        assert "expr      error_rate{} [5m] by(provider) > 0.5" in shown
        assert 'rule typo: unknown metric "latancy"' in shown
        assert "11:49     firing          60.0 %  rules" in shown


def test_a_summary_has_room_at_eighty_columns() -> None:
    widths = {column.key: width for column, width in lay_out(columns(80), 78)}
    assert widths["alert"] >= 32
    assert set(widths) == {"severity", "alert", "value", "age", "state"}


async def test_a_summary_that_is_cut_is_whole_below(monitor: FakeMonitor) -> None:
    summary = "half of the calls to openai in the last five minutes failed with errors of the server"
    monitor.alert_list = [alert(summary=summary)]
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["alerts"])
        below = text(pilot.app).partition("why")[0].rpartition("openai fails")[2]
        assert summary in " ".join(below.split())


async def test_comparisons_stand_below_each_other(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"])
        assert row(pilot.app, "✖ critical").index(">") == row(pilot.app, "▲ warning").index("≥")


async def test_who_took_it_has_the_time_whatever_the_name(monitor: FakeMonitor) -> None:
    monitor.alert_list[0] = alert(
        state=AlertState.ACKNOWLEDGED, acked_by="maximilian.mustermann", acked_at=NOON - 3 * DAY
    )
    monitor.alert_list[1] = alert(
        "a2", acked_by="bob", acked_at=NOON - 40 * DAY, state=AlertState.ACKNOWLEDGED
    )
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["alerts"])
        assert "maximi… Sun" in text(pilot.app)
        assert "bob 6 Feb" in text(pilot.app)


async def test_the_chart_has_the_threshold(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"])
        chart = pilot.app.screen.query_one("#alerts-chart", Chart)
        assert chart.data.thresholds == (("threshold", 0.5),)
        assert [series.name for series in chart.data.series] == ["openai fails"]


async def test_a_threshold_that_moves_is_a_line_of_its_own(monitor: FakeMonitor) -> None:
    def moving(answer: Any) -> Any:
        if getattr(answer, "kind", "") != "matrix":
            return answer
        value, threshold = answer.series
        rising = tuple(float(n) for n in range(len(threshold.values)))
        return replace(answer, series=(value, replace(threshold, values=rising)))

    monitor.change = moving
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"])
        chart = pilot.app.screen.query_one("#alerts-chart", Chart)
        assert chart.data.thresholds == ()
        assert [series.name for series in chart.data.series] == ["openai fails", "threshold"]


async def test_a_rule_that_changed_leaves_the_alert_readable(monitor: FakeMonitor) -> None:
    async def refuse(*_: object) -> None:
        raise QueryError("no such rule any more")

    monitor.alert_chart = refuse  # type: ignore[method-assign,assignment]
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"])
        assert "error_rate{} [5m] by(provider) > 0.5" in text(pilot.app)
        assert "no such rule" not in text(pilot.app)
        assert not pilot.app.screen.query_one("#alerts-chart").region.area


async def test_nothing_open_says_what_is_watched(monitor: FakeMonitor) -> None:
    monitor.alert_list = []
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["alerts"])
        shown = text(pilot.app)
        assert "Nothing needs anybody: no alert is open." in shown
        assert "3 rules watching:" in shown
        assert re.search(r"slow +latency\{\} \[5m\] p95 by\(model\) > 3900", shown)
        assert "[[alerts.rules]]" in shown


def test_the_left_side_of_a_condition() -> None:
    assert left_of("avg(latency) > 2000") == "latency avg"
    assert left_of("no condition at all (") == "no condition at all ("


# The cursor.


async def test_the_cursor_stays_on_its_alert_whatever_comes(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "j")
        assert cursor(pilot.app) == "a2"
        monitor.alert_list.insert(0, alert("a0", rule="newer"))
        await changed(pilot, monitor)
        assert cursor(pilot.app) == "a2"
        monitor.alert_list.reverse()
        await changed(pilot, monitor)
        assert cursor(pilot.app) == "a2"
        resolve(monitor, "a2")
        await changed(pilot, monitor)
        assert cursor(pilot.app) == "a2"
        assert "month budget   warning, resolved" in text(pilot.app)


async def test_the_cursor_passes_over_headings(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "j", "j", "j")
        assert cursor(pilot.app) == "a4"
        await settle(pilot, "k")
        assert cursor(pilot.app) == "a3"
        await settle(pilot, "end", "home")
        assert cursor(pilot.app) == "a1"


async def test_o_goes_through_the_orders_and_resolved_ones_stay_below(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"])
        grid = pilot.app.screen.query_one("#alerts-list", Grid)
        assert [r.key for r in grid.rows] == ["a1", "a2", "a3", "resolved", "a4"]
        await settle(pilot, "o")
        assert "newest first" in text(pilot.app)
        assert [r.key for r in grid.rows] == ["a3", "a1", "a2", "resolved", "a4"]
        await settle(pilot, "o")
        assert [r.key for r in grid.rows] == ["a2", "a1", "a3", "resolved", "a4"]
        while grid.chosen != "age":
            await settle(pilot, "right")
        await settle(pilot, "o")
        assert [r.key for r in grid.rows] == ["a2", "a1", "a3", "resolved", "a4"]
        assert cursor(pilot.app) == "a1"


async def test_the_filter(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "slash", *"gpt slow")
        grid = pilot.app.screen.query_one("#alerts-list", Grid)
        assert [r.key for r in grid.rows] == ["a3"]
        # The counts are those of all.
        assert "FIRING 2" in text(pilot.app)
        assert "/gpt slow" in text(pilot.app)
        await settle(pilot, "enter")
        assert grid.has_focus
        await settle(pilot, "escape")
        assert len(grid.rows) == 5
        assert not pilot.app.screen.query_one("#alerts-filter").display
        await settle(pilot, "slash", *"zzz", "enter")
        assert "No alert with “zzz”. esc shows all." in text(pilot.app)
        await settle(pilot, "a", "s", "e")
        assert isinstance(pilot.app.screen, Dashboard)
        assert pilot.app.screen.active == "alerts"


# Detail.


async def test_enter_shows_the_alert_in_full_and_back(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "j", "enter")
        screen = pilot.app.screen
        shown = text(pilot.app)
        for words in (
            "month budget   warning, acknowledged", "why       $425.67 ≥ $400.00",
            "taken by  ana 11:04 “ordered more”",
            "cost{} [month] sum >= 400", "labels    budget=month", "VALUE AND THRESHOLD",
            "10:30:00", "$401.00", "11:04:00", "$418.00", "ordered more",
        ):  # fmt: skip
            assert words in shown, words
        assert screen.query_one("#alerts-history").region.area
        # The list is still there: the next alert is one key away, and keys act on it.
        await settle(pilot, "k")
        assert "openai fails   critical, firing" in text(pilot.app)
        await settle(pilot, "a", "enter")
        assert asked(monitor, "acknowledged") == [("acknowledged", ("a1", "ana", ""))]
        await settle(pilot, "escape")
        assert not screen.query_one("#alerts-history").region.area


async def test_the_whole_detail_fits_a_small_screen(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["alerts"], "j", "enter")
        assert pilot.app.screen.query_one("#alerts-chart").region.height >= 5
        assert "$418.00" in text(pilot.app)
        assert "esc back" in lines(pilot.app)[-1]


async def test_e_opens_what_the_rule_compares(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "e")
        screen = pilot.app.screen
        assert screen.active == "query"
        assert screen.query_one("#query-line", Prompt).value == "error_rate [5m] by(provider)"


# Taking.


async def test_a_asks_for_a_note_and_u_gives_it_back(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], "a")
        assert isinstance(app.screen, AcknowledgeDialog)
        assert "openai fails   60.0 % > 50.0 %" in text(app)
        await settle(pilot, *"on it", "enter")
        assert asked(monitor, "acknowledged") == [("acknowledged", ("a1", "ana", "on it"))]
        assert "openai fails is yours now – u takes that back" in text(app)
        assert "ana 12:00" in row(app, "✖ critical")
        await settle(pilot, "u")
        assert asked(monitor, "firing") == [("firing", ("a1", "ana"))]
        assert monitor.alert_list[0].state is AlertState.FIRING


async def test_esc_leaves_the_alert_as_it_is(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "a", *"x", "escape", "s", "escape")
        assert isinstance(pilot.app.screen, Dashboard)
        assert asked(monitor, "acknowledged", "silence") == []


async def test_the_dialog_is_about_the_alert_of_the_key_press(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "a")
        # Another one comes in above, and the list is another one below the dialog.
        monitor.alert_list = [alert("a0", rule="newer"), *reversed(monitor.alert_list)]
        await changed(pilot, monitor)
        await settle(pilot, "enter")
        assert asked(monitor, "acknowledged") == [("acknowledged", ("a1", "ana", ""))]
        assert cursor(pilot.app) == "a1"


async def test_an_alert_that_ends_while_its_dialog_is_open(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "a", *"mine")
        resolve(monitor, "a1")
        await changed(pilot, monitor)
        assert "resolved meanwhile, at 12:00" in text(pilot.app)
        assert "nothing is left to take care of" in text(pilot.app)
        await settle(pilot, "enter")
        assert isinstance(pilot.app.screen, Dashboard)
        assert asked(monitor, "acknowledged") == []


async def test_an_alert_that_somebody_else_takes_meanwhile(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "a")
        monitor.alert_list[0] = alert(state=AlertState.ACKNOWLEDGED, acked_by="bob", acked_at=NOON)
        await changed(pilot, monitor)
        assert "bob took it at 12:00" in text(pilot.app)


async def test_an_alert_that_ends_between_look_and_enter_is_told(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], "a")
        resolve(monitor, "a1")
        await settle(pilot, "enter")
        assert "openai fails is resolved already" in text(app)


@pytest.mark.parametrize(
    ("moves", "words"), [("jj", "slow has not fired yet"), ("jjj", "openai fails is resolved")]
)
async def test_what_cannot_be_taken(monitor: FakeMonitor, moves: str, words: str) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], *moves, "a")
        assert isinstance(app.screen, Dashboard)
        assert words in text(app)


async def test_a_refusal_is_told(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], "a")
        monitor.error = MonitorError("the database is locked", hint="by [/4242]")
        await settle(pilot, "enter")
        assert "by [/4242]" in text(app)
        assert monitor.alert_list[0].state is AlertState.FIRING


# Silencing.


@pytest.mark.parametrize(
    ("keys", "length"),
    [((), HOUR), (("k",), 30 * MINUTE), (("j",), 4 * HOUR), (("end",), DAY), (("t", *"2h30m"), 150 * MINUTE)],
)
async def test_s_silences_for_a_while(monitor: FakeMonitor, keys: tuple[str, ...], length: int) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "s")
        assert isinstance(pilot.app.screen, SilenceDialog)
        assert 'until 13:00, now 1 alert: alertname="openai fails"' in text(pilot.app)
        await settle(pilot, *keys, "enter")
        assert asked(monitor, "silence") == [("silence", (OWN, NOON + length, "ana", ""))]
        assert "SILENCED 1" in text(pilot.app)
        until = {HOUR: "until 13:00", DAY: "until Thu"}.get(length)
        assert until is None or until in row(pilot.app, "◌ silenced")


async def test_a_silence_has_a_note_and_the_list_of_silences_shows_it(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "s", "n", *"new keys at 2", "enter")
        assert asked(monitor, "silence")[0][1][3] == "new keys at 2"
        await settle(pilot, "S")
        shown = text(pilot.app)
        for words in (
            "13:00, 1 h",
            'alertname="openai fails" provider="openai"',
            "new keys at 2",
            "ana, 12:00",
        ):
            assert words in shown, words
        # Keys of alerts do nothing here.
        await settle(pilot, "a", "s", "enter")
        assert isinstance(pilot.app.screen, Dashboard)
        await settle(pilot, "u")
        assert [name for name, _ in asked(monitor, "unsilence")] == ["unsilence"]
        assert "No silence: every alert that fires is told." in text(pilot.app)
        await settle(pilot, "escape")
        assert "not taken" in row(pilot.app, "✖ critical")


async def test_the_end_moves_with_the_clock_until_enter(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "s")
        monitor.at += 5 * MINUTE
        await changed(pilot, monitor)
        assert "keeps quiet until 13:05" in text(pilot.app)
        await settle(pilot, "enter")
        assert asked(monitor, "silence")[0][1][1] == NOON + 65 * MINUTE


async def test_a_length_that_is_none_is_told_and_can_be_mended(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "s", "t", *"soon", "enter")
        assert "not a time: 'soon'" in text(pilot.app)
        await settle(pilot, *["backspace"] * 4, *"14:00", "enter")
        assert asked(monitor, "silence")[0][1][1] == NOON + 2 * HOUR


async def test_a_silence_of_an_alert_that_ended_meanwhile_says_so(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "s")
        resolve(monitor, "a1")
        await changed(pilot, monitor)
        assert "resolved meanwhile" in text(pilot.app)
        # The next one of its kind may be kept quiet all the same.
        await settle(pilot, "enter")
        assert len(asked(monitor, "silence")) == 1


def test_ends_of_silences() -> None:
    utc = Calendar("UTC")
    assert read_end("90m", NOON, utc) == NOON + 90 * MINUTE
    assert read_end("for 1 h 30 m", NOON, utc) == NOON + 90 * MINUTE
    assert read_end("until 14:30", NOON, utc) == NOON + 150 * MINUTE
    assert read_end("09:00", NOON, utc) == NOON + 21 * HOUR
    assert read_end("2026-03-20", NOON, utc) == NOON + 36 * HOUR
    for wrong in ("", "soon", "0m", "2026-03-18 09:00", "400d", "until"):
        with pytest.raises(UsageError):
            read_end(wrong, NOON, utc)


# Undoing.


async def test_undo_goes_back_through_what_was_done_here(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "a", "enter")
        await settle(pilot, "j", "s", "enter")
        # From an alert on which nothing can be undone: the last one first.
        await settle(pilot, "j", "u")
        assert [name for name, _ in asked(monitor, "unsilence", "firing")] == ["unsilence"]
        await settle(pilot, "u")
        assert asked(monitor, "firing") == [("firing", ("a1", "ana"))]
        await settle(pilot, "u")
        assert len(asked(monitor, "unsilence", "firing")) == 2


async def test_undo_is_first_about_the_alert_under_the_cursor(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["alerts"], "a", "enter")
        # ana's, of an hour ago, and not from here.
        await settle(pilot, "j", "u")
        assert asked(monitor, "firing") == [("firing", ("a2", "ana"))]
        await settle(pilot, "u")
        assert asked(monitor, "firing")[-1] == ("firing", ("a1", "ana"))


async def test_what_was_undone_already_is_told_once(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], "a", "enter")
        resolve(monitor, "a1")
        await changed(pilot, monitor)
        await settle(pilot, "u")
        assert "openai fails is resolved already" in text(app)
        await settle(pilot, "u")
        assert "nothing to take back" in text(app)


# Ringing.


async def test_new_alerts_ring_once_together(monitor: FakeMonitor, monkeypatch: pytest.MonkeyPatch) -> None:
    app = dashboard(monitor)
    rung: list[str] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append("bell"))
    monkeypatch.setattr(
        "tui_monitor.tui.screens.dashboard.write_to_terminal", lambda _, text: rung.append(text)
    )
    monkeypatch.delenv("TMUX", raising=False)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        # What fired before is told without a sound.
        assert rung == []
        assert "critical: 12 of 20 calls to openai failed" in text(app)
        monitor.alert_list += [
            alert("n1", summary="disk [/full] \x1b]0;x\x07", severity=Severity.WARNING),
            alert("n2", summary="memory full"),
        ]
        await changed(pilot, monitor)
        told = "2 alerts began to fire: memory full; disk [/full] ]0;x"
        assert rung == ["bell", f"\x1b]9;tui-monitor: {told}\x07"]
        assert told in text(app)
        await changed(pilot, monitor)
        assert len(rung) == 2
        # Taken and given back it is not a new one.
        monitor.alert_list[-1] = replace(monitor.alert_list[-1], state=AlertState.ACKNOWLEDGED)
        await changed(pilot, monitor)
        monitor.alert_list[-1] = replace(monitor.alert_list[-1], state=AlertState.FIRING)
        await changed(pilot, monitor)
        assert len(rung) == 2


async def test_what_is_taken_back_here_does_not_ring(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], "s", "enter")
        await changed(pilot, monitor)
        await settle(pilot, "u", "j", "u")
        await changed(pilot, monitor)
        assert "month budget is nobody's again" in text(app)
        assert "warning: 85 %" not in text(app)


async def test_bell_and_notification_can_be_off(
    monitor: FakeMonitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = dashboard(monitor)
    assert app.backend.settings is not None
    app.backend.settings.alerts.bell = app.backend.settings.alerts.notify = False
    rung: list[str] = []
    monkeypatch.setattr(app, "bell", lambda: rung.append("bell"))
    monkeypatch.setattr(
        "tui_monitor.tui.screens.dashboard.write_to_terminal", lambda _, text: rung.append(text)
    )
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        monitor.alert_list.append(alert("n1", summary="disk full"))
        await changed(pilot, monitor)
        assert "critical: disk full" in text(app)
        assert rung == []


async def test_an_act_without_an_alert_says_why(monitor: FakeMonitor) -> None:
    monitor.alert_list.clear()
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot, KEY["alerts"], "s", "a")
        assert [notice.message for notice in app._notifications] == ["no alert is chosen"] * 2
