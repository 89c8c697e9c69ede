"""The columns of a grid: what stands in them, how the width is shared out, how a row is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tui_monitor.tui.drawing import Align, Glyphs, Span, fit, safe, width_of

GAP = 2
"""Cells between two columns."""
_MARK = 2
"""Cells of a mark behind a text."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    With `width` it is always so wide; where room is short the column with the highest `rank` goes first, rank
    0 last. Without, it gets what is left between `min` and `max`. Texts aligned to the left are cut; those
    aligned to the right are numbers, and a number is shown whole or not at all.
    """

    key: str
    title: str
    width: int = 0
    min: int = 8
    max: int = 60
    align: Align = "left"
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place: text, its style token, a glyph before it, and the raw value it sorts by.

    A `mark` is a character of a colour of its own behind the text, which then has two cells less.
    """

    text: str
    style: str = ""
    glyph: str = ""
    sort: Any = field(default=None, compare=False)
    mark: Span | None = None
    says: bool = field(default=False, compare=False)
    """Whether its text is not what the column's title asks for, and says all by itself."""


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row, under a key that stays while its cells change.

    A row with a `heading` is the title of those below it, and has nothing else.
    """

    key: str
    cells: Mapping[str, Cell] = field(default_factory=dict)
    heading: str = ""


def arrange(rows: Sequence[GridRow], order: tuple[str, bool] | None) -> tuple[GridRow, ...]:
    """The rows below each heading by the raw values of a column, unknown ones last.

    `order` is a column's key and whether the largest comes first; none is the order given.
    """
    if order is None:
        return tuple(rows)
    parts: list[list[GridRow]] = [[]]
    for row in rows:
        if row.heading:
            parts.append([])
        parts[-1].append(row)
    return tuple(row for part in parts for row in _in_order(part, *order))


def _in_order(rows: Sequence[GridRow], column: str, reverse: bool) -> list[GridRow]:
    def value(row: GridRow) -> Any:
        cell = row.cells.get(column)
        return None if cell is None else cell.sort

    headings = [row for row in rows if row.heading]
    known = sorted((row for row in rows if value(row) is not None), key=value, reverse=reverse)
    return [*headings, *known, *(row for row in rows if value(row) is None and not row.heading)]


Places = Sequence[tuple[Column, int]]
"""Columns with their widths in cells."""


def lay_out(columns: Sequence[Column], width: int) -> list[tuple[Column, int]]:
    """The columns that have room in `width` cells, with their widths: the same whatever they hold."""
    kept = list(columns)
    while len(kept) > 1 and _least(kept) > width:
        kept.remove(max(reversed(kept), key=lambda column: column.rank))
    room = width - _least(kept)
    widths = [column.width or column.min for column in kept]
    while room > 0:
        growing = [i for i, column in enumerate(kept) if not column.width and widths[i] < column.max]
        if not growing:
            break
        share = max(1, room // len(growing))
        for i in growing:
            more = min(share, kept[i].max - widths[i], room)
            widths[i] += more
            room -= more
    if len(kept) == 1:
        widths[0] = max(0, min(widths[0], width))
    return list(zip(kept, widths, strict=True))


def _least(columns: Sequence[Column]) -> int:
    return sum(column.width or column.min for column in columns) + GAP * (len(columns) - 1)


def place(text: str, column: Column, width: int, glyphs: Glyphs) -> str:
    """A text in its column. A number that is too wide borrows from the gap, else it is not shown."""
    text = safe(text, glyphs)
    if column.align == "right" and width_of(text) > width:
        return text if width_of(text) < width + GAP else fit(glyphs.ellipsis, width, "right", glyphs)
    return fit(text, width, column.align, glyphs)


def draw_row(row: GridRow, places: Places, glyphs: Glyphs, chosen: str | None = None) -> list[Span]:
    """The cells of a row side by side; `chosen` is the column under the cursor."""
    spans: list[Span] = []
    for column, width in places:
        cell = row.cells.get(column.key)
        text = "" if cell is None else f"{cell.glyph} {cell.text}" if cell.glyph else cell.text
        mark = None if cell is None else cell.mark
        room = width if mark is None else width - _MARK
        drawn = place(text, column, room, glyphs)
        style = "" if cell is None else cell.style
        rest = ""
        if mark is not None and column.align == "left":
            drawn, rest = _bare(drawn)
        _append(spans, drawn, room, f"{style} reverse" if column.key == chosen else style)
        if mark is not None:
            spans += [(fit(f" {mark[0]}", _MARK, "left", glyphs), mark[1]), (rest, "")]
    return spans


def draw_header(
    places: Places, glyphs: Glyphs, order: tuple[str, bool] | None, chosen: str | None = None
) -> list[Span]:
    """The titles, the one that is sorted by with an arrow."""
    spans: list[Span] = []
    for column, width in places:
        title = column.title
        if order is not None and order[0] == column.key:
            arrow = safe("▾" if order[1] else "▴", glyphs)
            title = f"{arrow}{title}" if column.align == "right" else f"{title} {arrow}"
        style = "accent" if column.key == chosen else "dim"
        _append(spans, place(title, column, width, glyphs), width, style)
    return spans


def _bare(text: str) -> tuple[str, str]:
    """A text and the spaces behind it."""
    bare = text.rstrip(" ")
    return bare, text[len(bare) :]


def _append(spans: list[Span], text: str, width: int, style: str) -> None:
    """Add a column behind the gap, from which a wide number may have borrowed."""
    if spans:
        spans.append((" " * (GAP - max(0, width_of(text) - width)), ""))
    spans.append((text, style))
