"""Every source that a collector runs: one line each."""

from collections.abc import Sequence

from tui_monitor.sources.agents.source import AgentLogsSource
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.api import Source
from tui_monitor.sources.host import HostSource

SOURCES: Sequence[Source] = (HostSource(), *map(AgentLogsSource, ADAPTERS.values()))
