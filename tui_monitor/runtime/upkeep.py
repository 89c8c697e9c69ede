"""The Collector pane as the collector itself knows it."""

from typing import TYPE_CHECKING

from tui_monitor.health.upkeep import Upkeep, together
from tui_monitor.runtime.own import own_process

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector


async def upkeep(collector: "Collector") -> Upkeep:
    """How it is doing at this moment; its figures over time are the monitor's to add."""
    now, timing, keeping = collector.clock.now(), collector.engine.timing, collector.engine.keeping
    checks = await collector.checkup.look()
    return Upkeep(
        at=now,
        collector=collector.status(),
        status=together(checks),
        checks=checks,
        process=own_process(now),
        queries=timing.stats(),
        cache_hits=keeping.hits,
        cache_misses=keeping.misses,
        slow=timing.slowest(),
        rules=collector.rules.times(),
        connections=collector.traffic.open(),
        requests=collector.traffic.requests.total(),
        refused=collector.refused.total(),
    )
