"""The line behind `:` and the letters of `ctrl+o`."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.tui.screen_fakes import FakeMonitor, dashboard, settle, text
from tui_monitor.config import boards, places
from tui_monitor.model.clock import HOUR
from tui_monitor.tui.screens.commandline import CommandLine
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.screens.help import HelpScreen
from tui_monitor.tui.verbs import VERBS, WrongWord, named, read, told, ways
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid

pytestmark = pytest.mark.usefixtures("quick_pilot")


async def say(pilot: Any, line: str) -> None:
    await settle(pilot, "colon", *line, "enter")


async def test_what_is_said_is_done() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        screen = app.get_default_screen()
        await say(pilot, "costs")
        assert screen.active == "costs"
        await say(pilot, "range 6h")
        assert screen.shown.length == 6 * HOUR
        await say(pilot, "theme tui-monitor-light")
        assert app.theme == "tui-monitor-light"
        await say(pilot, "period")
        assert "last month" in text(app)
        await say(pilot, "query latency")
        assert screen.active == "query"
        assert "3 series" in text(app)
        await settle(pilot, "escape")
        await say(pilot, "help")
        assert isinstance(app.screen, HelpScreen)
        await settle(pilot, "escape")
        # Earlier lines come back, and an empty one is nothing.
        await settle(pilot, "colon", "up", "up", "enter")
        await settle(pilot, "colon", "enter")
        assert isinstance(app.screen, Dashboard)
        await settle(pilot, "colon", *"quit", "escape", "escape")
        assert not app._exit
        await say(pilot, "q")
        await settle(pilot, "y")
        assert app._exit


async def test_a_mistake_is_told_under_its_characters() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        for line, said in {
            "cosst": "  ^^^^^ there is no command 'cosst' – did you mean costs?",
            "range 9x": "^",
            "theme norde": "no theme is called",
            "range": "range what? – write range TIME",
            "costs now": "^^^ costs takes nothing behind it",
        }.items():
            await say(pilot, line)
            assert isinstance(app.screen, CommandLine), line
            assert said in text(app), (line, text(app).splitlines()[-2:])
            await settle(pilot, "escape", "escape")
            assert isinstance(app.screen, Dashboard)


async def test_what_there_is_to_say() -> None:
    app = dashboard(FakeMonitor(), read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen = app.get_default_screen()
        assert isinstance(screen, Dashboard)
        texts = [one.text for one in ways(screen, "", 0)]
        assert len(texts) == len(set(texts))
        assert {"costs", "quit", "newest", "copy-row", "range ", "theme "} <= set(texts)
        # Neither what is refused here, nor what another pane has.
        assert not {"takeover", "acknowledge", "period"} & set(texts)
        assert "yesterday" in [one.text for one in ways(screen, "range yest", 10)]
        assert [one.text for one in ways(screen, "theme tui-monitor-l", 19)] == ["tui-monitor-light"]
        # Everything that is offered is understood, and says what it would do.
        for name in named(screen):
            assert read(screen, name) is not None
            assert told(screen, name)
        for verb in VERBS:
            assert told(screen, verb.name)
        await settle(pilot, "colon", *"range 2 d")
        assert "from" in text(app) or "to now" in text(app) or "live" in text(app)
        await settle(pilot, "escape", "escape", "colon", *"cos")
        # The ways to go on do not hide the line.
        assert any(line.startswith(" : cos") for line in text(app).splitlines())
        await settle(pilot, "tab", "enter")
        assert screen.active == "costs"


async def test_any_line_is_read_or_its_mistake_lies_in_it() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen = app.get_default_screen()

        @settings(max_examples=examples(80))
        @given(
            st.one_of(st.text(max_size=30), st.sampled_from(["range ", "theme ", " costs", "  range  9x "]))
        )
        def lines(line: str) -> None:
            ways(screen, line, len(line))
            told(screen, line)
            mistake = None
            try:
                read(screen, line)
            except WrongWord as error:
                mistake = error
            assert mistake is None or 0 <= mistake.position <= mistake.position + mistake.length <= len(line)

        lines()


async def test_a_dashboard_is_gone_to_by_its_name() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, "colon", *"executive", "enter")
        screen = app.get_default_screen()
        assert screen.active == "boards"
        for _ in range(20):
            await settle(pilot)
            if "EXECUTIVE" in text(app):
                break
        assert "EXECUTIVE" in text(app)
        # One whose file has just been written is there at once, though the folder was looked at before.
        path = places.config_file().parent / "dashboards" / "fresh.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        shipped = next(board.path for board in boards.shipped() if board.name == "users")
        path.write_text(shipped.read_text(encoding="utf-8").replace('title = "Users"', 'title = "Fresh"'))
        await settle(pilot, "colon", *"fresh")
        assert "Show this dashboard." in text(app)
        await settle(pilot, "enter")
        for _ in range(20):
            await settle(pilot)
            if "FRESH" in text(app):
                break
        assert "FRESH" in text(app)


async def test_what_cannot_come_right_is_told_while_one_types() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await settle(pilot, "colon")
        for line, said in {
            "rang": "", "rangy": "there is no command 'rangy' – did you mean range?",
            "theme tui": "Show everything", "theme nosuch": "^^^^^^ no theme is called",
            "range yest": "", "range yesterfoo": "^", "range ": "TIME: ",
        }.items():  # fmt: skip
            await settle(pilot, "ctrl+u", *line)
            assert said in text(app), line
            assert ("^" in text(app)) == ("^" in said or "no command" in said), line


async def test_a_letter_goes_where_it_stands() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, "2")
        screen = app.get_default_screen()
        assert isinstance(app.screen.focused, Grid)
        await settle(pilot, "ctrl+o")
        first = text(app)
        assert " a " in first
        assert " s " in first
        await settle(pilot, "s")
        assert isinstance(screen.focused, Chart)
        # The third letter is the first tab.
        await settle(pilot, "ctrl+o", "d")
        assert screen.active == "overview"
        await settle(pilot, "ctrl+o", "escape")
        assert app.screen is screen
        await settle(pilot, "ctrl+o")
        await pilot.resize_terminal(90, 30)
        await settle(pilot)
        assert app.screen is screen
