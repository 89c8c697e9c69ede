"""Where one cell ends and the next begins."""

from datetime import UTC, datetime

import numpy as np
import pytest
from store_helpers import EVER, a_call, check_layers, contents, expected, read, total, write

from tests.store.conftest import Opener
from tui_monitor.model.call import Call
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, ManualClock, from_datetime
from tui_monitor.model.timerange import Span
from tui_monitor.store.api import Layer
from tui_monitor.store.database import Store

START = from_datetime(datetime(2026, 3, 18, 9, tzinfo=UTC))


@pytest.mark.parametrize(("layer", "width"), [(Layer.MINUTE, MINUTE), (Layer.HOUR, HOUR)])
def test_a_cell_is_left_open(store: Store, layer: Layer, width: int) -> None:
    for i, offset in enumerate((0, 1, width, width + 1)):
        write(store, a_call(f"c{i}", START + offset))
    cells = read(store, layer)
    counts = dict(zip(cells.end.tolist(), cells.numbers["calls"].total.tolist(), strict=True))
    assert counts == {START: 1, START + width: 2, START + 2 * width: 1}


def test_only_whole_cells_are_given(store: Store) -> None:
    write(store, *(a_call(f"c{i}", START + i * MINUTE) for i in range(1, 61)))
    for start, end, n in ((0, 60, 60), (1, 59, 58), (0.5, 2.5, 1), (0.5, 1.5, 0), (0, 0.999, 0)):
        span = Span(START + round(start * MINUTE), START + round(end * MINUTE))
        assert total(read(store, Layer.MINUTE, span)) == n
    assert total(read(store, Layer.HOUR, Span(START, START + HOUR))) == 60
    assert total(read(store, Layer.HOUR, Span(START + 1, START + HOUR))) == 0
    assert total(read(store, Layer.RAW, Span(START + MINUTE, START + 3 * MINUTE))) == 2


@pytest.mark.parametrize(
    ("date", "hours"), [((2026, 3, 28), 24), ((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 10, 26), 24)]
)
def test_days_of_changing_clocks(opener: Opener, date: tuple[int, int, int], hours: int) -> None:
    from zoneinfo import ZoneInfo

    store = opener(zone="Europe/Berlin")
    midnight = from_datetime(datetime(*date, tzinfo=ZoneInfo("Europe/Berlin")))
    end = midnight + hours * HOUR
    calls = [a_call(f"c{i}", t) for i, t in enumerate((midnight - 1, midnight, end - 1, end))]
    write(store, *calls)
    days = read(store, Layer.DAY)
    assert dict(zip(days.end.tolist(), days.numbers["calls"].total.tolist(), strict=True)) == {
        midnight - 1: 1, end - 1: 2, end - 1 + _next_day(end): 1,
    }  # fmt: skip
    assert total(read(store, Layer.DAY, Span.half_open(midnight, end))) == 2
    assert total(read(store, Layer.DAY, Span(midnight, end))) == 0
    check_layers(store, calls, "Europe/Berlin")


def _next_day(midnight: int) -> int:
    from tui_monitor.model.calendar import Calendar

    start, end = Calendar("Europe/Berlin").day(midnight)
    return end - start


@pytest.mark.parametrize(
    "zone", ["Asia/Kathmandu", "America/Santiago", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
)
def test_days_of_odd_zones(opener: Opener, zone: str) -> None:
    store = opener(zone=zone)
    calls = [a_call(f"c{i}", START + i * 7 * HOUR + i) for i in range(100)]
    write(store, *calls)
    check_layers(store, calls, zone)


def test_days_of_utc_are_kept_beside_the_users(opener: Opener) -> None:
    calls = [a_call(f"c{i}", START + i * 5 * HOUR) for i in range(40)]
    store = opener(zone="Asia/Tokyo")
    write(store, *calls)
    reader = opener(write=False)
    assert contents(read(reader, Layer.DAY)) == expected(calls, Layer.DAY, "UTC")
    assert contents(read(store, Layer.DAY)) == expected(calls, Layer.DAY, "Asia/Tokyo")
    assert reader.holdings()[Layer.DAY].zone == "UTC"


def test_a_new_zone_is_built_from_the_raw_calls(opener: Opener, clock: ManualClock) -> None:
    from tui_monitor.config.settings import Retention

    calls = [a_call(f"c{i}", START + i * 5 * HOUR) for i in range(40)]
    store = opener(zone="Asia/Tokyo")
    write(store, *calls)
    store.close()
    moved = opener(zone="America/New_York")
    assert not moved.holdings()[Layer.DAY].complete(Span(START, START + HOUR))
    late = a_call("late", START + 3 * HOUR)
    write(moved, late)
    moved.retain(Retention(), clock.now())
    assert moved.holdings()[Layer.DAY].complete(EVER)
    check_layers(moved, [*calls, late], "America/New_York")
    moved.close()
    back = opener(zone="Asia/Tokyo")
    assert back.holdings()[Layer.DAY].complete(EVER)
    check_layers(back, [*calls, late], "Asia/Tokyo")


def test_a_zone_nobody_keeps_is_gone_not_empty(opener: Opener) -> None:
    write(opener(), a_call("a", START))
    reader = opener(write=False, zone="Asia/Tokyo")
    assert len(read(reader, Layer.DAY)) == 0
    assert not reader.holdings()[Layer.DAY].complete(Span(START, START + HOUR))


def test_latencies_keep_their_histogram(store: Store) -> None:
    from tui_monitor.model.histogram import quantile

    values = np.random.default_rng(7).lognormal(6, 1, 2_000)
    write(store, *(a_call(f"c{i}", START + i * SECOND, latency_ms=float(v)) for i, v in enumerate(values)))
    cells = store.facts(Layer.MINUTE, EVER, (), ("latency",), ("latency",))
    spread = cells.histograms["latency"]
    pairs = zip(spread.bucket.tolist(), spread.count.tolist(), strict=True)
    exact = float(np.sort(values)[int(np.ceil(0.95 * len(values))) - 1])
    assert quantile(0.95, pairs) == pytest.approx(exact, rel=0.0056)
    low, high = cells.numbers["latency"].low, cells.numbers["latency"].high
    assert low is not None
    assert high is not None
    assert (low.min(), high.max()) == (round(values.min() * 1000), round(values.max() * 1000))


def test_what_is_unknown_is_not_zero(store: Store) -> None:
    bare = Call(source="events:app", source_key="x", ts_end=START)
    write(store, bare, a_call("y", START))
    for layer in Layer:
        facts = read(store, layer)
        assert int(facts.numbers["input"].known.sum()) == 1
        assert int(facts.numbers["latency"].known.sum()) == 1
        assert total(facts, "unpriced") == 1
        assert int(facts.numbers["unpriced_tokens"].known.sum()) == 1


def test_days_of_utc_under_another_name_are_given_up(opener: Opener, clock: ManualClock) -> None:
    store = opener(zone="Etc/UTC")
    call = a_call("a", clock.now())
    write(store, call)
    store.close()
    again = opener(zone="UTC")
    assert [layer.zone for layer in again.rebuild_rollups(mend=False).layers if layer.layer == "day"] == [
        "UTC"
    ]
    check_layers(again, [call])
