"""Whatever floats tells its keys, and comes back when that was read; in ASCII arrows have names."""

import pytest

from tests.tui.screen_fakes import FakeMonitor, dashboard, settle, text
from tui_monitor.tui.dialogkeys import DIALOGS, TITLES
from tui_monitor.tui.keymap import DEFAULT, Keymap
from tui_monitor.tui.screens.help import HelpScreen, lines

OPENED = {
    "time": ("t",), "export": ("x",), "leave": ("ctrl+c",), "command": ("colon",),
    "alert": ("4", "s"), "still": ("2", "c", "z"), "saved": ("5", "escape", "S"),
}  # fmt: skip
"""The keys that open a dialog."""
TYPED = frozenset({"command"})
"""Dialogs that open with a line, which takes characters."""


@pytest.mark.parametrize("dialog", sorted(TITLES))
def test_the_help_of_a_dialog_begins_with_its_keys(dialog: str) -> None:
    told = ["".join(text for text, _ in line.left) for line in lines(f"dialog.{dialog}", 90, DEFAULT, "line")]
    assert told[0] == TITLES[dialog].upper()
    own = [command for command in DIALOGS if command.pane == f"dialog.{dialog}"]
    assert own
    for command, line in zip(own, told[1:], strict=False):
        assert command.key in line
        assert command.help[:40] in line
    assert "HERE: A LINE" in told
    assert any("Find a command by its name" in line for line in told)


def test_arrows_have_names_where_none_can_be_drawn() -> None:
    plain = Keymap({"chart": {"earlier": "shift+up"}, "list": {"open": "up"}}, plain=True)
    drawn = [line.left for line in lines("boards", 90, plain, "chart")]
    assert not set("".join(text for line in drawn for text, _ in line)) & set("←→↑↓")
    assert plain.filled("{values} and {rows}") == "left right and up down"
    assert plain.key("chart.earlier") == "shift+up"
    assert plain.key("boards.left") == "left right"
    assert DEFAULT.key("boards.left") == "← →"


async def test_every_dialog_tells_its_keys_and_is_there_again() -> None:
    app = dashboard(FakeMonitor())
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        for dialog, keys in OPENED.items():
            await settle(pilot, *keys)
            shown = app.screen
            key = "f1" if dialog in TYPED else "?"
            if dialog not in ("command", "still"):
                assert f"{key} help" in text(app), dialog
            await settle(pilot, key)
            assert isinstance(app.screen, HelpScreen), dialog
            assert TITLES[dialog].upper() in text(app)
            await settle(pilot, "escape")
            assert app.screen is shown, dialog
            await settle(pilot, "escape")
            if len(app.screen_stack) > 1:
                # A list of ways to go on was open.
                await settle(pilot, "escape")
            assert app.screen is app.get_default_screen(), dialog
        # A line takes the character, and its frame says another key.
        await settle(pilot, "t", "t", "?")
        assert "f1 help" in text(app)
        assert not isinstance(app.screen, HelpScreen)
        await settle(pilot, "f1")
        assert "HERE: A LINE" in text(app)
