"""What is wrong with the alert rules, as the engine of this database understands them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context

if TYPE_CHECKING:
    from tui_monitor.alerts.rules import Problem
    from tui_monitor.store.database import Store


def problems(context: Context) -> "list[Problem]":
    """Rules that cannot be evaluated, and what else is odd about them. Raises `StoreError`."""
    settings = context.settings
    if not settings.alerts.rules:
        return []
    from tui_monitor.alerts.rules import check, compile_rules
    from tui_monitor.query.local import LocalEngine

    with _store(context) as store:
        engine = LocalEngine(store, settings.calendar())
        return check(
            compile_rules(
                settings.alerts.rules,
                engine,
                disabled=settings.alerts.disabled,
                budgets=settings.all_budgets(),
                calendar=settings.calendar(),
            )
        )


@contextmanager
def _store(context: Context) -> "Iterator[Store]":
    """The database, whose own metrics rules may ask for; an empty one where there is none yet."""
    from tui_monitor.store.database import Store

    with TemporaryDirectory(prefix="tui-monitor-") as folder:
        there = context.database.exists()
        path = context.database if there else Path(folder) / "empty.db"
        store = Store.open(path, write=not there, clock=context.clock)
        try:
            yield store
        finally:
            store.close()
