"""What comes in one piece does what the same keys do one by one."""

import asyncio
from typing import Any

import pytest
from textual.events import Key, Paste
from textual.keys import _character_to_key

from tests.tui.screen_fakes import FakeMonitor, dashboard, settle
from tui_monitor.model.clock import HOUR
from tui_monitor.tui import inturn
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.widgets.grid import Grid

pytestmark = pytest.mark.usefixtures("quick_pilot")


def burst(app: Any, keys: str) -> None:
    """All at once, as a script types them, or a line that has hung; a line's end is enter."""
    for character in keys:
        name = "enter" if character == "\n" else _character_to_key(character)
        app.post_message(Key(name, None if character == "\n" else character))


async def test_what_is_typed_ahead_goes_where_the_keys_before_it_lead() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        screen = app.get_default_screen()
        burst(app, ":range 6h\n")
        await settle(pilot)
        assert screen.shown.length == 6 * HOUR
        burst(app, "tt2h\n3")
        await settle(pilot)
        assert (screen.shown.length, screen.active) == (2 * HOUR, "costs")
        # A pane that is made at this moment, and its line.
        burst(app, "6/status=error\n1")
        await settle(pilot)
        assert (screen.active, screen.query_one("#calls")._text) == ("overview", "status=error")
        burst(app, "5")
        app.post_message(Paste("requests [1h] sum"))
        burst(app, "\n")
        await settle(pilot)
        assert screen.query_one("#query").asked == "requests [1h] sum"


async def test_a_list_takes_each_of_many_keys() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, "2")
        grid = app.screen.query_one("#providers").query_one(Grid)
        keys = [row.key for row in grid.rows]
        assert len(keys) > 2
        assert grid.cursor == keys[0]
        burst(app, "jk" * 20 + "j")
        await settle(pilot)
        assert grid.cursor == keys[1]


async def test_a_key_that_does_not_end_holds_up_nobody_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inturn, "_LONGEST_S", 0.4)
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        # Nobody will ever have taken this one.
        app._key_now, app._key_done = Key("f12", None), False
        burst(app, ":costs\n")
        await settle(pilot)
        assert isinstance(app.screen, Dashboard)
        assert app.screen.active == "costs"


async def test_keys_stay_in_order_behind_one_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inturn, "_LONGEST_S", 0.05)
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        screen = app.get_default_screen()
        made = screen.panes.made

        async def slowly(id: str) -> Any:
            await asyncio.sleep(0.3)
            return await made(id)

        monkeypatch.setattr(screen.panes, "made", slowly)
        burst(app, "6/status=error\n")
        await asyncio.sleep(0.3)
        await settle(pilot)
        assert (screen.active, screen.query_one("#calls")._text) == ("calls", "status=error")


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inturn, "_MOST", 10)
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot, ":")
        burst(app, "x" * 500)
        await settle(pilot)
        assert 10 <= len(app.screen.query_one("Field").value) < 500
