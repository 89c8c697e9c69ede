"""What a command is given: its settings, the clock, the output, and a way to ask."""

import argparse
import os
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tui_monitor.cli.output import Output
from tui_monitor.model.clock import Clock, SystemClock

if TYPE_CHECKING:
    from tui_monitor.config.load import Loaded, Settings
    from tui_monitor.monitor.local import LocalMonitor

T = TypeVar("T")


class Context:
    """One run of one command. The settings are read when they are first asked for."""

    def __init__(self, args: argparse.Namespace, clock: Clock | None = None) -> None:
        self.args = args
        self.clock = clock or SystemClock()
        self.verbose: bool = getattr(args, "verbose", False)
        self.out = Output(
            json=getattr(args, "json", False), plain=getattr(args, "plain", False), environ=os.environ
        )

    @property
    def config_file(self) -> Path | None:
        """The configuration file of the command line, if one is named."""
        return getattr(self.args, "config", None)

    @property
    def overrides(self) -> dict[str, Any]:
        """What the command line sets."""
        db: Path | None = getattr(self.args, "db", None)
        return {} if db is None else {"database": {"path": db.expanduser().absolute()}}

    @cached_property
    def loaded(self) -> "Loaded":
        """The settings with their origins. Raises `UsageError`."""
        from tui_monitor.config.load import load_all

        return load_all(self.config_file, self.overrides)

    @property
    def settings(self) -> "Settings":
        """The settings. Raises `UsageError`."""
        return self.loaded.settings

    @property
    def database(self) -> Path:
        """The database to use."""
        return self.settings.database_path()

    def ask(self, question: "Callable[[LocalMonitor], Awaitable[T]]") -> T:
        """The answer of a monitor that reads the database, collecting or not.

        Raises what the question raises, and `StoreError` where there is no database to read.
        """
        import asyncio

        from tui_monitor.monitor.viewing import viewing
        from tui_monitor.query.timing import asked_by

        async def run() -> T:
            with asked_by("command"):
                async with viewing(self.settings, self.database, self.clock) as monitor:
                    return await question(monitor)

        return asyncio.run(run())
