"""A board: panels at their places, which scroll where the screen is too low for them."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import NULL_OFFSET, Region, Size, Spacing
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui_monitor.tui.drawing import Glyphs, safe, shorten, size_of
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.chart import Chart, ChartData
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.hollow import Hollow
from tui_monitor.tui.widgets.lines import Line

Regions = Callable[[int, int], Sequence[tuple[int, int, int, int]]]
"""Width and height of the screen → column, line, width and height of each panel."""


class Places(Layout):
    """Puts each child where it is said to be."""

    name = "places"

    def __init__(self, regions: Regions) -> None:
        self.regions = regions

    def arrange(
        self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True
    ) -> ArrangeResult:
        parent.pre_layout(self)
        found = self.regions(size.width, size.height)
        return [
            WidgetPlacement(Region(*region), NULL_OFFSET, Spacing(), child)
            for child, region in zip(children, found, strict=False)
        ]


class BoardGrid(Hollow, Widget):
    """The panels. Whoever owns it says where they stand."""

    DEFAULT_CSS = """
    BoardGrid { width: 1fr; height: 1fr; overflow: hidden auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, regions: Regions, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._places = Places(regions)

    @property
    def layout(self) -> Layout:
        """Where the panels stand."""
        return self._places

    @property
    def panels(self) -> "list[Panel]":
        """Those of the board that is shown, in its order."""
        return [child for child in self.children if isinstance(child, Panel) and child.display]

    async def make(self, kinds: "Sequence[type[Body]]") -> None:
        """Have an empty panel of each kind, in this order. Those there are are used again: new ones cost."""
        spare = [child for child in self.children if isinstance(child, Panel)]
        new: list[Panel] = []
        for number, kind in enumerate(kinds):
            panel = next((one for one in spare if type(one.body) is kind), None)
            if panel is None:
                new.append(Panel(number, kind()))
            else:
                spare.remove(panel)
                panel.begin(number)
        for panel in spare:
            panel.number, panel.display = len(kinds), False
        await self.mount_all(new)
        self.sort_children(key=lambda child: child.number if isinstance(child, Panel) else 0)


class Opened(Message):
    """Somebody wants to see what is behind a panel."""

    def __init__(self, body: Widget) -> None:
        super().__init__()
        self.body = body


class Figures(Drawn, can_focus=True):
    """Lines that are made for the room there is."""

    DEFAULT_CSS = """
    Figures { width: 1fr; height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False, id="panel.open_figures")
    ]

    def __init__(self) -> None:
        super().__init__()
        self._make: Callable[[int, int], Sequence[Line]] = lambda width, height: ()
        self._lines: tuple[Size, Sequence[Line]] | None = None

    def show(self, make: Callable[[int, int], Sequence[Line]]) -> None:
        """Show from now on what is made for a width and a height."""
        self._make, self._lines = make, None
        self.repaint_all()

    def clear(self) -> None:
        """Show nothing."""
        self.show(lambda width, height: ())

    def forget(self) -> None:
        """Let go of what was drawn."""
        self._lines = None
        super().forget()

    def draw(self, y: int) -> Strip:
        width = self.size.width
        if self._lines is None or self._lines[0] != self.size:
            self._lines = (self.size, self._make(*self.size))
        lines = self._lines[1]
        return (
            self.strip(joined(lines[y], width, self.glyphs), width) if y < len(lines) else self.blank(width)
        )

    def action_open(self) -> None:
        """Show what is behind it."""
        self.post_message(Opened(self))


class PanelChart(Chart):
    """A chart whose arrows are the board's until the crosshair is up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False, id="panel.open_chart")
    ]

    def action_point(self, step: int, far: bool = False) -> None:
        """Move the crosshair, once it is up."""
        if self.pointed is None:
            raise SkipAction
        super().action_point(step, far)

    def clear(self) -> None:
        """As nobody has seen it yet."""
        self.chosen = None
        self.show(ChartData(empty="reading"))

    def point_newest(self) -> None:
        """Put the crosshair on the newest value."""
        super().action_point(1)

    def action_open(self) -> None:
        """Show what is behind it."""
        self.post_message(Opened(self))


class PanelTable(Grid):
    """A table whose arrows lead out of it at its edges, and that fills its panel."""

    edge = 0
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", show=False, id="panel.open_table")
    ]

    def __init__(self) -> None:
        super().__init__(())

    def clear(self) -> None:
        """As nobody has seen it yet."""
        self.sort_by(None)
        self.set_columns(())
        self.show(())

    def action_move(self, rows: int) -> None:
        """Move the cursor, or leave it to the board at the first and last row."""
        before = self.cursor
        super().action_move(rows)
        if self.cursor == before:
            raise SkipAction

    def action_choose(self, step: int) -> None:
        """The next panel, for a table is narrow."""
        raise SkipAction

    def action_open(self) -> None:
        """Show what is behind it."""
        self.post_message(Opened(self))


class Heading(Drawn):
    """A panel's title; it shows whether the panel has the focus."""

    DEFAULT_CSS = """
    Heading { width: 1fr; height: 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._make: Callable[[bool], Line] = lambda lit: Line()

    def show(self, make: Callable[[bool], Line]) -> None:
        """Show from now on what is made for whether it is lit."""
        self._make = make
        self.repaint(0)

    def clear(self) -> None:
        """No title."""
        self.show(lambda lit: Line())

    def draw(self, y: int) -> Strip:
        width = self.size.width
        lit = self.parent is not None and any(child.has_focus for child in self.siblings)
        return self.strip(joined(self._make(lit), width, self.glyphs), width)


Body = Figures | PanelChart | PanelTable


class Panel(Hollow, Widget):
    """One panel: a title, a body, and what is said in its place where it cannot be answered."""

    DEFAULT_CSS = """
    Panel { width: 1fr; height: 1fr; layout: vertical; }
    """

    def __init__(self, number: int, body: Body) -> None:
        super().__init__()
        self.number = number
        self.heading = Heading()
        self.body = body
        self.instead = Figures()
        self.instead.display = False

    def compose(self) -> ComposeResult:
        yield self.heading
        yield self.body
        yield self.instead

    def begin(self, number: int) -> None:
        """Stand for a panel of another board: nothing is left of what it showed."""
        self.number, self.display = number, True
        self.say(None)
        self.heading.clear()
        self.body.clear()

    @property
    def front(self) -> Widget:
        """What is to be seen of it below its title."""
        return self.instead if self.instead.display else self.body

    def say(self, make: Callable[[int, int], Sequence[Line]] | None) -> None:
        """Say something in place of the body; with none, show the body."""
        lit = self.front.has_focus
        self.instead.display = make is not None
        self.body.display = make is None
        if make is not None:
            self.instead.show(make)
        if lit and not self.front.has_focus:
            self.front.focus()

    def on_descendant_focus(self) -> None:
        """Show that it has the focus, and all of it."""
        self.heading.repaint(0)
        self.scroll_visible(animate=False)

    def on_descendant_blur(self) -> None:
        """Show that it lost it."""
        self.heading.repaint(0)


def joined(line: Line, width: int, glyphs: Glyphs) -> list[tuple[str, str]]:
    """Both sides of a line in one row; where room is short the left one is cut."""
    right = [(safe(text, glyphs), token) for text, token in line.right]
    room = width - size_of(right)
    if not right or room < width // 3:
        return shorten(line.left, width, glyphs)
    left = shorten(line.left, max(0, room - 1), glyphs)
    return [*left, (" " * (room - size_of(left)), ""), *right]
