"""What a command says on standard error while it brings a database of an older version up to date."""

import sys
import time
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context

if TYPE_CHECKING:
    from tui_monitor.store.database import Store
    from tui_monitor.store.upgrade import Told, Update

DOING = "bringing the database up to date"
_LINE_S = 5.0
"""Between two lines where nobody looks at a terminal."""


def update(context: Context) -> "Update":
    """How a command does it."""
    from tui_monitor.store.upgrade import Update

    return Update(context.settings.database.update_copies, telling(context))


def telling(context: Context) -> "Told":
    """One line that changes on a terminal; elsewhere a line now and then."""
    alive = sys.stderr.isatty() and not context.out.plain
    due = 0.0

    def line(what: str, share: float) -> None:
        nonlocal due
        words = f"{DOING}, {share:.0%}: {what}"
        if alive:
            print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
        elif (now := time.monotonic()) >= due:
            due = now + _LINE_S
            context.out.note(words)

    return line


def tell_updated(context: Context, store: "Store") -> None:
    """That it was done, and how to go back."""
    if store.updated is None:
        return
    if sys.stderr.isatty() and not context.out.plain:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    context.out.note(f"note: {store.updated.words}")
