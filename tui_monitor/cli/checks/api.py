"""What a check is given and what it says."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tui_monitor.config import places
from tui_monitor.model.clock import Clock
from tui_monitor.model.errors import MonitorError

if TYPE_CHECKING:
    from tui_monitor.cli.context import Context
    from tui_monitor.config.load import Loaded
    from tui_monitor.health.views import CollectorStatus

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `hint` is what to do about it, or how to get more of it."""

    subject: str
    name: str
    level: Level
    text: str
    hint: str = ""


class Scene:
    """What all checks share: found once, when the first of them asks."""

    def __init__(self, context: "Context", environ: Mapping[str, str]) -> None:
        self._context = context
        self.environ = environ
        self.clock: Clock = context.clock

    @property
    def config_file(self) -> Path:
        """The configuration file, there or not."""
        named = self._context.config_file
        return named.expanduser().absolute() if named else places.config_file()

    @cached_property
    def loaded(self) -> "Loaded | None":
        """The settings, if they load."""
        return None if self.config_error else self._context.loaded

    @cached_property
    def config_error(self) -> MonitorError | None:
        """Why they do not."""
        try:
            self._context.loaded  # noqa: B018
        except MonitorError as error:
            return error
        return None

    @cached_property
    def database(self) -> Path:
        """The database, there or not; the usual one where no settings name another."""
        named = self._context.overrides.get("database", {}).get("path")
        set_ = self.loaded.settings.database.path if self.loaded else None
        return named or set_ or places.expected("data") / "monitor.db"

    @property
    def service(self) -> str:
        """The name of the service that would collect into this database. Raises `UsageError`."""
        from tui_monitor.cli.services.choose import name

        return name(self._context.config_file, self._context.overrides.get("database", {}).get("path"))

    @cached_property
    def collector(self) -> "CollectorStatus | None":
        """What the running collector says of itself; `None` where none answers."""
        from tui_monitor.cli.services import looking

        return looking.collector(self.database)


Subject = Callable[[Scene], Iterator[Check]]
"""Looks at one subject. What it raises ends the subject, and is told as a failure of it."""
