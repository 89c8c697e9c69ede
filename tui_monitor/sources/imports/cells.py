"""Cells of a table as numbers, and columns by their names."""

import difflib
from collections.abc import Sequence

from tui_monitor.recorder.checks import Invalid, finite, shown
from tui_monitor.sources.imports.api import ImportFailure


def whole(column: str, cell: str) -> int | None:
    """A whole number, also written `63.0`; empty is unknown."""
    if cell.isdecimal() and len(cell) < 20:
        return int(cell)
    number = decimal(column, cell)
    if number is None or not number.is_integer():
        if number is None:
            return None
        raise Invalid(f"{column} {shown(cell)} is not a whole number")
    return int(number)


def decimal(column: str, cell: str) -> float | None:
    """A number; empty is unknown."""
    if not cell or cell.isspace():
        return None
    try:
        return finite(column, float(cell))
    except ValueError:
        raise Invalid(f"{column} {shown(cell)} is not a number") from None


def truth(column: str, cell: str) -> bool:
    """`true`, `false`, 1 or 0."""
    word = cell.strip().lower()
    if word in ("true", "1", "yes"):
        return True
    if word in ("false", "0", "no"):
        return False
    raise Invalid(f"{column} {shown(cell)} is neither true nor false")


def indexes(header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where these columns stand. Raises `ImportFailure` naming those that are missing."""
    missing = [name for name in wanted if name not in header]
    if missing:
        near = difflib.get_close_matches(missing[0], header, 1)
        raise ImportFailure(
            f"no column {missing[0]!r} among {', '.join(header)}"[:500],
            hint=f"did you mean {near[0]!r}?" if near else None,
        )
    return [header.index(name) for name in wanted]
