"""The state of a line, how often it is tried, how often a screen looks; whatever happens, in any order."""

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.model.clock import HOUR, SECOND, ManualClock
from tui_monitor.monitor.distant import TheirClock
from tui_monitor.monitor.line import FIRST, LONGEST, SETTLED, Line, LineLost, LineState
from tui_monitor.monitor.pacing import Pace

NOON = 1_773_835_200 * SECOND


def made(told: list[LineState], spread: float = 1.0) -> tuple[Line, ManualClock]:
    clock = ManualClock(NOON)
    return Line("box:4319", clock, told.append, spread=lambda: spread), clock


def test_a_line_begins_unknown_and_stands_with_the_first_answer() -> None:
    told: list[LineState] = []
    line, _ = made(told)
    assert line.barred() is not None
    assert line.state.never
    line.begin_try()
    assert line.barred() is None
    line.answered()
    line.end_try()
    assert line.barred() is None
    assert told[-1] == LineState("box:4319", up=True, heard=NOON)
    line.answered()
    assert len(told) == 1, "what is as before is told nobody"


def test_since_when_is_the_first_failure_and_why_the_last() -> None:
    told: list[LineState] = []
    line, clock = made(told)
    line.answered()
    clock.advance(10 * SECOND)
    line.failed(LineLost("reset", "broke off"))
    clock.advance(5 * SECOND)
    line.failed(LineLost("connect", "refused"))
    assert line.state.lost == NOON + 10 * SECOND
    assert line.state.heard == NOON
    assert line.state.error is not None
    assert line.state.error.message == "refused"
    line.answered()
    assert (line.state.lost, line.state.error, line.state.again) == (None, None, None)


def test_waits_grow_and_end_at_a_bound() -> None:
    line, clock = made([])
    waits = []
    for _ in range(12):
        line.failed(LineLost("connect", "refused"))
        waits.append(line.begin_wait())
        assert line.state.again == clock.now() + round(waits[-1] * SECOND)
    assert waits[:3] == [FIRST, 2 * FIRST, 4 * FIRST]
    assert waits[-3:] == [LONGEST] * 3
    line.answered()
    line.failed(LineLost("connect", "refused"))
    assert line.begin_wait() == FIRST
    line.failed(LineLost("token", "unknown", settled=True))
    assert line.begin_wait() == SETTLED


def test_nobody_comes_back_at_the_same_moment() -> None:
    shortest, _ = made([], spread=0.0)
    longest, _ = made([], spread=1.0)
    assert shortest.begin_wait() == longest.begin_wait() / 2


def test_who_waits_can_have_it_tried_but_not_all_the_time() -> None:
    line, clock = made([])
    line.failed(LineLost("token", "unknown", settled=True))
    line.begin_try()
    line.end_try()
    clock.advance(2 * SECOND)
    line.knock()
    assert not line.knocked.is_set()
    clock.advance(4 * SECOND)
    line.knock()
    assert line.knocked.is_set()


STEPS = st.lists(
    st.sampled_from(["answered", "failed", "settled", "wait", "try", "end", "knock", "decide"]), max_size=40
)


@given(STEPS)
def test_whatever_happens_it_is_one_thing_or_the_other(steps: list[str]) -> None:
    told: list[LineState] = []
    line, clock = made(told)
    for step in steps:
        clock.advance(SECOND)
        match step:
            case "answered":
                line.answered()
            case "failed":
                line.failed(LineLost("connect", "refused"))
            case "settled":
                line.failed(LineLost("token", "unknown", settled=True))
            case "wait" if not line.state.up:
                assert 0 < line.begin_wait() <= SETTLED
            case "try" if not line.state.up:
                line.begin_try()
            case "end":
                line.end_try()
            case "knock":
                line.knock()
            case "decide":
                line.waits(("x",))
        state = line.state
        assert line.up.is_set() == state.up != line.down.is_set()
        assert (state.error is None) or not state.up
        assert (state.lost is None) or not state.up
        assert (state.again is None) or not state.up
        assert not state.up or line.barred() is None
    assert all(one != other for one, other in itertools.pairwise(told))


@given(st.lists(st.tuples(st.floats(0.01, 3.0), st.integers(0, 15_000)), max_size=200))
def test_looking_costs_no_more_than_it_may(looks: list[tuple[float, int]]) -> None:
    # A look of more bytes than go in the longest wait is forgiven the rest: the test below.
    pace, now, moved, before = Pace(1.0, 0.0, rate=1_000), 0.0, 0, None
    for seconds, size in looks:
        now += seconds
        if pace.due(now):
            assert before is None or now - before >= 1.0
            assert moved <= 1_000 * now + 4_000.1, "a burst, and what the time since allows"
            pace.looked(now)
            pace.moved(size, now)
            moved, before = moved + size, now
    assert pace.due(now + 60.0)


def test_a_look_does_not_wait_for_ever_and_can_be_hurried() -> None:
    pace = Pace(1.0, 0.0)
    pace.looked(0.0)
    pace.moved(10_000_000, 0.5)
    assert not pace.due(10.0)
    assert pace.due(16.0)
    pace.looked(16.0)
    pace.moved(10_000_000, 16.0)
    pace.hurry()
    assert pace.due(16.1)


def test_waiting_for_a_line_ends_when_it_stands() -> None:
    async def wait() -> None:
        line, _ = made([])
        waiting = asyncio.create_task(line.up.wait())
        await asyncio.sleep(0)
        line.answered()
        await asyncio.wait_for(waiting, 1)

    asyncio.run(wait())


@given(
    st.lists(st.tuples(st.integers(-HOUR, HOUR), st.integers(0, SECOND), st.integers(0, SECOND)), max_size=20)
)
def test_what_was_noted_moves_along_with_the_clock_over_there(answers: list[tuple[int, int, int]]) -> None:
    """Their clock may be off by anything, and steps; what was heard was never heard after it was lost."""
    here = ManualClock(NOON)
    theirs = TheirClock(here)
    line = Line("box:4319", theirs, lambda _: None)
    for ahead, before, after in answers:
        asked = here.now()
        here.advance(before)
        at = here.now() + ahead
        here.advance(after)
        line.answered()
        line.shift(theirs.told(at, asked, here.now()))
        assert at <= theirs.now() <= at + before + after
        assert line.state.heard == theirs.now()
        here.advance(1)
        line.failed(LineLost("reset", "broke off"))
        assert line.state.lost == theirs.now()


def test_a_clock_that_agrees_is_not_moved_by_slow_answers() -> None:
    here = ManualClock(NOON)
    theirs = TheirClock(here)
    for late in (SECOND, 0, 3 * SECOND):
        asked = here.now()
        here.advance(late)
        assert theirs.told(here.now() - late // 2, asked, here.now()) == 0
    assert theirs.now() == here.now()
