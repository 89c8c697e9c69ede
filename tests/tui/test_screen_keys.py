"""Every key: declared once, understood by somebody, and doing what its help says."""

import pytest
from textual.binding import Binding

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text, tick
from tui_monitor.model.clock import DAY, HOUR
from tui_monitor.model.errors import QueryError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui import commands
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.commands import COMMANDS, WIDGETS
from tui_monitor.tui.keymap import DEFAULT
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.prompt import Field, Prompt

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def test_ids_are_unique_and_every_binding_has_one() -> None:
    ids = [command.id for command in COMMANDS]
    assert len(ids) == len(set(ids))
    for pane in ("", *(entry.id for entry in PANES)):
        for binding in commands.bindings(pane):
            assert isinstance(binding, Binding)
            assert binding.id in ids


@pytest.mark.parametrize("pane", [entry.id for entry in PANES])
def test_no_key_means_two_things(pane: str) -> None:
    keys = [key for c in COMMANDS if c.pane in ("", pane) and c.keys != "enter" for key in c.keys.split(",")]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.id)
def test_every_action_is_understood(command: commands.Command) -> None:
    name = command.action.partition("(")[0]
    if name.startswith("app."):
        assert hasattr(MonitorApp, f"action_{name.removeprefix('app.')}")
    elif command.pane in WIDGETS:
        widget = {"chart": Chart, "list": Grid, "line": Field}[command.pane]
        assert hasattr(widget, f"action_{name}")
    elif command.pane:
        entry = next(entry for entry in PANES if entry.id == command.pane)
        assert hasattr(entry.make(), f"action_{name}")
    else:
        assert hasattr(Dashboard, f"action_{name}")


@pytest.mark.parametrize(
    ("key", "seen"),
    [
        ("1", "ATTENTION"),
        ("2", "bars: requests"),
        ("3", "MONTH"),
        ("4", "FIRING"),
        ("5", "try one"),
        ("6", "following"),
        ("7", "WAYS IN"),
        ("8", "HOST"),
        ("9", "SLOW QUERIES"),
    ],
)
async def test_number_keys_show_panes(monitor: FakeMonitor, key: str, seen: str) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, key)
        assert seen in text(pilot.app)


async def test_tab_goes_round(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        seen = []
        ids = [entry.id for entry in PANES]
        for _ in range(len(ids) + 1):
            await settle(pilot, "tab")
            seen.append(pilot.app.screen.active)
        assert seen == [*ids[1:], *ids[:2]]
        await settle(pilot, "shift+tab")
        await settle(pilot, "shift+tab")
        assert pilot.app.screen.active == ids[-1]


async def test_a_click_on_a_tab_shows_its_pane(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pilot.click("#tabs", offset=(16, 0))
        await settle(pilot)
        assert pilot.app.screen.active == "providers"


# The time range.


async def test_range_keys(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        screen = pilot.app.screen
        await settle(pilot, "]")
        assert screen.shown.length == 6 * HOUR
        await settle(pilot, "[", "[")
        assert screen.shown.length == 15 * 60_000_000
        await settle(pilot, "]", "comma")
        assert screen.shown.end == monitor.at - HOUR // 2
        assert "10:30 – 11:30" in text(pilot.app)
        assert "fixed" in text(pilot.app)
        await settle(pilot, "full_stop")
        assert screen.shown.live
        await settle(pilot, "comma", "N")
        assert screen.shown.live
        shown = [args[0] for name, args in monitor.asked if name == "providers"]
        assert shown[-1] == screen.shown


async def test_old_data_is_told_and_travelled_to(monitor: FakeMonitor) -> None:
    monitor.newest = monitor.at - 860 * DAY
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "newest data: 2 y 4 mo ago – n goes there" in text(pilot.app)
        await settle(pilot, "n")
        await tick(pilot)
        assert pilot.app.screen.shown.end == monitor.newest
        assert "newest data" not in text(pilot.app)
        assert "Thu 9 Nov 2023" in text(pilot.app)


async def test_the_range_dialog_takes_a_preset(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "t")
        assert "last 90 d" in text(pilot.app)
        await settle(pilot, "j", "enter")
        assert pilot.app.screen.shown.length == 6 * HOUR
        assert pilot.app.screen.shown.live


async def test_the_range_dialog_fixes_the_end(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "t", "f", "enter")
        assert pilot.app.screen.shown.end == monitor.at
        await settle(pilot, "t", "l", "enter")
        assert pilot.app.screen.shown.live
        await settle(pilot, "t", "f", "n", "enter")
        assert pilot.app.screen.shown.live


async def test_the_range_dialog_reads_what_is_typed(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "t", "t", *"9x", "enter")
        assert "not a time: '9x'" in text(pilot.app)
        await settle(pilot, "backspace", "0", "m")
        assert "10:30 – now, 1 h 30 m, live" in text(pilot.app)
        await settle(pilot, "enter")
        assert pilot.app.screen.shown.length == 90 * 60_000_000
        await settle(pilot, "t", "t", *"yesterday 14:00 t")
        assert "keyword" in text(pilot.app)
        await settle(pilot, "tab", *" 15:30", "enter")
        assert "Tue 17 Mar 14:00 – 15:30  fixed" in text(pilot.app)
        await settle(pilot, "less_than_sign")
        assert pilot.app.screen.shown == TimeRange(90 * 60_000_000)
        await settle(pilot, "less_than_sign", "less_than_sign")
        assert pilot.app.screen.shown == TimeRange(HOUR)
        await settle(pilot, "greater_than_sign", "greater_than_sign")
        assert "Tue 17 Mar 14:00 – 15:30  fixed" in text(pilot.app)
        await settle(pilot, "t", "end", "k", "k", "k", "k", "k", "enter")
        assert "since 00:00  live" in text(pilot.app)
        await settle(pilot, "t", "escape")
        assert isinstance(pilot.app.screen, Dashboard)


# Leaving and help.


@pytest.mark.parametrize(("answer", "left"), [("ctrl+c", True), ("y", True), ("escape", False), ("n", False)])
async def test_ctrl_c_asks_once(monitor: FakeMonitor, answer: str, left: bool) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await settle(pilot, KEY["query"], *"lat", "ctrl+c")
        assert "Quit? Collecting ends with this window." in text(app)
        await settle(pilot, answer)
        assert app._exit is left


@pytest.mark.parametrize("pane", PANES, ids=lambda entry: entry.id)
async def test_help_tells_every_key_of_the_pane(monitor: FakeMonitor, pane) -> None:
    async with dashboard(monitor).run_test(size=(120, 130)) as pilot:
        await settle(pilot, pane.key)
        if pane.id == "query":
            await settle(pilot, "escape")
        if pane.id == "boards":
            await settle(pilot, "b")
        await settle(pilot, "?")
        shown = text(pilot.app)
        assert "HERE: A LIST" in shown
        for command in COMMANDS:
            if command.pane in ("", pane.id):
                assert DEFAULT.filled(command.help)[:40] in shown, command.id
                assert command.key in shown
        await settle(pilot, "escape")
        assert isinstance(pilot.app.screen, Dashboard)


async def test_the_palette_runs_commands(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        await settle(pilot, "ctrl+p")
        await settle(pilot, *"Period")
        await pilot.pause(0.3)
        await settle(pilot, "enter", "enter")
        await pilot.pause(0.2)
        assert ("costs", ("model", "last_week")) in monitor.asked


async def test_the_palette_changes_the_theme(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "ctrl+p")
        await settle(pilot, *"tui-monitor-light")
        await pilot.pause(0.3)
        await settle(pilot, "enter", "enter")
        await pilot.pause(0.2)
        assert pilot.app.theme == "tui-monitor-light"


async def test_the_footer_offers_what_works(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        last = text(pilot.app).splitlines()[-1]
        assert "esc back" in last
        assert " q quit" not in last
        await settle(pilot, "escape")
        last = text(pilot.app).splitlines()[-1]
        assert "/ query line" in last
        assert " q quit" in last


# Providers.


async def test_enter_opens_the_query_behind_a_cell(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        await settle(pilot, "enter")
        screen = pilot.app.screen
        assert screen.active == "query"
        assert screen.query_one(Prompt).value == 'latency{provider="openai"} [1h] p95'
        await settle(pilot, KEY["providers"], "j")
        grid = screen.query_one("#providers-list", Grid)
        while grid.chosen != "today":
            await settle(pilot, "right")
        await settle(pilot, "enter")
        assert screen.query_one(Prompt).value == 'cost{provider="google"} [today] sum'
        assert ("query", ('cost{provider="google"} [today] sum', None)) in monitor.asked


async def test_m_shows_another_figure_on_the_chart(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        assert "LATENCY p95 by provider" in text(pilot.app)
        await settle(pilot, "m", "m")
        assert "ERROR RATE by provider" in text(pilot.app)
        assert monitor.asked[-1][1][0] == "error_rate{} avg by(provider)"


async def test_c_and_the_arrows_move_the_crosshair(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        await settle(pilot, "c")
        chart = pilot.app.screen.pane.query_one(Chart)
        assert chart.has_focus
        newest = chart.pointed
        assert newest is not None
        await settle(pilot, "left", "left")
        assert chart.pointed is not None
        assert chart.pointed < newest
        await settle(pilot, "escape")
        assert pilot.app.screen.query_one("#providers-list", Grid).has_focus


async def test_o_orders_by_the_chosen_value(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        grid = pilot.app.screen.pane.query_one(Grid)
        while grid.chosen != "requests":
            await settle(pilot, "right")
        await settle(pilot, "o")
        assert [row.key for row in grid.rows] == ["anthropic", "google", "openai", "mistral"]
        await settle(pilot, "o")
        assert grid.rows[0].key == "openai"
        await settle(pilot, "o")
        assert grid.order is None


async def test_f6_goes_through_the_parts(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        await settle(pilot, "f6")
        assert isinstance(pilot.app.screen.focused, Chart)
        await settle(pilot, "f6")
        assert isinstance(pilot.app.screen.focused, Grid)


# Costs.


async def test_b_and_p_choose_rows_of_costs(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        await settle(pilot, "b")
        await settle(pilot, "p")
        await settle(pilot, "B", "P", "P")
        asked = [args for name, args in monitor.asked if name == "costs" and args[0] != "provider"]
        assert asked[:3] == [("model", "month"), ("user", "month"), ("user", "last_week")]
        assert asked[-1] == ("model", "week")
        assert "BY model   this week" in text(pilot.app)


async def test_enter_on_costs(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        await settle(pilot, "j", "enter")
        assert pilot.app.screen.query_one(Prompt).value == 'cost{model="gpt-5"} [month] sum'


# Query.


async def test_a_query_is_asked_and_kept_up(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        await settle(pilot, *"latency", "enter")
        assert "3 series" in text(app)
        assert "from minute" in text(app)
        assert "anthropic" in text(app)
        asked = monitor.count("query_range")
        monitor.version += 1
        await tick(pilot)
        assert monitor.count("query_range") > asked
        monitor.values = (*monitor.values, "mistral")
        monitor.version += 1
        await tick(pilot)
        assert "4 series" in text(app)


async def test_the_answer_as_a_table(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        await settle(pilot, *"latency", "enter", "ctrl+t")
        grid = app.screen.query_one("#query-list", Grid)
        assert grid.visible_columns == ["label.provider", "value", "bar"]
        assert [row.cells["value"].text for row in grid.rows] == ["3.00 s", "2.00 s", "1.00 s"]
        assert not app.screen.query_one("#query-chart").region.area
        assert any(line.split() == ["provider", "latency"] for line in text(app).splitlines())
        await settle(pilot, "escape")
        assert "crosshair" not in text(app)
        await settle(pilot, "v")
        assert app.screen.query_one("#query-chart").region.area
        assert "crosshair" in text(app)


async def test_an_error_stands_under_its_character(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        monitor.error = QueryError(
            'unknown metric "latancy"', text="latancy", position=0, length=7, hint="did you mean latency?"
        )
        await settle(pilot, *"latancy", "enter")
        assert '   ^^^^^^^ unknown metric "latancy" – did you mean latency?' in text(app)
        monitor.error = None
        await settle(pilot, "x")
        assert "^^^" not in text(app)


async def test_a_typo_is_no_failing_source(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["query"], *"latency", "enter")
        assert "3 series" in text(app)
        chart = app.screen.query_one("#query-chart")
        assert chart.styles.opacity == 1
        monitor.error = QueryError("unknown metric", text="latencyx", position=7, length=1)
        await settle(pilot, "x", "enter")
        assert text(app).count("unknown metric") == 1
        assert "below: the answer to latency" in text(app)
        assert "3 series" not in text(app)
        assert chart.styles.opacity < 1
        await settle(pilot, "y")
        monitor.version += 1
        await tick(pilot)
        shown = text(app)
        assert not any(word in shown for word in ("unknown metric", "^", "since", "stale"))
        monitor.error = QueryError("unknown label", text="latencyxy", position=8, length=1)
        await settle(pilot, "enter")
        assert text(app).count("^") == 1
        assert text(app).count("unknown") == 1
        monitor.error = None
        await settle(pilot, "backspace", "backspace", "enter")
        assert "3 series" in text(app)
        assert "below" not in text(app)
        assert chart.styles.opacity == 1


async def test_a_line_that_is_not_asked_yet_does_not_claim_the_answer(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["query"], *"latency", "enter")
        await settle(pilot, "space", *"p9", "escape")
        chart = app.screen.query_one("#query-chart")
        assert "below: the answer to latency" in text(app)
        assert "3 series" not in text(app)
        assert chart.styles.opacity < 1
        await settle(pilot, "slash", *["backspace"] * 3, "escape")
        assert "3 series" in text(app)
        assert chart.styles.opacity == 1


async def test_a_first_typo_leaves_the_examples(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["query"])
        monitor.error = QueryError("unknown metric", text="x", position=0, length=1)
        await settle(pilot, "x", "enter")
        monitor.error = None
        await settle(pilot, "escape", "escape", "j", "enter")
        assert "3 series" in text(app)


async def test_completion(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        await settle(pilot, *"lat")
        assert "in ms" in text(app)
        await settle(pilot, "tab")
        assert app.screen.query_one(Prompt).value == "latency"
        assert app.screen.active == "query"


async def test_examples_can_be_chosen(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        await settle(pilot, "escape", "j", "j", "enter")
        assert app.screen.query_one(Prompt).value == "cost{} [today] sum by(project)"
        assert "3 series" in text(app)
        # Once asked, enter on a line of the answer is no example.
        await settle(pilot, "enter")
        assert app.screen.query_one(Prompt).value == "cost{} [today] sum by(project)"
        await settle(pilot, "/", "up")
        assert app.screen.query_one(Prompt).value == "cost{} [today] sum by(project)"


# System and Collector.


async def test_enter_on_a_slow_query_opens_it(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["collector"])
        await settle(pilot, "enter")
        assert pilot.app.screen.active == "query"
        assert pilot.app.screen.query_one(Prompt).value == "sum by (user) (increase(llm_cost_usd_total[30d]))"
        await settle(pilot, KEY["collector"])
        await settle(pilot, "j", "j", "enter")
        assert pilot.app.screen.query_one(Prompt).value == "tui_monitor_ingest_rate{} avg"
        await settle(pilot, KEY["collector"])
        await settle(pilot, "end", "enter")
        assert pilot.app.screen.active == "collector", "a part has no query"


async def test_enter_on_a_gauge(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["system"])
        await settle(pilot, "j", "enter")
        assert pilot.app.screen.query_one(Prompt).value == "system_memory_utilization"
        await settle(pilot, KEY["system"], "end", "enter")
        assert pilot.app.screen.active == "system"
