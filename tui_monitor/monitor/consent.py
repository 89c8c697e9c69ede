"""Asking a person what may be used: what there is to ask, and the answers as settings.

Nothing of it is used before somebody says so. What is found here is found by names: folders are listed,
no log is read, and of a variable only its name is seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tui_monitor.sources.offers import TELLS_ITS_PLAN, FoundAgent, Offers, find

if TYPE_CHECKING:
    from tui_monitor.config.load import Settings
    from tui_monitor.monitor.api import Monitor

Item = Literal["agent_logs", "provider_keys", "status_pages"]
Billing = Literal["subscription", "api"]
ITEMS: tuple[Item, ...] = ("agent_logs", "provider_keys", "status_pages")
_USED = "requests{} [30d] sum by(provider)"


@dataclass(frozen=True, slots=True)
class Asking:
    """What there is to ask about, and what was answered before."""

    offers: Offers
    given: Mapping[Item, bool | None]
    billing: Mapping[str, Billing]
    """How agents are paid, by their names; those that nobody told are not there."""

    def there(self, item: Item) -> bool:
        """Whether there is anything here that the item is about."""
        match item:
            case "agent_logs":
                return bool(self.offers.agents)
            case "provider_keys":
                return bool(self.offers.keys)
            case "status_pages":
                return bool(self.offers.pages)

    @property
    def open(self) -> bool:
        """Whether something is to be asked that was not answered yet."""
        return any(self.there(item) and self.given[item] is None for item in ITEMS)

    @property
    def paid(self) -> tuple[FoundAgent, ...]:
        """Agents whose logs do not tell how they are paid."""
        return tuple(agent for agent in self.offers.agents if agent.name not in TELLS_ITS_PLAN)


def look(settings: "Settings", environ: Mapping[str, str], home: Path | None, used: Iterable[str]) -> Asking:
    """What there is; `used` are the providers of calls. Lists folders: run it on a thread."""
    given = settings.consent
    return Asking(
        find(environ, home, settings.agents, used),
        {"agent_logs": given.agent_logs, "provider_keys": given.provider_keys,
         "status_pages": given.status_pages},
        dict(settings.agents.billing),
    )  # fmt: skip


async def providers_used(monitor: "Monitor") -> tuple[str, ...]:
    """Providers of the last 30 days' calls. Raises as `Monitor.query`."""
    result = await monitor.query(_USED)
    return tuple(name for series in result.series if (name := series.label("provider")))


def as_settings(answers: Mapping[Item, bool | None], billing: Mapping[str, Billing]) -> dict[str, object]:
    """The answers as keys of the configuration; how agents are paid matters where their logs are read."""
    values: dict[str, object] = {
        f"consent.{item}": answer for item, answer in answers.items() if answer is not None
    }
    if answers.get("agent_logs"):
        values |= {f"agents.billing.{name}": kind for name, kind in billing.items()}
    return values


def as_text(values: Mapping[str, Any]) -> list[str]:
    """The lines to write into the configuration where that cannot be done from here."""
    from tui_monitor.config.written import toml

    sections: dict[str, list[str]] = {}
    for key, value in values.items():
        section, _, rest = key.partition(".")
        sections.setdefault(section, []).append(f"{rest} = {toml(value)}")
    return [line for section, lines in sections.items() for line in (f"[{section}]", *lines)]
