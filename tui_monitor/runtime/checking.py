"""Whether the collector is well: each part is looked at for some seconds, and one rule joins them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

from tui_monitor.health.upkeep import Check, Wellness, together
from tui_monitor.health.views import SourceRow
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.states import SourceState
from tui_monitor.model.units import age
from tui_monitor.store.api import Extent

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector

LIMIT_S = 5.0
"""How long one look may take."""
_LATE = 3
"""Evaluations of rules that may be missed before that is an illness."""
_NAMED = 3
"""Failed parts that are named; of more only the number is told."""
_OWN = ("alerts", "database")
"""Loops that have a check of their own."""
Finding = tuple[Wellness, str]


class Checkup:
    """Looks at the parts of one collector. All methods belong to its loop."""

    def __init__(self, collector: "Collector", limit: float = LIMIT_S) -> None:
        """`limit` is how long one look may take, in seconds."""
        self._collector = collector
        self._limit = limit
        self._reading: asyncio.Task[Extent] | None = None
        """The read of the database that is under way; one that hangs is not joined by others."""
        self._parts: tuple[tuple[str, bool, Callable[[], Awaitable[Finding]]], ...] = (
            ("store", True, self._store),
            ("listeners", False, self._listeners),
            ("sources", False, self._sources),
            ("alerts", False, self._alerts),
            ("loops", False, self._loops),
        )

    async def look(self) -> tuple[Check, ...]:
        """Every part, all at once; one that does not answer in time is unhealthy, and holds up nobody."""
        return tuple(
            await asyncio.gather(*(self._one(name, critical, look) for name, critical, look in self._parts))
        )

    def glance(self) -> Wellness:
        """The same rule by what is known already, without reading the database."""
        named = ("listeners", self._doors()), ("sources", self._of("source")), ("loops", self._others())
        checks = [Check(name, *_failed(rows)) for name, rows in named]
        checks.append(Check("alerts", *self._rules()))
        why = self._collector.not_ready()
        store = Wellness.UNHEALTHY if why else Wellness.HEALTHY
        return together([*checks, Check("store", store, ", ".join(why), critical=True)])

    async def _one(self, name: str, critical: bool, look: Callable[[], Awaitable[Finding]]) -> Check:
        clock = self._collector.clock
        began, timed_out = clock.monotonic(), False
        try:
            async with asyncio.timeout(self._limit):
                status, detail = await look()
        except TimeoutError:
            timed_out = True
            status, detail = Wellness.UNHEALTHY, f"no answer within {self._limit:g} s"
        except MonitorError as error:
            status, detail = Wellness.UNHEALTHY, error.message
        return Check(name, status, detail, critical, clock.monotonic() - began, timed_out)

    async def _store(self) -> Finding:
        why = self._collector.not_ready()
        if why:
            return Wellness.UNHEALTHY, ", ".join(why)
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(asyncio.to_thread(self._collector.store.extent))
        # The read goes on where this look gives up: a thread cannot be stopped.
        await asyncio.shield(self._reading)
        row = self._row("database")
        return Wellness.HEALTHY, row.detail if row is not None else ""

    async def _listeners(self) -> Finding:
        return _failed(self._doors())

    async def _sources(self) -> Finding:
        return _failed(self._of("source"))

    async def _loops(self) -> Finding:
        return _failed(self._others())

    async def _alerts(self) -> Finding:
        return self._rules()

    def _rules(self) -> Finding:
        row = self._row("alerts")
        if row is None or row.state in (SourceState.FAILED, SourceState.OFF):
            return Wellness.UNHEALTHY, (row.last_error or row.detail) if row else "rules are not evaluated"
        collector = self._collector
        now, evaluated = collector.clock.now(), collector.rules.evaluated
        late = _LATE * collector.settings.alerts.interval + MINUTE
        if evaluated is None and now - collector.started > late:
            return Wellness.UNHEALTHY, "rules were never evaluated"
        if evaluated is not None and now - evaluated > late:
            return Wellness.UNHEALTHY, f"rules were evaluated {age(now - evaluated)} ago"
        broken = collector.rules.broken()
        if broken:
            return Wellness.DEGRADED, _listed("broken", broken)
        return Wellness.HEALTHY, row.detail

    def _doors(self) -> list[SourceRow]:
        return self._of("door")

    def _others(self) -> list[SourceRow]:
        return [row for row in (*self._of("loop"), *self._of("out")) if row.name not in _OWN]

    def _of(self, kind: str) -> list[SourceRow]:
        return [row for row in self._collector.rows() if row.kind == kind]

    def _row(self, name: str) -> SourceRow | None:
        return next((row for row in self._collector.rows() if row.name == name), None)


def _failed(rows: Iterable[SourceRow]) -> Finding:
    found = list(rows)
    failed = [row for row in found if row.state is SourceState.FAILED]
    if failed:
        told = [f"{row.name}: {row.last_error or row.detail}" for row in failed]
        return Wellness.DEGRADED, _listed("failed", told)
    running = sum(row.state is SourceState.RUNNING for row in found)
    return Wellness.HEALTHY, f"{running} of {len(found)} running"


def _listed(what: str, named: list[str]) -> str:
    more = len(named) - _NAMED
    return f"{what}: {'; '.join(named[:_NAMED])}" + (f" and {more} more" if more > 0 else "")
