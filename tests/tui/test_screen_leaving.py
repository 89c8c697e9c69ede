"""What `q`, ctrl+c and `T` do, and what is said about who collects."""

import pytest
from textual.css.query import NoMatches

from tests.tui.screen_fakes import (
    CALENDAR,
    FakeBackend,
    FakeMonitor,
    dashboard,
    settings_of,
    settle,
    text,
    tick,
)
from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.monitor.thread import ThreadState
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.screens.dashboard import Dashboard

pytestmark = pytest.mark.usefixtures("quick_pilot")


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def looking_on(monitor: FakeMonitor, state: ThreadState) -> tuple[MonitorApp, FakeBackend]:
    """The app where another process collects, or nobody."""
    backend = FakeBackend(monitor, settings_of())
    backend.state = state
    return MonitorApp(backend, host="box", environ={"LANG": "C.UTF-8"}, timer=lambda: 0.0), backend


@pytest.mark.parametrize(
    ("keys", "leaving"),
    [
        (["q", "q"], "quit"),
        (["q", "enter"], "quit"),
        (["ctrl+c", "ctrl+c"], "quit"),
        (["q", "d"], "detach"),
        (["ctrl+c", "d"], "detach"),
        (["q", "escape"], None),
        (["ctrl+c", "escape"], None),
    ],
)
async def test_where_this_window_collects_it_asks(
    monitor: FakeMonitor, keys: list[str], leaving: str | None
) -> None:
    app = dashboard(monitor)
    async with app.run_test() as pilot:
        await settle(pilot, keys[0])
        assert "Collecting ends with this window" in text(app)
        assert not app._exit
        await settle(pilot, keys[1])
        assert app._exit == (leaving is not None)
        assert app.leaving == (leaving or "quit")
        if leaving is None:
            assert isinstance(app.screen, Dashboard)
    assert not app.return_code


async def test_typed_faster_than_it_is_drawn(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test() as pilot:
        app.action_leave()
        app.action_leave()
        await pilot.pause()
        assert app._exit
    assert app.leaving == "quit"


async def test_a_viewer_leaves_at_once(monitor: FakeMonitor) -> None:
    app, _ = looking_on(monitor, ThreadState("viewing", 1234))
    async with app.run_test() as pilot:
        await settle(pilot, "q")
        assert app._exit


async def test_ctrl_c_asks_a_viewer_and_offers_nothing_in_the_background(monitor: FakeMonitor) -> None:
    app, _ = looking_on(monitor, ThreadState("viewing", 1234))
    async with app.run_test() as pilot:
        await settle(pilot, "ctrl+c")
        assert "This window collects nothing" in text(app)
        await settle(pilot, "d")
        assert not app._exit
        await settle(pilot, "q")
        assert app._exit


async def test_a_setting_leaves_without_asking(monitor: FakeMonitor) -> None:
    for key in ("q", "ctrl+c"):
        app = dashboard(monitor, confirm_quit=False)
        async with app.run_test() as pilot:
            await settle(pilot, key)
            assert app._exit


async def test_who_collects_is_said_and_taken_over_when_nobody_does(monitor: FakeMonitor) -> None:
    app, backend = looking_on(monitor, ThreadState("viewing", 1234))
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "viewing: collector pid 1234" in text(app)
        assert "collect here" not in text(app)
        await settle(pilot, "T")
        assert backend.taken_over == 0
        backend.become(ThreadState("viewing", None, blind=monitor.at - 2 * MINUTE - 7 * SECOND))
        await tick(pilot)
        shown = text(app)
        assert "not collecting" in shown
        since = CALENDAR.local(monitor.at - 2 * MINUTE - 7 * SECOND)
        assert f"nobody collects since {since:%H:%M:%S}, 2 m – T collects here" in shown
        assert "T collect here" in shown
        await settle(pilot, "T")
        assert backend.taken_over == 1
        backend.become(ThreadState("viewing", 5678))
        await tick(pilot)
        assert "viewing: collector pid 5678" in text(app)
        assert "nobody collects" not in text(app)
        backend.become(ThreadState("collecting"))
        await tick(pilot)
        assert "● collecting" in text(app)


async def test_a_key_at_work_when_the_end_comes_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    app = dashboard()

    async def taken_down(self: Dashboard, id: str) -> None:
        app.exit()
        raise NoMatches(f"nothing is left of {id}")

    monkeypatch.setattr(Dashboard, "action_pane", taken_down)
    async with app.run_test() as pilot:
        await pilot.press("2")
    assert app.return_code == 0
