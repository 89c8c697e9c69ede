"""The pages about the screen and its keys name every key, as it is declared."""

from pathlib import Path

import pytest

from tui_monitor.tui.commands import COMMANDS, Command
from tui_monitor.tui.dialogkeys import DIALOGS
from tui_monitor.tui.keymap import DEFAULT
from tui_monitor.tui.keynames import shown_key

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE, KEYS = ((DOCS / name).read_text(encoding="utf-8") for name in ("screen.md", "keys.md"))


def _keys(command: Command) -> str:
    return " ".join(f"`{shown_key(key)}`" for key in command.keys.split(","))


def _help(command: Command) -> str:
    known = DEFAULT.get(command.id)
    assert known is not None
    return known.help


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_the_page_has_the_key(command: Command) -> None:
    assert f"| {_keys(command)} | {_help(command)} |" in PAGE


@pytest.mark.parametrize("command", DIALOGS, ids=lambda command: command.id)
def test_the_keys_of_dialogs_stand_on_their_page(command: Command) -> None:
    assert f"| `{command.id}` | {_keys(command)} | {_help(command)} |" in KEYS
