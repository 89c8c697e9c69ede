"""Named migrations, one file per feature, each applied once and recorded.

A file has `NAME`, `AFTER` (names it needs before it) and `up(conn)`. Nothing released is ever changed:
a later change of a feature's tables is a file of its own.
"""

import pkgutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from tui_monitor.model.errors import StoreError
from tui_monitor.store import opening


class Older(StoreError):
    """An older version wrote it, and who only reads cannot bring it up to date."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step; `up` runs inside the caller's transaction."""

    name: str
    after: tuple[str, ...]
    up: Callable[[sqlite3.Connection], None]


def known() -> list[Migration]:
    """All migrations of this version, each after those it needs."""
    found: dict[str, Migration] = {}
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = import_module(f"{__name__}.{info.name}")
        found[module.NAME] = Migration(module.NAME, module.AFTER, module.up)
    ordered: dict[str, Migration] = {}
    while len(ordered) < len(found):
        ready = [m for m in found.values() if m.name not in ordered and all(n in ordered for n in m.after)]
        if not ready:
            raise RuntimeError(f"migrations wait for each other: {sorted(found.keys() - ordered.keys())}")
        ordered[ready[0].name] = ready[0]
    return list(ordered.values())


def applied(conn: sqlite3.Connection) -> set[str]:
    """Names recorded in a database."""
    try:
        return {name for (name,) in conn.execute("SELECT name FROM migrations")}
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return set()
        raise


def check(path: Path, conn: sqlite3.Connection) -> list[Migration]:
    """What is still to be applied. Raises `StoreError` for a database of a newer version."""
    recorded = applied(conn)
    steps = known()
    unknown = recorded - {step.name for step in steps}
    if unknown:
        raise StoreError(
            f"cannot use {path}: a newer version of tui-monitor wrote it ({', '.join(sorted(unknown))})",
            hint="update tui-monitor, or name another file with --db; it was not changed",
        )
    return [step for step in steps if step.name not in recorded]


def refuse_older(path: Path, conn: sqlite3.Connection) -> None:
    """For who only reads. Raises `Older`; `StoreError` for a file of another program or a newer version."""
    opening.check_ours(path, conn)
    if check(path, conn):
        raise Older(
            f"{path} was written by an older version of tui-monitor",
            hint="run tui-monitor or tui-monitor collect once to bring it up to date",
        )


def migrate(
    conn: sqlite3.Connection, steps: list[Migration], told: Callable[[int, Migration], None] | None = None
) -> None:
    """Apply the steps in one transaction; `told` hears of each before it begins."""
    # What an index is sorted with goes to a file where it is much, not into memory.
    conn.execute("PRAGMA temp_store = DEFAULT")
    conn.execute("BEGIN IMMEDIATE")
    try:
        conn.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY)")
        for number, step in enumerate(steps):
            if told is not None:
                told(number, step)
            step.up(conn)
            conn.execute("INSERT INTO migrations VALUES (?)", (step.name,))
        conn.execute("COMMIT")
    except BaseException:
        if conn.in_transaction:
            conn.execute("ROLLBACK")
        raise
    finally:
        conn.execute("PRAGMA temp_store = MEMORY")
