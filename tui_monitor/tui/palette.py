"""The command palette's list: the commands of this pane and of everywhere, the boards, and the themes."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from textual.command import Command, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets.option_list import Option

from tui_monitor.config.palettes import SHIPPED
from tui_monitor.tui.commands import BY_NAME
from tui_monitor.tui.drawing import BRAILLE, Glyphs, safe, wrap
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.screens.dashboard import Dashboard

if TYPE_CHECKING:
    from tui_monitor.config.boards import Board

Entry = tuple[str, str, str, str]
"""What is shown, its key, its help, the action."""
_NAME, _KEY = 24, 12
"""Cells of the name and of the key with the gap behind them, where they fit."""
_BESIDE = 10
"""Cells of the screen beside a line of the list."""
_WIDEST = 88
"""Cells of a line at most."""
_LEAST = 12
"""Cells below which the help is left out."""
_LEAST_LIKELY = 0.01
"""The score of what is found by its help alone."""
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
                yield label, command.key if command.keys else "", command.help, command.action
        for command in BY_NAME:
            yield command.label.capitalize(), "", command.help, command.action
        for board in self._boards:
            about = board.about or "Show this board."
            yield f"Dashboard {board.title}", "", about, f"board('{board.name}')"
        for name in sorted(self.app.available_themes, key=lambda name: (name not in SHIPPED, name)):
            about = SHIPPED[name].about if name in SHIPPED else "show everything in these colours"
            yield f"Theme {name}", "", f"{about[:1].upper()}{about[1:]}.", f"{_WEAR}('{name}')"

    @property
    def _glyphs(self) -> Glyphs:
        return getattr(self.app, "glyphs", BRAILLE)

    def _line(self, name: Content, key: str, about: str) -> Content:
        """An entry in one line: name, key, and as many whole words of its help as have room."""
        glyphs = self._glyphs
        head = name.pad_right(max(0, (_NAME if key else _NAME + _KEY) - len(name)))
        if key:
            head = Content.assemble(head, (f"{safe(key, glyphs):<{_KEY}}", "$accent"))
        room = min(_WIDEST, self.app.size.width - _BESIDE) - len(head)
        told = wrap(safe(about, glyphs), max(1, room - 1), glyphs)
        if room < _LEAST or not told:
            return head
        more = glyphs.ellipsis if len(told) > 1 else ""
        return Content.assemble(head, (f"{told[0]}{more}", "$text-dim"))

    async def discover(self) -> Hits:
        """Everything but the themes, which are many."""
        for text, key, about, action in self._entries():
            if not action.startswith(_WEAR):
                shown = self._line(Content(safe(text, self._glyphs)), key, about)
                yield DiscoveryHit(shown, partial(self._run, action), text=text)

    async def search(self, query: str) -> Hits:
        """What matches by its name, and below what has the words in its help."""
        matcher = self.matcher(query)
        words = query.lower().split()
        for text, key, about, action in self._entries():
            text = safe(text, self._glyphs)
            score, places = matcher.fuzzy_search.match(query, text)
            if score <= 0 and all(word in about.lower() for word in words):
                shown = self._line(Content(text), key, about)
                yield Hit(_LEAST_LIKELY, shown, partial(self._run, action), text=text)
            elif score > 0:
                name = Content(text)
                for at in places:
                    name = name.stylize(self.match_style or "bold", at, at + 1)
                shown = self._line(name, key, about)
                yield Hit(score, shown, partial(self._run, action), text=text)

    async def _run(self, action: str) -> None:
        screen = self.screen
        if isinstance(screen, Dashboard):
            await screen.run_command(action)
