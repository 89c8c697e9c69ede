"""The tour: at the first start, through the real screen, with the keys as they are declared."""

import pytest

from tests.tui.screen_fakes import FakeBackend, FakeMonitor, lines, settings_of, settle
from tui_monitor.config import places
from tui_monitor.tui import verbs
from tui_monitor.tui.app import MonitorApp
from tui_monitor.tui.commands import COMMANDS, PAIRS
from tui_monitor.tui.keymap import DEFAULT, Keymap
from tui_monitor.tui.panes.overview import OverviewPane
from tui_monitor.tui.tour import STEPS, first_start, words


def test_each_step_names_keys_that_there_are() -> None:
    known = {command.key for command in COMMANDS} | {DEFAULT.filled(f"{{{name}}}") for name in PAIRS}
    assert len(STEPS) == 6
    for step in STEPS:
        said = words(step.text, Keymap())
        assert {text for text, token in said if token} <= known
        assert "{" not in "".join(text for text, _ in said)


@pytest.mark.usefixtures("quick_pilot")
async def test_it_begins_by_itself_is_walked_through_and_remembered() -> None:
    places.toured_file().unlink()
    app = MonitorApp(FakeBackend(FakeMonitor(), settings_of()), host="box", environ={"LANG": "C.UTF-8"})
    app.show_round()
    async with app.run_test(size=(80, 24)) as pilot:
        dashboard = app.get_default_screen()
        # Whoever looks elsewhere already is not called away.
        await settle(pilot, "3")
        for _ in range(3):
            dashboard.tick()
            await settle(pilot)
        assert not dashboard.query("#tour")
        await settle(pilot, "1")
        while not dashboard.query("#tour"):
            dashboard.tick()
            await settle(pilot)
        for number, step in enumerate(STEPS, 1):
            await settle(pilot)
            shown = lines(app)
            assert any(f"{step.title}   tour, {number} of 6" in line for line in shown)
            assert dashboard.active == step.pane
            assert [f"#{widget.id}" for widget in dashboard.query(".-pointed")] == [step.at]
            assert any("esc leaves the tour" in line for line in shown)
            if number == 2:
                await pilot.press("backspace", "enter")
                # Other keys are the screen's.
                await pilot.press("space")
                assert dashboard.paused is not None
                await pilot.press("space")
                # Nor does it lose its own where somebody looks at another pane meanwhile.
                await settle(pilot, "3", "down", "backspace")
                assert dashboard.active == STEPS[0].pane
                await settle(pilot, "enter")
            await pilot.press("enter")
        await settle(pilot)
        assert not dashboard.query("#tour")
        assert not dashboard.query(".-pointed")
        assert not first_start()
        # It ends where it began, and not in the line of its last step.
        assert dashboard.active == STEPS[0].pane
        deed = verbs.read(dashboard, "tour")
        assert deed is not None
        await deed()  # type: ignore[misc]
        await settle(pilot)
        assert isinstance(dashboard.pane, OverviewPane)
        await pilot.press("escape")
        await settle(pilot)
        assert not dashboard.query("#tour")
        assert app.focused is dashboard.pane.first()
