"""The line behind `:` at the foot of the screen."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from tui_monitor.config import resources
from tui_monitor.query.result import Completion
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.gathered import Dialog
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.verbs import Deed, WrongWord, look_up_boards, read, told, ways, wrong
from tui_monitor.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from textual.worker import Worker

    from tui_monitor.tui.screens.dashboard import Dashboard

_HINT = "a pane, a command, range TIME, theme NAME …   {line.offer} shows all"


class CommandLine(Dialog[Deed | None]):
    """A word or two, and what they mean is done. An error stays under its characters until they change."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("command")

    def __init__(self, dashboard: "Dashboard", history: Sequence[str]) -> None:
        super().__init__()
        self._dashboard = dashboard
        self._looking: Worker[None] | None = None
        self._prompt = Prompt(sign=": ", completer=self._complete, history=history)

    def compose(self) -> ComposeResult:
        yield self._prompt

    def on_mount(self) -> None:
        self._prompt.say(self._hint)
        self._prompt.focus()
        self._looking = self.run_worker(self._look_up(), group="names")

    async def _look_up(self) -> None:
        """Which boards there are, for the life of this line; the folder may be slow."""
        self._dashboard.board_names = await asyncio.to_thread(look_up_boards, self._dashboard)
        if self._prompt.value.strip():
            self._tell()

    @property
    def _hint(self) -> str:
        return keymap_of(self.app).filled(_HINT)

    @property
    def history(self) -> tuple[str, ...]:
        """What was said, the newest last."""
        return self._prompt.history.lines

    async def _complete(self, text: str, cursor: int) -> Sequence[Completion]:
        return ways(self._dashboard, text, cursor)

    @on(Prompt.Changed)
    def _typed(self, event: Prompt.Changed) -> None:
        event.stop()
        self._tell()

    def _tell(self) -> None:
        """Say what the line would do, or what cannot come right any more."""
        line = self._prompt.value
        error = wrong(self._dashboard, line)
        if error is not None:
            self._show(error)
        else:
            self._prompt.say(told(self._dashboard, line) if line.strip() else self._hint)

    def _show(self, error: WrongWord) -> None:
        self._prompt.show_error(error.position, error.length, error.message, error.hint or "")

    @on(Prompt.Submitted)
    def _said(self, event: Prompt.Submitted) -> None:
        event.stop()
        try:
            deed = read(self._dashboard, event.value)
        except WrongWord as error:
            if self._looking is not None and not self._looking.is_finished:
                # It may be the name of a board.
                self.run_worker(self._say_again(self._looking, event), group="again", exclusive=True)
            else:
                self._show(error)
            return
        self._prompt.history.add(event.value.strip())
        self.dismiss(deed)

    async def _say_again(self, looking: "Worker[None]", event: Prompt.Submitted) -> None:
        await looking.wait()
        if self._prompt.value == event.value:
            self._said(event)
