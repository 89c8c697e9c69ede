"""The command palette's list: the commands of this pane and of everywhere, the boards, and the themes."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.command import Command, DiscoveryHit, Hit, Hits, Provider
from textual.widgets.option_list import Option

from tui_monitor.config.palettes import SHIPPED
from tui_monitor.tui.commands import BY_NAME
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.screens.dashboard import Dashboard

if TYPE_CHECKING:
    from tui_monitor.config.boards import Board

Entry = tuple[str, str, str]
"""What is shown, its help, the action."""
_WEAR = "app.use_theme"


def theme_of(option: Option) -> str | None:
    """The theme that an entry of the palette stands for, if it is one."""
    command = option.hit.command if isinstance(option, Command) else None
    action = command.args[0] if isinstance(command, partial) and command.args else ""
    return str(action)[len(_WEAR) + 2 : -2] if str(action).startswith(_WEAR) else None


class CommandList(Provider):
    """Offers what the keys do, by name."""

    _boards: Sequence["Board"] = ()

    async def startup(self) -> None:
        """Look which boards there are; what is wrong with one is said on its pane."""
        from tui_monitor.config import boards

        screen = self.screen
        if isinstance(screen, Dashboard):
            folder = boards.folder(screen.backend.config_file)
            found = await asyncio.to_thread(boards.load_boards, folder)
            self._boards = [board for board in found if boards.good_name(board.name)]

    def _entries(self) -> Iterable[Entry]:
        screen = self.screen
        pane = screen.active if isinstance(screen, Dashboard) else ""
        for command in keymap_of(self.app).commands:
            if command.pane in ("", pane) and command.id not in ("palette", "command", "interrupt"):
                label = command.label[:1].upper() + command.label[1:]
                key = f"  ({command.key})" if command.keys else ""
                yield f"{label}{key}", command.help, command.action
        for command in BY_NAME:
            yield command.label.capitalize(), command.help, command.action
        for board in self._boards:
            yield f"Dashboard {board.title}", board.about or "Show this board.", f"board('{board.name}')"
        for name in sorted(self.app.available_themes, key=lambda name: (name not in SHIPPED, name)):
            about = SHIPPED[name].about if name in SHIPPED else "show everything in these colours"
            yield f"Theme {name}", f"{about[:1].upper()}{about[1:]}.", f"{_WEAR}('{name}')"

    async def discover(self) -> Hits:
        """Everything but the themes, which are many."""
        for text, help_line, action in self._entries():
            if not action.startswith(_WEAR):
                yield DiscoveryHit(text, partial(self._run, action), help=help_line)

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for text, help_line, action in self._entries():
            score = matcher.match(text)
            if score > 0:
                yield Hit(score, matcher.highlight(text), partial(self._run, action), help=help_line)

    async def _run(self, action: str) -> None:
        screen = self.screen
        if isinstance(screen, Dashboard):
            await screen.run_command(action)
