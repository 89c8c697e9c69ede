"""Probes every target at its interval, and hands over what came of it as samples."""

import asyncio
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Sample
from tui_monitor.model.unanswered import SILENT, Unanswered
from tui_monitor.sources import limits
from tui_monitor.sources.api import SourceContext, SourceSettings
from tui_monitor.sources.probes.kinds import judge, kind_of, request_for
from tui_monitor.sources.probes.targets import Target, near, targets_of
from tui_monitor.sources.web import Answer, Web

_SHORTEST = 5 * SECOND
"""No address is probed more often, whatever the settings say."""
_SPREAD = 0.1
"""Share of the interval by which probes vary, so that they march neither in step nor to the clock."""
_FIRST_WITHIN = 2.0
"""Seconds in which all targets are probed for the first time."""
_OWN_SHARE = 0.2
"""Share of a duration that may be ours; above it the duration is unknown."""
_OWN_LEAST = 0.005
"""Seconds of our own that nobody takes for slowness, however short the answer took."""
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
            board = _Board(ctx, found.targets)
            async with asyncio.TaskGroup() as group:
                for target in found.targets:
                    run = _run_of(runs.get(_key(target), ""), ctx.clock.now(), probing.interval)
                    keeper = _Keeper(ctx, web, target, board, run)
                    group.create_task(keeper.keep())
            await asyncio.Event().wait()


class _Board:
    """What all targets together tell: how many answer, and whether it is our own network that does not."""

    def __init__(self, ctx: SourceContext, targets: Sequence[Target]) -> None:
        self._ctx = ctx
        self._latest: dict[Target, Outcome | None] = dict.fromkeys(targets)
        ctx.running(_plural(len(targets)) if targets else "nothing to probe")

    @property
    def network_up(self) -> bool | None:
        """False where each of several providers outside was asked and none answered anything at all.

        Unknown where fewer than two are probed: one that is silent may be down itself.
        """
        outside = {t: outcome for t, outcome in self._latest.items() if not near(t.base)}
        if len({target.provider for target in outside}) < 2:
            return None
        return not all(outcome is not None and outcome.why in SILENT for outcome in outside.values())

    def note(self, target: Target, outcome: Outcome) -> None:
        """Take in what a probe found."""
        before, was_up = self._latest[target], self.network_up
        self._latest[target] = outcome
        name = f"{target.provider} ({target.label})"
        if outcome.why and (before is None or before.why != outcome.why):
            self._ctx.problem(f"{name}: {outcome.words}")
        if self.network_up is False:
            if was_up is not False:
                self._ctx.problem("no provider answers at all: our own network is to blame, not they")
            self._ctx.running("no provider answers: our own network")
            return
        known = [one for one in self._latest.values() if one is not None]
        answered = sum(not one.why for one in known)
        self._ctx.running(f"{_plural(len(self._latest))}, {answered} reachable")


class _Keeper:
    """Probes one target again and again."""

    def __init__(self, ctx: SourceContext, web: Web, target: Target, board: _Board, run: int) -> None:
        self._ctx = ctx
        self._web = web
        self._target = target
        self._board = board
        self._run = run
        """Failures in a row that are not our own network's."""

    async def keep(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(random.uniform(0, _FIRST_WITHIN))
        while True:
            await self._once()
            interval = max(_SHORTEST, self._ctx.settings.probes.interval) / SECOND
            await asyncio.sleep(interval * random.uniform(1 - _SPREAD, 1 + _SPREAD))

    async def _once(self) -> None:
        outcome = await probe(self._web, self._target, self._ctx.settings.probes.timeout / SECOND)
        self._board.note(self._target, outcome)
        up = self._board.network_up
        excused = up is False and not near(self._target.base)
        # A run that began while nothing answered says nothing about this provider afterwards either.
        self._run = self._run + 1 if outcome.why and not excused else 0
        now = self._ctx.clock.now()
        samples = samples_of(self._target, outcome, self._run, now)
        if up is not None:
            samples.append(Sample("probe_network_up", now, float(up)))
        kept = f"{self._run} {now}" if self._run else ""
        try:
            await self._ctx.submit(samples, offsets={_key(self._target): kept})
        except Busy as busy:
            self._ctx.problem(busy.message)


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
    return answer.elapsed if answer.lag <= max(_OWN_LEAST, _OWN_SHARE * answer.elapsed) else None


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
