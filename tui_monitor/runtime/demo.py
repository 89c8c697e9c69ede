"""The demo: its database made and filled, and the traces replayed into it as time goes by."""

import asyncio
import fcntl
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tui_monitor.config import places
from tui_monitor.config.load import Settings
from tui_monitor.model.clock import DAY, HOUR, MINUTE, WEEK, Clock, Micros
from tui_monitor.model.demo import MARK, Plan
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.feed import Record
from tui_monitor.model.timerange import Span
from tui_monitor.pricing.book import PriceBook
from tui_monitor.recorder.columns import ColumnPreparer
from tui_monitor.recorder.commit import commit
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.veil import Veil
from tui_monitor.sources.api import Source, SourceContext
from tui_monitor.sources.demo.beside import beside
from tui_monitor.sources.demo.excerpt import ORIGIN
from tui_monitor.sources.demo.plan import SOURCE, Calls
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.lock import held_by

log = logging.getLogger(__name__)

PAST = 62 * DAY
"""How far back the demo's calls reach: over all of the month before."""
SOON = 31 * DAY
"""How far for a question that waits for it: over this month."""
_FIRST = DAY
"""What is there before the screen gets its first answer; the rest follows while it is looked at."""
_DAY = DAY
"""What is filled in in one step."""
_BESIDE = 6 * HOUR
"""How far back there is more than calls."""
_BUSY_HOUR = 6 * DAY + 10 * HOUR
"""A Wednesday at ten, from the beginning of the epoch, a Thursday: whenever the demo begins, much goes on."""
_GOOD_FOR = HOUR
"""A demo that was left longer ago is made anew."""
_BARELY = 2 * MINUTE
"""What was missed since is left to the replay: less than what the state of a provider is judged by."""
_AT, _FROM = f"{MARK}:at", f"{MARK}:from"
"""Until when, and from when on, it is filled."""
_PACE_S = 1.0
_PORTION = 4_000
Told = Callable[[str, float], None]
"""Hears what is done, and which share of it is."""


def prepare(settings: Settings, path: Path, clock: Clock, told: Told, *, whole: bool) -> None:
    """See that the demo's database is there and reaches the present. Blocks.

    With `whole` this month is there on return, else the last day; the replay fills in what is before.
    Nothing is done while a collector looks after it. Raises `StoreError`.
    """
    with _alone(path):
        if held_by(path) is not None:
            return
        left, reach = _left(settings, path, clock) if path.exists() else (None, 0)
        if left is None or not 0 <= left <= _GOOD_FOR:
            _remove(path)
        elif left <= _BARELY and reach >= _FIRST and not whole:
            return
        store = _open(settings, path, clock)
        try:
            filler = Filler(store, settings, clock, _plan(store, clock))
            filler.catch_up(clock.now())
            goal = SOON if whole else _FIRST
            while filler.reach < goal:
                told("making the demo", filler.reach / goal)
                filler.one_more_day()
        finally:
            store.close()


def replay_in(store: Store, settings: Settings, clock: Clock) -> dict[str, Source]:
    """The replay, where a database is the demo's."""
    plan = Plan.of(store.offset(MARK))
    return {} if plan is None else {SOURCE: Replay(Filler(store, settings, clock, plan))}


class Filler:
    """Writes what was in a stretch of time. Blocks."""

    def __init__(self, store: Store, settings: Settings, clock: Clock, plan: Plan) -> None:
        self.plan = plan
        self._calls = Calls(plan)
        self._store, self._settings, self._clock = store, settings, clock
        self._preparer: ColumnPreparer | None = None

    @property
    def at(self) -> Micros:
        """Until when it is filled."""
        return int(self._store.offset(_AT) or self.plan.anchor)

    @property
    def reach(self) -> Micros:
        """How much of the past before its beginning there is."""
        return self.plan.anchor - int(self._store.offset(_FROM) or self.plan.anchor)

    def catch_up(self, now: Micros) -> None:
        """Fill in what was missed while nobody looked."""
        self._fill(Span(self.at, now))
        self._store.write(WriteBatch(offsets={_AT: str(now)}))

    def one_more_day(self) -> None:
        """Fill in the newest day that is missing."""
        end = self.plan.anchor - self.reach
        self._fill(Span(end - _DAY, end))
        self._store.write(WriteBatch(offsets={_FROM: str(end - _DAY)}))

    def _fill(self, span: Span) -> None:
        calls = self._calls.between(span)
        prepared = None if calls is None else self._columns().prepare(calls, 0)
        if prepared is not None:
            self._store.write_columns(prepared.calls)
        late = Span(max(span.start, self.plan.anchor - _BESIDE), span.end)
        if late.length > 0:
            commit(self._store, list(beside(self.plan, late)), remember=False)

    def _columns(self) -> ColumnPreparer:
        if self._preparer is None:
            settings = self._settings
            prices, veil = PriceBook.load(settings.prices), Veil.load(settings.privacy)
            made = Preparer(settings.collector, prices, self._clock, veil)
            made.seed(self._store)
            self._preparer = ColumnPreparer(made)
        return self._preparer


class Replay:
    """Lets the calls come in when their time has come, and fills in the past meanwhile."""

    name = SOURCE

    def __init__(self, filler: Filler) -> None:
        self._filler = filler
        # The past is filled in on another thread.
        self._calls = Calls(filler.plan)

    async def run(self, ctx: SourceContext) -> None:
        """Until cancelled."""
        past = asyncio.create_task(self._past(ctx), name="demo's past")
        try:
            at = await asyncio.to_thread(lambda: self._filler.at)
            while True:
                at = await self._replay(ctx, at)
                if past.done():
                    past.result()
                await asyncio.sleep(_PACE_S)
        finally:
            past.cancel()
            with suppress(asyncio.CancelledError, MonitorError):
                await past

    async def _replay(self, ctx: SourceContext, at: Micros) -> Micros:
        now = ctx.clock.now()
        if now <= at:
            return at
        records = await asyncio.to_thread(self._records, Span(at, now))
        for start in range(0, len(records), _PORTION):
            await ctx.submit(records[start : start + _PORTION])
        await ctx.submit([], offsets={_AT: str(now)})
        return now

    def _records(self, span: Span) -> list[Record]:
        calls = self._calls.between(span)
        some: list[Record] = [] if calls is None else [calls.call(row) for row in range(len(calls))]
        return [*some, *beside(self._filler.plan, span)]

    async def _past(self, ctx: SourceContext) -> None:
        while (reach := await asyncio.to_thread(lambda: self._filler.reach)) < PAST:
            ctx.progress(reach / DAY, PAST / DAY)
            await asyncio.to_thread(self._filler.one_more_day)
        ctx.progress(None)
        ctx.running(self._filler.plan.origin)


def _plan(store: Store, clock: Clock) -> Plan:
    found = Plan.of(store.offset(MARK))
    if found is None:
        now = clock.now()
        found = Plan(now, (_BUSY_HOUR - now) % WEEK, ORIGIN)
        store.write(WriteBatch(offsets={MARK: found.text()}))
    return found


def _left(settings: Settings, path: Path, clock: Clock) -> tuple[Micros | None, Micros]:
    """How long ago a demo was left, None where it cannot go on, and how much of the past it has."""
    store = _open(settings, path, clock)
    try:
        at, begun, plan = store.offset(_AT), store.offset(_FROM), Plan.of(store.offset(MARK))
        reach = plan.anchor - int(begun) if plan is not None and begun is not None else 0
        return (None if at is None else clock.now() - int(at)), reach
    finally:
        store.close()


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _open(settings: Settings, path: Path, clock: Clock) -> Store:
    return Store.open(
        path, write=True, clock=clock, zone=settings.calendar().zone,
        synchronous=settings.database.synchronous, max_series=settings.collector.max_series,
    )  # fmt: skip


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time makes it; the others wait, and find it made."""
    places.make(path.parent)
    with path.with_name("making").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
