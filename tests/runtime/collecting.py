"""Helpers of tests that run a collector."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tui_monitor.config.load import Settings, load
from tui_monitor.health.views import SourceRow
from tui_monitor.model.states import SourceState
from tui_monitor.runtime import Collector

CALL: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-4o",
    "input_tokens": 100,
    "output_tokens": 10,
    "status": "success",
}
"""A call as it is pushed; it costs $0.00035."""


def settings_for(database: Path, *, budgets: list[dict[str, Any]] | None = None, **sections: Any) -> Settings:
    """Settings with a port of their own and quick commits; `sections` are added to them."""
    tables: dict[str, dict[str, Any]] = {
        "general": {"timezone": "UTC"},
        "server": {"listen": "127.0.0.1:0"},
        "database": {"path": str(database)},
        "collector": {"flush_interval": "5ms"},
    }
    for section, values in sections.items():
        tables[section] = tables.get(section, {}) | values
    return load(None, {**tables, "budgets": budgets or []})


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Wait until it holds; TimeoutError when it does not in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def row(collector: Collector, name: str) -> SourceRow:
    """How one of its parts is doing."""
    return next(row for row in collector.rows() if row.name == name)


async def opened(collector: Collector, door: str) -> str:
    """Where a door stands, as soon as it does."""
    await until(lambda: row(collector, door).state is SourceState.RUNNING and row(collector, door).detail)
    return row(collector, door).detail


async def ready(collector: Collector) -> None:
    """Prices are loaded and data is taken."""
    await until(lambda: not collector.not_ready())
