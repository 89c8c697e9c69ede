"""Filters in the Query pane: a list that grows as one scrolls, one call whole, questions nobody waits for."""

import asyncio
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text, tick
from tui_monitor.model.call import Call
from tui_monitor.model.errors import QueryError
from tui_monitor.monitor.api import CallView
from tui_monitor.query.result import CallList
from tui_monitor.tui.panes import query
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.prompt import Prompt

pytestmark = pytest.mark.usefixtures("undrawn")
ASKED = "provider=claude AND latency>1000"


@pytest.fixture
def monitor() -> FakeMonitor:
    monitor = FakeMonitor()
    monitor.rings = False
    return monitor


async def asked(pilot: Pilot, words: str = ASKED) -> Grid:
    await settle(pilot, KEY["query"])
    while not pilot.app.screen.query("#query-list"):
        await pilot.pause()
    pilot.app.screen.pane.ask_for(words)  # type: ignore[attr-defined]
    await settle(pilot)
    while pilot.app.screen.pane.has_class("-unasked"):  # type: ignore[attr-defined]
        await pilot.pause()
    await settle(pilot)
    return pilot.app.screen.query_one("#query-list", Grid)


async def test_calls_are_listed_the_newest_first(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await asked(pilot)
        assert "12 calls" in text(pilot.app)
        assert [row.cells["time"].text for row in grid.rows[:2]] == ["12:00:00", "11:59:53"]
        assert {"latency", "in", "out", "cost", "status"} <= set(grid.visible_columns)
        assert "rate_limit" in text(pilot.app)
        assert not pilot.app.screen.query_one("#query-chart").region.area
        assert not [args for name, args in monitor.asked if name == "query_range" and args[0] == ASKED]
        # A query afterwards has its chart again.
        await asked(pilot, "latency")
        assert pilot.app.screen.query_one("#query-chart").region.area


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_numbers_are_whole_at_every_width(monitor: FakeMonitor, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        await asked(pilot)
        assert "850 ms" in text(pilot.app)
        assert "$0.0043" in text(pilot.app)


async def test_the_list_grows_as_one_goes_down(monitor: FakeMonitor) -> None:
    monitor.held = 450
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await asked(pilot)
        assert len(grid.rows) == query.PAGE
        assert "newest 200 of 450 calls" in text(pilot.app)
        grid.action_jump(-1)
        here = grid.cursor
        await settle(pilot)
        assert len(grid.rows) == 2 * query.PAGE
        assert grid.cursor == here
        for _ in range(90):
            grid._scroll(3)
        await settle(pilot)
        assert len(grid.rows) == 450
        assert "450 calls" in text(pilot.app)


async def test_one_call_whole_and_back(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 50)) as pilot:
        grid = await asked(pilot)
        await settle(pilot, "j", "enter")
        shown = text(pilot.app)
        for words in ("claude-sonnet-4-5", "963.5 ms", "$0.004250001", "genai-prices 0.2.3", "annual report",
                      "read from cache", "2,010"):  # fmt: skip
            assert words in shown, words
        assert pilot.app.screen.query_one("#query-call", Grid).has_focus
        assert not grid.region.area
        assert "/ 1M = $0.0015" in shown, "the price taken apart"
        assert "2,010" in shown
        # New data does not close it.
        monitor.version += 1
        await tick(pilot)
        assert "$0.004250001" in text(pilot.app)
        await settle(pilot, "J")
        assert grid.cursor == "otlp\nc2"
        assert "1.08 s" in text(pilot.app)
        await settle(pilot, "K", "escape")
        assert grid.has_focus
        assert grid.cursor == "otlp\nc1"


async def test_what_came_from_outside_is_text(monitor: FakeMonitor) -> None:
    hostile = "[@click=app.quit]x[/]\x1b[31m[/foo]"

    def change(answer: object) -> object:
        if isinstance(answer, CallView):
            return replace(answer, call=poisoned(answer.call))
        if not isinstance(answer, CallList):
            return answer
        return replace(answer, calls=tuple(map(poisoned, answer.calls)))

    def poisoned(call: Call) -> Call:
        return replace(call, model_served=hostile, attrs={hostile: hostile})

    monitor.change = change
    async with dashboard(monitor).run_test(size=(120, 50)) as pilot:
        await asked(pilot)
        assert "[@click=app.quit]x[" in text(pilot.app)
        await settle(pilot, "enter")
        assert "[@click=app.quit]x[/]" in text(pilot.app)
        assert "\x1b" not in text(pilot.app)


async def test_typing_on_ends_what_is_under_way(monitor: FakeMonitor) -> None:
    ended: list[str] = []
    listed = monitor.calls

    async def calls(words: str, *args: object, **more: object) -> CallList:
        try:
            return await listed(words, *args, **more)  # type: ignore[arg-type]
        except asyncio.CancelledError:
            ended.append(words)
            raise

    monitor.calls = calls  # type: ignore[method-assign]
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        monitor.gate.clear()
        await settle(pilot, *"a=b", "enter")
        await settle(pilot, "c")
        monitor.gate.set()
        await settle(pilot)
        assert ended == ["a=b"]
        assert pilot.app.screen.query_one(Prompt).value == "a=bc"
        await settle(pilot, "enter")
        assert "12 calls" in text(pilot.app)


async def test_an_error_of_a_filter_stands_under_its_character(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        monitor.error = QueryError('unknown field "latancy"', text="latancy=5", position=0, length=7)
        await settle(pilot, *"latancy=5", "enter")
        assert '   ^^^^^^^ unknown field "latancy"' in text(pilot.app)


async def test_how_it_was_read(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await asked(pilot, "not  (cost > $1)")
        await settle(pilot, "e")
        assert "calls where NOT cost>$1" in text(pilot.app)
        await asked(pilot, "latency{} p95")
        assert "histogram_quantile(0.95" in text(pilot.app)
        await settle(pilot, "e")
        assert "histogram_quantile(0.95" not in text(pilot.app)


async def test_the_other_reading_is_offered(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await asked(pilot, "latency>1000")
        assert "where latency>1000" in text(pilot.app)
        assert monitor.count("calls") == 0


@pytest.mark.parametrize("known", [True, False])
async def test_columns_that_are_empty_for_all_calls_are_left_out(monitor: FakeMonitor, known: bool) -> None:
    def change(answer: object) -> object:
        if known or not isinstance(answer, CallList):
            return answer
        return replace(answer, calls=tuple(replace(c, ttft_ms=None, user=None) for c in answer.calls))

    monitor.change = change
    async with dashboard(monitor).run_test(size=(200, 50)) as pilot:
        shown = set((await asked(pilot)).visible_columns)
        assert {"text.project", "in"} <= shown
        assert ({"ttft", "text.user"} <= shown) is known
        assert "text.session" not in shown
        # What the filter names stays, so that its absence is seen.
        assert "text.session" in (await asked(pilot, 'session!="x"')).visible_columns


async def test_a_long_time_is_told_as_in_the_list(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await asked(pilot)
        grid.move_to(grid.rows[2].key)
        await settle(pilot, "enter")
        assert "1.08 s  (1,077 ms)" in text(pilot.app)
