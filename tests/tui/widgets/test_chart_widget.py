"""The chart on a screen: what is repainted, and the crosshair."""

import sys

from textual.events import Leave, MouseScrollDown, MouseScrollUp

from tui_monitor.model.clock import MINUTE
from tui_monitor.tui.drawing import ASCII
from tui_monitor.tui.messages import RangeMoved, RangeZoomed
from tui_monitor.tui.widgets.chart import Chart, ChartData, ChartSeries

NOON = 1_773_835_200_000_000


def data(count: int = 60, last: float = 5.0, **more) -> ChartData:
    times = tuple(NOON + (i - count + 1) * MINUTE for i in range(count))
    values = tuple(float(i % 7) for i in range(count - 1))
    return ChartData(times, (ChartSeries("openai", (*values, last)),), "usd", title="SPEND", **more)


async def test_equal_data_draws_nothing_and_other_data_the_lines_that_differ(stage, repaints):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        await pilot.pause()
        drawn = repaints(chart)
        chart.show(data())
        await pilot.pause()
        assert drawn == []
        chart.show(data(note="per minute"))
        await pilot.pause()
        assert drawn == [0], "only the title's line"


async def test_crosshair_moves_tells_and_leaves(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        chart.focus()
        await pilot.press("left")
        assert chart.pointed == NOON
        assert "openai $5.00" in app.lines()[0]
        await pilot.press("left", "left")
        assert chart.pointed == NOON - 2 * MINUTE
        assert "◂ 11:58:00 ▸" in app.lines()[-1]
        await pilot.press("home", "left")
        assert chart.pointed == NOON - 59 * MINUTE
        await pilot.press("end", "right")
        assert chart.pointed == NOON
        await pilot.press("escape")
        assert chart.pointed is None
        assert "◂" not in "".join(app.lines())
        told = [event.instant for event in app.of(Chart.Pointed)]
        assert told == [NOON, NOON - MINUTE, NOON - 2 * MINUTE, NOON - 59 * MINUTE, NOON, None]


async def test_escape_is_for_others_without_a_crosshair(stage):
    chart = Chart()
    app = stage(chart)
    left: list[str] = []
    app.action_leave_app = lambda: left.append("left")
    app.bind("escape", "leave_app")
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        chart.focus()
        await pilot.press("left", "escape")
        assert left == []
        await pilot.press("escape")
        assert left == ["left"]


async def test_crosshair_stays_on_its_instant_until_that_is_out_of_sight(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data(10))
        chart.focus()
        await pilot.press("left", "left")
        pointed = chart.pointed
        for minutes in range(1, 8):
            chart.show(ChartData(tuple(t + minutes * MINUTE for t in data(10).times), data(10).series, "usd"))
            assert chart.pointed == pointed
        for minutes in (8, 9):
            chart.show(ChartData(tuple(t + minutes * MINUTE for t in data(10).times), data(10).series, "usd"))
        assert chart.pointed is None
        # Where another time was chosen it goes along.
        await pilot.press("left", "left")
        later = tuple(t + 60 * MINUTE for t in data(10).times)
        chart.show(ChartData(later, data(10).series, "usd"))
        assert chart.pointed == later[0]


async def test_many_points_are_stepped_through_by_cells(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data(6000))
        chart.focus()
        await pilot.press("left", "left")
        assert chart.pointed == NOON - 100 * MINUTE


async def test_chart_without_data_takes_keys_calmly(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.focus()
        await pilot.press("left", "right", "home", "end", "escape")
        assert chart.pointed is None
        # Not yet read is another thing than not there.
        assert "reading" in "".join(app.lines())
        chart.show(ChartData())
        await pilot.pause()
        assert "no data" in "".join(app.lines())


async def test_theme_and_size_redraw(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        await pilot.pause()
        dark = chart.render_line(5)
        app.theme = "tui-monitor-light"
        await pilot.pause()
        await pilot.pause()
        light = chart.render_line(5)
        assert [s.text for s in light] == [s.text for s in dark]
        assert light != dark
        await pilot.resize_terminal(40, 9)
        assert all(chart.render_line(y).cell_length == 40 for y in range(9))
        app.glyphs = ASCII
        chart.refresh()
        await pilot.pause()
        assert "".join(app.lines()).isascii()


async def test_a_hidden_chart_is_not_drawn(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        await pilot.pause()
        chart.display = False
        await pilot.pause()
        drawn: list[int] = []
        chart._plotted = lambda: drawn.append(1) or (chart.size, None, [])
        chart.show(data(last=1.0))
        await pilot.pause()
        assert drawn == []


async def test_drawing_stays_cheap(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(120, 30)):
        count = 300
        times = tuple(NOON + i * MINUTE for i in range(count))
        series = tuple(
            ChartSeries(f"s{n}", tuple(float((i * (n + 3)) % 97) for i in range(count)), n) for n in range(4)
        )
        chart.show(ChartData(times, series, "ms"))
        calls = 0

        def count_calls(_frame: object, event: str, _of: object) -> None:
            nonlocal calls
            calls += event in ("call", "c_call")

        sys.setprofile(count_calls)
        chart._plotted()
        sys.setprofile(None)
        # About 98,000 for 1,200 values on 120 × 30 cells: no more than some tens for each value.
        assert calls < 150_000


async def test_the_crosshair_follows_the_mouse_unless_the_keys_have_it(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        await pilot.pause()
        await pilot.hover(chart, (30, 5))
        under = chart.pointed
        assert NOON - 59 * MINUTE < under < NOON
        assert "◂" in app.lines()[-1]
        assert app.of(Chart.Pointed) == [], "nothing was chosen"
        await pilot.hover(chart, (50, 5))
        assert chart.pointed > under
        chart.on_leave(Leave(chart))
        assert chart.pointed is None
        await pilot.hover(chart, (30, 5))
        chart.focus()
        await pilot.press("end")
        await pilot.hover(chart, (20, 5))
        assert chart.pointed == NOON, "the keys have it"


async def test_the_wheel_zooms_about_the_mouse_and_moves_with_shift(stage):
    chart = Chart()
    app = stage(chart)
    async with app.run_test(size=(60, 14)) as pilot:
        chart.show(data())
        await pilot.pause()
        for kind, shift in ((MouseScrollUp, False), (MouseScrollDown, False), (MouseScrollUp, True)):
            chart.post_message(
                kind(chart, x=30, y=5, delta_x=0, delta_y=0, button=0, shift=shift, meta=False, ctrl=False,
                     screen_x=30, screen_y=5)
            )  # fmt: skip
        await pilot.pause()
        closer, wider = app.of(RangeZoomed)
        assert (closer.factor, wider.factor) == (0.5, 2.0)
        assert NOON - 59 * MINUTE < closer.at < NOON
        [moved] = app.of(RangeMoved)
        assert moved.share == -0.25
