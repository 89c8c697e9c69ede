"""The Sources pane: every way in with its state, and pausing, resuming and trying again."""

from dataclasses import replace
from typing import Any

import pytest

from tests.tui.screen_fakes import KEY, FakeMonitor, collector, dashboard, lines, settle, text, tick
from tui_monitor.health.views import SourceRow
from tui_monitor.model.clock import HOUR
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.tui.panes.sourcelines import lag, rate
from tui_monitor.tui.widgets.grid import Grid

pytestmark = pytest.mark.usefixtures("undrawn")

SIZES = [(80, 24), (120, 40), (200, 50)]


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def row(app: Any, name: str) -> str:
    return next(line for line in lines(app) if line[2:].startswith(f"{name} "))


def asked(monitor: FakeMonitor) -> list[tuple[str, tuple[Any, ...]]]:
    return [(name, args) for name, args in monitor.asked if name.endswith("_source")]


async def on(pilot: Any, name: str) -> Grid:
    """Put the cursor on a source."""
    await settle(pilot, KEY["sources"])
    grid = pilot.app.screen.query_one("#sources-list", Grid)
    grid.move_to(name)
    await settle(pilot)
    return grid


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_every_way_in(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await settle(pilot, KEY["sources"])
        shown = text(pilot.app)
        assert "✖ failed 1   ● running 5   ○ off 1" in shown
        order = [
            "WAYS IN", "▸ host ", "claude-code ", "DOORS", "  http ", "THE COLLECTOR'S OWN", " OFF",
            "  codex ",
        ]  # fmt: skip
        places = [shown.index(word) for word in order]
        assert places == sorted(places)
        assert "● running" in row(pilot.app, "host")
        assert "24/min" in row(pilot.app, "host")
        assert "4.10 k" in row(pilot.app, "host")
        agents = row(pilot.app, "claude-code")
        assert "1.24 k/s" in agents
        assert "▇▇▇▇────── 45.0 %" in agents
        assert "✖ failed" in row(pilot.app, "probes")
        assert "openai: no answer" in row(pilot.app, "probes")
        assert "○ off" in row(pilot.app, "codex")
        # Unknown is never 0.
        assert " 0/s" not in row(pilot.app, "codex")
        assert "–" in row(pilot.app, "codex")


async def test_numbers_keep_their_place(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["sources"])
        before = row(pilot.app, "host").index("4.10 k")
        rows = [
            replace(r, records=r.records + 1_000_000, rate=99_000.0) if r.name == "host" else r
            for r in monitor.status.sources
        ]
        monitor.status = replace(monitor.status, sources=tuple(rows))
        await tick(pilot)
        assert row(pilot.app, "host").index("1.00 M") == before


async def test_the_row_under_the_cursor_in_full(monitor: FakeMonitor) -> None:
    words = "no answer " * 30 + "at the very end"
    rows = [replace(r, last_error=words) if r.name == "probes" else r for r in monitor.status.sources]
    monitor.status = replace(monitor.status, sources=tuple(rows))
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        grid = await on(pilot, "probes")
        assert "probes   ✖ failed since 11:59   restarted 2 ×" in text(pilot.app)
        assert "at the very end" not in text(pilot.app)
        await settle(pilot, "enter")
        told = " ".join(text(pilot.app).split())
        assert "11:59, 1 m ago: no answer" in told
        assert "at the very end" in told
        assert "f tries now" in told
        assert "esc back" in lines(pilot.app)[-1]
        # The list stays, and the cursor goes on.
        await settle(pilot, "end")
        assert grid.cursor == "codex"
        assert "consent.agent_logs = true" in text(pilot.app)
        assert "C allows it here" in text(pilot.app)
        await settle(pilot, "escape")
        assert "esc list" not in lines(pilot.app)[-1]


async def test_p_pauses_and_lets_go_on(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await on(pilot, "claude-code")
        await settle(pilot, "p")
        assert asked(monitor) == [("pause_source", ("claude-code", "ana"))]
        assert "claude-code is paused – p lets it go on" in text(app)
        await tick(pilot)
        paused = row(app, "claude-code")
        assert "▲ paused" in paused
        assert "paused by ana 12:00" in text(app)
        await settle(pilot, "p")
        assert asked(monitor)[-1] == ("resume_source", ("claude-code", "ana"))
        await tick(pilot)
        assert "● running" in row(app, "claude-code")


async def test_it_is_the_source_of_the_key_press(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await on(pilot, "claude-code")
        first = SourceRow("aider", SourceState.RUNNING, kind="source", pausable=True)
        monitor.status = replace(monitor.status, sources=(first, *reversed(monitor.status.sources)))
        await tick(pilot)
        assert grid.cursor == "claude-code"
        await settle(pilot, "p")
        assert asked(monitor) == [("pause_source", ("claude-code", "ana"))]


async def test_f_tries_again_at_once(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await on(pilot, "probes")
        await settle(pilot, "f")
        assert asked(monitor) == [("resume_source", ("probes", "ana"))]
        assert "probes is tried again" in text(app)
        await on(pilot, "host")
        await settle(pilot, "f")
        assert len(asked(monitor)) == 1
        assert "host is running: there is nothing to try again" in text(app)


@pytest.mark.parametrize(
    ("name", "words"),
    [("http", "http is no source: it cannot be paused"), ("codex", "codex is off: not read")],
)
async def test_what_cannot_be_paused(monitor: FakeMonitor, name: str, words: str) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await on(pilot, name)
        await settle(pilot, "p")
        assert words in text(app)
        assert asked(monitor) == []


async def test_a_refusal_is_told(monitor: FakeMonitor) -> None:
    app = dashboard(monitor)
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        await on(pilot, "host")
        monitor.error = MonitorError("the collector is gone", hint="T takes over")
        await settle(pilot, "p")
        assert "the collector is gone" in text(app)
        assert "T takes over" in text(app)


async def test_nobody_collects(monitor: FakeMonitor) -> None:
    monitor.status = collector(running=False, pid=None, sources=())
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["sources"], "p", "f", "enter")
        assert "Nobody collects into this database" in text(pilot.app)
        assert "tui-monitor collect --detach" in text(pilot.app)
        assert asked(monitor) == []


async def test_who_collects_does_not_answer(monitor: FakeMonitor) -> None:
    monitor.status = collector(running=False, pid=4711, sources=())
    async with dashboard(monitor).run_test(size=(80, 24)) as pilot:
        await settle(pilot, KEY["sources"])
        assert "Process 4711 writes this database and does not answer" in text(pilot.app)
        assert "Nobody collects" not in text(pilot.app)


def test_rates_and_lags_in_words() -> None:
    assert [rate(v) for v in (None, 0, 0.05, 4.25, 1_240)] == ["–", "0/s", "3.0/min", "4.2/s", "1.24 k/s"]
    assert [lag(v) for v in (None, 0.4, 90, 7_200)] == ["–", "400 ms", "1 m", "2 h"]


async def test_ages_follow_the_clock(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["sources"])
        assert "1 m ago" in row(pilot.app, "probes")
        monitor.at += 2 * HOUR
        await tick(pilot)
        assert "2 h ago" in row(pilot.app, "probes")
