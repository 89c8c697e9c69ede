"""Any size of terminal, at any moment."""

import random

import pytest

from tests.examples import examples
from tests.tui.screen_fakes import KEY, FakeMonitor, dashboard, settle, text, tick

pytestmark = pytest.mark.usefixtures("undrawn")

SIZES = [(60, 20), (80, 24), (1, 1), (3, 3), (20, 5), (200, 50), (40, 100), (300, 10)]


@pytest.mark.parametrize("key", KEY.values())
async def test_resizing_never_fails(key: str) -> None:
    monitor = FakeMonitor()
    app = dashboard(monitor)
    dice = random.Random(int(key))
    sizes = [*SIZES, *((dice.randint(1, 220), dice.randint(1, 60)) for _ in range(examples(5)))]
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, key)
        if key == KEY["query"]:
            await settle(pilot, *"latency", "enter")
        for width, height in sizes:
            await pilot.resize_terminal(width, height)
            monitor.version += 1
            await tick(pilot)
            strips = app.screen._compositor.render_strips()
            assert len(strips) == height
            assert {strip.cell_length for strip in strips} == {width}


@pytest.mark.parametrize("dialog", ["question_mark", "t", "ctrl+c", "ctrl+p"])
async def test_dialogs_at_any_size(dialog: str) -> None:
    app = dashboard()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await settle(pilot, dialog)
        for width, height in SIZES:
            await pilot.resize_terminal(width, height)
            await settle(pilot)
            assert len(text(app).split("\n")) == height
        await settle(pilot, "escape")


async def test_sixty_by_twenty_still_tells_what_matters() -> None:
    app = dashboard()
    async with app.run_test(size=(60, 20)) as pilot:
        await settle(pilot, KEY["providers"])
        shown = text(app)
        for words in (
            "last 1 h  live",
            "● collecting",
            "2 Prov",
            "✖ unavailable",
            "[LOW] 40.0 %",
            "q quit",
        ):
            assert words in shown, words
        await settle(pilot, KEY["costs"])
        for words in ("$425.67 of $500.00", "claude-sonnet-4-5", "$189.23"):
            assert words in text(app), words
        await settle(pilot, KEY["alerts"])
        for words in ("✖ crit", "60.0 % > 50.0 %", "not taken"):
            assert words in text(app), words


async def test_the_rule_goes_first() -> None:
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        assert "─" * 40 in text(app).splitlines()[2]
        await pilot.resize_terminal(80, 24)
        await pilot.pause(0.1)
        await settle(pilot)
        assert "ATTENTION" in text(app).splitlines()[2]


async def test_a_large_screen_has_the_running_total_beside_the_days() -> None:
    app = dashboard()
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        days, chart = app.screen.query_one("#costs-bars"), app.screen.query_one("#costs-chart")
        assert days.display
        assert not chart.display
        await pilot.resize_terminal(200, 50)
        await settle(pilot)
        assert days.display
        assert "● spent $449.00" in text(app)
        await settle(pilot, "c")
        assert chart.has_focus
        rows = app.screen.query_one("#costs-list")
        assert rows.region.bottom > 40, "what the rows leave goes to the days"
