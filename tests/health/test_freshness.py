"""When silence is told: after a habit was broken, never for the clock alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.health.freshness import silent_since, stopped
from tui_monitor.health.views import CollectorStatus, SourceRow
from tui_monitor.model.clock import HOUR, MINUTE, SECOND
from tui_monitor.model.states import SourceState

NOW = 1_773_835_200 * SECOND


def values(text: str) -> list[float | None]:
    return [1.0 if character == "x" else None for character in text]


@pytest.mark.parametrize(
    ("text", "newest"),
    [
        ("xxxxxxxx", None),
        ("xxxx....", 3),
        ("xxxx...", None),
        ("x...x...x.........", None),
        ("x..x..x..........", 6),
        ("x..x..x.........", None),
        ("........xxx....", 10),
        ("xx..............", None),
        ("................", None),
        ("", None),
    ],
)
def test_three_times_the_longest_pause(text: str, newest: int | None) -> None:
    assert stopped(values(text), MINUTE) == newest


def test_a_short_silence_says_nothing() -> None:
    assert stopped(values("xxxx" + "." * 20), 5 * SECOND) is None
    assert stopped(values("xxxx" + "." * 24), 5 * SECOND) == 3


@given(st.lists(st.one_of(st.none(), st.floats(0, 10)), max_size=40))
def test_what_stopped_stays_so_until_something_comes(course: list[float | None]) -> None:
    newest = stopped(course, MINUTE)
    if newest is not None:
        assert course[newest] is not None
        assert stopped([*course, None], MINUTE) == newest
    assert stopped([*course, 1.0], MINUTE) is None


def test_a_source_is_measured_by_its_own_pace() -> None:
    status = CollectorStatus(running=True, started=NOW - 3 * HOUR)

    def since(records: int, ago: int, **more) -> int | None:
        row = SourceRow("s", SourceState.RUNNING, "", records, last_seen=NOW - ago, kind="source", **more)
        return silent_since(row, status, NOW)

    assert since(10_000, 4 * MINUTE) is None
    assert since(10_000, 6 * MINUTE) == NOW - 6 * MINUTE
    assert since(20, 30 * MINUTE) is None, "one every eight minutes"
    assert since(20, 85 * MINUTE) == NOW - 85 * MINUTE
    assert since(3, 2 * HOUR) is None, "too few to know"
    door = SourceRow("http", SourceState.RUNNING, "", 10_000, last_seen=NOW - HOUR, kind="door")
    assert silent_since(door, status, NOW) is None
