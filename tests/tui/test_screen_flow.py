"""How data reaches the screen: who asks, when, and what happens when nothing or something goes wrong."""

import asyncio
import re

import pytest
from textual.widget import Widget

from tests.tui.screen_fakes import KEY, FakeBackend, FakeMonitor, dashboard, settings_of, settle, text, tick
from tui_monitor.model.clock import MINUTE, SECOND
from tui_monitor.model.errors import MonitorError, StoreError, UsageError
from tui_monitor.monitor.thread import ThreadState
from tui_monitor.tui.app import MonitorApp

pytestmark = pytest.mark.usefixtures("quick_pilot")


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


class SlowBackend(FakeBackend):
    """Knows nothing when it is started: as while settings are read."""

    def __init__(self, monitor: FakeMonitor) -> None:
        super().__init__(monitor)
        self.later, self.settings = self.settings, None
        self.state = ThreadState("starting")
        self.painted = ""

    def start(self) -> None:
        super().start()
        self.painted = text(self.app)


async def test_the_frame_is_painted_before_anything_is_read(monitor: FakeMonitor) -> None:
    backend = SlowBackend(monitor)
    app = MonitorApp(backend, host="box", environ={"LANG": "C.UTF-8"})
    backend.app = app
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert backend.started
        assert "1 Overview" in backend.painted
        assert "q quit" in backend.painted
        assert "PROVIDERS" in backend.painted
        assert "starting" in backend.painted
        assert monitor.asked == []
        # Keys are answered too.
        await settle(pilot, KEY["costs"])
        assert "MONTH" in text(app)
        backend.settings = backend.later
        backend.become(ThreadState("collecting"))
        await settle(pilot)
        assert "$425.67" in text(app)
        assert "● collecting  42/s" in text(app)


async def test_only_the_visible_pane_asks(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert {name for name, _ in monitor.asked} == {
            "snapshot",
            "providers",
            "query_range",
            "query",
            "costs",
            "alerts",
            "happened",
        }
        await settle(pilot, KEY["costs"])
        monitor.asked.clear()
        for _ in range(3):
            monitor.version += 1
            await tick(pilot)
        assert monitor.count("costs") == 3
        assert monitor.count("providers") == 0


async def test_what_cannot_have_changed_is_not_asked(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert monitor.count("providers") == 1
        for _ in range(5):
            monitor.at += SECOND
            await tick(pilot)
        assert monitor.count("snapshot") == 6
        assert monitor.count("providers") == 1
        monitor.at += MINUTE
        await tick(pilot)
        assert monitor.count("providers") == 2
        monitor.version += 1
        await tick(pilot)
        assert monitor.count("providers") == 3


@pytest.mark.parametrize(
    "pane",
    [
        # The calls of the stand-in end at each look anew.
        KEY[name]
        for name in KEY
        if name not in ("query", "collector", "calls")
    ],
)
async def test_nothing_new_paints_nothing(
    monitor: FakeMonitor, monkeypatch: pytest.MonkeyPatch, pane: str
) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, pane)
        refreshed: list[Widget] = []
        refresh = Widget.refresh

        def watched(self: Widget, *args: object, **kwargs: object) -> Widget:
            refreshed.append(self)
            return refresh(self, *args, **kwargs)

        monkeypatch.setattr(Widget, "refresh", watched)
        for _ in range(3):
            monitor.at += SECOND
            # A new version with the same figures: asked again, and found to be equal.
            monitor.version += 1
            await tick(pilot)
        assert refreshed == []


async def test_a_question_under_way_is_not_asked_again(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monitor.gate.clear()
        asked = monitor.count("providers")
        for _ in range(3):
            monitor.version += 1
            await tick(pilot)
        assert monitor.count("providers") == asked + 1
        monitor.gate.set()
        await settle(pilot)
        await tick(pilot)
        assert monitor.count("providers") == asked + 2


async def test_another_choice_replaces_the_question_under_way(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        monitor.gate.clear()
        monitor.asked.clear()
        await settle(pilot, "b")
        await settle(pilot, "b")
        monitor.gate.set()
        await settle(pilot)
        asked = [args[0] for name, args in monitor.asked if name == "costs"]
        assert asked == ["user", "project"]
        assert "BY project" in text(app)


async def test_an_error_is_told_and_old_figures_are_marked(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        monitor.error = StoreError("disk I/O error", hint="look at the disk")
        monitor.version += 1
        monitor.at += MINUTE
        await tick(pilot)
        assert "✖ disk I/O error  since 12:01" in text(app)
        assert "look at the disk" in text(app)
        assert "stale: below stands what was known at 12:00" in text(app)
        assert "anthropic" in text(app)
        assert app.screen.pane.has_class("-stale")
        # It is tried again though nothing changed, but not at each tick.
        asked = monitor.count("providers")
        await tick(pilot)
        assert monitor.count("providers") == asked
        monitor.error = None
        monitor.at += 6 * SECOND
        await tick(pilot)
        assert "disk I/O error" not in text(app)
        assert not app.screen.pane.has_class("-stale")


async def test_a_bug_in_a_question_does_not_end_the_screen(monitor: FakeMonitor) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("x")

    monitor.providers = broken  # type: ignore[method-assign]
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "unexpected error: ZeroDivisionError" in text(app)
        await settle(pilot, KEY["costs"])
        assert "$425.67" in text(app)


async def test_a_snapshot_that_fails_is_told(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        good = monitor.snapshot

        async def broken(shown: object) -> None:
            raise StoreError("database disk image is malformed")

        monitor.snapshot = broken  # type: ignore[method-assign,assignment]
        await tick(pilot)
        assert "database disk image is malformed" in text(app)
        monitor.snapshot = good  # type: ignore[method-assign]
        await tick(pilot)
        assert "malformed" not in text(app)


async def test_pause_freezes_the_view(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["providers"])
        await settle(pilot, "space")
        assert "PAUSED  12:00:00" in text(app)
        asked = monitor.count("providers")
        monitor.version += 1
        monitor.at += MINUTE
        await tick(pilot)
        assert monitor.count("providers") == asked
        # Another range is answered as of the moment of the pause.
        await settle(pilot, "]")
        shown = [args[0] for name, args in monitor.asked if name == "providers"][-1]
        assert shown.end == monitor.at - MINUTE
        # The pane shown before is not asked again while paused.
        await settle(pilot, KEY["costs"])
        await settle(pilot, KEY["providers"])
        assert monitor.count("providers") == asked + 1
        await settle(pilot, "r")
        assert monitor.count("providers") == asked + 2
        # Of what is not kept for then it says of which moment it is.
        for pane, what in (
            ("alerts", "alerts and silences"),
            ("sources", "sources"),
            ("system", "collector"),
        ):
            await settle(pilot, KEY[pane])
            assert re.search(rf"{what}.* as of 12:01:00, not of the pause", text(app)), pane
        await settle(pilot, KEY["providers"])
        assert "not of the pause" not in text(app)
        await settle(pilot, "space")
        assert "PAUSED" not in text(app)
        assert [args[0] for name, args in monitor.asked if name == "providers"][-1].live
        for pane in ("alerts", "sources", "system"):
            await settle(pilot, KEY[pane])
            assert "not of the pause" not in text(app), pane


async def test_a_modal_screen_stops_the_questions(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await settle(pilot, "question_mark")
        asked = monitor.count("providers")
        monitor.version += 1
        await tick(pilot)
        assert monitor.count("providers") == asked
        await settle(pilot, "escape")
        await tick(pilot)
        assert monitor.count("providers") == asked + 1


async def test_a_wrong_configuration_ends_the_app() -> None:
    backend = FakeBackend(FakeMonitor())
    backend.settings = None
    backend.state = ThreadState(
        "failed", error=UsageError("config.toml:3: unknown key", hint="did you mean x?")
    )
    app = MonitorApp(backend, host="box", environ={})
    async with app.run_test() as pilot:
        await settle(pilot)
    assert app.return_code == 2
    assert app.message == "tui-monitor: config.toml:3: unknown key\nhint: did you mean x?"


async def test_a_database_that_cannot_be_read_is_told_and_waited_for(monitor: FakeMonitor) -> None:
    backend = FakeBackend(monitor)
    backend.state = ThreadState("failed", error=StoreError("no database at x", hint="import something"))

    async def refuse(ask: object) -> None:
        raise MonitorError("no database at x")

    answer, backend.call = backend.call, refuse  # type: ignore[method-assign,assignment]
    app = MonitorApp(backend, host="box", environ={"LANG": "C.UTF-8"})
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "✖ no database at x" in text(app)
        assert "import something" in text(app)
        assert "✖ no data" in text(app)
        backend.call = answer  # type: ignore[method-assign]
        backend.become(ThreadState("collecting"))
        await tick(pilot)
        assert "no database" not in text(app)
        assert "anthropic" in text(app)


async def test_viewing_says_who_collects(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    app.backend.state = ThreadState("viewing", 4242)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "● viewing: collector pid 4242  42/s  lag 400 ms" in text(app)


async def test_settings_of_the_screen_are_taken_over() -> None:
    app = dashboard(FakeMonitor(), range="6h", drawing="ascii", theme="tui-monitor-light")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "last 6 h" in text(app)
        assert text(app).isascii()
        assert app.theme == "tui-monitor-light"
        for key in ("t", "question_mark", "ctrl+p", "ctrl+c"):
            await pilot.press(key)
            await settle(pilot)
            assert len(app.screen_stack) == 2
            assert text(app).isascii(), key
            await pilot.press("escape")
            await settle(pilot)


async def test_an_unknown_theme_is_told() -> None:
    app = dashboard(FakeMonitor(), theme="[/nope]")
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await settle(pilot)
        assert "no theme is called [/nope]" in text(app)
        assert app.theme == "tui-monitor"


async def test_the_clock_ticks_at_the_interval(monitor: FakeMonitor) -> None:
    backend = FakeBackend(monitor, settings_of(update_interval="100ms"))
    app = MonitorApp(backend, host="box", environ={})
    async with app.run_test() as pilot:
        await settle(pilot)
        before = monitor.count("snapshot")
        async with asyncio.timeout(5):
            while monitor.count("snapshot") < before + 2:
                await pilot.pause(0.05)


def test_a_bug_ends_the_app_without_showing_what_it_held(capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(MonitorApp):
        def on_mount(self) -> None:
            secret = "sk-very-secret"
            raise ZeroDivisionError(len(secret))

    app = Broken(FakeBackend(FakeMonitor()), host="box", environ={})
    app.run(headless=True, size=(80, 24))
    assert app.return_code == 1
    assert app.message == "the dashboard broke: ZeroDivisionError: 14; the log tells more"
    out, err = capfd.readouterr()
    assert "sk-very-secret" not in out + err


async def test_what_stands_under_a_dialog_says_of_when_it_is(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        screen = app.get_default_screen()
        async with asyncio.timeout(30):
            while screen.active != "costs" or screen.pane.answer is None:
                await pilot.pause()
            await settle(pilot, "question_mark")
            while app.screen is screen:
                await pilot.pause()
        monitor.at += 7 * SECOND
        await tick(pilot)
        assert "last 1 h  live" in text(app), "nothing else may be known by now"
        monitor.at, monitor.version = monitor.at + SECOND, monitor.version + 1
        async with asyncio.timeout(30):
            while "last 1 h  ◌ as of 12:00:00" not in text(app):
                await tick(pilot)
            await settle(pilot, "escape")
            while "last 1 h  live" not in text(app):
                await pilot.pause()


async def test_a_frame_that_nobody_answers_for_says_so(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        goes_on, plain = asyncio.Event(), monitor.snapshot

        async def stuck(shown):
            await goes_on.wait()
            return await plain(shown)

        monitor.snapshot = stuck
        dashboard_screen = app.get_default_screen()
        dashboard_screen.tick()
        for seconds, told in ((9.0, False), (11.0, True)):
            app.timer = lambda now=seconds: now
            dashboard_screen.tick()
            await pilot.pause()
            assert ("no answer since 12:00:00" in text(app)) is told
        goes_on.set()
        await settle(pilot)
        assert "no answer since" not in text(app)
