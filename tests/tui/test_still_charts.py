"""Still charts as text: their axes, what stands beside the lines, and whole counts."""

from dataclasses import replace

from textual_plotext.plot import Plot

from tui_monitor.model.clock import HOUR, MINUTE
from tui_monitor.model.timerange import Span
from tui_monitor.tui.drawing import ASCII, BRAILLE, Glyphs
from tui_monitor.tui.screens.still import draw_distribution, draw_lines
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries, Mark

NOON = 1_773_835_200_000_000
NAMES = ("openai", "google")


def data(*values: tuple[float | None, ...], unit: str = "requests") -> ChartData:
    count = len(values[0])
    series = tuple(ChartSeries(NAMES[n], line, n) for n, line in enumerate(values))
    return ChartData(tuple(NOON - (count - 1 - i) * MINUTE for i in range(count)), series, unit)


def drawn(chart: ChartData, *, spread: bool = False, glyphs: Glyphs = BRAILLE) -> list[str]:
    plt = Plot()
    plt._set_size(110, 34)
    plt.theme("clear")
    if spread:
        draw_distribution(plt, chart, lambda token: None, glyphs)
    else:
        draw_lines(plt, chart, lambda token: None, glyphs, (120, 40))
    return plt.uncolorize(plt.build()).splitlines()


def test_the_axis_is_of_the_whole_range_also_where_little_of_it_is_known():
    values = (*(None,) * 55, 3.0, 4.0, *(None,) * 3)
    rows = drawn(data(values))
    assert {"11:10", "11:30", "11:50"} <= set(rows[-1].split())
    inside = [row.partition("┤" if "┤" in row else "│")[2] for row in rows[:-2]]
    columns = [n for row in inside[2:] for n, cell in enumerate(row) if cell == "●"]
    assert min(columns) > 85, "what is known is of the end of the range"
    longer = drawn(replace(data(values), span=Span(NOON - 3 * HOUR, NOON + MINUTE)))
    assert "10:00" in longer[-1]


def test_marks_thresholds_and_the_compared_period_are_drawn_with_their_names():
    chart = replace(
        data((*(3.0,) * 30, *(4.0,) * 30), unit="usd"),
        thresholds=(("budget", 6.0), ("limit", 90.0)),
        marks=(Mark(NOON - 20 * MINUTE, "cost-spike", "crit"), Mark(NOON - 21 * MINUTE, "slow", "warn")),
        before=((2.0,) * 60,),
        before_name="the day before",
    )
    for glyphs in (BRAILLE, ASCII):
        rows = drawn(chart, glyphs=glyphs)
        shown = "\n".join(rows)
        for words in ("budget $6", f"{glyphs.above} limit $90", "cost-spike", "slow", "the day before"):
            assert words in shown
        assert any(row.count("─") > 30 and "budget" in row for row in rows)
        assert any(row.count(glyphs.dot) > 20 for row in rows), "the other period, where the lines are not"
    hidden = "\n".join(drawn(replace(chart, marks=(Mark(NOON - 2 * HOUR, "long ago"),))))
    assert "long ago" not in hidden


def test_a_distribution_of_few_values_has_bars_and_whole_counts():
    for chart in (data((1.0, 2.0, 9.0)), data((1.0, 2.0, 9.0), (1.0, 1.0, None)), data((5.0, None, None))):
        rows = drawn(chart, spread=True)
        ticks = [row.split("┤")[0].strip() for row in rows if "┤" in row]
        assert ticks[-1] == "0"
        assert all(tick.isdigit() for tick in ticks), "there is nothing between two counts"
        filled = "".join(rows[-4].strip().strip("0123456789│┤")).split()
        assert max(map(len, filled)) >= 10, "a bar is wide where there are few"


def test_a_distribution_of_several_series_adds_up():
    rows = drawn(data((1.0, 1.0, 9.0), (1.0, 1.0, None)), spread=True)
    assert rows[1].lstrip().startswith("4") or rows[0].lstrip().startswith("4")
