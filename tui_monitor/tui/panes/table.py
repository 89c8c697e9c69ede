"""The panes of the dashboard. A pane's module is loaded when it is first shown."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui_monitor.tui.panes.base import Pane


@dataclass(frozen=True, slots=True)
class Entry:
    """One pane: its id, its key, its title and a shorter one, and the class in the module of its id."""

    id: str
    key: str
    title: str
    short: str
    cls: str

    def make(self) -> "Pane[Any]":
        """A new one."""
        module = import_module(f"tui_monitor.tui.panes.{self.id}")
        return getattr(module, self.cls)(id=self.id)


PANES: tuple[Entry, ...] = (
    Entry("overview", "1", "Overview", "Over", "OverviewPane"),
    Entry("providers", "2", "Providers", "Prov", "ProvidersPane"),
    Entry("costs", "3", "Costs", "Cost", "CostsPane"),
    Entry("alerts", "4", "Alerts", "Alert", "AlertsPane"),
    Entry("query", "5", "Query", "Qry", "QueryPane"),
    Entry("calls", "6", "Calls", "Call", "CallsPane"),
    Entry("sources", "7", "Sources", "Src", "SourcesPane"),
    Entry("system", "8", "System", "Sys", "SystemPane"),
    Entry("collector", "9", "Collector", "Col", "CollectorPane"),
    Entry("boards", "0", "Boards", "Brd", "BoardsPane"),
)
