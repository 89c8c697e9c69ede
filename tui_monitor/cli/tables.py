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
_NARROWEST = 8
"""Cells a column that gives way keeps."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. A `flexible` one gives way where the terminal is narrow, and is cut."""

    title: str
    align: Literal["left", "right"] = "left"
    flexible: bool = False


def number(title: str) -> Column:
    """A column of figures."""
    return Column(title, "right")


def name(title: str) -> Column:
    """A column of texts that may be long."""
    return Column(title, flexible=True)


def text_of(cell: "str | tuple[str, str]") -> "Text":
    """A cell as text that is never markup and never drives the terminal."""
    from rich.text import Text

    words, style = (cell, "") if isinstance(cell, str) else cell
    return Text(clean(words), style=style)


def table(out: Output, columns: Sequence[Column], rows: Sequence[Sequence["str | tuple[str, str]"]]) -> None:
    """Print a table under its titles."""
    from rich.table import Table

    cells = [[text_of(cell) for cell in row] for row in rows]
    widths = [
        max([len(column.title), *(row[index].cell_len for row in cells)])
        for index, column in enumerate(columns)
    ]
    shown = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style=DIM)
    for column, width in zip(columns, _fit(out, columns, widths), strict=True):
        shown.add_column(column.title, justify=column.align, no_wrap=True, overflow="ellipsis", width=width)
    for row in cells:
        shown.add_row(*row)
    out.draw(shown)


def _fit(out: Output, columns: Sequence[Column], widths: list[int]) -> list[int]:
    """The widths, those of flexible columns smaller until all fit; the widest gives first."""
    over = sum(widths) + _GAP * len(widths) - out.console.width
    widths = list(widths)
    while over > 0:
        able = [i for i, column in enumerate(columns) if column.flexible and widths[i] > _NARROWEST]
        if not able:
            break
        widest = max(able, key=lambda i: widths[i])
        widths[widest] -= 1
        over -= 1
    return widths


def title(out: Output, text: str) -> None:
    """The head of a section."""
    from rich.text import Text

    out.line(Text(text.upper(), style=BOLD))


def facts(out: Output, pairs: Sequence[tuple[str, "str | tuple[str, str]"]]) -> None:
    """Names and what they are, one on each line."""
    from rich.text import Text

    width = max((len(key) for key, _ in pairs), default=0)
    for key, cell in pairs:
        out.line(Text(f"{key:<{width}}  ", style=DIM).append_text(text_of(cell)))
