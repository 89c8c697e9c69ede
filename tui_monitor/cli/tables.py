"""Tables and facts for people: aligned for wide characters, cut to the terminal, styled only there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui_monitor.cli.output import Output
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from rich.text import Text

Cell = "str | tuple[str, str]"
"""A text, or a text and its style."""
GOOD, WARN, BAD, DIM, BOLD = "green", "yellow", "red", "dim", "bold"
_GAP = 2
_NARROWEST = 10
"""Cells a column that gives way keeps."""
_WIDEST = 200
"""Cells that one has at most where no terminal bounds it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Where the terminal is narrow, `flexible` ones give way and are cut; then whole columns go, the highest
    `rank` first, and none of rank 0. A figure is never cut.
    """

    title: str
    align: Literal["left", "right"] = "left"
    flexible: bool = False
    rank: int = 0


def number(title: str, rank: int = 0) -> Column:
    """A column of figures."""
    return Column(title, "right", rank=rank)


def name(title: str, rank: int = 0) -> Column:
    """A column of texts that may be long."""
    return Column(title, flexible=True, rank=rank)


def text_of(cell: "str | tuple[str, str]") -> "Text":
    """A cell as text that is never markup and never drives the terminal."""
    from rich.text import Text

    words, style = (cell, "") if isinstance(cell, str) else cell
    return Text(clean(words), style=style)


def table(out: Output, columns: Sequence[Column], rows: Sequence[Sequence["str | tuple[str, str]"]]) -> None:
    """Print a table under its titles."""
    from rich.table import Table

    titles = [text_of(column.title) for column in columns]
    cells = [[text_of(cell) for cell in row] for row in rows]
    widths = [max(row[index].cell_len for row in (titles, *cells)) for index in range(len(columns))]
    shown = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style=DIM)
    if not out.console.is_terminal:
        # A pipe has any width, and a name out of it may have any length.
        widths = [
            min(width, _WIDEST) if column.flexible else width
            for column, width in zip(columns, widths, strict=True)
        ]
    fitted = fit(columns, widths, out.console.width)
    for index, width in fitted.items():
        align = columns[index].align
        shown.add_column(titles[index], justify=align, no_wrap=True, overflow="ellipsis", width=width)
    for row in cells:
        shown.add_row(*(row[index] for index in fitted))
    out.draw(shown)


def fit(columns: Sequence[Column], widths: Sequence[int], room: int) -> dict[int, int]:
    """Columns that fit, and their widths: flexible ones give way first, the widest of them first."""
    shown = dict(enumerate(widths))
    while True:
        over = sum(shown.values()) + _GAP * (len(shown) - 1) - room
        able = [i for i, width in shown.items() if columns[i].flexible and width > _NARROWEST]
        if over <= 0:
            return shown
        if over <= sum(shown[i] - _NARROWEST for i in able):
            shown[max(able, key=lambda i: shown[i])] -= 1
            continue
        droppable = [i for i in shown if columns[i].rank]
        if not droppable:
            return {i: _NARROWEST if i in able else width for i, width in shown.items()}
        del shown[max(droppable, key=lambda i: columns[i].rank)]


def title(out: Output, text: str) -> None:
    """The head of a section."""
    from rich.text import Text

    out.line(Text(text.upper(), style=BOLD))


def facts(out: Output, pairs: Sequence[tuple[str, "str | tuple[str, str]"]]) -> None:
    """Names and what they are, one on each line."""
    from rich.text import Text

    width = max((len(key) for key, _ in pairs), default=0)
    for key, cell in pairs:
        out.line(Text.assemble((f"{key:<{width}}  ", DIM), text_of(cell)))
