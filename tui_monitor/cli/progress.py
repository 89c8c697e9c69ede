"""A bar on standard error for what takes longer than a moment."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tui_monitor.cli.context import Context

Told = Callable[[int, int], None]
"""Called with what is done and with the whole, in any unit."""


@contextmanager
def bar(context: Context, what: str) -> Iterator[Told | None]:
    """Show how far something is, where a person looks at it; else `None`."""
    if not sys.stderr.isatty() or context.out.plain or context.out.ascii:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)

        def told(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total or None)

        yield told
