"""An app that sends its terminal what differs from what it shows, instead of all that was drawn again."""

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate

from tui_monitor.tui.paint.shadow import Erasing, Piece, Shadow
from tui_monitor.tui.terminal import Terminal
from tui_monitor.tui.toolkit import QuietEnd

if TYPE_CHECKING:
    from textual.app import App
    from textual.geometry import Size
    from textual.screen import Screen
    from textual.timer import Timer

_ALONE = 48
"""Characters that are not worth a frame of their own around them."""
_RETRY_S = 1.0
_COLOURS = {"true": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT, "16": ColorSystem.STANDARD}
SLOW = "-slow"
"""Set while the line to the terminal is slow."""


class PaintedApp(QuietEnd):
    """The toolkit composes; what reaches the terminal is ours. Reaches into the toolkit's `_display`."""

    _shadow: Shadow | None = None
    _retry: "Timer | None" = None
    _colours: ColorSystem | None = None

    def on_resize(self) -> None:
        """The terminal moved what it showed, nobody knows how."""
        self.forget_terminal()

    def forget_terminal(self) -> None:
        """Others have drawn there: everything is sent anew with the next frame."""
        if self._shadow is not None:
            self._shadow.forget()

    def paint_as(self, line: str, colours: str) -> None:
        """Paint for a line that is `slow`, `fast` or measured (`auto`), in so many colours."""
        terminal = self._driver
        if not isinstance(terminal, Terminal):
            return
        terminal.pace.fixed = None if line == "auto" else line == "slow"
        self._colours = _COLOURS.get(colours)
        if self._colours is not None:
            self._shadow = None
            self.screen.refresh(layout=True)

    def action_redraw(self) -> None:
        """Draw the whole screen anew, as after a message that something else left on it."""
        self.forget_terminal()
        self.send()

    def bell(self) -> None:
        """Ring; nothing where the terminal takes no more."""
        self.send_aside("\x07")

    def send_aside(self, sequence: str) -> bool:
        """Send an escape sequence between two frames; False where the terminal takes no more."""
        terminal = self._driver
        return not isinstance(terminal, Terminal) or terminal.aside(sequence)

    def _set_pointer_shape(self, shape: str) -> None:
        self.send_aside(f"\x1b]22;{shape}\x07")

    def _display(self, screen: "Screen", renderable: Any) -> None:
        if not isinstance(self._driver, Terminal) or not isinstance(renderable, LayoutUpdate | ChopsUpdate):
            if renderable is not None:
                self.forget_terminal()
            super()._display(screen, renderable)
            return
        if self._running and not self._closed and not self.is_headless and not self._batch_count:
            try:
                self._paper(screen._compositor.size).draw(_pieces(renderable))
                self.send()
            except Exception as error:
                self._handle_exception(error)
        self.post_display_hook()

    def _paper(self, size: "Size") -> Shadow:
        shadow = self._shadow
        if shadow is None or (shadow.width, shadow.height) != size:
            shown = cast("ColorSystem | None", self.console._color_system)
            colours = self._colours or shown or ColorSystem.TRUECOLOR
            shadow = self._shadow = Shadow(*size, colours=colours, erasing=_erasing())
        return shadow

    def send(self) -> None:
        """Send what differs, as much as the line takes now; the terminal calls again when there is room."""
        terminal, shadow = self._driver, self._shadow
        if not isinstance(terminal, Terminal) or shadow is None or self._exit:
            return
        self._suit(terminal.pace.slow)
        while shadow.behind:
            room = terminal.room()
            if room == 0:
                self._look_again()
                return
            text = shadow.difference(room)
            x, y = self.cursor_position
            if hasattr(self.focused, "cursor_screen_offset") and x < shadow.width and y < shadow.height:
                # Where an input method shows what is composed.
                text += shadow.move(y, x)
            if text:
                self._paint(terminal, text + shadow.leave_first_row())

    def _paint(self, terminal: Terminal, text: str) -> None:
        # On a slow line what has come is shown at once.
        if self._sync_available and len(text) > _ALONE and not terminal.pace.slow:
            text = f"{SYNC_START}{text}{SYNC_END}"
        terminal.paint(text)

    def _suit(self, slow: bool) -> None:
        """What is dimmed behind a dialog is sent twice: not on a slow line."""
        if slow != self.has_class(SLOW):
            self.set_class(slow, SLOW)

    def _look_again(self) -> None:
        """The answer that is waited for may be lost."""
        if self._retry is None:

            def again() -> None:
                self._retry = None
                self.send()

            self._retry = self.set_timer(_RETRY_S, again)


def write_to_terminal(app: "App[Any]", sequence: str) -> bool:
    """Send an escape sequence between two frames; False where the terminal takes no more."""
    return not isinstance(app, PaintedApp) or app.send_aside(sequence)


def _pieces(update: LayoutUpdate | ChopsUpdate) -> Iterator[Piece]:
    """Where each strip of an update goes."""
    if isinstance(update, LayoutUpdate):
        for y, strips in enumerate(update.strips, update.region.y):
            x = update.region.x
            for strip in strips:
                yield y, x, strip._segments
                x += strip.cell_length
        return
    for y, first, last in update.spans:
        for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
            if strip is None or x >= last or end <= first:
                continue
            yield y, x, (strip if end <= last else strip.crop(0, last - x))._segments


@cache
def _erasing() -> Erasing:
    """How the terminal erases, as its description says."""
    import curses

    if os.environ.get("TERM", "").startswith("tmux"):
        # Its description is that of an older relative, which knows less.
        return Erasing(within=True, coloured=True)
    try:
        curses.setupterm(None, 2)
        return Erasing(within=bool(curses.tigetstr("ech")), coloured=curses.tigetflag("bce") > 0)
    except (curses.error, ValueError, OSError):
        return Erasing()
