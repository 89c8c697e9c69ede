"""What is made before anybody wants it: it is there at once then, and has asked nothing until then."""

import asyncio

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text
from tui_monitor.tui import ahead
from tui_monitor.tui.panes.base import Pane
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.widgets.board import Panel, PanelChart

pytestmark = pytest.mark.usefixtures("quick_pilot", "undrawn")


async def test_panes_are_made_while_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "_PAUSE_S", 0.001)
    monitor = FakeMonitor()
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, "?", "escape")
        screen = app.get_default_screen()
        asked = [name for name, _ in monitor.asked if name != "snapshot"]
        assert not app.left_alone
        making = asyncio.create_task(ahead.make_panes(app, screen))
        await pilot.pause()
        assert len(screen.query(Pane)) == 1
        monkeypatch.setattr(ahead, "_QUIET_S", 0.0)
        await making
        assert {pane.id for pane in screen.query(Pane)} == {entry.id for entry in PANES}
        assert [pane.id for pane in screen.query(Pane) if pane.display] == ["overview"]
        assert [name for name, _ in monitor.asked if name != "snapshot"] == asked
        made = list(screen.query(Pane))
        for entry in PANES[1:]:
            await settle(pilot, "escape", KEY[entry.id])
            assert screen.pane.id == entry.id
            assert screen.pane.answer is not None or entry.id == "query"
        assert monitor.count("panels") == 1
        assert list(screen.query(Pane)) == made


async def test_a_board_takes_over_the_panels_of_another() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["boards"])
        pane = app.get_default_screen().pane
        first, shown = list(pane.query(Panel)), text(app)
        assert "APPLICATION" in shown
        chart = next(panel.body for panel in first if isinstance(panel.body, PanelChart))
        chart.focus()
        await settle(pilot, "d")
        assert chart.chosen is not None
        seen = set()
        while "APPLICATION" not in text(app) or not seen:
            await settle(pilot, "B")
            panels = [panel for panel in pane.query(Panel) if panel.display]
            assert [panel.number for panel in panels] == list(range(len(panels)))
            assert app.focused is panels[0].front
            seen.add(len(panels))
        # Each kind of panel is there as often as one board has it at most, and nothing of another is left.
        assert len(seen) > 1
        assert chart.chosen is None
        assert text(app) == shown
        assert {*first} <= {*pane.query(Panel)}
