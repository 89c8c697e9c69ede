"""The page about the screen names every key, as it is declared."""

from pathlib import Path

import pytest

from tui_monitor.tui.commands import COMMANDS, Command
from tui_monitor.tui.keynames import shown_key

PAGE = Path(__file__).resolve().parents[2] / "docs" / "screen.md"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_the_page_has_the_key(command: Command) -> None:
    keys = " ".join(f"`{shown_key(key)}`" for key in command.keys.split(","))
    assert f"| {keys} | {command.help} |" in PAGE.read_text(encoding="utf-8")
