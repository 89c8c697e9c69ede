"""Whatever happens in whatever order, every layer says the same as a plain model of the rules."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import check_layers

from tests.examples import examples
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.store.api import ImportInfo, Outcome, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.merge import Part, merge
from tui_monitor.store.sealing import Limits

MIDNIGHT = 1_774_738_800_000_000
"""2026-03-29 00:00 in Berlin: the day has 23 hours."""
ZONE = "Europe/Berlin"
TIMES = tuple(
    MIDNIGHT + d for d in (-1, 0, 1, MINUTE, MINUTE + 1, HOUR, 2 * HOUR + 1, 23 * HOUR - 1, 23 * HOUR)
)


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | values


calls = st.builds(
    Call,
    source=st.sampled_from(["litellm", "events:app", "import"]),
    source_key=st.sampled_from(["a", "b", "c"]),
    ts_end=st.sampled_from(TIMES),
    call_keys=st.lists(st.sampled_from(["k1", "k2", "k3"]), max_size=2, unique=True).map(tuple),
    provider=st.sampled_from(["openai", "anthropic", None]),
    model_served=st.sampled_from(["m", None]),
    user=st.sampled_from(["u", None]),
    session=st.sampled_from(["s", None]),
    status=st.sampled_from(["success", "error", "unknown"]),
    in_uncached=maybe(st.integers(0, 9)),
    cache_read=maybe(st.integers(0, 9)),
    cache_write_1h=maybe(st.integers(0, 9)),
    out_total=maybe(st.integers(0, 9)),
    cost=maybe(st.integers(0, 9)),
    cost_status=st.sampled_from(["reported", "computed", "unpriced"]),
    latency_ms=maybe(st.sampled_from([0.5, 1.0, 250.0, 251.0])),
    batch_id=st.sampled_from([None, "load"]),
)


@dataclass
class Step:
    """One transaction."""

    calls: list[Call] = field(default_factory=list)
    retracts: list[Retract] = field(default_factory=list)
    seal: int = 0
    """Calls of a segment, where calls are sealed after it."""


retracts = st.builds(
    Retract, st.sampled_from(["litellm", "events:app", "import"]), st.sampled_from(["a", "b", "c"])
)
steps = st.lists(
    st.builds(Step, st.lists(calls, max_size=4), st.lists(retracts, max_size=2), st.integers(0, 2)),
    min_size=1,
    max_size=6,
)


class Model:
    """The rules, as plainly as they can be said: parts, and what belongs together."""

    def __init__(self) -> None:
        self.parts: dict[tuple[str, str], tuple[int, Call]] = {}
        self.next = 1

    def apply(self, step: Step) -> tuple[list[Outcome], list[Outcome]]:
        added = [self.add(call) for call in step.calls]
        return added, [self.take(r.source, r.source_key) for r in step.retracts]

    def add(self, call: Call) -> Outcome:
        own = (call.source, call.source_key)
        known = self.parts.get(own)
        if known is not None:
            same = replace(known[1], batch_id=None, cost=None, cost_status="") == replace(
                call, batch_id=None, cost=None, cost_status=""
            )
            # What came without an import too is not the import's.
            batch = None if known[1].batch_id is None else call.batch_id
            if not same:
                self.parts[own] = (known[0], replace(call, batch_id=batch))
            elif batch is None:
                self.parts[own] = (known[0], replace(known[1], batch_id=None))
            return Outcome.DUPLICATE if same else Outcome.CORRECTED
        keys = {key for _, other in self.parts.values() for key in other.call_keys}
        self.parts[own] = (self.next, call)
        self.next += 1
        return Outcome.MERGED if keys & set(call.call_keys) else Outcome.STORED

    def take(self, source: str, source_key: str) -> Outcome:
        return Outcome.RETRACTED if self.parts.pop((source, source_key), None) else Outcome.MISSING

    def rows(self) -> list[Call]:
        left = sorted(self.parts.values(), key=lambda part: part[0])
        rows: list[Call] = []
        while left:
            group = [left.pop(0)]
            keys = set(group[0][1].call_keys)
            while more := [part for part in left if keys & set(part[1].call_keys)]:
                group += more
                left = [part for part in left if part not in more]
                keys |= {key for _, call in more for key in call.call_keys}
            rows.append(merge([Part(seq, call, False) for seq, call in group]))
        return rows


def check_sessions(store: Store, rows: Sequence[Call]) -> None:
    with store._read() as conn:  # the ledger has no reader of its own yet
        found = conn.execute("SELECT first, last, calls, tokens, cost FROM sessions").fetchall()
    own = [row for row in rows if row.session == "s"]
    booked = [row.booked for row in own]
    sums = (len(own), sum(row.total_tokens or 0 for row in own), sum(row.cost or 0 for row in own))
    assert found == ([(min(booked), max(booked), *sums)] if own else [])


@given(steps)
@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.too_slow])
def test_every_layer_follows_every_change(history: list[Step]) -> None:
    clock = ManualClock(MIDNIGHT + 40 * DAY)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "x.db", write=True, clock=clock, zone=ZONE)
        try:
            store.begin_import(ImportInfo("load", clock.now(), ("f",), "csv", 0))
            model = Model()
            for step in history:
                result = store.write(WriteBatch(calls=step.calls, retracts=step.retracts))
                assert (result.calls, result.retracts) == model.apply(step)
                clock.advance(1)
                if step.seal:
                    store.seal(clock.now(), Limits(rows=step.seal, head=0, age=0, identities=0, cells=1))
            _check(store, model)
            for own in [own for own, (_, call) in model.parts.items() if call.batch_id == "load"]:
                del model.parts[own]
            store.undo_import("load")
            _check(store, model)
        finally:
            store.close()


def _check(store: Store, model: Model) -> None:
    rows = model.rows()
    check_layers(store, rows, ZONE)
    assert store.rebuild_rollups(mend=False).wrong == 0
    check_sessions(store, rows)
    extent = store.extent()
    booked = [row.booked for row in rows]
    known = (min(booked), max(booked)) if rows else (None, None)
    assert (extent.calls, extent.first, extent.last) == (len(rows), *known)
