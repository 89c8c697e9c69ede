"""Every coding agent whose logs are read: one line each."""

from collections.abc import Mapping, Sequence

from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.chats import AMP, CODEBUFF
from tui_monitor.sources.agents.claude import ClaudeCode
from tui_monitor.sources.agents.codex import Codex
from tui_monitor.sources.agents.copilot import COPILOT
from tui_monitor.sources.agents.gemini import GEMINI, QWEN
from tui_monitor.sources.agents.opencode import KILO, OPENCODE
from tui_monitor.sources.agents.pi import OMP, OPENCLAW, PI
from tui_monitor.sources.agents.totals import DROID, GOOSE, HERMES

_ALL: Sequence[Adapter] = (
    ClaudeCode(),
    Codex(),
    GEMINI,
    OPENCODE,
    KILO,
    COPILOT,
    QWEN,
    GOOSE,
    HERMES,
    AMP,
    DROID,
    CODEBUFF,
    PI,
    OMP,
    OPENCLAW,
)

ADAPTERS: Mapping[str, Adapter] = {adapter.name: adapter for adapter in _ALL}
"""Name → adapter."""
