"""Probes every target at its interval, and hands over what came of it as samples."""

import asyncio
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Sample
from tui_monitor.sources import limits
from tui_monitor.sources.api import SourceContext, SourceSettings
from tui_monitor.sources.probes.kinds import judge, kind_of, request_for
from tui_monitor.sources.probes.targets import Target, near, targets_of
from tui_monitor.sources.unanswered import Unanswered
from tui_monitor.sources.web import Answer, Web

_SPREAD = 0.1
"""Share of the interval by which probes vary, so that they march neither in step nor to the clock."""
_FIRST_WITHIN = 2.0
"""Seconds in which all targets are probed for the first time."""
_OWN_SHARE = 0.2
"""Share of a duration that may be ours; above it the duration is unknown."""
_AT_ONCE = 4
_RUN_KEPT = 3
"""Intervals after which a failure before a restart is no part of a run any more."""
_KEPT = "probes:"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe found."""

    words: str
    why: str = ""
    """Why it failed, in one word; empty where it succeeded."""
    seconds: float | None = None
    """How long it took; unknown where it failed, and where we may have caused much of it ourselves."""
    headers: Mapping[str, str] = field(default_factory=dict)


class ProbeSource:
    """Off until the settings name a target, or keys in the environment may be used."""

    name = "probes"

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ

    def off(self, settings: SourceSettings) -> str:
        """Why nothing is probed."""
        if settings.probes.targets:
            return ""
        if settings.consent.provider_keys is not True:
            return "nothing to probe: name [[probes.targets]], or set consent.provider_keys to use keys found"
        if not targets_of(settings, self._environ).targets:
            return "no API key is in the environment, and no [[probes.targets]] are set"
        return ""

    async def run(self, ctx: SourceContext) -> None:
        """Until cancelled."""
        found = await asyncio.to_thread(targets_of, ctx.settings, self._environ)
        for problem in found.problems:
            ctx.problem(problem)
        probing = ctx.settings.probes
        runs = await ctx.offsets(_KEPT)
        # Connections are kept over one interval, so that most probes measure an answer and no handshake.
        async with Web(ctx.clock, idle=2 * probing.interval / SECOND, at_once=_AT_ONCE) as web:
            board = _Board(ctx, len(found.targets))
            async with asyncio.TaskGroup() as group:
                for target in found.targets:
                    run = _run_of(runs.get(_key(target), ""), ctx.clock.now(), probing.interval)
                    keeper = _Keeper(ctx, web, target, board, run)
                    group.create_task(keeper.keep())
            await asyncio.Event().wait()


class _Board:
    """What the source's row says: how many targets answer."""

    def __init__(self, ctx: SourceContext, count: int) -> None:
        self._ctx = ctx
        self._count = count
        self._failing: dict[str, str] = {}
        ctx.running(_plural(count) if count else "nothing to probe")

    def note(self, target: Target, outcome: Outcome) -> None:
        name = f"{target.provider} ({target.label})"
        before = self._failing.pop(name, None)
        if outcome.why:
            self._failing[name] = outcome.why
            if before != outcome.why:
                self._ctx.problem(f"{name}: {outcome.words}")
        answered = self._count - len(self._failing)
        self._ctx.running(f"{_plural(self._count)}, {answered} reachable")


class _Keeper:
    """Probes one target again and again."""

    def __init__(self, ctx: SourceContext, web: Web, target: Target, board: _Board, run: int) -> None:
        self._ctx = ctx
        self._web = web
        self._target = target
        self._board = board
        self._run = run
        """Failures in a row."""

    async def keep(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(random.uniform(0, _FIRST_WITHIN))
        while True:
            await self._once()
            interval = self._ctx.settings.probes.interval / SECOND
            await asyncio.sleep(interval * random.uniform(1 - _SPREAD, 1 + _SPREAD))

    async def _once(self) -> None:
        outcome = await probe(self._web, self._target, self._ctx.settings.probes.timeout / SECOND)
        self._run = self._run + 1 if outcome.why else 0
        self._board.note(self._target, outcome)
        samples = samples_of(self._target, outcome, self._run, self._ctx.clock.now())
        try:
            await self._ctx.submit(samples, offsets={_key(self._target): self._state()})
        except Busy as busy:
            self._ctx.problem(busy.message)

    def _state(self) -> str:
        """What is kept of the run over a restart."""
        return f"{self._run} {self._ctx.clock.now()}" if self._run else ""


async def probe(web: Web, target: Target, within: float) -> Outcome:
    """Ask once, `within` seconds; never raises for what the other side does."""
    try:
        answer = await web.get(request_for(target, within))
        words = judge(kind_of(target), answer)
    except Unanswered as error:
        return Outcome(error.words, error.why)
    return Outcome(words, seconds=_seconds(answer), headers=answer.headers)


def samples_of(target: Target, outcome: Outcome, run: int, now: int) -> list[Sample]:
    """The outcome of a probe, the `run`-th failure in a row or a success, as samples."""
    labels = {"provider": target.provider, "target": target.label}
    made = [Sample("probe_success", now, 0.0 if outcome.why else 1.0, labels)]
    why = {**labels, "why": outcome.why} if outcome.why else labels
    scope = {"scope": "near"} if near(target.base) else {}
    made.append(Sample("probe_failures_in_a_row", now, float(run), {**why, **scope}))
    if outcome.seconds is not None:
        made.append(Sample("probe_duration_seconds", now, outcome.seconds, labels))
    made.extend(limits.samples(target.provider, outcome.headers, now))
    return made


def _seconds(answer: Answer) -> float | None:
    return answer.elapsed if answer.lag <= _OWN_SHARE * answer.elapsed else None


def _key(target: Target) -> str:
    return f"{_KEPT}{target.provider}|{target.label}"


def _run_of(kept: str, now: Micros, interval: Micros) -> int:
    """Failures in a row before this start, if that was just now; what is kept in another form is none."""
    run, _, at = kept.partition(" ")
    if not (run.isdecimal() and at.isdecimal() and len(kept) < 40):
        return 0
    return int(run) if 0 <= now - int(at) <= _RUN_KEPT * interval else 0


def _plural(count: int) -> str:
    return f"{count} target{'' if count == 1 else 's'}"
