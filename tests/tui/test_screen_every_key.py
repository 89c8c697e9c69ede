"""Every key of every pane reaches its action, and changes something or says why not."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.commands import COMMANDS, Command
from tui_monitor.tui.panes.table import PANES
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.widgets.chart import Chart
from tui_monitor.tui.widgets.grid import Grid

pytestmark = pytest.mark.usefixtures("undrawn")

FILTERED = ("slash", "o", "p", "enter")
BEFORE: dict[str, tuple[str, ...]] = {
    "range.live": ("comma",), "range.later": ("comma", "comma"),
    "range.back": ("right_square_bracket",), "range.on": ("right_square_bracket", "less_than_sign"),
    "calls.older": ("enter",), "calls.newer": ("down", "enter"), "calls.leave": ("enter",),
    "calls.follow": ("down", "down"), "alerts.leave": ("enter",), "alerts.undo": ("a", "enter"),
    "sources.leave": ("enter",), "query.leave": ("slash",), "list.up": ("down", "down"),
    "list.first": ("down", "down"), "list.half_up": ("end",), "list.page_up": ("end",),
    "list.left": ("right",), "chart.later": ("left",), "chart.later_far": ("home",), "chart.last": ("home",),
    "chart.earlier_far": ("left",), "line.complete": ("ctrl+u", "l", "a"), "line.close": ("ctrl+u", "l", "a"),
    "line.later": ("ctrl+u", "up"), "line.earlier": ("ctrl+u",), "chart.pan_on": ("H",),
    "pane.providers": ("1",), "query.ask": ("slash", "x"), "line.offer": ("ctrl+u", "l", "escape"),
    "boards.leave": ("b",), "boards.left": ("right",), "boards.up": ("down",), "boards.drawing": ("c",),
    "query.older": ("enter",), "query.newer": ("down", "enter"),
}  # fmt: skip
"""Keys that bring about what a command is for."""
OF_CALLS = ("query.detail", "query.older", "query.newer")
"""What the Query pane does with an answer of single calls."""
OF_THE_TERMINAL = ("redraw",)
"""What only a terminal shows, and there is none here."""
STANDS = {"chart": ("providers", "c"), "list": ("providers", ""), "line": ("query", "slash")}
"""Where a widget's keys are tried: a pane, and the key that gives it the focus."""


class Watched:
    """An app whose actions are written down."""

    def __init__(self, app: MonitorApp, monitor: FakeMonitor, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self.monitor = app, monitor
        self.ran: list[str] = []
        run = app.run_action

        async def seen(action: Any, *args: Any) -> bool:
            done = await run(action, *args)
            if done:
                self.ran.append(str(action).removeprefix("app."))
            return done

        monkeypatch.setattr(app, "run_action", seen)

    def state(self) -> tuple[object, ...]:
        """What a person can notice."""
        screen = self.app.get_default_screen()
        assert isinstance(screen, Dashboard)
        told = tuple(one.message for one in self.app._notifications)
        asked = self.monitor.count("snapshot")
        lists = tuple((grid.chosen, grid.order, grid.cursor) for grid in screen.pane.query(Grid))
        where = screen.active, screen.shown, self.app.focused, self.app._exit
        return text(self.app), where, told, lists, asked


def tried(pane: str) -> Iterator[Command]:
    """What is tried on one pane: its own keys, and on one pane those of everywhere or of a widget."""
    yield from (c for c in COMMANDS if c.pane == pane)
    yield from (c for c in COMMANDS if c.pane in STANDS and STANDS[c.pane][0] == pane)
    if pane == "providers":
        yield from (c for c in COMMANDS if not c.pane)


async def stand(pilot: Any, watched: Watched, command: Command, pane: str) -> None:
    """Bring the screen to where the key means something."""
    app = watched.app
    while len(app.screen_stack) > 1:
        app.pop_screen()
    app._exit = False
    screen = app.get_default_screen()
    assert isinstance(screen, Dashboard)
    if screen.active != pane:
        await screen.action_pane(pane)
    if screen.paused is not None:
        screen.action_pause()
    if screen.shown != type(screen.shown)():
        screen.show_range(type(screen.shown)())
    await pilot.press("escape", "escape", "escape")
    await settle(pilot)
    if pane == "query":
        await screen.ask_for("provider=openai" if command.id in OF_CALLS else "latency")
        await settle(pilot)
        if command.id not in OF_CALLS and not any(chart.region.area for chart in screen.pane.query(Chart)):
            await settle(pilot, "v")
    screen.pane.first().focus()
    for grid in screen.pane.query(Grid):
        grid.sort_by(None)
    app.clear_notifications()
    focus = STANDS.get(command.pane, ("", ""))[1]
    if command.id.endswith(".sort"):
        await settle(pilot, "right")
    if command.id.endswith(".leave") and command.id not in BEFORE and command.pane != "chart":
        await settle(pilot, *FILTERED)
    await settle(pilot, *([focus] if focus else []), *BEFORE.get(command.id, ()))


@pytest.mark.parametrize("pane", [entry.id for entry in PANES])
async def test_every_key(pane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    silent, deaf = [], []
    async with app.run_test(size=(120, 50), notifications=True) as pilot:
        await settle(pilot, KEY[pane])
        watched = Watched(app, monitor, monkeypatch)
        for command in tried(pane):
            await stand(pilot, watched, command, pane)
            before = watched.state()
            watched.ran.clear()
            await settle(pilot, command.keys.split(",")[0])
            if command.keys != "enter" and command.action.removeprefix("app.") not in watched.ran:
                deaf.append((command.id, list(watched.ran)))
            if watched.state() == before and command.id not in OF_THE_TERMINAL:
                silent.append(command.id)
    assert not deaf
    assert not silent
