"""The loop that judges providers: keeps their states as samples, and tells who listens when one changes."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui_monitor.health.state import Verdict
from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import Busy, QueryError, StoreError
from tui_monitor.model.feed import Sample
from tui_monitor.model.states import Health
from tui_monitor.query.timing import asked_by
from tui_monitor.runtime.supervisor import Handle, Worker

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

EVERY: Micros = 30 * SECOND
_PATIENCE_S = 300.0
"""Longest time between two looks where nothing hangs."""
_VALUES = {Health.HEALTHY: 0.0, Health.DEGRADED: 1.0, Health.UNAVAILABLE: 2.0}


def health_worker(collector: "Collector") -> Worker:
    """Judges every provider of which something is known, again and again."""

    async def run(handle: Handle) -> None:
        before: dict[str, Verdict] = {}
        while True:
            handle.expect(_PATIENCE_S)
            try:
                with asked_by("health"):
                    verdicts = await collector.monitor.verdicts()
                before = await _told(collector, before, verdicts)
                handle.heard(len(verdicts))
                handle.running(_words(verdicts))
            except (Busy, QueryError, StoreError) as error:
                handle.problem(error.message)
            await asyncio.sleep(EVERY / SECOND)

    return Worker("health", run)


async def _told(
    collector: "Collector", before: Mapping[str, Verdict], verdicts: dict[str, Verdict]
) -> dict[str, Verdict]:
    now = collector.clock.now()
    collector.pulse.verdicts = verdicts
    # An alert goes on for a while after its cause: then the last reason that there was tells more than none.
    collector.provider_reasons = {
        name: collector.provider_reasons.get(name, verdict.reason)
        if verdict.state is Health.UNKNOWN
        else verdict.reason
        for name, verdict in verdicts.items()
    }
    for name, verdict in verdicts.items():
        was = before[name].state if name in before else Health.UNKNOWN
        if verdict.state is not was:
            collector.bus.publish(
                "provider_status", now, provider=name, state=verdict.state.value, before=was.value,
                reason=verdict.reason,
            )  # fmt: skip
    samples = [
        Sample("tui_monitor_provider_state", now, _VALUES[verdict.state], {"provider": name})
        for name, verdict in verdicts.items()
        if verdict.state in _VALUES
    ]
    collector.figures["health"] = samples
    if samples:
        await collector.submit(samples)
    return verdicts


def _words(verdicts: Mapping[str, Verdict]) -> str:
    if not verdicts:
        return "no provider to judge"
    ill = sum(verdict.state in (Health.DEGRADED, Health.UNAVAILABLE) for verdict in verdicts.values())
    text = f"{len(verdicts)} provider{'' if len(verdicts) == 1 else 's'}"
    return f"{text}, {ill} not healthy" if ill else text
