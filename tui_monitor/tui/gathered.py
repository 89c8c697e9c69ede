"""Screens that paint once for what one key brings: the toolkit paints after each of its steps."""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar, Self, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual._context import visible_screen_stack
from textual.color import Color
from textual.content import Content
from textual.events import Click, Idle
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.screen import ModalScreen, Screen
from textual.strip import Strip

from tui_monitor.tui.dialogkeys import DIALOG
from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.keynames import is_typed
from tui_monitor.tui.widgets.hollow import Hollow

_QUIET = 3
"""Turns of the loop without a wish to paint, after which nobody is at work on what is to be seen."""
_LONGEST_S = 0.05
"""Seconds after which it is painted whatever goes on."""
_ROUNDS = 4
"""Layouts that are made before the paint; what wants more than these gets them after it."""

R = TypeVar("R")


class Gathered(Hollow, Screen[R]):
    """Waits with each paint until the widgets have answered to their new sizes, and lays out what they want.

    A dialog that opens is laid out three or four times, each with a paint of all that lies behind it; what
    the widgets change in their turn waits for a timer. Here all of that is one paint, and sooner.
    """

    _painting: asyncio.Handle | None = None
    """The next turn of a paint that is wanted."""
    _paint_wanted = False
    _gathering_since = 0.0
    _layouts = 0
    _below: list[Strip] | None = None
    """What lies under it, as it shows through."""

    def _compositor_refresh(self) -> None:
        if self.app.screen is not self:
            # Under a dialog: that one is told what to paint.
            super()._compositor_refresh()
            return
        self._paint_wanted = True
        if self._painting is None:
            loop = asyncio.get_running_loop()
            self._gathering_since, self._layouts = loop.time(), 0
            self._painting = loop.call_soon(self._turn_of_loop, _QUIET)

    def _turn_of_loop(self, left: int) -> None:
        if not self.is_attached:
            # It went meanwhile, or the app did.
            self._painting = None
            return
        loop = asyncio.get_running_loop()
        late = loop.time() - self._gathering_since > _LONGEST_S
        if self._paint_wanted:
            self._paint_wanted, left = False, _QUIET
        if not late and left:
            self._painting = loop.call_soon(self._turn_of_loop, left - 1)
            return
        if not late and self._layouts < _ROUNDS and self._unsettled:
            self._layouts += 1
            self._on_timer_update()
            self._painting = loop.call_soon(self._turn_of_loop, _QUIET)
            return
        self._painting = None
        super()._compositor_refresh()
        # Whoever waits for the paint is told now.
        self.check_idle()

    @property
    def _unsettled(self) -> bool:
        wanted = self._layout_required or self._scroll_required or self._repaint_required
        return self.app.screen is self and bool(wanted or self._dirty_widgets)

    async def _on_idle(self, event: Idle) -> None:
        if self._painting is not None:
            event.prevent_default()

    async def _invoke_and_clear_callbacks(self) -> None:
        # They wait for the paint.
        if self._painting is None:
            await super()._invoke_and_clear_callbacks()

    # What lies below.

    def render_lines(self, crop: Region) -> list[Strip]:
        """The toolkit's hook: what lies under this screen, dimmed; by itself it takes the long way."""
        dim, below = self.styles.background, visible_screen_stack.get([])
        if dim.a == 1 or not below:
            return super().render_lines(crop)
        if self._below is None:
            self._below = self._dimmed(below.pop(), dim)
        lines = self._below[crop.y : crop.bottom]
        if crop.column_span != (0, self.size.width):
            lines = [line.crop(*crop.column_span) for line in lines]
        return lines

    def _dimmed(self, screen: "Screen[object]", dim: Color) -> list[Strip]:
        lines = [
            Strip([Segment(text, _dim(style, dim)) for text, style, _ in line], line.cell_length)
            for line in screen._compositor.render_strips()
        ]
        for one in self.app.get_line_filters():
            # What shines through has colours of its own already.
            if not isinstance(one, ANSIToTruecolor):
                lines = [line.apply_filter(one, dim) for line in lines]
        return lines

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Also what the screen below calls when it changed."""
        if repaint:
            self._below = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


@lru_cache(2_048)
def _dim(style: Style | None, dim: Color) -> Style:
    """A style with a translucent colour over it, and no links."""
    style = (style or Style()).clear_meta_and_links()
    if dim.a == 0:
        return style
    fore, back = (
        colour and (Color.from_rich_color(colour) + dim).rich_color for colour in (style.color, style.bgcolor)
    )
    return style + Style.from_color(fore, back)


class Dialog(ModalScreen[R], Gathered[R]):
    """A dialog over what is to be seen. Its frame, if it has one, says the key for help."""

    HELPED: ClassVar[bool] = True
    """Whether it has help of its own."""

    def action_help(self, name: str) -> None:
        """Show the keys that work here."""
        from tui_monitor.tui.screens.help import HelpScreen, kind_of

        self.app.push_screen(HelpScreen(f"{DIALOG}{name}", keymap_of(self.app), kind_of(self.focused)))

    _given: Sequence[str] = ()
    """What stood in its lines before anybody typed."""

    def on_mount(self) -> None:
        self._given = self._texts()
        self._tell_help()

    async def on_click(self, event: Click) -> None:
        """A click beside it leaves it, as the key does, unless something was typed: that would be lost."""
        beside = self.query(".dialog") and self.get_widget_at(*event.screen_offset)[0] is self
        if beside and self._texts() == self._given:
            await self.run_action("dismiss")

    def _texts(self) -> list[str]:
        """What stands in its lines, whichever of them has the focus."""
        return [getattr(line, "value", "") for line in self.query("Field")]

    def on_descendant_focus(self) -> None:
        """A line takes the characters."""
        self._tell_help()

    def _tell_help(self) -> None:
        command, focused = keymap_of(self.app).get("help"), self.focused
        typing = focused is not None and focused.check_consume_key("a", "a")
        keys = command.keys.split(",") if command is not None and self.HELPED else ()
        for key in [key for key in keys if key and not (typing and is_typed(key))][:1]:
            for box in self.query(".dialog"):
                box.border_subtitle = Content(f"{keymap_of(self.app).shown(key)} help")
