"""The alert rules as the engine of this database understands them, and what they say at this moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context

if TYPE_CHECKING:
    from tui_monitor.alerts.machine import Reading
    from tui_monitor.alerts.rules import Problem, Reason, Rule
    from tui_monitor.query.engine import Engine
    from tui_monitor.store.database import Store


@dataclass(frozen=True, slots=True)
class Said:
    """What one rule says at this moment: what it reads, or why that cannot be told."""

    rule: str
    readings: "tuple[Reading, ...]" = ()
    error: str = ""


def problems(context: Context) -> "list[Problem]":
    """Rules that cannot be evaluated, and what else is odd about them. Raises `StoreError`."""
    from tui_monitor.alerts.rules import check

    with engine_of(context) as engine:
        return check(compiled(context, engine))


def compiled(context: Context, engine: "Engine") -> "tuple[Rule, ...]":
    """All rules: a person's own, then the shipped ones."""
    from tui_monitor.alerts.rules import compile_rules
    from tui_monitor.alerts.shipped import shipped_rules

    settings = context.settings
    return compile_rules(
        settings.alerts.rules,
        engine,
        shipped=shipped_rules(settings),
        disabled=settings.alerts.disabled,
        budgets=settings.all_budgets(),
        calendar=settings.calendar(),
    )


def reasons(context: Context) -> "Reason":
    """Why each provider is as it is. Raises `StoreError`."""
    from tui_monitor.model.timerange import TimeRange

    if not context.database.exists():
        return lambda labels: ""
    view = context.ask(lambda monitor: monitor.providers(TimeRange()))
    known = {row.provider: row.reason for row in view.rows}
    return lambda labels: known.get(labels.get("provider", ""), "")


def says(context: Context, rule: "Rule", engine: "Engine", reason: "Reason | None" = None) -> Said:
    """What a rule reads at the newest instant at which rules are looked at."""
    from tui_monitor.alerts.rules import read
    from tui_monitor.model.errors import MonitorError

    if rule.condition is None:
        return Said(rule.name)
    interval = context.settings.alerts.interval
    try:
        at = context.clock.now() // interval * interval
        return Said(rule.name, tuple(read(rule, engine, at, reason=reason)))
    except MonitorError as error:
        return Said(rule.name, error=error.message)


@contextmanager
def engine_of(context: Context) -> "Iterator[Engine]":
    """The engine over the database, whose own metrics rules may ask for. Raises `StoreError`."""
    from tui_monitor.query.engines.choose import close, engine_for
    from tui_monitor.query.local import LocalEngine

    with store_of(context) as store:
        calendar = context.settings.calendar()
        local = LocalEngine(store, calendar, clock=context.clock)
        engine = engine_for(context.settings.query, local, calendar, context.clock)
        try:
            yield engine
        finally:
            close(engine)


@contextmanager
def store_of(context: Context) -> "Iterator[Store]":
    """The database for reading; an empty one if there is none yet. Raises `StoreError`."""
    from tui_monitor.store.database import Store

    with TemporaryDirectory(prefix="tui-monitor-") as folder:
        there = context.database.exists()
        path = context.database if there else Path(folder) / "empty.db"
        store = Store.open(path, write=not there, clock=context.clock)
        try:
            yield store
        finally:
            store.close()
