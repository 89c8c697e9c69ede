"""An app that sends its terminal what differs from what it shows, instead of all that was drawn again."""

import os
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from rich.color import ColorSystem
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, LayoutUpdate

from tui_monitor.tui.paint.shadow import Piece, Shadow
from tui_monitor.tui.terminal import Terminal
from tui_monitor.tui.toolkit import QuietEnd

if TYPE_CHECKING:
    from textual.geometry import Size
    from textual.screen import Screen

_ALONE = 48
"""Characters that are not worth a frame of their own around them."""


class PaintedApp(QuietEnd):
    """The toolkit composes; what reaches the terminal is ours. Reaches into the toolkit's `_display`."""

    _shadow: Shadow | None = None

    def on_resize(self) -> None:
        """The terminal moved what it showed, nobody knows how."""
        self.forget_terminal()

    def forget_terminal(self) -> None:
        """Others have drawn there: everything is sent anew with the next frame."""
        if self._shadow is not None:
            self._shadow.forget()

    def action_redraw(self) -> None:
        """Draw the whole screen anew, as after a message that something else left on it."""
        self.forget_terminal()
        self._send()

    def _display(self, screen: "Screen", renderable: Any) -> None:
        terminal = self._driver
        if not isinstance(terminal, Terminal) or not isinstance(renderable, LayoutUpdate | ChopsUpdate):
            self.forget_terminal()
            super()._display(screen, renderable)
            return
        if self._running and not self._closed and not self.is_headless and not self._batch_count:
            try:
                self._paper(screen._compositor.size).draw(_pieces(renderable))
                self._send()
            except Exception as error:
                self._handle_exception(error)
        self.post_display_hook()

    def _paper(self, size: "Size") -> Shadow:
        shadow = self._shadow
        if shadow is None or (shadow.width, shadow.height) != size:
            colours = cast("ColorSystem | None", self.console._color_system) or ColorSystem.TRUECOLOR
            shadow = self._shadow = Shadow(*size, colours=colours, erases=_erases())
        return shadow

    def _send(self) -> None:
        terminal, shadow = self._driver, self._shadow
        if terminal is None or shadow is None:
            return
        text = shadow.difference()
        x, y = self.cursor_position
        if hasattr(self.focused, "cursor_screen_offset") and x < shadow.width and y < shadow.height:
            # Where an input method shows what is composed.
            text += shadow.move(y, x)
        if self._sync_available and len(text) > _ALONE:
            text = f"{SYNC_START}{text}{SYNC_END}"
        if text:
            terminal.write(text)
            terminal.flush()


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
def _erases() -> bool:
    """Whether what the terminal erases keeps the colour behind, as its description says."""
    import curses

    if os.environ.get("TERM", "").startswith("tmux"):
        # Its description is that of an older relative, which does not.
        return True
    try:
        curses.setupterm(None, 2)
        return bool(curses.tigetflag("bce") > 0)
    except (curses.error, ValueError, OSError):
        return False
