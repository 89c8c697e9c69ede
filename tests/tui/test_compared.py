"""Comparing with an earlier span: what is asked, drawn and said."""

import re
from dataclasses import replace

import pytest

from tests.tui.screen_fakes import CALENDAR, KEY, NOON, FakeMonitor, costs, dashboard, settle, text
from tui_monitor.costs.views import Projection
from tui_monitor.model.clock import DAY, HOUR, MINUTE
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.query.result import Result, Series, labels_of
from tui_monitor.tui.drawing import ASCII, BRAILLE
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.charts import Colours, Course, chart_of
from tui_monitor.tui.panes.earlier import Past
from tui_monitor.tui.panes.money import between, daily_bars, running_total
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries
from tui_monitor.tui.widgets.plot import Plot


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


LOOK = Look(NOON, 1, TimeRange(HOUR), CALENDAR)


def answer(end: int, **values: tuple[float | None, ...]) -> Result:
    times = tuple(end - (3 - n) * MINUTE for n in range(4))
    series = tuple(Series(labels_of(provider=name), told) for name, told in values.items())
    return Result("x", "matrix", times, series, "usd")


def drawn(data: ChartData, glyphs=BRAILLE, **more) -> str:
    return "\n".join("".join(t for t, _ in line) for line in Plot(data, 70, 12, glyphs, **more).lines())


def test_an_earlier_course_stands_at_the_times_of_the_present() -> None:
    now = answer(NOON, a=(1.0, 2.0, 3.0, 4.0), b=(5.0, 5.0, 5.0, 5.0))
    # Its steps lie ten seconds beside: the nearest one counts.
    old = answer(NOON - HOUR + 10_000_000, a=(7.0, None, 8.0, 9.0))
    data = chart_of(now, LOOK, Colours(), before=Course(old, HOUR, "the 1 h before"))
    assert [series.name for series in data.series] == ["a", "b"]
    assert data.before == ((7.0, None, 8.0, 9.0), (None,) * 4)
    other = chart_of(now, LOOK, Colours(), before=Course(old, HOUR - 10 * MINUTE, "x"))
    assert other.before == ((None,) * 4,) * 2
    # A step that is not over has nothing beside it that lasted longer, nor one that is over less.
    cut = replace(now, times=(*now.times[:-1], NOON - MINUTE // 2))
    beside = chart_of(cut, LOOK, Colours(), before=Course(old, HOUR, "x"))
    assert beside.before[0] == (7.0, None, 8.0, None)
    as_long = replace(old, times=(*old.times[:-1], old.times[-1] - MINUTE // 2))
    beside = chart_of(cut, LOOK, Colours(), before=Course(as_long, HOUR, "x"))
    assert beside.before[0] == (7.0, None, 8.0, 9.0)
    whole = chart_of(now, LOOK, Colours(), before=Course(as_long, HOUR, "x"))
    assert whole.before[0] == (7.0, None, 8.0, None)


def test_it_is_drawn_faintly_below_and_named_with_its_value() -> None:
    times = tuple(NOON + n * MINUTE for n in range(30))
    data = ChartData(
        times, (ChartSeries("a", (9.0,) * 30, 2),), "usd", before=((3.0,) * 30,), before_name="then"
    )
    tokens = {token for line in Plot(data, 70, 12, BRAILLE).lines() for _, token in line}
    assert "series-3 faint" in tokens
    assert "┄┄ then $3.00" in drawn(data)
    across = re.compile(r"([\u2801-\u28ff])\1{20}")
    assert sum(map(bool, map(across.search, drawn(data).splitlines()))) == 2
    mono = drawn(data, mono=True).splitlines()
    assert sum(map(bool, map(across.search, mono))) == 1, "without colour holes tell it apart"
    assert ". . ." in drawn(data, ASCII, mono=True)
    high = replace(data, before=((90.0,) * 30,))
    assert "$100" in drawn(high), "the scale holds both"
    unknown = drawn(replace(data, before=((None,) * 30,)))
    assert "┄┄ then –" in unknown


def test_no_step_is_told_of_before_that_is_not_the_one_told_of_now() -> None:
    times = tuple(NOON + n * MINUTE for n in range(30))
    data = ChartData(
        times, (ChartSeries("a", (9.0,) * 30, 2),), "usd", before=((*(3.0,) * 29, None),), before_name="then"
    )
    assert "┄┄ then" in drawn(data)
    assert "┄┄ then $" not in drawn(data)
    assert "┄┄ then $3.00" in drawn(data, pointed=times[28])
    assert "┄┄ then –" in drawn(data, pointed=times[29])


def test_a_stack_has_the_height_it_had() -> None:
    times = tuple(NOON + n * MINUTE for n in range(30))
    two = tuple(ChartSeries(name, (6.0,) * 30, n) for n, name in enumerate("ab"))
    data = ChartData(
        times, two, "usd", drawing="stack", before=((2.0,) * 30, (1.0,) * 30), before_name="then"
    )
    assert "┄┄ then $3.00" in drawn(data)
    assert "┄" * 30 in drawn(data)


def test_the_running_total_has_the_month_before_and_a_band() -> None:
    view = replace(costs(), projection=Projection(548.0, low=521.4, high=580.2))
    data = running_total(view, LOOK, costs())
    assert data.series[0].values[-1] == 548.0
    assert (data.series[0].low[-1], data.series[0].high[-1]) == (521.4, 580.2)
    assert data.series[0].low[17] is None, "what is spent is known"
    assert data.times[-1] == view.month_end
    assert len(data.times) == 1 + 18 + 14, "the present, then the ends of the days to come"
    [course] = data.before
    assert course[18] == 380.0, "up to the same time of the day"
    assert course[:3] == (0.0, 15.0, 37.0)
    assert data.before_name == "March"
    unknown = replace(view, spends=(replace(view.spends[2], previous=None),))
    alone = running_total(unknown, LOOK, costs())
    assert alone.before == (), "a month that was not recorded whole"
    assert between(view.projection) == " (521–580)"
    assert between(Projection(5.0, low=4.125, high=6.0)) == " (4.12–6.00)"
    assert between(Projection(5.0)) == ""


async def test_w_goes_through_what_to_compare_with(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(140, 50)) as pilot:
        await settle(pilot)
        assert "┄┄ " not in text(pilot.app)
        for words, offset in (("the 1 h before", HOUR), ("a day before", DAY), ("a week before", 7 * DAY)):
            await settle(pilot, "w")
            assert text(pilot.app).count(f"┄┄ {words}") == 3, "the first line and two charts"
            ends = {args[1].end for name, args in monitor.asked if name == "query_range"}
            assert NOON - offset in ends
        for pane in ("providers", "query", "costs", "calls", "system"):
            await settle(pilot, KEY[pane])
            if pane == "calls":
                assert f"{monitor.held:,} calls in all   = against {monitor.held:,} a week before" in text(
                    pilot.app
                )
            if pane == "system":
                memory = next(line for line in text(pilot.app).splitlines() if line.startswith("  memory"))
                assert memory.split()[4:9] == ["91.5", "%", "91.5", "%", "="], "means of both, and the change"
            if pane == "query":
                await settle(pilot, *"latency", "enter", "escape")
                assert "before" in text(pilot.app)
                assert "change" in text(pilot.app)
            if pane == "costs":
                await settle(pilot, "d", "d")
                assert "against a week before" in text(pilot.app)
                assert "┄┄ March" not in text(pilot.app), "a month is no week"
                assert "≈ $548.00" in text(pilot.app)
            assert "┄┄ a week before" in text(pilot.app)
        await settle(pilot, KEY["costs"], "w")
        assert "┄┄ a week before" not in text(pilot.app)
        await settle(pilot, "w")
        assert "┄┄ March" in text(pilot.app), "the month before lies below the running total"
        assert "against last month" in text(pilot.app)


def test_the_bars_to_come_leave_what_is_left_of_today_its_share() -> None:
    view = costs()
    to_come = [bar.value for bar in daily_bars(view, LOOK).bars if bar.estimate]
    rest = view.month_end - view.at
    assert to_come == pytest.approx([(548.0 - 425.67) * DAY / rest] * (rest // DAY))
    assert sum(to_come) < 548.0 - 425.67


async def test_a_query_is_not_compared_with_what_was_recorded_in_part(monitor: FakeMonitor) -> None:
    class Spanned(FakeMonitor):
        async def query(self, text: str, *, at=None, shown=None, points=60) -> Result:
            return replace(await super().query(text, at=at), span=Span(at - HOUR, at))

    for first, known in ((NOON - 2 * HOUR, True), (NOON - 2 * HOUR + 1, False)):
        look = replace(LOOK, beside=True, oldest=first)
        there = Spanned()
        told = await Past().value(there, "x", look, 20, await there.query("x", at=NOON))
        assert told is not None
        assert bool(told.series) == known


async def test_a_query_with_a_range_of_its_own_is_compared_with_the_one_before_that() -> None:
    class Yesterday(FakeMonitor):
        async def query(self, text: str, *, at=None, shown=None, points=60) -> Result:
            day, _ = LOOK.calendar.day(at)
            return replace(await super().query(text, at=at), span=Span(day - DAY, day))

    monitor = Yesterday()
    look = replace(LOOK, beside=True, oldest=0)
    found = await monitor.query("cost [yesterday]", at=NOON)
    told = await Past().value(monitor, "cost [yesterday]", look, 20, found)
    assert told is not None
    assert told.span is not None
    assert told.span.end == found.span.start
