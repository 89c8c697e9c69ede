"""Seeing that the demo is there, for whoever is about to look at it."""

from tui_monitor.config.load import Settings
from tui_monitor.model.clock import Clock
from tui_monitor.runtime.demo import Told
from tui_monitor.runtime.demo import prepare as _prepare


def prepare(settings: Settings, clock: Clock, told: Told, *, whole: bool = False) -> None:
    """As `runtime.demo.prepare`, of the database that the demo's settings name. Blocks."""
    _prepare(settings, settings.database_path(), clock, told, whole=whole)
