"""A list of which only those rows are shown that have the words asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from textual.dom import DOMNode

from tui_monitor.tui.keymap import keymap_of
from tui_monitor.tui.widgets.columns import Column, GridRow
from tui_monitor.tui.widgets.grid import Grid

_TERM = re.compile(
    r'(?P<no>!)?(?:(?P<name>[^\s=!"]+)(?P<how>!?=))?(?:"(?P<quoted>[^"]*)"?|(?P<bare>[^\s"]*))'
)
MOST = 20
"""Words of one filter that are looked at."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: a word anywhere in a row, or what the value of a column begins with.

    Upper and lower case are the same. With `no` the row must not have it.
    """

    text: str
    column: str = ""
    no: bool = False

    def passes(self, row: GridRow) -> bool:
        """Whether the row fulfils it."""
        if self.column:
            cell = row.cells.get(self.column)
            found = (cell.text if cell is not None else "").casefold().strip().startswith(self.text)
        else:
            found = any(self.text in cell.text.casefold() for cell in row.cells.values())
        return found != self.no


def terms(text: str, columns: Sequence[Column]) -> list[Term]:
    """The conditions of a filter; every text is one.

    Words stand for themselves, `"several words"` in quotes together, `state=failed` for a column by its key
    or title; `!` turns a condition round, as does `state!=failed`. What is no column's name is a word.
    """
    names = {name: column.key for column in columns for name in (column.title.strip(), column.key) if name}
    found: list[Term] = []
    for match in _TERM.finditer(text.casefold()):
        value = match["quoted"] if match["quoted"] is not None else match["bare"] or ""
        column = names.get(match["name"] or "", "")
        if match["name"] and not column:
            value = f"{match['name']}{match['how']}{value}"
        if value:
            no = bool(match["no"]) != bool(column and match["how"] == "!=")
            found.append(Term(value.strip() or value, column, no))
    return found[:MOST]


def sift(rows: Sequence[GridRow], wanted: Sequence[Term]) -> list[GridRow]:
    """The rows that fulfil all conditions; a heading stays where it has some."""
    kept: list[GridRow] = []
    heading: GridRow | None = None
    for row in rows:
        if row.heading:
            heading = row
        elif all(term.passes(row) for term in wanted):
            if heading is not None:
                kept.append(heading)
                heading = None
            kept.append(row)
    return kept


class SiftedGrid(Grid):
    """A grid with a filter over what its rows show. Columns without room are looked at too."""

    class Counted(Grid.Told):
        """Other rows pass the filter, or there are more or fewer of them."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(columns, empty=empty, id=id, classes=classes)
        self._all: tuple[GridRow, ...] = ()
        self._words = ""
        self._said = empty
        self._counts = (0, 0)

    @property
    def words(self) -> str:
        """The filter; empty where all rows are shown."""
        return self._words

    @property
    def counts(self) -> tuple[int, int]:
        """How many rows pass, and how many there are."""
        return self._counts

    def show(self, rows: Sequence[GridRow]) -> None:
        self._all = tuple(rows)
        self._sift()

    def say_empty(self, text: str) -> None:
        self._said = text
        self._say()

    def sift(self, words: str) -> None:
        """Show only rows that pass this filter from now on; all of them where it is empty."""
        if words.strip() != self._words:
            self._words = words.strip()
            self._sift()

    def _sift(self) -> None:
        wanted = terms(self._words, self.columns)
        kept = sift(self._all, wanted) if wanted else self._all
        counts = (_rows(kept), _rows(self._all))
        told, self._counts = self._counts, counts
        super().show(kept)
        self._say()
        if wanted and counts != told:
            self.post_message(self.Counted(self))

    def _say(self) -> None:
        _, there = self._counts
        if not self._words or not there:
            super().say_empty(self._said)
            return
        lines = [f"None of {there} has: {self._words}", "", f"{leave_key(self)} shows all of them."]
        names = [column.title.strip() for column in self.columns]
        named = [f"{name}=" for name in names if name and " " not in name]
        if "=" in self._words and named:
            lines.append(f"Values are looked at by column: {' '.join(named)}")
        super().say_empty("\n".join(lines))


def leave_key(widget: DOMNode) -> str:
    """The key that goes from a filter back to all rows, in the pane in which the list is."""
    keys = keymap_of(widget.app)
    ids = (f"{node.id}.leave" for node in widget.ancestors)
    return next((keys.key(id) for id in ids if keys.get(id)), "esc")


class Stacked(SiftedGrid):
    """A list above or below others: the cursor goes on into the next one."""

    class Left(Grid.Told):
        """The cursor wants to go on above the first row (-1) or below the last (1)."""

        def __init__(self, grid: Grid, step: int) -> None:
            super().__init__(grid)
            self.step = step

    def action_move(self, rows: int) -> None:
        """Move the cursor by so many rows, at the end into the next list."""
        before = self.cursor
        super().action_move(rows)
        if self.cursor == before:
            self.post_message(self.Left(self, 1 if rows > 0 else -1))


def _rows(rows: Sequence[GridRow]) -> int:
    return sum(not row.heading for row in rows)
