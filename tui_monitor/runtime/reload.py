"""What differs between two configurations, and what of it a running collector can take over."""

from collections.abc import Iterator

from pydantic import BaseModel

from tui_monitor.config.load import Settings
from tui_monitor.monitor.api import Reloaded

_RESTART = ("database", "server", "screen", "privacy", "query")
_RESTART_KEYS = ("general.timezone", "general.week_start", "costs.month_starts_on")
"""Days, weeks and months are cut when the database is opened."""
_INTERVAL = "collector.interval"
_SOURCES = ("consent", "agents", "probes", "status_pages", "collector.interval")
"""What sources read."""
_FORWARD = ("forward",)


def compare(old: Settings, new: Settings) -> Reloaded:
    """The settings that differ, by name: those that take effect at once, and those that do not."""
    changed: list[str] = []
    restart: list[str] = []
    for name in _differing(old, new):
        (restart if _needs_restart(name) else changed).append(name)
    return Reloaded(tuple(changed), tuple(restart))


def concerns_sources(reloaded: Reloaded) -> bool:
    """Whether a source may do something else with the new settings."""
    return any(_under(name, part) for name in reloaded.changed for part in _SOURCES)


def concerns_forwarding(reloaded: Reloaded) -> bool:
    """Whether something else is sent, or elsewhere, with the new settings."""
    return any(_under(name, part) for name in reloaded.changed for part in _FORWARD)


def taken_over(old: Settings, new: Settings) -> Settings:
    """The new settings, but for those that wait for a restart: these are as they were."""
    general = new.general.model_copy(
        update={"timezone": old.general.timezone, "week_start": old.general.week_start}
    )
    costs = new.costs.model_copy(update={"month_starts_on": old.costs.month_starts_on})
    collector = old.collector.model_copy(update={"interval": new.collector.interval})
    return new.model_copy(
        update={
            "database": old.database,
            "server": old.server,
            "privacy": old.privacy,
            "query": old.query,
            "general": general,
            "costs": costs,
            "collector": collector,
        }
    )


def _needs_restart(name: str) -> bool:
    if name.startswith("collector."):
        return name != _INTERVAL
    return any(_under(name, part) for part in (*_RESTART, *_RESTART_KEYS))


def _under(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _differing(old: BaseModel, new: BaseModel, prefix: str = "") -> Iterator[str]:
    """Names of settings that differ, `section.key`; a list is one setting."""
    for key, field in type(new).model_fields.items():
        before, after = getattr(old, key), getattr(new, key)
        name = f"{prefix}{field.alias or key}"
        if before == after:
            continue
        if isinstance(before, BaseModel) and isinstance(after, BaseModel):
            yield from _differing(before, after, f"{name}.")
        else:
            yield name
