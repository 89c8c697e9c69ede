"""Acting where the collector is this one."""

from typing import TYPE_CHECKING

from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.health.upkeep import Upkeep
from tui_monitor.health.views import CollectorStatus
from tui_monitor.model.timerange import TimeRange
from tui_monitor.runtime.upkeep import upkeep

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


class Here:
    """What people do, where the collector is this one."""

    def __init__(self, collector: "Collector", evaluator: Evaluator) -> None:
        self._collector = collector
        self.acknowledge = evaluator.acknowledge
        self.unacknowledge = evaluator.unacknowledge
        self.silence = evaluator.silence
        self.unsilence = evaluator.unsilence
        self.undo_import = collector.undo_import
        self.pause_source = collector.pause_source
        self.resume_source = collector.resume_source
        self.reload = collector.reload_config

    async def status(self) -> CollectorStatus:
        """The collector at this moment."""
        return self._collector.status()

    async def upkeep(self, shown: TimeRange, points: int) -> Upkeep:
        """How it is doing; its figures over the range are the monitor's to add."""
        return await upkeep(self._collector)
