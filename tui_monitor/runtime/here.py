"""Acting where the collector is this one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui_monitor.alerts.evaluator import Evaluator
from tui_monitor.health.upkeep import Upkeep
from tui_monitor.health.views import CollectorStatus
from tui_monitor.model.happened import FeedEvent, Happened
from tui_monitor.model.timerange import TimeRange
from tui_monitor.runtime.eventlog import STATES
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

    async def happened(self, names: Sequence[str] = (), limit: int = 50) -> Happened:
        """The newest events of the collector's log."""
        events, wanted = self._collector.events, frozenset(names) or STATES
        if not wanted <= STATES:
            events.note_use(wanted)
        found, more = events.last(wanted, limit)
        told = tuple(FeedEvent(e.id, e.item.ts, e.item.event, e.item.data, e.item.merged) for e in found)
        return Happened(events.run, told, more)

    async def upkeep(self, shown: TimeRange, points: int) -> Upkeep:
        """How it is doing; its figures over the range are the monitor's to add."""
        return await upkeep(self._collector)
