"""One line of tabs: a number key, a title, and a badge where something wants to be seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.events import Click
from textual.message import Message
from textual.strip import Strip

from tui_monitor.tui.drawing import Span, safe, size_of
from tui_monitor.tui.widgets.base import Drawn


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. `key` is pressed to get there; `badge` stands behind the title in the style `token`."""

    id: str
    key: str
    title: str
    short: str = ""
    """The title where room is short; its first letters by default."""
    badge: str = ""
    token: str = "warn"


class Tabs(Drawn):
    """The tab bar. It shows and reports clicks; who owns the panes switches them."""

    DEFAULT_CSS = """
    Tabs { width: 1fr; height: 1; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: Sequence[Tab] = (), active: str = "", *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._tabs = tuple(tabs)
        self._active = active

    @property
    def active(self) -> str:
        """The id of the tab that is shown."""
        return self._active

    def show(self, tabs: Sequence[Tab], active: str) -> None:
        """Show these tabs, one of them as active."""
        if (tuple(tabs), active) == (self._tabs, self._active):
            return
        self._tabs, self._active = tuple(tabs), active
        self.repaint(0)

    def draw(self, y: int) -> Strip:
        width = self.size.width
        if y > 0:
            return self.blank(width)
        return self.strip([span for _, spans in self._layout(width) for span in spans], width)

    def places(self) -> list[tuple[str, int]]:
        """Each tab and the cell it begins in."""
        found, left = [], 0
        for tab, spans in self._layout(self.size.width):
            found.append((tab.id, left))
            left += size_of(spans)
        return found

    def on_click(self, event: Click) -> None:
        """Report which tab is under the mouse."""
        left = 0
        for tab, spans in self._layout(self.size.width):
            left += size_of(spans)
            if event.x < left:
                self.post_message(self.Chosen(tab.id))
                return

    def _layout(self, width: int) -> list[tuple[Tab, list[Span]]]:
        """The widest form that fits: titles, short ones and the active one, short ones, one, numbers."""
        forms = [[(tab, self._spans(tab, form)) for tab in self._tabs] for form in range(5)]
        for form in forms:
            if sum(size_of(spans) for _, spans in form) <= width + 1:
                return form
        return forms[-1]

    def _spans(self, tab: Tab, form: int) -> list[Span]:
        active = tab.id == self._active
        short = tab.short or tab.title[:4].rstrip()
        others = {0: tab.title, 1: short, 2: short}.get(form, "")
        title = {1: tab.title, 3: short}.get(form, others) if active else others
        label = safe(f" {title}" if title else "", self.glyphs)
        key = safe(tab.key, self.glyphs)
        spans = [(f" {key}", "accent bold reverse" if active else "dim")]
        spans.append((label + " " if active else label, "accent bold reverse" if active else ""))
        if tab.badge:
            spans.append((f" {safe(tab.badge, self.glyphs)}", f"{tab.token} bold"))
        spans.append((" ", ""))
        return spans
