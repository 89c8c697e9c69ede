"""The filter of every list: typed, kept as a chip, taken back."""

import pytest

from tests.tui.screen_fakes import FakeMonitor, dashboard, settle, text
from tui_monitor.tui.widgets.filterline import FilterLine
from tui_monitor.tui.widgets.sifted import SiftedGrid

pytestmark = pytest.mark.usefixtures("undrawn")


async def test_every_list_is_filtered_and_shown_whole_again() -> None:
    async with dashboard(FakeMonitor()).run_test(size=(120, 40)) as pilot:
        for key, word, kept, gone in (
            ("1", "openai", "openai", "google"),
            ("2", "state=unavail", "openai", "anthropic"),
            ("3", "gpt", "gpt-5", "claude"),
            ("7", "!claude-code", "probes", "1 204 of 2"),
            ("8", "memory", "memory", "processor"),
            ("9", "records", "records", "SLOW QUERIES"),
        ):
            await settle(pilot, key)
            pane = pilot.app.screen.pane
            grid = pane.sifted()
            before = grid.rows
            assert gone in text(pilot.app)
            await settle(pilot, "slash", *word)
            passed, there = grid.counts
            assert 0 < passed < there, word
            assert f"{passed} of {there}" in text(pilot.app)
            await settle(pilot, "enter")
            assert grid.has_focus
            shown = "".join(cell.text for row in grid.rows for cell in row.cells.values())
            assert kept in shown
            assert gone not in shown + "".join(row.heading for row in grid.rows)
            assert f"/ {word}" in text(pilot.app)
            await settle(pilot, "escape")
            assert grid.rows == before
            assert f"/ {word}" not in text(pilot.app)


async def test_the_log_has_a_filter_of_its_own_and_a_sent_for_row_is_never_hidden() -> None:
    async with dashboard(FakeMonitor()).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        pane = pilot.app.screen.pane
        log = pane.query_one("#overview-log", SiftedGrid)
        log.focus()
        await settle(pilot, "slash", *"nothing-like-this")
        assert log.counts[0] == 0
        assert pane.query_one("#overview-providers", SiftedGrid).words == ""
        assert "None of" in text(pilot.app)
        await settle(pilot, "escape")
        assert log.has_focus
        assert log.words == ""
        await settle(pilot, "2", "slash", *"anthropic", "enter", "1")
        await settle(pilot, "2")
        assert "/ anthropic" in text(pilot.app), "a filter outlasts a look at another pane"
        pilot.app.screen.pane.point_to("openai")
        await settle(pilot)
        assert pilot.app.screen.pane.query_one(SiftedGrid).cursor == "openai"
        assert not any(line.display for line in pilot.app.screen.query(FilterLine))
