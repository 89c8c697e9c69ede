"""The program itself: versions, and how old its prices are."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from importlib import metadata

from tui_monitor.cli.checks.api import Check, Scene
from tui_monitor.model.clock import to_datetime

_OLD = timedelta(days=180)
_LIBRARIES = ("textual", "rich", "pydantic", "httpx", "starlette", "uvicorn", "numpy", "orjson")


def program(scene: Scene) -> Iterator[Check]:
    """Versions, and the age of the price list."""
    from tui_monitor import __version__

    python = ".".join(str(part) for part in sys.version_info[:3])
    yield Check("program", "version", "ok", f"tui-monitor {__version__}, Python {python}, {sys.platform}")
    yield _libraries()
    yield _prices(scene)


def _libraries() -> Check:
    from tui_monitor.store.checkup import sqlite_version

    found = [f"SQLite {sqlite_version()}"]
    missing = []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        words = f"not installed: {', '.join(missing)}"
        return Check("program", "libraries", "fail", words, "install tui-monitor anew")
    return Check("program", "libraries", "ok", ", ".join(found))


def _prices(scene: Scene) -> Check:
    from tui_monitor.pricing.bundled import newest_change

    today = to_datetime(scene.clock.now()).date()
    version, day = newest_change(today)
    words = f"genai-prices {version}"
    if day is None:
        return Check("program", "prices", "ok", words)
    words = f"{words}, last change of a price {day.isoformat()}"
    if today - day > _OLD:
        hint = "update genai-prices, or name a file of your own in prices.file"
        return Check("program", "prices", "warn", f"{words}: {(today - day).days} days ago", hint)
    return Check("program", "prices", "ok", words)
