"""The façade of a collector elsewhere as a screen asks it: sparing with the line, and patient with its gaps.

Loading this loads the HTTP library; `tui_monitor.monitor.attached` does not.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from tui_monitor.model.alert import Alert, AlertsView, Matcher, Silence
from tui_monitor.model.clock import Clock, Micros
from tui_monitor.model.once import Once
from tui_monitor.model.timerange import TimeRange
from tui_monitor.monitor.api import Snapshot
from tui_monitor.monitor.decisions import Decisions
from tui_monitor.monitor.events import Events, Lost, Told
from tui_monitor.monitor.line import Line, LineLost, LineState
from tui_monitor.monitor.overhttp import RemoteMonitor
from tui_monitor.monitor.pacing import Pace
from tui_monitor.monitor.target import Target
from tui_monitor.monitor.transport import Transport, Watch

if TYPE_CHECKING:
    import ssl

T = TypeVar("T")
_CHANGED = "data_changed"
_AT_ONCE = ("alert_update", "provider_status", "source_update")
"""What people want to see at once, however thin the line is."""


class TheirClock:
    """The clock over there, as far as it is known from its answers; this side's until the first."""

    def __init__(self, clock: Clock) -> None:
        self.here = clock
        self._ahead = 0

    def now(self) -> Micros:
        """Their present, µs UTC, as well as the time that an answer takes lets it be known."""
        return self.here.now() + self._ahead

    def monotonic(self) -> float:
        """This side's."""
        return self.here.monotonic()

    def told(self, at: Micros, asked: Micros, heard: Micros) -> Micros:
        """It was `at` there between two instants of this side. By how much what it tells moves.

        It moves no further than that answer says: two answers of one clock mostly do not move it at all.
        """
        before = self._ahead
        lowest, highest = at - heard, max(at - asked, at - heard)
        self._ahead = min(max(before, lowest), highest)
        return self._ahead - before


class Distant(RemoteMonitor):
    """Answers the frame from what is known between two looks, and sends decisions once the line allows."""

    def __init__(
        self, target: Target, verify: "ssl.SSLContext | None", line: Line, clock: TheirClock, interval: float
    ) -> None:
        """`interval` is the seconds between two looks that are wanted, where the line is wide enough."""
        self._target = target
        self._clock = clock
        self._here = clock.here
        self._line = line
        self._pace = Pace(interval, clock.monotonic())
        watch = Watch(self._moved, line.answered, line.failed, line.barred)
        self._transport = Transport(verify, watch)
        super().__init__(target.url, token=target.token, transport=self._transport)
        self._decisions = Decisions(line)
        self._known: Snapshot | None = None
        self._looks = self._seen = 0
        """How many looks were begun, and which of them is the one that is known."""
        self._shown = TimeRange()
        self._rules: dict[str, str] = {}
        """Alerts by what they are called, of the last list that was seen."""

    async def follow(self) -> None:
        """Hear of changes, so that looks come when there is something to see. Until it is cancelled.

        Raises `MonitorError` where nothing is told over there: an older collector.
        """
        there = self._target
        events = Events(there.url, token=there.token, ca_file=there.ca_file, names=(_CHANGED, *_AT_ONCE))
        try:
            async for heard in events:
                self._pace.told = not isinstance(heard, Lost)
                if isinstance(heard, Told) and heard.event in _AT_ONCE:
                    self._pace.hurry()
                else:
                    self._pace.changed()
        finally:
            self._pace.told = False

    async def reach(self) -> None:
        """Try the line, over new connections. Raises `MonitorError`."""
        await self._transport.start_over()
        await self._look(self._shown)

    async def snapshot(self, shown: TimeRange) -> Snapshot:
        """The frame. While the line is down it is the last one, with the time going on."""
        if self._known is None:
            return await self._look(shown)
        if self._line.state.up:
            if shown == self._shown and not self._pace.due(self._clock.monotonic()):
                return self._known
            with suppress(LineLost):
                return await self._look(shown)
        now = self._clock.now()
        return replace(self._known, at=now, span=shown.span(now))

    async def alerts(self, *, resolved: bool = False) -> AlertsView:
        """The Alerts pane; what alerts are called is remembered, for decisions about them that wait."""
        view = await super().alerts(resolved=resolved)
        self._rules = {alert.id: alert.rule for alert in view.alerts}
        return view

    async def acknowledge(
        self, alert_id: str, who: str, note: str = "", *, once: Once | None = None
    ) -> Alert:
        """Say that somebody takes care of an alert."""
        ask = super().acknowledge
        words = f"acknowledge {self._called(alert_id)}"
        return await self._decide(words, lambda name: ask(alert_id, who, note, once=name), once)

    async def unacknowledge(self, alert_id: str, who: str, *, once: Once | None = None) -> Alert:
        """Take an acknowledgement back."""
        ask = super().unacknowledge
        words = f"give back {self._called(alert_id)}"
        return await self._decide(words, lambda name: ask(alert_id, who, once=name), once)

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
        """Keep the alerts quiet that all matchers fit."""
        ask = super().silence
        words = "silence " + " ".join(f"{m.name}{m.op}{m.value}" for m in matchers)
        return await self._decide(
            words, lambda name: ask(matchers, ends, who, note, starts=starts, once=name), once
        )

    async def unsilence(self, silence_id: str, who: str, *, once: Once | None = None) -> Silence:
        """End a silence now."""
        ask = super().unsilence
        return await self._decide("end a silence", lambda name: ask(silence_id, who, once=name), once)

    async def pause_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a source wait until it is resumed."""
        ask = super().pause_source
        await self._decide(f"pause {name}", lambda act: ask(name, who, once=act), once)

    async def resume_source(self, name: str, who: str, *, once: Once | None = None) -> None:
        """Let a paused source go on, or try a failed one again at once."""
        ask = super().resume_source
        await self._decide(f"resume {name}", lambda act: ask(name, who, once=act), once)

    async def _decide(self, words: str, act: Callable[[Once], Awaitable[T]], once: Once | None) -> T:
        try:
            return await self._decisions.do(words, act, once or Once.new())
        finally:
            self._pace.hurry()

    async def _look(self, shown: TimeRange) -> Snapshot:
        self._shown = shown
        self._looks += 1
        mine, asked = self._looks, self._here.now()
        self._pace.looked(self._clock.monotonic())
        snapshot = await super().snapshot(shown)
        self._line.shift(self._clock.told(snapshot.at, asked, self._here.now()))
        if mine > self._seen:
            # Two may be under way, and come back in another order.
            self._seen, self._known = mine, snapshot
        return snapshot

    def _called(self, alert_id: str) -> str:
        return self._rules.get(alert_id, f"alert {alert_id}")

    def _moved(self, size: int) -> None:
        self._pace.moved(size, self._clock.monotonic())


def distant(
    target: Target,
    verify: "ssl.SSLContext | None",
    clock: Clock,
    interval: float,
    told: Callable[[LineState], None],
) -> tuple[Line, Distant]:
    """A line and the monitor that uses it."""
    theirs = TheirClock(clock)
    line = Line(target.place, theirs, told, clear=target.clear, url=target.url)
    return line, Distant(target, verify, line, theirs, interval)
