"""The Calls pane: what comes in, what stays, paging back without end, one call whole, and the filter."""

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.tui.screen_fakes import KEY, FakeMonitor, call_at, dashboard, lines, settle, text, tick
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, SECOND, Micros
from tui_monitor.model.timerange import TimeRange
from tui_monitor.query.filters.parser import parse
from tui_monitor.query.result import After, CallList
from tui_monitor.tui.panes import calltail
from tui_monitor.tui.panes.calltail import PAGE
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.prompt import Prompt

pytestmark = pytest.mark.usefixtures("undrawn")
SIZES = [(80, 24), (120, 40), (200, 50)]
PAGES = 3
"""How many pages are kept here: as one goes back without end, the number makes no difference."""


class Calling(FakeMonitor):
    """Has a call every ten seconds, back to `first`, and none after `last`."""

    def __init__(self) -> None:
        super().__init__()
        self.rings = False
        self.last = self.at
        self.first = self.at - 3 * DAY

    def known(self, booked: Micros) -> Call:
        return replace(call_at(booked, booked // SECOND // 10 % 1000), source_key=str(booked // SECOND))

    async def calls(self, text: str, shown: TimeRange, limit: int, *, after: After | None = None) -> CallList:
        node = str(parse(text))
        span = shown.span(self.at)
        end = min(span.end, self.last, *([after.booked] if after else []))
        end -= end % (10 * SECOND)
        end -= 10 * SECOND if after and not after.number and end == after.booked else 0
        times = range(end, max(span.start, self.first - 1), -10 * SECOND)
        found = tuple(self.known(at) for at in times[:limit])
        behind = After(found[-1].booked, 0) if len(times) > limit else None
        return await self._answer(
            "calls", CallList(text, node, span, found, behind), text, shown, limit, after
        )

    async def come(self, pilot: Pilot, seconds: int) -> None:
        """So much later."""
        self.at += seconds * SECOND
        self.last = self.newest = self.at
        self.version += 1
        await tick(pilot)


@pytest.fixture
def monitor() -> Calling:
    return Calling()


async def opened(pilot: Pilot) -> Grid:
    await settle(pilot, KEY["calls"])
    return pilot.app.screen.query_one("#calls-list", Grid)


def times(grid: Grid) -> list[int]:
    return [int(row.key.partition("\n")[2]) for row in grid.rows]


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_list(monitor: Calling, size: tuple[int, int]) -> None:
    async with dashboard(monitor).run_test(size=size) as pilot:
        grid = await opened(pilot)
        shown = text(pilot.app)
        assert {"time", "provider", "model", "status", "latency", "cost"} <= set(grid.visible_columns)
        assert "following" in shown
        assert f"{PAGE} calls" in shown
        assert grid.rows[0].cells["time"].text == "12:00:00"
        assert " enter detail " in lines(pilot.app)[-1]


async def test_a_window_made_smaller_keeps_the_cost(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert {"latency", "cost"} <= set(grid.visible_columns)


async def test_it_follows_the_newest_until_the_cursor_is_elsewhere(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await monitor.come(pilot, 30)
        assert grid.cursor == grid.rows[0].key
        assert grid.rows[0].cells["time"].text == "12:00:30"
        await settle(pilot, "j", "j")
        here = grid.cursor
        await monitor.come(pilot, 60)
        assert grid.cursor == here
        assert grid.rows[0].cells["time"].text == "12:01:30"
        assert "new ones come in above" in text(pilot.app)
        assert times(grid) == sorted(set(times(grid)), reverse=True)
        await settle(pilot, "f")
        assert grid.cursor == grid.rows[0].key
        assert "following" in text(pilot.app)


async def test_a_paused_list_stays_as_it_is_and_asks_nothing(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await settle(pilot, "p")
        asked, rows = monitor.count("calls"), grid.rows
        await monitor.come(pilot, 60)
        assert (monitor.count("calls"), grid.rows) == (asked, rows)
        assert "paused" in text(pilot.app)
        assert "newer calls: f follows" in text(pilot.app)
        await settle(pilot, "p")
        assert grid.rows[0].cells["time"].text == "12:01:00"
        assert "following" in text(pilot.app)


async def test_a_flood_does_not_carry_the_cursor_away(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await settle(pilot, "j", "j")
        here, rows = grid.cursor, grid.rows
        await monitor.come(pilot, 10 * (PAGE + 50))
        assert (grid.cursor, grid.rows) == (here, rows)
        assert "holds still" in text(pilot.app)
        await settle(pilot, "f")
        assert times(grid)[0] == monitor.at // SECOND


async def test_back_in_time_without_end_and_up_again(
    monitor: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calltail, "PAGES", PAGES)
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        for _ in range(PAGES + 5):
            await settle(pilot, "end")
        reached = times(grid)
        assert len(reached) == PAGE * PAGES
        assert reached == list(range(reached[0], reached[-1] - 1, -10))
        assert reached[-1] < (monitor.at - 4 * 3_600 * SECOND) // SECOND
        # What was asked went on beyond the shown hour.
        assert "holds still" in text(pilot.app)
        for _ in range(PAGES + 8):
            await settle(pilot, "home")
        assert times(grid)[0] == monitor.at // SECOND
        assert times(grid) == list(range(times(grid)[0], times(grid)[-1] - 1, -10))


async def test_the_end_of_all_calls_is_an_end(monitor: Calling) -> None:
    monitor.first = monitor.at - 3_590 * SECOND
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        for _ in range(4):
            await settle(pilot, "end")
        asked = monitor.count("calls")
        assert len(grid.rows) == 360
        await settle(pilot, "up", "end")
        assert monitor.count("calls") <= asked + 1


async def test_one_call_whole_its_neighbours_and_back(monitor: FakeMonitor) -> None:
    monitor = FakeMonitor()
    monitor.rings = False
    async with dashboard(monitor).run_test(size=(120, 60)) as pilot:
        grid = await opened(pilot)
        await settle(pilot, "j", "j", "enter")
        shown = text(pilot.app)
        for words in (
            "computed from its tokens", "genai-prices 0.2.3, openai gpt-5-mini, since 2025-08-07",
            "1,220 × $1.25 / 1M = $0.0015", "800 × $0.125 / 1M = $0.0001", "USER ana", "annual report",
            "stored", "1.08 s  (1,077 ms)",
        ):  # fmt: skip
            assert words in shown, words
        assert not grid.region.area
        await settle(pilot, "J")
        assert "c3" in text(pilot.app)
        assert "unpriced: its tokens are not known" in text(pilot.app)
        await settle(pilot, "K", "K")
        assert "963.5 ms" in text(pilot.app)
        sheet = pilot.app.screen.query_one("#calls-sheet", Grid)
        # The neighbours stand last: the one before it.
        await settle(pilot, "end", "enter")
        assert "1.19 s" in text(pilot.app)
        assert sheet.has_focus
        await settle(pilot, "escape")
        assert grid.has_focus
        assert grid.cursor == "otlp\nc3"


async def test_what_cannot_be_had_of_a_call_is_said(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await settle(pilot, "enter")
        # It is none of the calls that the fake knows one by one.
        assert "there is no call" in text(pilot.app)
        assert "gpt-5-mini" in text(pilot.app)


async def test_the_filter(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await settle(pilot, "slash", *"status=error", "enter")
        assert [args[0] for name, args in monitor.asked if name == "calls"][-1] == "status=error"
        assert grid.has_focus
        assert "where status=error" in text(pilot.app)
        # An error stands under its character.
        await settle(pilot, "slash", "space", "A", "N", "D", "enter")
        assert "^" in text(pilot.app)
        line = pilot.app.screen.query_one("#calls-filter", Prompt)
        assert line.value == "status=error AND"
        assert "no filter yet: these are the calls from before" in text(pilot.app)
        # It is put right there, and no letter is a command.
        await settle(pilot, *" cached=true", "enter")
        assert [args[0] for name, args in monitor.asked if name == "calls"][-1] == line.value
        await settle(pilot, "slash", "space", "A", "N", "D", "enter")
        # One step back from the line, one to all calls.
        await settle(pilot, "escape")
        assert grid.has_focus
        await settle(pilot, "escape")
        assert [args[0] for name, args in monitor.asked if name == "calls"][-1] == "where"
        assert not pilot.app.screen.query_one("#calls-filter").region.area


async def test_the_filter_offers_fields(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await settle(pilot, "slash", "l", "a")
        name, args = next(entry for entry in reversed(monitor.asked) if entry[0] == "complete")
        assert args == ("where la", 8), name


async def test_order_of_what_is_there(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await settle(pilot, *["right"] * 4, "o")
        known = [row.cells["latency"].sort for row in grid.rows]
        assert known == sorted(known, reverse=True)
        assert "of these 200, by latency" in text(pilot.app)
        await settle(pilot, "f")
        assert grid.order is None


async def test_the_filter_goes_to_the_query_pane(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await settle(pilot, "slash", *"status=error", "enter", "e")
        await settle(pilot)
        assert pilot.app.screen.query_one("#query-line", Prompt).value == "where status=error"


async def test_nothing_is_asked_while_it_is_hidden(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        await settle(pilot, KEY["costs"])
        asked = monitor.count("calls")
        await monitor.come(pilot, 30)
        assert monitor.count("calls") == asked


async def test_no_calls_at_all_teaches(monitor: Calling) -> None:
    monitor.newest, monitor.last = None, 0
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        assert "No calls yet. This is how they get here." in text(pilot.app)
        assert "detail" not in lines(pilot.app)[-1]


@pytest.mark.parametrize("key", ["j", "enter"])
async def test_what_came_from_outside_is_text(key: str) -> None:
    hostile = "[@click=app.quit]x[/]\x1b[31m[/foo]\u202e"
    monitor = FakeMonitor()

    def change(answer: Any) -> Any:
        if isinstance(answer, CallList):
            calls = tuple(
                replace(c, model_served=hostile, user=hostile, attrs={hostile: hostile}) for c in answer.calls
            )
            return replace(answer, calls=calls)
        if hasattr(answer, "told_by"):
            price = replace(answer.price, why=hostile, model=hostile, differs=hostile, estimated=(hostile,))
            near = tuple(replace(one, value=hostile) for one in answer.neighbours)
            return replace(answer, price=price, neighbours=near)
        return answer

    monitor.change = change
    async with dashboard(monitor).run_test(size=(120, 50)) as pilot:
        await opened(pilot)
        await settle(pilot, key)
        assert "[@click=app.quit]x[" in text(pilot.app)
        assert "\x1b" not in text(pilot.app)
        assert "\u202e" not in text(pilot.app)


async def test_a_range_that_grows_leaves_the_list_where_it_is(monitor: Calling) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        grid = await opened(pilot)
        await settle(pilot, "t", "t", *"today", "enter")
        await settle(pilot, "j", "j")
        here = grid.cursor
        for _ in range(3):
            await monitor.come(pilot, 60)
        assert grid.cursor == here
        assert "new ones come in above" in text(pilot.app)
