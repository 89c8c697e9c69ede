"""Settings of the logs that coding agents keep on this machine."""

from pathlib import Path
from typing import Literal

from tui_monitor.config.fields import Duration, Section
from tui_monitor.model.clock import SECOND

Billing = Literal["api", "subscription"]


class Agents(Section):
    """Logs of coding agents, read where they lie; needs `consent.agent_logs`."""

    only: list[str] = []
    """Agents whose logs are read, like `["claude-code", "codex"]`; empty is all that are found."""
    interval: Duration = SECOND // 2
    """Time between two looks for new lines."""
    billing: dict[str, Billing] = {}
    """How an agent is paid: `{ claude-code = "api" }`. Not named, it is `subscription`: its calls cost
    nothing in `cost`, and their list price is shown as API-equivalent. Codex tells its plan by itself."""
    folders: dict[str, list[Path]] = {}
    """Where an agent's logs lie, if not in the usual place: `{ codex = ["/srv/ci/codex"] }`."""
