"""What a mouse reaches besides lists, charts and tabs: keys that are named, and the way out of a dialog."""

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.screen_fakes import KEY, NOON, FakeMonitor, dashboard, settle, text
from tui_monitor.model.clock import DAY
from tui_monitor.tui.screens.acting import SilenceDialog
from tui_monitor.tui.screens.timerange import TimeRangeDialog

pytestmark = pytest.mark.usefixtures("quick_pilot")


async def click(pilot: Pilot[Any], words: str) -> None:
    """Click where these words stand, the lowest of them."""
    lines = text(pilot.app).splitlines()
    y = max(n for n, line in enumerate(lines) if words in line)
    await pilot.click(offset=(lines[y].index(words), y))
    await settle(pilot)


async def test_named_keys_are_pressed_by_a_click_and_a_dialog_is_left_beside_it() -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await click(pilot, "t time")
        assert isinstance(app.screen, TimeRangeDialog)
        await click(pilot, "f fixed")
        await click(pilot, "now shown")
        assert "fixed" in text(app).split("now shown")[1].splitlines()[0]
        await pilot.click(offset=(2, 38))
        await settle(pilot)
        assert app.screen is app.get_default_screen()
        assert app.screen.shown.live, "it was left, and nothing chosen"
        # What somebody types is not lost to a click.
        await click(pilot, "t time")
        await click(pilot, "t type")
        await settle(pilot, *"last 2")
        await pilot.click(offset=(2, 38))
        await settle(pilot)
        await click(pilot, "l live")
        assert isinstance(app.screen, TimeRangeDialog)
        assert "> last 2" in text(app)
        await settle(pilot, "escape", "escape", "escape")
        # Nor is what stands in a line that has the focus no more.
        await settle(pilot, KEY["alerts"], "s", "n", *"on leave", "shift+tab")
        await pilot.click(offset=(2, 38))
        await settle(pilot)
        assert isinstance(app.screen, SilenceDialog)
        assert "on leave" in text(app)
        await settle(pilot, "escape", KEY["overview"])
        await click(pilot, "? help")
        assert "HERE: A LIST" in text(app)
        await pilot.click(offset=(2, 38))
        await settle(pilot)
        monitor.at = NOON + 9 * DAY
        app.get_default_screen().tick()
        await settle(pilot)
        await click(pilot, "goes there")
        assert not app.screen.shown.live
