"""Thinned out samples go some at a time; killed between two times, the rest goes the next time."""

import os
import signal
from pathlib import Path

import pytest

from tests.store.conftest import Opener
from tui_monitor.config.settings import Retention
from tui_monitor.model.clock import DAY, ManualClock
from tui_monitor.model.feed import Sample
from tui_monitor.model.timerange import Span
from tui_monitor.store import retention
from tui_monitor.store.api import WriteBatch
from tui_monitor.store.database import Store
from tui_monitor.store.series import steps

SHORT = Retention.model_validate({"samples": "1d", "samples_steps": "30d"})
HOSTS = 12


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_STEPS_AT_ONCE", 2)
    monkeypatch.setattr(retention, "_SERIES_AT_ONCE", 3)


@pytest.fixture
def thinned(opener: Opener, clock: ManualClock) -> Store:
    """Steps of some days of many series that sent nothing since, and of one that still does."""
    store = opener()
    for _ in range(2):
        now = clock.now()
        store.write(WriteBatch(samples=[Sample("load", now, 1.0, {"host": str(n)}) for n in range(HOSTS)]))
        clock.advance(2 * DAY)
        store.write(WriteBatch(samples=[Sample("load", clock.now(), 2.0, {"host": "alive"})]))
        store.retain(SHORT, clock.now())
    clock.advance(31 * DAY)
    store.write(WriteBatch(samples=[Sample("load", clock.now(), 3.0, {"host": "alive"})]))
    return store


def left(store: Store, clock: ManualClock) -> tuple[list[str], int]:
    """Hosts that are known, and how many steps of those that send no more are left."""
    found = store.series("load")
    silent = [one.id for one in found if one.labels["host"] != "alive"]
    kept = store.sample_steps(silent, Span(0, clock.now()))
    return sorted(one.labels["host"] for one in found), sum(len(one.times) for one in kept.values())


def test_all_that_is_too_old_goes(thinned: Store, clock: ManualClock) -> None:
    assert left(thinned, clock)[1] == 2 * HOSTS
    report = thinned.retain(SHORT, clock.now())
    assert report.steps >= HOSTS
    assert left(thinned, clock) == (["alive"], 0)
    assert thinned.retain(SHORT, clock.now()).steps == 0


@pytest.mark.parametrize("of", ["steps", "series"])
@pytest.mark.parametrize("time", [1, 2, 4])
def test_killed_between_two_times_the_rest_goes_the_next_time(
    thinned: Store, opener: Opener, path: Path, clock: ManualClock, of: str, time: int
) -> None:
    module, name = (steps, "expire_steps") if of == "steps" else (retention.reading, "drop_empty")
    thinned.close()
    if not (child := os.fork()):
        real, times = getattr(module, name), iter(range(time))

        def last(*given: object) -> object:
            if next(times, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*given)

        setattr(module, name, last)
        Store.open(path, write=True, clock=clock).retain(SHORT, clock.now())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    again = opener()
    hosts, with_steps = left(again, clock)
    if of == "steps":
        assert (len(hosts), 0 < with_steps < 2 * HOSTS) == (HOSTS + 1, True)
    else:
        assert ("alive" in hosts, len(hosts) < HOSTS + 1, with_steps) == (True, True, 0)
    again.retain(SHORT, clock.now())
    assert left(again, clock) == (["alive"], 0)
