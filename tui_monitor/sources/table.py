"""Every source that a collector runs: one line each."""

from collections.abc import Sequence

from tui_monitor.sources.agents.source import AgentLogsSource
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.api import Source
from tui_monitor.sources.gpu import GpuSource
from tui_monitor.sources.host import HostSource
from tui_monitor.sources.probes.source import ProbeSource
from tui_monitor.sources.status_pages.source import StatusPagesSource

SOURCES: Sequence[Source] = (
    HostSource(),
    GpuSource(),
    ProbeSource(),
    StatusPagesSource(),
    *map(AgentLogsSource, ADAPTERS.values()),
)
