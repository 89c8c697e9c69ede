"""What the screen shows of a collector elsewhere: where one looks, a line that is lost, what waits for it."""

from typing import Any

import pytest

from tests.tui.screen_fakes import NOON, FakeBackend, FakeMonitor, settle, text, tick
from tui_monitor.config.load import load
from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.monitor.line import LineLost, LineState
from tui_monitor.monitor.thread import ThreadState
from tui_monitor.tui.app import MonitorApp

pytestmark = pytest.mark.usefixtures("quick_pilot")
UP = LineState("gpu-box:4319", up=True, heard=NOON)
LOST = LineState(
    "gpu-box:4319", lost=NOON - 12 * SECOND, heard=NOON - 14 * SECOND, again=NOON + 4 * SECOND,
    error=LineLost("connect", "the connection was refused"),
)  # fmt: skip


def attached(line: LineState, **sections: Any) -> tuple[MonitorApp, FakeBackend]:
    settings = load(None, {"general": {"name": "ana"}, "screen": {"update_interval": "30d"}, **sections})
    backend = FakeBackend(FakeMonitor(), settings)
    backend.state = ThreadState("attached", line=line)
    return MonitorApp(backend, host="laptop", environ={"LANG": "C.UTF-8"}), backend


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
async def test_the_title_says_where_one_looks(size: tuple[int, int]) -> None:
    app, _ = attached(UP)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        first = text(app).splitlines()[0]
        assert "gpu-box:4319" in first
        assert "● attached" in first
        assert "laptop" not in first


async def test_a_token_in_clear_is_shown() -> None:
    app, _ = attached(LineState("gpu-box:4319", up=True, heard=NOON, clear=True))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "▲ in clear" in text(app).splitlines()[0]


async def test_a_pane_that_gets_no_answer_says_of_when_its_last_one_is() -> None:
    app, backend = attached(UP)
    monitor = backend.monitor
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, "3")
        await settle(pilot, "1")
        # The collector stands still: who asks it waits.
        monitor.version += 1
        monitor.at += 2 * MINUTE
        await tick(pilot)
        backend.become(ThreadState("attached", line=LOST))
        monitor.gate.clear()
        await settle(pilot, "3")
        assert "stale: below stands what was known at 12:00" in text(app)
        assert app.screen.pane.has_class("-stale")
        await settle(pilot, "8")
        assert "No sample" not in text(app)
        monitor.gate.set()
        backend.become(ThreadState("attached", line=UP))
        await settle(pilot, "3")
        assert "stale: below" not in text(app)


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_a_lost_line_is_shown_and_the_data_stays(size: tuple[int, int]) -> None:
    app, backend = attached(UP)
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert "anthropic" in text(app)
        backend.monitor.error = LOST.error
        backend.become(ThreadState("attached", line=LOST))
        await settle(pilot)
        seen = text(app)
        assert "✖ line lost" in seen.splitlines()[0]
        assert "no line to gpu-box:4319 since 11:59:48" in seen
        assert "the connection was refused" in seen or size[0] == 80
        assert "tried again at 12:00:04" in seen
        # Of the data the pane tells, for it knows when it was asked; the line may have been heard later.
        assert seen.count("below stands what was known at 12:00") == seen.count("below stands") == 1
        assert "anthropic" in seen
        assert app.screen.pane.has_class("-stale")
        asked = backend.monitor.count("providers")
        backend.monitor.error = None
        backend.become(ThreadState("attached", line=UP))
        await settle(pilot)
        assert backend.monitor.count("providers") == asked + 1
        assert "no line" not in text(app)
        assert not app.screen.pane.has_class("-stale")


async def test_a_pane_that_was_never_asked_says_so_while_the_line_is_lost() -> None:
    app, backend = attached(UP)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        backend.monitor.error = LOST.error
        backend.become(ThreadState("attached", line=LOST))
        await settle(pilot, "3")
        assert "nothing of this was asked before the line was lost" in text(app)
        backend.monitor.error = None
        backend.become(ThreadState("attached", line=UP))
        await settle(pilot)
        assert "nothing of this was asked" not in text(app)


async def test_before_the_first_answer_it_says_that_too() -> None:
    app, backend = attached(LineState("gpu-box:4319"))

    async def refuse(ask: object) -> None:
        raise LineLost("dns", "the name is not known (DNS)")

    backend.call = refuse  # type: ignore[method-assign,assignment]
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "connecting" in text(app)
        error = LineLost("dns", "the name is not known (DNS)", hint="look at the name")
        backend.become(ThreadState("attached", line=LineState("gpu-box:4319", lost=NOON, error=error)))
        await settle(pilot)
        assert "✖ no line to gpu-box:4319: the name is not known (DNS)" in text(app)
        assert "look at the name" in text(app)
        assert "✖ no line" in text(app).splitlines()[0]


async def test_keys_that_wait_for_an_answer_try_the_line() -> None:
    app, backend = attached(LOST)
    async with app.run_test(size=(120, 40)) as pilot:
        for key in ("r", "2", "]"):
            before = backend.knocks
            await settle(pilot, key)
            assert backend.knocks == before + 1, key


async def test_what_is_decided_and_not_sent_is_shown_and_asked_about() -> None:
    waiting = LineState(**{name: getattr(LOST, name) for name in ("place", "lost", "heard", "error")},
                        waiting=("acknowledge openai fails", "silence provider=openai"))  # fmt: skip
    app, _ = attached(waiting)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "2 decided, waits for the line: acknowledge openai fails; silence provider=openai" in text(app)
        await settle(pilot, "q")
        assert "not known to be done" in text(app)
        assert "acknowledge openai fails" in text(app)
        assert app.is_running
        await settle(pilot, "escape")
        assert len(app.screen_stack) == 1
        await settle(pilot, "q")
        await settle(pilot, "q")
        assert not app.is_running or app._exit


async def test_without_decisions_that_wait_it_just_ends() -> None:
    app, _ = attached(LOST)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "q")
        assert app._exit


async def test_what_is_this_machines_is_not_offered() -> None:
    app, backend = attached(UP)
    backend.monitor.newest = None
    backend.monitor.empty = True
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        assert not app.screen.query("#consent")
        seen = text(app)
        assert "allow" not in seen.splitlines()[-1]
        assert "collect here" not in seen.splitlines()[-1]
        assert "On the machine of gpu-box:4319:" in seen
        assert "import --format" not in seen
        await settle(pilot, "C")
        assert not app.screen.query("#consent")
        assert "said on its own machine" in text(app)
        await settle(pilot, "T")
        assert backend.taken_over == 0


async def test_what_comes_from_there_cannot_drive_the_terminal() -> None:
    error = LineLost("token", "\x1b]0;x\x07[bold]no", hint="\x1b[2J")
    app, _ = attached(LineState("gpu-box:4319", lost=NOON - MINUTE, heard=NOON - MINUTE, error=error))
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await tick(pilot)
        assert "\x1b" not in text(app)
        assert "[bold]no" in text(app)


async def test_an_empty_pane_shows_the_address_one_is_attached_to() -> None:
    app, backend = attached(LineState("gpu-box:4319", up=True, heard=NOON, url="https://gpu-box:4319"))
    backend.monitor.empty, backend.monitor.newest = True, None
    async with app.run_test(size=(80, 30)) as pilot:
        await settle(pilot)
        assert "curl https://gpu-box:4319/monitor/v1/events" in text(app)
        assert "authorization: Bearer $(tui-monitor token)" in text(app)
