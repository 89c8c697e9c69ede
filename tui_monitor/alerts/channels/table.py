"""The channels there are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tui_monitor.alerts.channels.api import Channel
from tui_monitor.alerts.channels.command import Command
from tui_monitor.config.settings import Alerts


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of channel: the name of its row, the setting that sets it up, and how it is made of it."""

    title: str
    setting: str
    make: Callable[[Alerts], Channel | None]


CHANNELS: Mapping[str, Kind] = {"command": Kind("alert command", "alerts.command", Command.of)}


def configured(settings: Alerts) -> tuple[str, ...]:
    """The names of the channels that are set up."""
    return tuple(name for name, kind in CHANNELS.items() if kind.make(settings) is not None)
