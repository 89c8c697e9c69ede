"""Charts on the panes: every key of a chart, the mouse, and what becomes of the time range."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.geometry import Offset

from tests.tui.screen_fakes import CALENDAR, KEY, NOON, FakeMonitor, costs, dashboard, settle, text, tick
from tui_monitor.model.clock import HOUR, MINUTE, SECOND
from tui_monitor.model.timerange import Span, TimeRange
from tui_monitor.query.result import Result, Series, labels_of
from tui_monitor.tui import travel
from tui_monitor.tui.drawing import BRAILLE
from tui_monitor.tui.link import Look
from tui_monitor.tui.panes.charts import LATENCY_BUCKETS, Colours
from tui_monitor.tui.panes.charts import chart_of as data_of
from tui_monitor.tui.panes.money import running_total
from tui_monitor.tui.screens.still import distribution
from tui_monitor.tui.widgets.bars import Bars
from tui_monitor.tui.widgets.chart import Chart, ChartData
from tui_monitor.tui.widgets.grid import Grid
from tui_monitor.tui.widgets.legend import Key
from tui_monitor.tui.widgets.plot import Plot

pytestmark = pytest.mark.usefixtures("undrawn")


@pytest.fixture
def monitor() -> FakeMonitor:
    return FakeMonitor()


def chart_of(pilot) -> Chart:
    return pilot.app.screen.pane.query_one(Chart)


async def asked(pilot) -> Chart:
    """The Query pane with an answer and the crosshair on its newest value."""
    await settle(pilot, KEY["query"])
    pilot.app.screen.pane.ask_for("latency{} [1h] p95 by(provider)")
    await settle(pilot)
    await settle(pilot, "c")
    return chart_of(pilot)


async def test_small_and_big_steps_and_the_ends(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        chart = await asked(pilot)
        times = chart.data.times
        assert chart.pointed == times[-1]
        await settle(pilot, "left", "left", "right")
        assert chart.pointed == times[-2]
        await settle(pilot, "shift+left")
        assert chart.pointed == times[-2 - len(times) // 10]
        await settle(pilot, "shift+right", "shift+right")
        assert chart.pointed == times[-1]
        await settle(pilot, "home")
        assert chart.pointed == times[0]
        await settle(pilot, "end")
        assert chart.pointed == times[-1]
        await settle(pilot, "escape")
        assert chart.pointed is None
        assert isinstance(pilot.app.screen.focused, Grid)


async def test_the_footer_and_the_help_tell_the_keys_of_a_chart(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await asked(pilot)
        footer = text(pilot.app).splitlines()[-1]
        for words in ("← → read off", "+ - zoom", "H L move", "esc back", "? help"):
            assert words in footer
        await settle(pilot, "escape")
        assert "zoom" not in text(pilot.app).splitlines()[-1]
        await settle(pilot, "question_mark", *["pagedown"] * 4)
        assert "A CHART" in text(pilot.app)
        assert "A quarter of the time range on." in text(pilot.app)


async def test_zoom_keeps_the_crosshair_and_a_live_end(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        chart = await asked(pilot)
        screen = pilot.app.screen
        await settle(pilot, "plus")
        assert screen.shown == TimeRange(HOUR // 2), "on the newest value it stays live"
        await settle(pilot, "minus")
        assert screen.shown == TimeRange(HOUR)
        await settle(pilot, "home", "shift+right", "shift+right", "shift+right")
        pointed = chart.pointed
        await settle(pilot, "equals_sign")
        assert screen.shown.length == HOUR // 2
        assert screen.shown.end is not None
        span = screen.shown.span(NOON)
        assert span.start < pointed < span.end
        assert chart.pointed == pointed
        assert chart.has_focus
        await settle(pilot, "minus", "minus")
        assert screen.shown == TimeRange(2 * HOUR), "what reaches the present is live again"
        assert "last 2 h  live" in text(pilot.app)


async def test_moving_in_time_takes_the_crosshair_along(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        chart = await asked(pilot)
        await settle(pilot, "H", "H", "H")
        assert pilot.app.screen.shown == TimeRange(HOUR, NOON - 45 * MINUTE)
        assert chart.has_focus
        assert chart.pointed is not None
        assert chart.pointed <= NOON - 45 * MINUTE
        for key in ("comma", "comma", "comma"):
            # The time range of all panes: whoever reads the chart off goes on with it.
            await settle(pilot, key)
            assert chart.has_focus, key
            assert chart.pointed is not None
            assert chart.data.times[0] <= chart.pointed <= chart.data.times[-1]
        await settle(pilot, "full_stop", "full_stop", "full_stop")
        assert pilot.app.screen.shown == TimeRange(HOUR, NOON - 45 * MINUTE)
        await settle(pilot, "ctrl+left")
        assert pilot.app.screen.shown.end == NOON - HOUR
        await settle(pilot, "L", "L", "L", "L")
        assert pilot.app.screen.shown == TimeRange(HOUR)
        assert chart.has_focus


async def test_d_draws_it_another_way_where_that_suits(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        chart = await asked(pilot)
        await settle(pilot, "escape")
        await settle(pilot, "d")
        assert chart.drawing == "area"
        steps = len(chart.data.times)
        await settle(pilot, "d")
        assert chart.drawing == "grouped", "latencies are not stacked"
        assert len(chart.data.times) <= steps // 5, "longer steps are asked for, each with room for its bars"
        assert "highest of" not in text(pilot.app)
        await settle(pilot, "d")
        assert chart.drawing == "line"
        assert len(chart.data.times) == steps

        def dollars(answer):
            return Result(answer.query, "matrix", answer.times, answer.series, "usd", "cost")

        monitor.change = dollars
        pilot.app.screen.pane.ask_for("cost{} [1h] sum by(provider)")
        await settle(pilot)
        await settle(pilot, "d", "d")
        assert chart.drawing == "stack"
        assert "last step" in text(pilot.app)
        await settle(pilot, "d")
        assert chart.drawing == "bars"
        assert "█" in text(pilot.app)
        await tick(pilot)
        assert chart.drawing == "bars", "new data changes nothing about it"


def buckets(query: str, span: Span) -> Result:
    times = tuple(range(span.start + MINUTE, span.end + 1, MINUTE))
    series = tuple(
        Series(labels_of(le=bound), (float(count),) * len(times))
        for bound, count in (("+Inf", 9), ("2.56", 2), ("5.12", 8), ("10.24", 9))
    )
    return Result(query, "matrix", times, series, "", "llm_request_duration_seconds_bucket", bounds="s")


async def test_a_histogram_is_a_heat_map(monitor: FakeMonitor) -> None:
    monitor.change = lambda answer: buckets(answer.query, Span(NOON - HOUR, NOON))
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["query"])
        pilot.app.screen.pane.ask_for(LATENCY_BUCKETS)
        await settle(pilot)
        chart = chart_of(pilot)
        assert chart.drawing == "heat"
        assert [series.values[0] for series in chart.data.series] == [2.0, 6.0, 1.0, 0.0]
        assert "5.12 s ┤" in text(pilot.app)
        await settle(pilot, "c")
        assert "2.56 s to 5.12 s 6" in text(pilot.app)
        await settle(pilot, "escape", "d")
        assert chart.drawing == "heat"


async def test_alerts_that_fire_are_marked_where_they_began(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        chart = chart_of(pilot)
        fired = {alert.fired for alert in monitor.alert_list if alert.fired}
        assert chart.data.marks
        assert {mark.at for mark in chart.data.marks} <= fired
        await settle(pilot, KEY["alerts"], "enter")
        marks = chart_of(pilot).data.marks
        assert marks
        assert {mark.text for mark in marks} & {"firing", "acknowledged"}


async def test_the_mouse_sets_the_crosshair_and_drags_a_range(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        chart = await asked(pilot)
        await settle(pilot, "escape")
        region = chart.content_region
        at = Offset(region.x + 40, region.y + 4)
        there = Offset(at.x + 20, at.y)
        await pilot.click(offset=at)
        await settle(pilot)
        clicked = chart.pointed
        assert clicked is not None
        assert chart.has_focus
        assert pilot.app.screen.shown == TimeRange(HOUR), "a click alone moves nothing"
        await pilot.mouse_down(offset=at)
        await pilot.hover(offset=there)
        assert chart.pointed > clicked
        end = chart.pointed
        await pilot.mouse_up(offset=there)
        await settle(pilot)
        shown = pilot.app.screen.shown
        assert shown.end == end
        assert shown.length == end - clicked


@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_keys_of_a_chart_without_data_break_nothing(monitor: FakeMonitor, glyphs: str) -> None:
    monitor.empty = True
    async with dashboard(monitor, drawing=glyphs).run_test(size=(80, 24)) as pilot:
        chart = await asked(pilot)
        await settle(pilot, "left", "shift+left", "plus", "minus", "H", "d", "home", "end", "escape")
        assert chart.pointed is None
        assert pilot.app.is_running


async def test_quantiles_of_one_thing_are_a_band(monitor: FakeMonitor) -> None:
    def fan(answer):
        long = range(len(answer.times))
        told = (("0.5", 50.0), ("0.99", 90.0), ("0.1", 10.0))
        series = [Series(labels_of(job="a", quantile=q), tuple(v for _ in long)) for q, v in told]
        lone = Series(labels_of(job="b", quantile="0.5"), tuple(70.0 for _ in long))
        return Result(answer.query, "matrix", answer.times, (*series, lone), "ms", "x")

    monitor.change = fan
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        chart = await asked(pilot)
        band, lone = sorted(chart.data.series, key=lambda one: one.name)
        assert (band.values[0], band.low[0], band.high[0]) == (50.0, 10.0, 90.0)
        assert (lone.values[0], lone.low) == (70.0, ())
        assert "░░░░░" in text(pilot.app)


async def test_d_divides_the_days_and_adds_them_up(monitor: FakeMonitor) -> None:
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await settle(pilot, KEY["costs"])
        pane = pilot.app.screen.pane
        assert "● claude-sonnet-4-5" not in text(pilot.app)
        await settle(pilot, "d")
        assert "● claude-sonnet-4-5" in text(pilot.app), "the list is the key of the parts"
        first = pane.query_one(Bars).data.bars[0]
        assert [n for _, n in first.parts] == [0, 1, -1]
        assert sum(value for value, _ in first.parts) == pytest.approx(first.value)
        await settle(pilot, "d")
        shown = text(pilot.app)
        assert "budget $500" in shown
        assert "used up" in shown
        await settle(pilot, "c")
        assert "◂ Sat Apr 1 00:00 projected ▸" in text(pilot.app) or "projected ▸" in text(pilot.app)
        before = pilot.app.screen.shown
        await settle(pilot, "plus", "H")
        assert pilot.app.screen.shown == before, "a month is a month"
        await settle(pilot, "escape", "d")
        assert not pane.has_class("-running")


def test_a_running_total_is_the_days_added_up_and_says_what_is_projected(monitor: FakeMonitor) -> None:
    view = costs()
    look = Look(NOON, 1, TimeRange(HOUR), CALENDAR)
    data = running_total(view, look)
    days = [value or 0.0 for _, value in view.daily]
    assert data.series[0].values[:3] == (0.0, days[0], days[0] + days[1])
    assert data.series[0].values[len(days)] == pytest.approx(sum(days))
    assert data.series[0].values[-1] == view.projection.amount
    assert data.times[-1] == view.month_end
    assert data.projected == data.times[len(days)] == NOON
    lines = ["".join(part for part, _ in line) for line in Plot(data, 90, 14, BRAILLE).lines()]
    last = f"${sum(days):.2f}"
    assert f"spent {last}  peak {last}" in lines[0], "what is projected is neither"
    assert running_total(replace(view, daily=()), look).times == ()


@pytest.mark.parametrize("environ", [{}, {"NO_COLOR": "1"}], ids=["colour", "no-colour"])
@pytest.mark.parametrize("glyphs", ["braille", "ascii"])
async def test_a_still_plot_and_its_distribution(
    monitor: FakeMonitor, monkeypatch: pytest.MonkeyPatch, glyphs: str, environ: dict[str, str]
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monitor.values = ("openai", "[/foo]\x1b[31m")
    async with dashboard(monitor, drawing=glyphs).run_test(size=(120, 40)) as pilot:
        await asked(pilot)
        await settle(pilot, "z")
        shown = text(pilot.app)
        assert "over time" in shown
        assert "still" in shown
        assert "[/foo]" in shown
        assert "\x1b" not in shown
        assert glyphs != "ascii" or shown.isascii()
        await tick(pilot)
        assert text(pilot.app) == shown, "nothing that comes in changes it"
        await settle(pilot, "d")
        assert "distribution" in text(pilot.app)
        assert "steps" in text(pilot.app)
        await pilot.resize_terminal(60, 18)
        await settle(pilot)
        await settle(pilot, "escape")
        assert pilot.app.screen is pilot.app.get_default_screen()
        assert chart_of(pilot).has_focus


async def test_the_distribution_of_a_histogram_are_its_buckets(monitor: FakeMonitor) -> None:
    monitor.change = lambda answer: buckets(answer.query, Span(NOON - HOUR, NOON))
    async with dashboard(monitor).run_test(size=(120, 40)) as pilot:
        await asked(pilot)
        await settle(pilot, "enter", "d")
        for bucket in ("2.56 s", "5.12 s", "more"):
            assert bucket in text(pilot.app)


@given(st.lists(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=30), max_size=4), st.integers(1, 50))
def test_a_distribution_counts_every_value_once(values: list[list[float | None]], bins: int) -> None:
    middles, counts = distribution([tuple(line) for line in values], bins)
    assert sorted(middles) == middles
    told = [sum(v is not None for v in line) for line in values]
    assert [sum(line) for line in counts] == (told if any(told) else [])


# The arithmetic of time.


def test_zooming_goes_no_further_than_can_be_seen() -> None:
    shown = TimeRange(15 * SECOND, NOON)
    assert travel.zoomed(shown, 0.5, None, NOON + HOUR).length == travel.SHORTEST
    assert travel.zoomed(TimeRange(travel.LONGEST), 2.0, None, NOON).length == travel.LONGEST


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_is_under_the_crosshair_stays_where_it_is(share: float) -> None:
    shown = TimeRange(HOUR, NOON)
    at = NOON - HOUR + round(HOUR * share)
    found = travel.zoomed(shown, 0.5, at, NOON + HOUR)
    assert (at - found.span(NOON).start) / found.length == pytest.approx(share, abs=0.01)


def test_a_chosen_span_is_whole_seconds_and_not_too_short() -> None:
    found = travel.chosen(Span(NOON - 90_500_000, NOON - 30_200_000), NOON)
    assert found == TimeRange(61 * SECOND, NOON - 30 * SECOND)
    assert travel.chosen(Span(NOON - SECOND, NOON), NOON) == TimeRange(travel.SHORTEST)


def test_lines_that_stopped_say_so_in_the_key_and_all_of_them_since_when() -> None:
    times = tuple(NOON - (59 - n) * MINUTE for n in range(60))
    course = tuple(1.0 if n < 40 else None for n in range(60))

    def drawn(*series: tuple[float | None, ...], shown: TimeRange = TimeRange()) -> ChartData:  # noqa: B008
        found = tuple(Series(labels_of(provider=f"p{n}"), values) for n, values in enumerate(series))
        look = Look(at=NOON, version=1, shown=shown, calendar=CALENDAR)
        return data_of(Result("q", "matrix", times, found, "ms"), look, Colours(), "LATENCY")

    one = drawn(course, (1.0,) * 60)
    assert [line.ended for line in one.series] == [True, False]
    assert "no data since" not in one.note
    key = "".join(text for text, _ in Key(one, [line.values for line in one.series], None).row(80, BRAILLE))
    assert "p0 ◌ 1.00 ms" in key
    assert "p1 1.00 ms" in key
    assert drawn(course).note == "◌ no data since 11:40"
    assert not drawn(course, shown=TimeRange(HOUR, NOON)).series[0].ended, "a fixed range does not age"
