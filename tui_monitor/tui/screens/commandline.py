"""The line behind `:` at the foot of the screen."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from tui_monitor.config import resources
from tui_monitor.query.result import Completion
from tui_monitor.tui.dialogkeys import bindings
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.verbs import Deed, WrongWord, read, told, ways
from tui_monitor.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from tui_monitor.tui.screens.dashboard import Dashboard

_HINT = "a pane, a command, range TIME, theme NAME …   {line.offer} shows all"


class CommandLine(ModalScreen[Deed | None]):
    """A word or two, and what they mean is done. An error stays under its characters until they change."""

    CSS_PATH = str(resources.style("dialogs.tcss"))
    BINDINGS: ClassVar[list[BindingType]] = bindings("command")

    def __init__(self, dashboard: "Dashboard", history: Sequence[str]) -> None:
        super().__init__()
        self._dashboard = dashboard
        self._prompt = Prompt(sign=": ", completer=self._complete, history=history)

    def compose(self) -> ComposeResult:
        yield self._prompt

    def on_mount(self) -> None:
        self._prompt.say(self._hint)
        self._prompt.focus()

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
        self._prompt.say(told(self._dashboard, event.value) if event.value.strip() else self._hint)

    @on(Prompt.Submitted)
    def _said(self, event: Prompt.Submitted) -> None:
        event.stop()
        try:
            deed = read(self._dashboard, event.value)
        except WrongWord as error:
            self._prompt.show_error(error.position, error.length, error.message, error.hint or "")
            return
        self._prompt.history.add(event.value.strip())
        self.dismiss(deed)
