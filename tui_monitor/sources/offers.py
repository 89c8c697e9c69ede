"""What on this machine could be used if its owner allows it: found by names alone, nothing is read.

Folders are listed, variables are seen by their names, and no address is asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.config.settings import Agents
from tui_monitor.model.providers import canonical, keys_in
from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.folders import Folders

TELLS_ITS_PLAN = frozenset({"codex"})
"""Agents whose logs say whether a call was paid by subscription."""


@dataclass(frozen=True, slots=True)
class FoundAgent:
    """An agent with logs on this machine."""

    name: str
    title: str
    files: int
    more: bool = False
    """Whether there are more files than were counted."""


@dataclass(frozen=True, slots=True)
class Offers:
    """Everything that a person can be asked about."""

    agents: tuple[FoundAgent, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    """(variable, provider)"""
    pages: tuple[str, ...] = ()
    """Providers in use that have a status page."""


def find(environ: Mapping[str, str], home: Path | None, agents: Agents, used: Iterable[str]) -> Offers:
    """Look around. `used` are the providers of calls; those of keys found count as used too.

    Lists folders, so it may take a second where an agent keeps very many: run it on a thread.
    """
    from tui_monitor.sources.agents.table import ADAPTERS

    found = (_agent(adapter, environ, home, agents) for adapter in ADAPTERS.values())
    keys = tuple(keys_in(environ).items())
    return Offers(
        tuple(agent for agent in found if agent is not None), keys, _pages(used, [p for _, p in keys])
    )


def _agent(
    adapter: Adapter, environ: Mapping[str, str], home: Path | None, agents: Agents
) -> FoundAgent | None:
    if agents.only and adapter.name not in agents.only:
        return None
    roots = agents.folders.get(adapter.name) or (adapter.roots(environ, home) if home else [])
    folders = Folders([root for root in roots if _is_folder(root)], adapter.kind, adapter.enters)
    folders.look()
    if not folders.files:
        return None
    return FoundAgent(adapter.name, adapter.title, len(folders.files), folders.full)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _pages(*used: Iterable[str]) -> tuple[str, ...]:
    from tui_monitor.sources.status_pages.known import KNOWN

    names = dict.fromkeys(canonical(name) for names in used for name in names)
    return tuple(name for name in names if name in KNOWN)
