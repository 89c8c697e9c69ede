"""What a command is given: its settings, the clock, the output, and a way to ask."""

import argparse
import os
from collections.abc import Awaitable, Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tui_monitor.cli.output import Output
from tui_monitor.model.clock import SECOND, Clock, SystemClock
from tui_monitor.model.errors import UsageError
from tui_monitor.model.timerange import TimeRange

if TYPE_CHECKING:
    from tui_monitor.config.load import Loaded, Settings
    from tui_monitor.model.calendar import Calendar
    from tui_monitor.model.clock import Micros
    from tui_monitor.monitor.api import Monitor, Snapshot
    from tui_monitor.monitor.local import LocalMonitor
    from tui_monitor.monitor.target import Target

T = TypeVar("T")
_TOLD_EVERY = 2 * SECOND
"""How often it is told how far the demo is."""
_OF_ATTACH = ("token_file", "ca_file", "insecure")


class Context:
    """One run of one command. The settings are read when they are first asked for."""

    def __init__(self, args: argparse.Namespace, clock: Clock | None = None) -> None:
        self.args = args
        self.clock = clock or SystemClock()
        self._told_at: Micros = 0
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
    def demo(self) -> bool:
        """Whether it is about the demo."""
        return getattr(self.args, "demo", False)

    def enter_demo(self) -> None:
        """Let everything be the demo's from here on. Raises `UsageError` where something else is named."""
        for option in ("db", "config", "attach"):
            if getattr(self.args, option, None) is not None:
                raise UsageError(f"--demo has a database and settings of its own, and no --{option}")
        from tui_monitor.config import demo

        demo.enter()

    @cached_property
    def database(self) -> Path:
        """The database to use; in the demo it is made when it is first asked for. Raises `StoreError`."""
        if self.demo:
            from tui_monitor.monitor.demo import prepare

            prepare(self.settings, self.clock, self._told_of_demo, whole=True)
        return self.settings.database_path()

    def _told_of_demo(self, what: str, share: float) -> None:
        now = self.clock.now()
        if share == 0:
            self.out.note(f"note: {what}, which takes some seconds")
        elif now - self._told_at < _TOLD_EVERY:
            return
        else:
            self.out.note(f"note: {what}, {share:.0%}")
        self._told_at = now

    @cached_property
    def target(self) -> "Target | None":
        """The collector elsewhere that is to be asked; None for this machine. Raises `UsageError`."""
        url: str | None = getattr(self.args, "attach", None)
        named = [f"--{name.replace('_', '-')}" for name in _OF_ATTACH if getattr(self.args, name, None)]
        if url is None:
            if named:
                raise UsageError(f"{named[0]} goes with --attach URL", hint="or leave it away")
            return None
        if getattr(self.args, "db", None) is not None:
            raise UsageError("--db is a database of this machine, and --attach asks another one")
        from tui_monitor.monitor.target import target

        files = (getattr(self.args, name, None) for name in ("token_file", "ca_file"))
        return target(url, *files, insecure=getattr(self.args, "insecure", False))

    @cached_property
    def calendar(self) -> "Calendar":
        """The days, weeks and months of whoever is asked: of this user, or of the collector elsewhere."""
        return self.settings.calendar() if self.target is None else self._there.calendar

    @property
    def now(self) -> "Micros":
        """The present of whoever is asked: clocks of two machines differ."""
        return self.clock.now() if self.target is None else self._there.at

    @cached_property
    def _there(self) -> "Snapshot":
        """What the collector elsewhere says of itself."""
        return self.ask(lambda monitor: monitor.snapshot(TimeRange()))

    def ask(self, question: "Callable[[Monitor], Awaitable[T]]") -> T:
        """The answer of a monitor: of the collector elsewhere, or one that reads the database here.

        Raises what the question raises, `StoreError` where there is no database to read, and `Unreachable`.
        """
        if self.target is None:
            return self.ask_here(question)
        import asyncio

        from tui_monitor.monitor.overhttp import RemoteMonitor

        there = self.target

        async def run() -> T:
            async with RemoteMonitor(
                there.url, token=there.token, ca_file=there.ca_file, harmless=True
            ) as monitor:
                return await question(monitor)

        return asyncio.run(run())

    def ask_here(self, question: "Callable[[LocalMonitor], Awaitable[T]]") -> T:
        """The answer of a monitor that reads the database here, collecting or not.

        Raises what the question raises, and `StoreError` where there is no database to read.
        """
        import asyncio

        from tui_monitor.monitor.viewing import viewing

        self.only_here()

        async def run() -> T:
            async with viewing(self.settings, self.database, self.clock) as monitor:
                return await question(monitor)

        return asyncio.run(run())

    def only_here(self) -> None:
        """Raises `UsageError` where another machine is to be asked: this works on this one alone."""
        if getattr(self.args, "attach", None) is not None:
            raise UsageError(
                "this works on this machine alone, and cannot be done with --attach",
                hint="run it where the collector is",
            )
