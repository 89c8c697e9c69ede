"""The panes of the dashboard. A pane's module is loaded when it is made."""

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui_monitor.tui.panes.base import Pane


@dataclass(frozen=True, slots=True)
class Entry:
    """One pane: its id, key, title and a shorter one, the class in the module of its id, what it is about."""

    id: str
    key: str
    title: str
    short: str
    cls: str
    about: str

    def make(self) -> "Pane[Any]":
        """A new one."""
        module = import_module(f"tui_monitor.tui.panes.{self.id}")
        return getattr(module, self.cls)(id=self.id)


PANES: tuple[Entry, ...] = (
    Entry("overview", "1", "Overview", "Over", "OverviewPane",
          "Whether anything is wrong, what it costs, what changed."),
    Entry("providers", "2", "Providers", "Prov", "ProvidersPane",
          "Health of every provider."),
    Entry("costs", "3", "Costs", "Cost", "CostsPane",
          "What it costs, and who causes it."),
    Entry("alerts", "4", "Alerts", "Alert", "AlertsPane",
          "What needs somebody."),
    Entry("query", "5", "Query", "Qry", "QueryPane",
          "Ask anything, as a chart or a table."),
    Entry("calls", "6", "Calls", "Call", "CallsPane",
          "Every single call, as it comes in."),
    Entry("sources", "7", "Sources", "Src", "SourcesPane",
          "Every way in, and how it is doing."),
    Entry("system", "8", "System", "Sys", "SystemPane",
          "This host, and what is under way."),
    Entry("collector", "9", "Collector", "Col", "CollectorPane",
          "How the program itself is doing."),
    Entry("boards", "0", "Boards", "Brd", "BoardsPane",
          "Dashboards of your own, and those that come with the program."),
)  # fmt: skip
