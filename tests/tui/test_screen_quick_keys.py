"""Keys that come before a dialog stands: none may break the dashboard."""

import gc
import weakref
from collections.abc import Callable

import pytest
from textual.binding import Binding
from textual.screen import ModalScreen

from tests.tui.screen_fakes import CALENDAR, KEY, NOON, FakeMonitor, alert, dashboard, settle, text
from tui_monitor.model.clock import HOUR
from tui_monitor.model.timerange import TimeRange
from tui_monitor.tui.keymap import DEFAULT
from tui_monitor.tui.screens.acting import AcknowledgeDialog, SilenceDialog
from tui_monitor.tui.screens.dashboard import Dashboard
from tui_monitor.tui.screens.help import HelpScreen
from tui_monitor.tui.screens.leave import LeaveDialog
from tui_monitor.tui.screens.timerange import TimeRangeDialog
from tui_monitor.tui.widgets.lines import Lines
from tui_monitor.tui.widgets.prompt import Field

pytestmark = pytest.mark.usefixtures("quick_pilot")
Maker = Callable[[], ModalScreen]
DIALOGS: tuple[Maker, ...] = (
    lambda: TimeRangeDialog(TimeRange(HOUR), NOON, NOON - HOUR, CALENDAR),
    lambda: AcknowledgeDialog(alert(), NOON, CALENDAR),
    lambda: SilenceDialog(alert(), [alert()], NOON, CALENDAR),
    lambda: LeaveDialog(collecting=True),
    lambda: HelpScreen("query", DEFAULT),
)


def actions(dialog: ModalScreen) -> list[str]:
    own = (
        k.__dict__.get("BINDINGS", ()) for k in type(dialog).__mro__ if k.__module__.startswith("tui_monitor")
    )
    return [b.action for bindings in own for b in bindings if isinstance(b, Binding)]


CASES = [(make, action) for make in DIALOGS for action in dict.fromkeys(actions(make()))]


@pytest.mark.parametrize(
    ("make", "action"), CASES, ids=[f"{type(make()).__name__}-{action}" for make, action in CASES]
)
async def test_a_key_before_the_dialog_stands(make: Maker, action: str) -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        dialog = make()
        app.push_screen(dialog)
        await app.run_action(action, dialog)
        await settle(pilot)
        # What went wrong comes out here.
        assert app.is_running


async def test_typing_goes_where_the_quick_key_went() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        dialog = DIALOGS[0]()
        app.push_screen(dialog)
        await app.run_action("type", dialog)
        await settle(pilot)
        assert isinstance(dialog.focused, Field)
        await settle(pilot, *"6h", "enter")
        assert isinstance(app.screen, Dashboard)


async def test_a_query_typed_outside_its_line() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["query"], "escape")
        for key in "questi":
            app.simulate_key(key)
        await settle(pilot)
        assert "Quit?" in text(app)


async def test_a_dialog_is_painted_once_and_then_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[object] = []
    app = dashboard(FakeMonitor())
    monkeypatch.setattr(app, "_display", lambda screen, update: painted.append(screen))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        painted.clear()
        await settle(pilot, "question_mark")
        assert isinstance(app.screen, HelpScreen)
        assert painted == [app.screen]
        painted.clear()
        await settle(pilot)
        assert painted == []
        await settle(pilot, "escape")
        assert {type(screen) for screen in painted} == {Dashboard}
        assert len(painted) <= 2


async def test_nothing_is_left_of_a_dialog_that_was_closed() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        dialogs: list[weakref.ref[object]] = []
        for _ in range(3):
            await settle(pilot, "question_mark")
            assert isinstance(app.screen, HelpScreen)
            dialogs += [weakref.ref(app.screen), *map(weakref.ref, app.screen.query(Lines))]
            await settle(pilot, "escape")
        # The last one may be in the hands of whoever told of it.
        await settle(pilot, "j", "k")
        gc.collect()
        assert [one for one in dialogs[:4] if one() is not None] == []
