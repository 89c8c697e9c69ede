"""When the cap is reached: as if one went on writing at the same pace, and unknown where nobody can say."""

from collections.abc import Callable

import pytest
from store_helpers import a_call, write

from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, HOUR, ManualClock
from tui_monitor.store import stats as layer_stats
from tui_monitor.store.database import Store


@pytest.fixture
def a_day(store: Store, clock: ManualClock) -> Callable[[int], None]:
    """Write so many calls over a day."""

    def go_on(calls: int) -> None:
        for _ in range(4):
            now, texts = clock.now(), [f"{n}" * 200 for n in range(calls // 4)]
            write(store, *(a_call(f"{now}-{n}", now + n, attrs={"x": text}) for n, text in enumerate(texts)))
            clock.advance(6 * HOUR)

    return go_on


def test_the_cap_is_reached_when_it_was_foretold(
    store: Store, clock: ManualClock, a_day: Callable[[int], None]
) -> None:
    for _ in range(8):
        a_day(800)
    now = clock.now()
    cap = int(store.size_bytes() * 1.6)
    told = store.stats(Retention(size=cap), now)
    assert told.cap_reached is not None
    days = 0
    while store.size_bytes() < cap:
        a_day(800)
        days += 1
    assert (told.cap_reached - now) / DAY == pytest.approx(days, abs=1)
    after = store.stats(Retention(size=cap), clock.now())
    assert after.cap_reached == clock.now()


def test_a_pace_of_one_day_is_not_stretched_over_a_week(
    store: Store, clock: ManualClock, a_day: Callable[[int], None]
) -> None:
    a_day(240)
    (raw,) = [layer for layer in store.stats(Retention(), clock.now()).layers if layer.name == "raw"]
    assert raw.rows_per_day == pytest.approx(240, rel=0.01)


def test_no_end_is_foretold_where_none_is_known(
    store: Store, clock: ManualClock, a_day: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.stats(Retention(), clock.now()).cap_reached is None
    assert store.stats(Retention(), clock.now()).growth_per_day is None
    a_day(40)
    assert store.stats(Retention(size=0), clock.now()).cap_reached is None
    with monkeypatch.context() as patch:
        # An SQLite that cannot tell sizes.
        patch.setattr(layer_stats, "_sizes", lambda conn: {})
        blind = store.stats(Retention(), clock.now())
        assert (blind.growth_per_day, blind.cap_reached) == (None, None)
        assert {layer.bytes for layer in blind.layers} == {None}
    clock.advance(30 * DAY)
    quiet = store.stats(Retention(), clock.now())
    assert (quiet.growth_per_day, quiet.cap_reached) == (0, None)
