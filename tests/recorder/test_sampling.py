"""When sampling begins, of what, how it ends; and what a flood leaves in the database."""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.examples import examples
from tests.recorder.conftest import MakeCall
from tui_monitor.config.settings import Collector, Sampling
from tui_monitor.model.bus import EventBus
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.call import Call
from tui_monitor.model.clock import DAY, HOUR, MINUTE, SECOND, ManualClock
from tui_monitor.model.feed import Retract, Sample
from tui_monitor.model.sampling import SampledScope, words
from tui_monitor.model.timerange import Span
from tui_monitor.recorder.prepare import Preparer
from tui_monitor.recorder.recorder import Recorder
from tui_monitor.recorder.sampling import Sampler
from tui_monitor.store.api import Layer, Outcome
from tui_monitor.store.database import Store

Make = Callable[..., Sampler]
QUEUE = 1_000


@pytest.fixture
def sampler(clock: ManualClock) -> Make:
    def make(rows: int = 0, zone: str = "UTC", **fields: object) -> Sampler:
        return Sampler(Sampling.model_validate(fields), Calendar(zone), QUEUE, clock, rows)

    return make


def calls(count: int, model: str = "gpt-5", **fields: object) -> list[Call]:
    known = {"provider": "openai", "status": "success", **fields}
    return [Call("events", f"{model}{n}", ts_end=1, model_served=model, **known) for n in range(count)]  # type: ignore[arg-type]


def store_all(sampler: Sampler, made: list[Call]) -> list[int]:
    rates = sampler.rates(made)
    sampler.count(made, rates, [Outcome.STORED] * len(made))
    return rates


def flood(sampler: Sampler, clock: ManualClock, seconds: float, queued: int, made: list[Call]) -> None:
    """So long, at two looks a second."""
    for _ in range(round(seconds * 2)):
        sampler.look(queued)
        store_all(sampler, made)
        clock.advance(SECOND // 2)
    sampler.look(queued)


def test_a_full_queue_halves_the_busiest_model_step_by_step(sampler: Make, clock: ManualClock) -> None:
    one = sampler(queue_mark=0.5)
    made = [*calls(160, "big"), *calls(60, "small"), *calls(300, "bad", status="error")]
    flood(one, clock, 4.5, 600, made)
    assert one.scopes == ()
    flood(one, clock, 1, 600, made)
    assert one.scopes == (SampledScope("openai", "big", 2),)
    flood(one, clock, 5, 600, made)
    assert one.scopes == (SampledScope("openai", "big", 4),)
    flood(one, clock, 5, 600, made)
    assert one.scopes == (SampledScope("openai", "big", 4), SampledScope("openai", "small", 2))
    flood(one, clock, 25, 600, made)
    assert {scope.one_in for scope in one.scopes} == {8}
    assert words(one.scopes) == "sampling 1 in 8 of openai big and 1 more"


def test_it_ends_as_it_began_and_does_not_flap(sampler: Make, clock: ManualClock) -> None:
    one = sampler(queue_mark=0.5)
    flood(one, clock, 11, 600, calls(10))
    assert one.scopes[0].one_in == 4
    for queued in (400, 260, 499) * 100:  # below the mark, above its half
        one.look(queued)
        clock.advance(SECOND)
    assert one.scopes[0].one_in == 4
    one.look(0)
    clock.advance(59 * SECOND)
    one.look(400)
    one.look(0)
    clock.advance(59 * SECOND)
    one.look(0)
    assert one.scopes[0].one_in == 4
    clock.advance(SECOND)
    one.look(0)
    assert one.scopes[0].one_in == 2
    clock.advance(HOUR)
    one.look(0)
    assert one.scopes == ()


def test_a_short_burst_samples_nothing(sampler: Make, clock: ManualClock) -> None:
    one = sampler(queue_mark=0.5)
    for _ in range(50):
        flood(one, clock, 4, 900, calls(10))
        one.look(100)
        clock.advance(SECOND)
    assert one.scopes == ()
    assert sampler().rates(calls(10)) == [1] * 10


def test_the_day_keeps_half_and_then_a_quarter(sampler: Make, clock: ManualClock) -> None:
    one = sampler(max_rows_per_day=1000)
    rates = store_all(one, calls(5000))
    assert rates[:800] == [1] * 800
    assert {abs(rate) for rate in rates[800:950]} == {2}
    assert {abs(rate) for rate in rates[1200:]} == {4}
    kept = sum(rate > 0 for rate in rates[1200:])
    # 3,800 calls, each kept with a chance of a quarter: within four standard deviations.
    assert abs(kept - 950) < 4 * (3800 * 0.25 * 0.75) ** 0.5
    assert one.left_out == sum(rate < 0 for rate in rates)
    assert one.scopes == (SampledScope("", "", 4),)
    assert words(one.scopes) == "sampling 1 in 4 of all calls"
    clock.advance(DAY)
    one.look(0)
    assert one.rates(calls(10)) == [1] * 10


def test_days_are_those_of_the_zone_and_go_on_after_a_restart(sampler: Make, clock: ManualClock) -> None:
    one = sampler(rows=950, zone="Asia/Tokyo", max_rows_per_day=1000)  # 21:00 there
    clock.advance(3 * HOUR - SECOND)
    one.look(0)
    assert one.scopes != ()
    clock.advance(2 * SECOND)
    one.look(0)
    assert one.scopes == ()


def test_a_lowest_share_is_kept(sampler: Make) -> None:
    assert {abs(r) for r in sampler(rows=1000, max_rows_per_day=1000, lowest_share=0.5).rates(calls(99))} == {
        2
    }
    assert sampler(rows=1000, max_rows_per_day=1000, lowest_share=0.6).rates(calls(99)) == [1] * 99


def test_only_successful_calls_that_nobody_imported_are_left_out(sampler: Make) -> None:
    one = sampler(rows=1000, max_rows_per_day=1000)
    for fields in ({"status": "error"}, {"status": "cancelled"}, {"status": "unknown"}, {"batch_id": "b"}):
        assert one.rates(calls(50, **fields)) == [1] * 50
    others = [Sample("s", 1, 1.0), Retract("a", "b")]
    assert one.rates(others) == [1, 1]


@given(st.lists(st.tuples(st.integers(0, QUEUE), st.integers(0, 120), st.sampled_from("abc")), max_size=30))
@settings(max_examples=examples(50))
def test_rates_are_powers_of_two_within_their_bounds_and_move_by_one_step(
    history: list[tuple[int, int, str]],
) -> None:
    clock = ManualClock(0)
    one = Sampler(Sampling(queue_mark=0.5, lowest_share=0.1), Calendar(), QUEUE, clock, 0)
    before: dict[str, int] = {}
    for queued, wait, model in history:
        store_all(one, calls(3, model))
        one.look(queued)
        rates = {scope.model: scope.one_in for scope in one.scopes}
        assert all(rate in (2, 4, 8) for rate in rates.values())
        raised = [m for m in rates if rates[m] > before.get(m, 1)]
        assert len(raised) <= 1
        if raised:
            assert queued >= QUEUE / 2
            assert rates[raised[0]] == 2 * before.get(raised[0], 1)
        if any(rates.get(m, 1) < before[m] for m in before):
            assert queued < QUEUE / 4
        before = rates
        clock.advance(wait * SECOND)


def test_what_a_low_rate_keeps_a_higher_one_keeps_too() -> None:
    for rate in (2, 4, 8):
        kept = {c.source_key for c, r in zip(*_at(rate), strict=True) if r > 0}
        more = {c.source_key for c, r in zip(*_at(rate // 2), strict=True) if r > 0}
        assert kept < more
        assert kept


def _at(rate: int) -> tuple[list[Call], list[int]]:
    made = calls(64)
    one = Sampler(Sampling(queue_mark=0.5), Calendar(), QUEUE, clock := ManualClock(0), 0)
    wanted = rate.bit_length() - 1
    for _ in range(2 * wanted):
        one.count(made, [1] * 64, [Outcome.STORED] * 64)
        one.look(QUEUE)
        clock.advance(5 * SECOND)
        if wanted == 0 or (one.scopes and one.scopes[0].one_in == rate):
            break
    return made, one.rates(made)


@pytest.mark.parametrize(
    "wrong", [{"queue_mark": 0}, {"queue_mark": 1.5}, {"lowest_share": 0}, {"max_rows_per_day": 5}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Sampling.model_validate(wrong)


async def test_a_flood_leaves_exact_sums_and_a_sample(
    store: Store, preparer: Preparer, clock: ManualClock, make: MakeCall
) -> None:
    rng = random.Random(7)
    wanted_rows = Sampling(max_rows_per_day=100)
    sampling = Sampler(wanted_rows, Calendar(), QUEUE, clock, 0)
    recorder = Recorder(
        store, preparer, Collector.model_validate({"flush_interval": "1ms"}), clock, EventBus(), sampling
    )
    await recorder.start()
    made = [
        make(
            str(n), status="error" if rng.random() < 0.1 else "success", out_total=rng.randrange(500),
            attrs={"tier": rng.choice("ab")}, ts_end=clock.now() - rng.randrange(MINUTE),
        )
        for n in range(1000)
    ]  # fmt: skip
    for at in range(0, 1000, 100):
        receipt = await recorder.submit(made[at : at + 100])
        assert receipt.accepted == 100
    again = await recorder.submit(made[:500])
    assert (again.accepted, again.duplicate) == (0, 500)
    stats = recorder.stats
    files = [make(f"f{n}") for n in range(50)]
    await recorder.submit(files, remember=True)
    await recorder.stop()
    ever = Span(0, clock.now())
    raw = store.facts(Layer.RAW, ever, ("status",), ("calls", "output"))
    hour = store.facts(Layer.HOUR, Span(0, clock.now() + HOUR), (), ("calls", "output"))
    wanted = sum(call.out_total or 0 for call in made) + 50 * 10
    assert int(hour.numbers["calls"].total.sum()) == 1050
    assert int(hour.numbers["output"].total.sum()) == wanted
    kept = Counter(call.status for call, _ in store.raw_sample(ever))
    assert kept["error"] == sum(call.status == "error" for call in made)
    assert sum(kept.values()) + stats.left_out == 1050
    assert 0.3 < stats.left_out / 1000 < 0.8
    assert stats.sampling == (SampledScope("", "", 4),)
    assert {weight for call, weight in store.raw_sample(ever) if call.status == "error"} == {1}
    # An estimate of the sum from a sample of some 200 calls.
    assert int(raw.numbers["output"].total.sum()) == pytest.approx(wanted, rel=0.2)
    assert store.pushed_since(clock.now() - HOUR) == sum(kept.values()) - 50
