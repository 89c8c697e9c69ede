"""What a pane shows, as a file: a table with exact values, all of the answer, or a picture of the screen."""

import csv
import io
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import UsageError
from tui_monitor.model.units import UNKNOWN
from tui_monitor.tui.drawing import printable
from tui_monitor.tui.widgets.grid import Cell, Column, Grid

_FORMULA = ("=", "+", "-", "@")
_MODE = 0o600
DRAWN = frozenset(("bar", "spark"))
"""Columns that only draw what others say."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a header. A number is exact; `None` is unknown."""

    header: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def csv(self) -> bytes:
        """As comma-separated values; unknown is empty. A text that a spreadsheet would reckon is quoted."""
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(self.header)
        writer.writerows([_written(value) for value in row] for row in self.rows)
        return out.getvalue().encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Export:
    """What can be written of a pane, as it was when the key was pressed."""

    name: str
    """The pane's, for the file."""
    table: Table | None
    data: Any
    """What programs get; `None` where there is nothing."""


Write = Callable[[], bytes]


def table_of(grid: Grid) -> Table | None:
    """The rows of a list with their raw values; none where it is empty."""
    columns = [column for column in grid.columns if column.key not in DRAWN]
    rows = [row for row in grid.rows if not row.heading]
    if not rows or not columns:
        return None
    header = tuple(column.title.strip() or column.key for column in columns)
    return Table(header, tuple(tuple(_raw(row.cells.get(c.key), c) for c in columns) for row in rows))


def _raw(cell: Cell | None, column: Column) -> Any:
    if cell is None or cell.text == UNKNOWN:
        return None
    number = column.align == "right" and isinstance(cell.sort, int | float)
    return cell.sort if number else cell.text


def _written(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        value = as_json(value).decode().strip()
    if not isinstance(value, str):
        return "" if value is None else value
    text = printable(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_json(data: Any) -> bytes:
    """Data as the API writes it, on one line."""
    from pydantic_core import to_json

    return to_json(data, inf_nan_mode="strings", serialize_unknown=True) + b"\n"


def file_name(name: str, kind: str, at: Micros, calendar: Calendar) -> str:
    """A name that says what it is and of when."""
    return f"tui-monitor-{name}-{calendar.local(at):%Y-%m-%d-%H%M%S}.{kind}"


def save(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a file that only its owner may read, whole or not at all.

    Raises `UsageError`: where it is there already and is not to be replaced, or cannot be written.
    """
    try:
        if path.is_dir():
            raise UsageError(f"{path} is a directory")
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            part = Path(file.name)
            try:
                os.fchmod(file.fileno(), _MODE)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
                if replace:
                    os.replace(part, path)
                else:
                    os.link(part, path)
            finally:
                with suppress(OSError):
                    part.unlink()
    except FileExistsError as error:
        raise UsageError(f"{path} exists already") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error


def named(text: str) -> Path:
    """The file that a person means: `~` is their directory. Raises `UsageError` for none."""
    if not text.strip():
        raise UsageError("name a file")
    return Path(text.strip()).expanduser().absolute()


def kinds(export: Export) -> Sequence[tuple[str, str]]:
    """The kinds of file that fit, with what they hold."""
    found: list[tuple[str, str]] = []
    if export.table is not None:
        found.append(("csv", f"the {len(export.table.rows):,} rows of the list, exact values"))
    if export.data is not None:
        found.append(("json", "all that was answered, exact values"))
    return [*found, ("svg", "a picture of the screen")]
