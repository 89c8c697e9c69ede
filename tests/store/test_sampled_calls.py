"""Sampling takes raw rows and nothing else: sums, identities and corrections are as the rules say."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_helpers import EVER, a_call, contents, expected, read, total, write
from test_any_order import MIDNIGHT, ZONE, Model, calls, retracts

from tests.examples import examples
from tui_monitor.config.settings import Retention
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, ManualClock
from tui_monitor.model.feed import Retract
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import HISTOGRAMS, MEASURES, Layer, Outcome, WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.measures import measured
from tui_monitor.store.sealing import Limits

D, S, L, M = Outcome.DUPLICATE, Outcome.STORED, Outcome.LATE, Outcome.MERGED


@dataclass
class Step:
    """One transaction."""

    calls: list[tuple[Call, int]] = field(default_factory=list)
    retracts: list[Retract] = field(default_factory=list)
    seal: int = 0
    remember: bool = False


rated = st.tuples(calls.map(lambda call: replace(call, batch_id=None)), st.sampled_from([1, -4, 4, -2, -4]))
steps = st.lists(
    st.builds(
        Step, st.lists(rated, max_size=4), st.lists(retracts, max_size=2), st.integers(0, 2), st.booleans()
    ),
    min_size=1,
    max_size=7,
)


class Sampling(Model):
    """The rules of calls, and of those that get no raw row."""

    def __init__(self) -> None:
        super().__init__()
        self.left_out: dict[tuple[str, str], Call] = {}
        self.gone_keys: set[str] = set()
        self.weight: dict[tuple[str, str], int] = {}
        self.rate: dict[tuple[str, str], int] = {}

    def step(self, step: Step) -> tuple[list[Outcome], list[Outcome]]:
        added = [self.told(call, rate) for call, rate in step.calls]
        taken = []
        for r in step.retracts:
            gone = (r.source, r.source_key) in self.left_out
            taken.append(L if gone else self.take(r.source, r.source_key))
            self._settle()
        for own, rate in self.rate.items():
            if own not in self.parts or rate == 1:
                continue
            if self.parts[own][1].status != "success":
                continue
            self.weight[own] = abs(rate)
            if rate < 0:
                self.left_out[own] = self.parts.pop(own)[1]
                self.gone_keys.update(self.left_out[own].call_keys)
        self.rate.clear()
        return added, taken

    def told(self, call: Call, rate: int) -> Outcome:
        own = (call.source, call.source_key)
        if own in self.left_out:
            priced = {"batch_id": None, "cost": None, "cost_status": ""}
            return D if replace(self.left_out[own], **priced) == replace(call, **priced) else L
        keys = {key for _, other in self.parts.values() for key in other.call_keys}
        fresh = own not in self.parts
        if fresh and not keys & set(call.call_keys) and self.gone_keys & set(call.call_keys):
            return L
        outcome = self.add(call)
        if fresh:
            self.weight[own], self.rate[own] = 1, rate if outcome is S else 1
        if outcome is not D:
            self.gone_keys -= set(call.call_keys)
        self._settle()
        return outcome

    def _settle(self) -> None:
        for group in self.groups():
            if len(group) > 1:
                weight = max(self.weight[own] for own in group)
                self.weight.update(dict.fromkeys(group, weight))
                self.rate.update(dict.fromkeys(group, 1))

    def groups(self) -> list[list[tuple[str, str]]]:
        left = list(self.parts)
        found = []
        while left:
            group = [left.pop(0)]
            keys = set(self.parts[group[0]][1].call_keys)
            while more := [own for own in left if keys & set(self.parts[own][1].call_keys)]:
                group += more
                left = [own for own in left if own not in more]
                keys |= {key for own in more for key in self.parts[own][1].call_keys}
            found.append(group)
        return found

    def weighted(self) -> list[tuple[Call, int]]:
        """Raw rows, and how many calls each stands for."""
        by_first = sorted(self.groups(), key=lambda group: min(self.parts[own][0] for own in group))
        firsts = [min(group, key=lambda own: self.parts[own][0]) for group in by_first]
        return list(zip(self.rows(), [self.weight[own] for own in firsts], strict=True))


def check_sums(store: Store, calls: Sequence[Call], *, exact_extremes: bool) -> None:
    """Every roll-up says what these calls make of it; extremes may be those of calls that were corrected."""
    for layer in (Layer.MINUTE, Layer.HOUR, Layer.DAY):
        found, wanted = contents(read(store, layer)), expected(calls, layer, ZONE)
        assert found.keys() == wanted.keys()
        for row, (numbers, extremes, spreads) in wanted.items():
            assert (found[row][0], found[row][2]) == (numbers, spreads), (layer, row)
            for (low, high), (least, most) in zip(found[row][1], extremes, strict=True):
                if exact_extremes or least is None:
                    assert (low, high) == (least, most)
                else:
                    assert low <= least <= most <= high


def check_raw(store: Store, rows: Sequence[tuple[Call, int]]) -> None:
    """The raw layer counts each row as often as it stands for calls, and lists it once."""
    raw = read(store, Layer.RAW)
    assert sorted(raw.end.tolist()) == sorted(call.booked for call, _ in rows)
    for at, name in enumerate(MEASURES):
        values = [(v, n) for v, n in ((measured(call)[at], n) for call, n in rows) if v is not None]
        assert total(raw, name) == sum(v * n for v, n in values), name
        assert int(raw.numbers[name].known.sum()) == sum(n for _, n in values), name
        if name in HISTOGRAMS:
            assert int(raw.histograms[name].count.sum()) == sum(n for _, n in values)
    key = lambda pair: (pair[0].booked, pair[0].source, pair[0].source_key, pair[1])  # noqa: E731
    listed = sorted(store.raw_sample(EVER), key=key)
    assert [(c.source_key, n) for c, n in listed] == [(c.source_key, n) for c, n in sorted(rows, key=key)]


@given(steps)
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.too_slow])
def test_sums_are_those_of_every_call_whatever_happens(history: list[Step]) -> None:
    clock = ManualClock(MIDNIGHT + 48 * HOUR)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "x.db", write=True, clock=clock, zone=ZONE)
        try:
            model = Sampling()
            for step in history:
                batch = WriteBatch(
                    calls=[call for call, _ in step.calls],
                    rates=[rate for _, rate in step.calls],
                    retracts=step.retracts,
                    remember=step.remember,
                )
                result = store.write(batch)
                assert (result.calls, result.retracts) == model.step(step)
                clock.advance(1)
                if step.seal:
                    store.seal(clock.now(), Limits(rows=step.seal, head=0, age=0, identities=0))
            counted = [*model.rows(), *model.left_out.values()]
            check_sums(store, counted, exact_extremes=not model.left_out)
            check_raw(store, model.weighted())
            assert all(call.status == "success" for call in model.left_out.values())
            report = store.rebuild_rollups(mend=True)
            assert report.wrong == 0
            assert bool(report.sampled) == bool(model.left_out)
            check_sums(store, counted, exact_extremes=not model.left_out)
            extent = store.extent()
            booked = [call.booked for call in counted]
            known = (min(booked), max(booked)) if booked else (None, None)
            assert (extent.calls, extent.first, extent.last) == (len(counted), *known)
            sampled_out = store.stats(Retention(), clock.now()).sampled_out
            assert sampled_out == len(model.left_out)
        finally:
            store.close()


def sample(store: Store, made: Sequence[Call], rates: Sequence[int]) -> list[Outcome]:
    return store.write(WriteBatch(calls=list(made), rates=list(rates))).calls


def test_what_is_left_out_is_known_when_it_comes_again(store: Store, clock: ManualClock) -> None:
    at = clock.now()
    made = [
        a_call("kept", at, call_keys=("k",)),
        a_call("out", at, call_keys=("o",)),
        a_call("bad", at, status="error"),
    ]
    assert sample(store, made, [4, -4, -4]) == [S, S, S]
    assert sample(store, made, [-4, 4, -4]) == [D, D, D]
    changed = [replace(call, out_total=99) for call in made[:2]]
    assert sample(store, changed, [-4, 1]) == [Outcome.CORRECTED, L]
    other = [a_call(f"g{key}", at, source="gateway", call_keys=(key,), session="s") for key in "ok"]
    assert write(store, *other).calls == [L, M]
    taken = store.write(WriteBatch(retracts=[Retract("events:app", "out"), Retract("events:app", "kept")]))
    assert taken.retracts == [L, Outcome.RETRACTED]
    assert [(call.source_key, weight) for call, weight in store.raw_sample(EVER)] == [("bad", 1), ("gk", 4)]
    assert total(read(store, Layer.HOUR)) == 3


def test_a_packed_key_that_leads_nowhere_keeps_no_call(store: Store, clock: ManualClock) -> None:
    at = clock.now()
    write(store, a_call("first", at, call_keys=("k",)))
    store.seal(at, Limits(rows=1, head=0, age=0, identities=0))
    write(store, a_call("first", at))
    assert sample(store, [a_call("second", at, call_keys=("k",))], [-4]) == [S]
    assert [call.source_key for call in store.raw_calls(EVER)] == ["first"]
    assert sample(store, [a_call("third", at, call_keys=("k",))], [1]) == [L]


def test_an_older_database_goes_on_with_rows_that_stand_for_themselves(opener, clock: ManualClock) -> None:
    store = opener()
    write(store, *(a_call(f"c{n}", clock.now() - n) for n in range(20)))
    store.seal(clock.now(), Limits(rows=8, head=0, age=0))
    before = contents(read(store, Layer.HOUR)), list(store.raw_calls(EVER))
    with store._writing.transaction():  # as the version before left it
        for statement in (
            "ALTER TABLE calls DROP COLUMN weight", "DROP TABLE sampled",
            "DELETE FROM migrations WHERE name = 'sampling'",
        ):  # fmt: skip
            store._writing.conn.execute(statement)
    store.close()
    store = opener()
    assert (contents(read(store, Layer.HOUR)), list(store.raw_calls(EVER))) == before
    assert {weight for _, weight in store.raw_sample(EVER)} == {1}
    sample(store, [a_call("more", clock.now())], [8])
    assert total(read(store, Layer.RAW)) == 28


def test_prices_of_what_is_left_out_stay(store: Store, clock: ManualClock) -> None:
    at = clock.now()
    sample(store, [a_call(f"c{n}", at - n * MINUTE) for n in range(4)], [2, -2, 2, 1])

    def dearer(call: Call) -> None:
        call.cost = call.cost_computed = 3000

    report = store.reprice(at - HOUR, dearer)
    assert (report.looked_at, report.changed) == (3, 3)
    assert [(one.calls, one.one_in, one.span) for one in report.sampled] == [
        (1, 2, Span(at - MINUTE - 1, at - MINUTE))
    ]
    assert total(read(store, Layer.HOUR), "cost") == 3 * 3000 + 1000
    assert total(read(store, Layer.RAW), "cost") == 5 * 3000
    assert store.reprice(at + 1, dearer).sampled == ()


def test_a_sample_goes_with_the_rows_of_its_time(store: Store, clock: ManualClock) -> None:
    at = clock.now()
    sample(store, [a_call("out", at), a_call("kept", at + 5)], [-2, 2])
    assert not store.holdings()[Layer.RAW].complete(Span(at - 1, at))
    assert store.holdings()[Layer.RAW].complete(Span(at, at + 5))
    clock.advance(91 * DAY)
    store.retain(Retention(), clock.now())
    raw = store.holdings()[Layer.RAW]
    assert raw.sampled == ()
    assert raw.dropped_in(Span(at - 1, at))
    assert store.stats(Retention(), clock.now()).sampled_out == 0
    assert sample(store, [a_call("out", at)], [1]) == [D]
    assert store.extent().calls == 2


def test_a_person_is_forgotten_in_sampled_times_too(store: Store, clock: ManualClock) -> None:
    at = clock.now()
    sample(store, [a_call(f"c{n}", at, user="ana") for n in range(3)], [-4, 4, -4])
    assert store.forget("user", "ana", "me").calls == 1
    for layer in (Layer.HOUR, Layer.DAY):
        facts = read(store, layer)
        assert facts.labels["user"].values == [None]
        assert total(facts) == 3
    assert store.label_values("user") == []


def test_days_of_a_new_zone_are_not_made_of_a_sample(opener, clock: ManualClock) -> None:
    store = opener(zone="UTC")
    at = clock.now()
    sample(
        store,
        [a_call("out", at - 3 * DAY), a_call("kept", at - 3 * DAY + 1), a_call("whole", at - DAY)],
        [-2, 2, 1],
    )
    store.close()
    store = opener(zone="Asia/Tokyo")
    store.retain(Retention(), at)
    held = store.holdings()[Layer.DAY]
    assert not held.complete(Span(at - 3 * DAY - 1, at - 3 * DAY))
    assert held.complete(Span(at - 2 * DAY, at))


def test_rows_of_today_are_counted_wherever_they_are(store: Store, clock: ManualClock) -> None:
    write(store, *(a_call(f"old{n}", clock.now()) for n in range(5)))
    clock.advance(HOUR)
    since = clock.now()
    write(store, *(a_call(f"new{n}", since) for n in range(6)))
    write(store, a_call("file", since), remember=True)
    sample(store, [a_call("out", since)], [-2])
    assert store.pushed_since(since) == 6
    store.seal(clock.now(), Limits(rows=4, head=0, age=0))
    assert store.pushed_since(since) == 6
