"""Writing, packing, dropping, pricing, forgetting, reopening in any order: as a plain model has it."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import contents, expected, read, total

from tests.examples import examples
from tests.store.test_any_order import MIDNIGHT, ZONE, calls, retracts
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, ManualClock, Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.feed import Retract
from tui_monitor.store.api import MEASURES, ImportInfo, Layer, Outcome, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.measures import measured
from tui_monitor.store.merge import Part, merge
from tui_monitor.store.retention import IDENTITIES_KEPT
from tui_monitor.store.sealing import Limits

RAW, MINUTES = 10 * DAY, 20 * DAY
KEEP = {"raw": "10d", "hour": "4000d", "day": "4000d", "size": 0}
Identity = tuple[str, ...]
Op = tuple[str, Any]
writes = st.tuples(
    st.just("write"), st.tuples(st.lists(calls, max_size=4), st.lists(retracts, max_size=2), st.booleans())
)
ops = st.one_of(
    writes,
    writes,
    writes,
    st.tuples(st.just("seal"), st.tuples(st.integers(1, 3), st.sampled_from([0, 0, 1000]))),
    st.tuples(st.just("advance"), st.sampled_from([HOUR, 3 * DAY, 11 * DAY, 401 * DAY])),
    st.tuples(st.just("retain"), st.sampled_from(["20d", "4000d"])),
    st.tuples(st.just("rebuild"), st.booleans()),
    st.tuples(st.sampled_from(["fill", "reprice", "undo", "forget", "compact", "reopen"]), st.none()),
)


@dataclass
class Said:
    """What one source said of a call that is kept."""

    seq: int
    call: Call
    remember: bool
    arrived: Micros
    """When the row it is in came to be as it is."""


@dataclass
class Whole:
    """A call put together of what is said of it."""

    call: Call
    parts: list[Said]

    @property
    def arrived(self) -> Micros:
        return self.parts[0].arrived


def content(call: Call) -> Call:
    return replace(call, batch_id=None, cost=None, cost_status="", cost_computed=None)


def price(call: Call) -> None:
    call.cost = call.cost_computed = 5
    call.cost_status = "computed"


@dataclass
class Model:
    """The rules, as plainly as they can be said."""

    parts: dict[Identity, Said] = field(default_factory=dict)
    gone: dict[Identity, tuple[Call | None, Micros]] = field(default_factory=dict)
    """What is known of calls whose rows went: the content, and the day it arrived."""
    dropped: list[Whole] = field(default_factory=list)
    minutes_gone: dict[Any, Micros] = field(default_factory=dict)
    lost: int = 0
    """Calls of the import that went."""
    next: int = 1

    def rows(self) -> list[Whole]:
        left = sorted(self.parts.values(), key=lambda said: said.seq)
        rows: list[Whole] = []
        while left:
            group = [left.pop(0)]
            keys = set(group[0].call.call_keys)
            while more := [said for said in left if keys & set(said.call.call_keys)]:
                group += more
                left = [said for said in left if said not in more]
                keys |= {key for said in more for key in said.call.call_keys}
            group.sort(key=lambda said: said.seq)
            rows.append(Whole(merge([Part(s.seq, s.call, False) for s in group]), group))
        return rows

    def write(self, batch: WriteBatch, now: Micros) -> tuple[list[Outcome], list[Outcome]]:
        added = [self.add(call, batch.remember, now) for call in batch.calls]
        return added, [self.take((r.source, r.source_key), now) for r in batch.retracts]

    def add(self, call: Call, remember: bool, now: Micros) -> Outcome:
        own = (call.source, call.source_key)
        keys = [("", key) for key in call.call_keys]
        # Who joins a call that is gone is known as long as that one.
        remember = remember or any(key in self.gone for key in keys)
        known = self.parts.get(own)
        if known is not None:
            return self.say_again(own, known, call, remember, now)
        if own in self.gone:
            return Outcome.DUPLICATE if self.gone[own][0] == content(call) else Outcome.LATE
        joined = any(set(said.call.call_keys) & set(call.call_keys) for said in self.parts.values())
        if not joined and any(key in self.gone for key in keys):
            return Outcome.LATE
        self.parts[own] = Said(self.next, call, remember, now)
        self.next += 1
        self.settle(own, now)
        return Outcome.MERGED if joined else Outcome.STORED

    def say_again(self, own: Identity, known: Said, call: Call, remember: bool, now: Micros) -> Outcome:
        same = content(known.call) == content(call)
        # What came without an import too is not the import's.
        batch = None if known.call.batch_id is None else call.batch_id
        if same and batch == known.call.batch_id:
            return Outcome.DUPLICATE
        before = [row for row in self.rows() if known in row.parts]
        said = replace(known.call, batch_id=None) if same else replace(call, batch_id=batch)
        self.parts[own] = replace(
            known, call=said, remember=known.remember if same else known.remember or remember
        )
        for row in before:
            for part in row.parts:
                part.arrived = now
        self.settle(own, now)
        return Outcome.DUPLICATE if same else Outcome.CORRECTED

    def settle(self, own: Identity, now: Micros) -> None:
        """The row that a source's word is part of now is new, and its keys lead to it."""
        for row in self.rows():
            if self.parts[own] in row.parts:
                for part in row.parts:
                    part.arrived = now
        for key in self.parts[own].call.call_keys:
            self.gone.pop(("", key), None)

    def take(self, own: Identity, now: Micros) -> Outcome:
        if own in self.gone:
            return Outcome.LATE
        if own not in self.parts:
            return Outcome.MISSING
        for row in self.rows():
            if self.parts[own] in row.parts:
                for part in row.parts:
                    part.arrived = now
        del self.parts[own]
        return Outcome.RETRACTED

    def drop(self, cutoff: Micros) -> int:
        count = 0
        for row in self.rows():
            if max(row.call.booked, row.arrived) > cutoff:
                continue
            count += 1
            self.dropped.append(row)
            for said in row.parts:
                own = (said.call.source, said.call.source_key)
                del self.parts[own]
                self.lost += said.call.batch_id is not None
                if any(part.remember for part in row.parts):
                    self.gone[own] = content(said.call), row.arrived
                    self.gone |= {("", key): (None, row.arrived) for key in said.call.call_keys}
        return count

    def expire(self, now: Micros) -> None:
        first = (now - IDENTITIES_KEPT) // DAY
        self.gone = {name: known for name, known in self.gone.items() if known[1] // DAY >= first}

    def forget(self) -> None:
        for said in [*self.parts.values(), *(said for row in self.dropped for said in row.parts)]:
            said.call = replace(said.call, user=None)
        for row in self.dropped:
            row.call = replace(row.call, user=None)

    def counted(self, layer: Layer) -> list[Whole]:
        found = [*self.rows(), *self.dropped]
        if layer is not Layer.MINUTE:
            return found
        return [row for row in found if row.arrived > self.minutes_gone.get(cell(row.call), -1)]


def cell(call: Call) -> Any:
    (found,) = expected([call], Layer.MINUTE)
    return found


class Run:
    """A store and its model."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = ManualClock(MIDNIGHT + 40 * DAY)
        self.store = self.open()
        self.model = Model()
        self.begin()

    def open(self) -> Store:
        return Store.open(self.path, write=True, clock=self.clock, zone=ZONE)

    def begin(self) -> None:
        self.store.begin_import(ImportInfo("load", self.clock.now(), ("f",), "csv", 0))

    def do(self, op: Op) -> None:
        what, detail = op
        self.clock.advance(1)
        getattr(self, what)(*(() if detail is None else (detail,)))

    def write(self, detail: tuple[list[Call], list[Retract], bool]) -> None:
        batch = WriteBatch(calls=detail[0], retracts=detail[1], remember=detail[2])
        said = self.model.write(batch, self.clock.now())
        done = self.store.write(batch)
        assert (done.calls, done.retracts) == said

    def seal(self, detail: tuple[int, int]) -> None:
        rows, identities = detail
        self.store.seal(self.clock.now(), Limits(rows=rows, head=0, age=0, identities=identities, cells=1))

    def advance(self, detail: Micros) -> None:
        self.clock.advance(detail)

    def retain(self, minute: str) -> None:
        now = self.clock.now()
        done = self.store.retain(Retention.model_validate({**KEEP, "minute": minute}), now)
        assert done.calls == self.model.drop(now - RAW)
        self.model.expire(now)
        if minute != "20d":
            return
        found = contents(read(self.store, Layer.MINUTE))
        for row in self.model.counted(Layer.MINUTE):
            if cell(row.call) not in found:
                assert max(cell(row.call)[0], row.arrived) <= now - MINUTES
                self.model.minutes_gone[cell(row.call)] = now

    def fill(self) -> None:
        """There is no room for a single call."""
        done = self.store.retain(
            Retention.model_validate({**KEEP, "minute": "4000d", "size": 1}), self.clock.now()
        )
        # By age first; what that leaves goes too.
        assert done.calls == self.model.drop(1 << 62)
        self.model.expire(self.clock.now())

    def rebuild(self, mend: bool) -> None:
        assert self.store.rebuild_rollups(mend=mend).wrong == 0

    def reprice(self) -> None:
        self.store.reprice(0, price)
        for said in self.model.parts.values():
            said.call = replace(said.call)
            price(said.call)

    def undo(self) -> None:
        if self.model.lost:
            with pytest.raises(MonitorError, match=f"{self.model.lost} of its calls"):
                self.store.undo_import("load")
            return
        for own in [own for own, said in self.model.parts.items() if said.call.batch_id == "load"]:
            self.model.take(own, self.clock.now())
        self.store.undo_import("load")
        self.begin()

    def forget(self) -> None:
        self.store.forget("user", "u", "me")
        self.model.forget()

    def compact(self) -> None:
        self.store.compact()

    def reopen(self) -> None:
        self.store.close()
        self.store = self.open()

    def check(self) -> None:
        model, store = self.model, self.store
        for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
            wanted = expected([row.call for row in model.counted(layer)], layer, ZONE)
            found = contents(read(store, layer))
            if model.dropped:
                # The lowest and highest that a cell loses cannot be found again.
                wanted, found = ({k: (v[0], v[2]) for k, v in side.items()} for side in (wanted, found))  # type: ignore[misc]
            assert found == wanted, layer
        kept = [row.call for row in model.rows()]
        check_raw(store, kept)
        check_sessions(store, [*kept, *(row.call for row in model.dropped)])
        assert store.extent().calls == len(kept) + len(model.dropped)


def check_raw(store: Store, kept: Sequence[Call]) -> None:
    raw = read(store, Layer.RAW)
    assert sorted(raw.end.tolist()) == sorted(call.booked for call in kept)
    for at, name in enumerate(MEASURES):
        values = [v for v in (measured(call)[at] for call in kept) if v is not None]
        assert total(raw, name) == sum(values), name
        assert int(raw.numbers[name].known.sum()) == len(values), name


def check_sessions(store: Store, every: Sequence[Call]) -> None:
    with store._read() as conn:
        found = conn.execute("SELECT calls, tokens, cost FROM sessions").fetchall()
    own = [call for call in every if call.session == "s"]
    sums = (len(own), sum(call.total_tokens or 0 for call in own), sum(call.cost or 0 for call in own))
    assert found == ([sums] if own else [])


@given(st.lists(ops, min_size=2, max_size=14))
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.too_slow])
def test_every_layer_follows_every_change_over_time(history: list[Op]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "x.db")
        try:
            for op in history:
                run.do(op)
                run.check()
            run.rebuild(mend=False)
        finally:
            run.store.close()
