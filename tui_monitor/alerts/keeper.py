"""The open alerts and the silences over them: what is in memory is what is stored, and nothing else."""

import asyncio
import dataclasses
import logging
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from tui_monitor.alerts import machine, silences
from tui_monitor.alerts.silences import KEPT, MAX_LOOSE, MAX_SILENCES, Quiet
from tui_monitor.model.alert import Alert, Change, Matcher, Silence
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.errors import MonitorError, NotFound
from tui_monitor.model.once import Once
from tui_monitor.store.acts import Done

if TYPE_CHECKING:
    from tui_monitor.store.alerts import AlertStore

log = logging.getLogger(__name__)

Heard = Callable[[Alert, Change], None]
MAX_ENDED = 1_000
"""Of the alerts that were resolved lately, those that are held for the list."""
RULES = "rules"
"""Who acts where no person does."""


class Keeper:
    """Keeps alerts and silences. Every change is stored with its history, with what it does to the alerts
    and with what is to be told to the channels, in one transaction; what cannot be stored did not happen.

    `channels` are the names of those that are told. `heard` is called after each change. All methods
    belong to one event loop and may raise `StoreError`.
    """

    def __init__(
        self, store: "AlertStore", clock: Clock, channels: Sequence[str] = (), heard: Heard = lambda *_: None
    ) -> None:
        self.open: dict[str, Alert] = {}
        self.ended: list[Alert] = []
        """Alerts that fired and were resolved since `load`'s `since`: the newest, the last one last."""
        self.quiet = Quiet()
        self.channels = channels
        self.writing = asyncio.Lock()
        """Held from looking at the alerts until what follows of it is stored."""
        self._store = store
        self._clock = clock
        self._heard = heard
        self._minded: Micros = 0

    async def load(self, since: Micros) -> None:
        """Take up where the last one left off, with the alerts resolved since an instant."""
        self.open = {alert.id: alert for alert in await self._store.load()}
        ended = await self._store.resolved_since(since)
        self.ended = [alert for alert in reversed(ended) if alert.fired is not None][-MAX_ENDED:]
        self.quiet = Quiet(await self._store.silences(self._clock.now()))

    def quieter(self, alert: Alert) -> Silence | None:
        """The silence that keeps an alert quiet now."""
        return self.quiet.over(alert, self._clock.now())

    async def keep(
        self,
        alerts: Iterable[Alert],
        changes: Sequence[Change],
        changed: Sequence[Silence] = (),
        once: Once | None = None,
    ) -> None:
        """Store what differs, then make it the truth in memory, then tell; under `writing`.

        `once` is the act of which it comes: about the first of the silences, or of the alerts.
        """
        alerts = list(alerts)
        different: dict[str, Alert] = {}
        tell: list[str] = []
        for alert in alerts:
            before = self.open.get(alert.id)
            if before == alert:
                continue
            told = machine.told(before, alert) if self.channels else None
            different[alert.id] = told or alert
            if told is not None:
                tell.append(alert.id)
        if not different and not changed and once is None:
            return
        changes = [change for change in changes if change.alert_id in different]
        dropped = await self._store.save(
            list(different.values()), changes, changed,
            tell=tell, channels=self.channels, now=self._clock.now(),
            done=None if once is None else _done(once, changed, [*different.values(), *alerts]),
        )  # fmt: skip
        if dropped:
            log.warning("too much waits for the channels: the %d oldest notifications were dropped", dropped)
        for alert in different.values():
            self._put(alert)
        for change in changes:
            self._heard(different[change.alert_id], change)

    def _put(self, alert: Alert) -> None:
        if alert.open:
            self.open[alert.id] = alert
            return
        self.open.pop(alert.id, None)
        if alert.fired is not None:
            self.ended.append(alert)
            del self.ended[:-MAX_ENDED]

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert. Raises `MonitorError` unless it fires."""
        async with self.writing:
            if once is not None and (before := await self._store.alert_of(once)):
                return before
            alert = await self.find(alert_id)
            return await self._keep_one(*machine.acknowledge(alert, self._clock.now(), who, note), once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back. Raises `MonitorError` where there is none."""
        async with self.writing:
            if once is not None and (before := await self._store.alert_of(once)):
                return before
            alert = await self.find(alert_id)
            return await self._keep_one(*machine.unacknowledge(alert, self._clock.now(), who), once)

    async def silence(
        self,
        matchers: Sequence[Matcher],
        ends: Micros,
        who: str,
        note: str = "",
        *,
        starts: Micros | None = None,
        once: Once | None = None,
    ) -> Silence:
        """Keep the alerts quiet that all matchers fit, from now or `starts` on, until `ends`.

        Raises `UsageError` where it makes no sense, and `MonitorError` where there are too many.
        """
        async with self.writing:
            if once is not None and (before := await self._store.silence_of(once)):
                return before
            now = self._clock.now()
            silence = silences.make(_new_id(), matchers, ends, who, note, starts=starts, now=now)
            await self._mind(now)
            if len(self.quiet) >= MAX_SILENCES:
                raise MonitorError(
                    f"there are {MAX_SILENCES:,} silences already",
                    hint="end some of them, or write one with a regular expression",
                )
            await self._store.forget_silences(now - KEPT)
            self.quiet.add(silence)
            try:
                if self.quiet.loose > MAX_LOOSE:
                    raise MonitorError(
                        f"there are {MAX_LOOSE:,} silences without a matcher `=` already",
                        hint="end some of them, or ask for one label's value",
                    )
                await self._settle(now, RULES, changed=[silence], once=once)
            except BaseException:
                self.quiet.drop(silence.id)
                raise
            return silence

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now. Raises `MonitorError` where it is over already or not known."""
        async with self.writing:
            if once is not None and (before := await self._store.silence_of(once)):
                return before
            now = self._clock.now()
            await self._mind(now)
            silence = await self._silence(silence_id)
            ended = silences.end(silence, now, who)
            self.quiet.drop(silence.id)
            try:
                await self._settle(now, ended.ended_by, "silence taken back", changed=[ended], once=once)
            except BaseException:
                self.quiet.add(silence)
                raise
            return ended

    async def silences(self, *, ended: bool = False) -> list[Silence]:
        """Silences in force or to come, first to end first; with `ended` those of the last 30 days."""
        now = self._clock.now()
        if not ended:
            return list(self.quiet.in_order(now))
        return await self._store.silences(now - KEPT)

    async def mind(self) -> None:
        """Let silences take effect that have begun, and those go that are over."""
        async with self.writing:
            await self._mind(self._clock.now())

    async def _mind(self, now: Micros) -> None:
        if now < self._minded:
            # By a clock that was ahead some were taken for over; they are not.
            self.quiet = Quiet(await self._store.silences(now))
        self._minded = now
        await self._settle(now, RULES)
        self.quiet.prune(now)

    async def _settle(
        self,
        now: Micros,
        who: str,
        why: str = "silence ended",
        changed: Sequence[Silence] = (),
        once: Once | None = None,
    ) -> None:
        """Put each alert under the silence that is over it now."""
        steps = await asyncio.to_thread(self._hushed, now, who, why)
        changes = [change for _, change in steps if change is not None]
        await self.keep([alert for alert, _ in steps], changes, changed, once)

    def _hushed(self, now: Micros, who: str, why: str) -> list[tuple[Alert, Change | None]]:
        return [
            machine.hush(alert, self.quiet.over(alert, now), now, who, why) for alert in self.open.values()
        ]

    async def find(self, start: str) -> Alert:
        """The alert with this id, or the only one whose id begins so: of open ones, those that ended lately,
        or any. Raises `MonitorError`.
        """
        near = [*self.open.values(), *self.ended]
        if any(start and alert.id.startswith(start) for alert in near):
            return only(start, near)
        return only(start, await self._store.starting_with(start) if start else [])

    async def _silence(self, start: str) -> Silence:
        known = list(self.quiet)
        if not any(start and silence.id.startswith(start) for silence in known):
            known = await self._store.silences(self._clock.now() - KEPT)
        found = [s for s in known if s.id == start] or [s for s in known if start and s.id.startswith(start)]
        if len(found) != 1:
            what = "no silence has" if not found else f"{len(found)} silences begin with"
            raise NotFound(f"{what} the id {start!r}", hint="see `tui-monitor alerts silences`")
        return found[0]

    async def _keep_one(self, alert: Alert, change: Change, once: Once | None) -> Alert:
        await self.keep([alert], [change], once=once)
        return self.open.get(alert.id, alert)


def only(start: str, alerts: Iterable[Alert]) -> Alert:
    """The alert with this id, or the only one whose id starts so. Raises `MonitorError`."""
    alerts = list(alerts)
    found = [a for a in alerts if a.id == start] or [a for a in alerts if start and a.id.startswith(start)]
    if len(found) != 1:
        what = "no alert has" if not found else f"{len(found)} alerts begin with"
        raise NotFound(f"{what} the id {start!r}", hint="see `tui-monitor alerts list`")
    return found[0]


def _done(once: Once, silences: Sequence[Silence], alerts: Sequence[Alert]) -> Done:
    if silences:
        return Done(once, "silence", dataclasses.asdict(silences[0]))
    return Done(once, "alert", dataclasses.asdict(alerts[0]))


def _new_id() -> str:
    return secrets.token_hex(4)
