"""Every coding agent whose logs are read: one line each."""

from collections.abc import Mapping, Sequence

from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.claude import ClaudeCode
from tui_monitor.sources.agents.codex import Codex

_ALL: Sequence[Adapter] = (
    ClaudeCode(),
    Codex(),
)

ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
"""Name → adapter."""
