"""A table of live rows: the cursor keeps to its row, columns keep their place, only changes are repainted."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.actions import SkipAction
from textual.binding import BindingType
from textual.events import Blur, Click, Focus, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from tui_monitor.tui import commands
from tui_monitor.tui.drawing import Span, wrap
from tui_monitor.tui.widgets.base import Drawn
from tui_monitor.tui.widgets.columns import (
    GAP,
    Cell,
    Column,
    GridRow,
    arrange,
    draw_header,
    draw_row,
    lay_out,
)

__all__ = ["Cell", "Column", "Grid", "GridRow"]

MARGIN = 2
"""Cells before the first column, where the cursor's mark stands."""
EDGE = 1
"""Cells that stay free behind the last column; the cursor's bar goes on over them."""
_WHEEL = 3
"""Rows per step of the wheel."""


class Grid(Drawn, can_focus=True):
    """A list of rows with a cursor.

    Rows are drawn in the order they are given, or by `sort_by`. The cursor stays on its row's key when rows
    move, come or go; when its own row goes, it takes the one that came in its place. `left` and `right`
    choose one value of the row. Headings stay where they are, and the cursor passes over them.
    """

    DEFAULT_CSS = "Grid { width: 1fr; height: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = commands.bindings("list")
    edge: ClassVar[int] = EDGE

    class Told(Message):
        """What grids tell."""

        def __init__(self, grid: "Grid") -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> "Grid":
            """The grid, for selectors."""
            return self.grid

    class Moved(Told):
        """The cursor is on another row; `key` is none where there are no rows any more."""

        def __init__(self, grid: "Grid", key: str | None) -> None:
            super().__init__(grid)
            self.key = key

    class Scrolled(Told):
        """Other rows are to be seen, and the cursor stayed on its own."""

    class Opened(Told):
        """A row was opened by enter or a second click; `column` is the value chosen in it, if one is."""

        def __init__(self, grid: "Grid", key: str, column: str | None) -> None:
            super().__init__(grid)
            self.key = key
            self.column = column

    class HeaderClicked(Told):
        """A column's title was clicked."""

        def __init__(self, grid: "Grid", column: str) -> None:
            super().__init__(grid)
            self.column = column

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`empty` is shown where there are no rows; it may have several lines."""
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self.empty = empty
        self._given: tuple[GridRow, ...] = ()
        self._rows: tuple[GridRow, ...] = ()
        self._places: list[tuple[Column, int]] = []
        self._order: tuple[str, bool] | None = None
        self._cursor: str | None = None
        self._at = 0
        self._top = 0
        self._chosen: str | None = None
        self._drawn: list[object] = []

    @property
    def rows(self) -> tuple[GridRow, ...]:
        """The rows in the order they are drawn."""
        return self._rows

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, those without room too."""
        return self._columns

    @property
    def cursor(self) -> str | None:
        """The key of the row under the cursor; none where there are no rows."""
        return self._cursor

    @property
    def chosen(self) -> str | None:
        """The key of the column whose value is chosen; none is the row as a whole."""
        return self._chosen

    @property
    def order(self) -> tuple[str, bool] | None:
        """The column sorted by, and whether the largest comes first; none is the order given."""
        return self._order

    @property
    def visible_columns(self) -> list[str]:
        """The keys of the columns that have room."""
        return [column.key for column, _ in self._places]

    @property
    def bottom(self) -> int:
        """The index of the last row that is to be seen."""
        return min(self._top + max(1, self._body()), len(self._rows)) - 1

    @property
    def top(self) -> int:
        """The index of the first row that is to be seen."""
        return self._top

    def row(self, key: str | None) -> GridRow | None:
        """The row under a key."""
        return next((row for row in self._rows if row.key == key), None)

    def show(self, rows: Sequence[GridRow]) -> None:
        """Show these rows from now on. Their keys are unique."""
        self._given = tuple(rows)
        self._arrange()

    def say_empty(self, text: str) -> None:
        """What stands where there are no rows."""
        if text != self.empty:
            self.empty = text
            self._refresh_changed()

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns from now on."""
        if tuple(columns) != self._columns:
            self._columns = tuple(columns)
            self._place()

    def sort_by(self, column: str | None, reverse: bool = False) -> None:
        """Order the rows by the raw values of a column, unknown ones last; none is the order given."""
        self._order = None if column is None else (column, reverse)
        self._arrange()

    def move_to(self, key: str) -> None:
        """Put the cursor on a row, if it is there."""
        for index, row in enumerate(self._rows):
            if row.key == key:
                self._go(index)
                return

    # Arranging.

    def _arrange(self) -> None:
        """Order the rows and put the cursor back on its own."""
        before, line = self._cursor, self._at - self._top
        seen = 0 <= line < max(1, self._body())
        count = len(self._rows)
        self._rows = arrange(self._given, self._order)
        index = next((i for i, row in enumerate(self._rows) if row.key == self._cursor), None)
        self._at = self._row_at(self._at if index is None else index)
        self._cursor = self._key_at(self._at)
        if seen and self._top > 0:
            # Rows that come or go above leave the cursor on its line of the screen.
            self._top = self._at - line
        self._clamp(follow=seen)
        if self._cursor != before:
            self.post_message(self.Moved(self, self._cursor))
        if count != len(self._rows) and self.styles.height is not None and self.styles.height.is_auto:
            self.refresh(layout=True)
        self._refresh_changed()

    def _clamp(self, *, follow: bool) -> None:
        body = max(1, self._body())
        if follow:
            # The first row below a heading brings it along.
            first = self._at - (body > 1 and self._is_heading(self._at - 1))
            self._top = max(self._at - body + 1, min(self._top, first))
        self._top = max(0, min(self._top, len(self._rows) - body))

    def _is_heading(self, index: int) -> bool:
        return 0 <= index < len(self._rows) and bool(self._rows[index].heading)

    def _row_at(self, index: int, step: int = 1) -> int:
        """The row at an index, or the next one that way that is no heading; else the next the other way."""
        index = max(0, min(index, len(self._rows) - 1))
        for way in (step, -step):
            at = index
            while self._is_heading(at):
                at += way
            if 0 <= at < len(self._rows):
                return at
        return index

    def _key_at(self, index: int) -> str | None:
        return self._rows[index].key if index < len(self._rows) and not self._is_heading(index) else None

    def sized(self) -> None:
        self._places = lay_out(self._columns, self.size.width - MARGIN - self.edge)
        if self._chosen not in self.visible_columns:
            self._chosen = None
        self._clamp(follow=True)
        self._drawn = [self._content(y) for y in range(self.size.height)]

    @on(Resize)
    def _place(self) -> None:
        self.sized()
        self.refresh()

    def _header(self) -> int:
        """Lines of the header: a low grid keeps them for its rows, and titles of nothing are not shown."""
        titled = any(column.title for column in self._columns)
        room = self.size.height >= 3 or self.size.height > len(self._rows) > 0
        return 1 if titled and room and (self._rows or not self.empty) else 0

    def _body(self) -> int:
        """Lines for rows; one is kept to say how many more there are."""
        lines = self.size.height - self._header()
        return lines - 1 if len(self._rows) > lines and lines >= 3 else lines

    # Drawing.

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._rows or wrap(self.empty, width - MARGIN - self.edge)) + 1

    def _content(self, y: int) -> object:
        """What is to be seen on a line; equal content is not painted again."""
        header = self._header()
        if y < header:
            return ("header", self._order, self._chosen)
        if not self._rows:
            return ("empty", self.empty)
        index = self._top + y - header
        if y - header < self._body() and index < len(self._rows):
            here = index == self._at
            return (self._rows[index], here, here and self.has_focus, self._chosen if here else None)
        below = len(self._rows) - self._top - self._body()
        return ("more", self._top, below) if y == self.size.height - 1 else ("blank",)

    def _refresh_changed(self) -> None:
        drawn = [self._content(y) for y in range(self.size.height)]
        if len(drawn) != len(self._drawn):
            self.refresh()
        else:
            for y, (before, after) in enumerate(zip(self._drawn, drawn, strict=True)):
                if before != after:
                    self.repaint(y)
        self._drawn = drawn

    def draw(self, y: int) -> Strip:
        width = self.size.width
        header = self._header()
        index = self._top + y - header
        if y < header:
            spans = draw_header(self._places, self.glyphs, self._order, self._chosen)
            return self.strip([(" " * MARGIN, ""), *spans], width)
        if not self._rows:
            lines = wrap(self.empty, width - MARGIN - self.edge, self.glyphs)
            text = lines[y - header] if y - header < len(lines) else ""
            return self.strip([(" " * MARGIN, ""), (text, "dim")], width)
        if y - header < self._body():
            return self._draw(index, width) if index < len(self._rows) else self.blank(width)
        return self.strip([(" " * MARGIN, ""), (self._more(), "dim")], width)

    def _draw(self, index: int, width: int) -> Strip:
        if self._is_heading(index):
            return self.strip([(" ", ""), (self._rows[index].heading, "accent bold")], width)
        here = index == self._at
        lit = here and self.has_focus
        spans = draw_row(self._rows[index], self._places, self.glyphs, self._chosen if lit else None)
        mark: Span = ((self.glyphs.cursor if here else "").ljust(MARGIN), "accent" if lit else "dim")
        if not lit:
            return self.strip([mark, *spans], width)
        return self.strip([(text, f"{token} cursor") for text, token in (mark, *spans)], width, "cursor")

    def _more(self) -> str:
        below = len(self._rows) - self._top - self._body()
        parts = [f"{self._top} more {self.glyphs.above}"] if self._top else []
        if below > 0:
            parts.append(f"{below} more {self.glyphs.below}")
        return "   ".join(parts)

    # Events and keys.

    @on(Focus)
    @on(Blur)
    def _focus_changed(self) -> None:
        self._refresh_changed()

    def on_click(self, event: Click) -> None:
        """First click: the cursor comes; second: the row opens."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        line = offset.y - self._header()
        if line < 0:
            column = self._column_at(offset.x)
            if column is not None:
                self.post_message(self.HeaderClicked(self, column))
        elif line < self._body() and self._key_at(self._top + line) is not None:
            if self._top + line == self._at:
                self.action_open()
            else:
                self._go(self._top + line)

    def _column_at(self, x: int) -> str | None:
        left = MARGIN
        for column, width in self._places:
            if left <= x < left + width:
                return column.key
            left += width + GAP
        return None

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self._scroll(-_WHEEL)

    def _scroll(self, rows: int) -> None:
        self._top += rows
        self._clamp(follow=False)
        self._refresh_changed()
        self.post_message(self.Scrolled(self))

    def _go(self, index: int) -> None:
        if not self._rows:
            return
        before = self._cursor
        self._at = self._row_at(index, 1 if index >= self._at else -1)
        self._cursor = self._key_at(self._at)
        self._clamp(follow=True)
        if self._cursor != before:
            self.post_message(self.Moved(self, self._cursor))
        self._refresh_changed()

    def action_move(self, rows: int) -> None:
        """Move the cursor by so many rows."""
        self._go(self._at + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by so many screens."""
        self._go(self._at + pages * max(1, self._body() - 1))

    def action_half(self, halves: int) -> None:
        """Move the cursor by so many halves of a screen."""
        self._go(self._at + halves * max(1, self._body() // 2))

    def action_jump(self, index: int) -> None:
        """Go to the first row (0) or the last (-1)."""
        self._go(index if index >= 0 else len(self._rows) + index)

    def action_choose(self, step: int) -> None:
        """Choose the next value to one side; before the first one stands the row as a whole."""
        if not any(column.title for column in self._columns):
            # A list to choose from, whose dialog may have a use for the key.
            raise SkipAction
        keys: list[str | None] = [None, *self.visible_columns[1:]]
        at = keys.index(self._chosen) if self._chosen in keys else 0
        self._chosen = keys[max(0, min(at + step, len(keys) - 1))]
        self._refresh_changed()

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self._cursor is not None:
            self.post_message(self.Opened(self, self._cursor, self._chosen))
