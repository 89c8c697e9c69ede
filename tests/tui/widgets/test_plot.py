"""A chart as text: exact size, nothing hidden, gaps as gaps."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.examples import examples
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.timerange import Span
from tui_monitor.tui.drawing import ASCII, BLOCK, BRAILLE, GLYPHS
from tui_monitor.tui.widgets.figure import ChartData, ChartSeries
from tui_monitor.tui.widgets.plot import Plot

NOON = 1_773_835_200_000_000


def data(*values, unit="", names=None, **more) -> ChartData:
    count = max((len(v) for v in values), default=0)
    times = tuple(NOON + (i - count + 1) * MINUTE for i in range(count))
    names = names or [f"s{n}" for n in range(len(values))]
    series = tuple(
        ChartSeries(name, tuple(v), n) for n, (name, v) in enumerate(zip(names, values, strict=True))
    )
    return ChartData(times, series, unit, **more)


def text(chart: ChartData, width=60, height=12, glyphs=BRAILLE, **more) -> list[str]:
    return [
        "".join(piece for piece, _ in line) for line in Plot(chart, width, height, glyphs, **more).lines()
    ]


def field(chart: ChartData, width=60, height=12, glyphs=BRAILLE, **more) -> list[str]:
    """Only what is drawn between the y axis and the right edge."""
    plot = Plot(chart, width, height, glyphs, **more)
    return [
        "".join(part for part, _ in line)[plot.left + 2 :] for line in plot.lines()[plot.head :][: plot.rows]
    ]


values = st.lists(st.none() | st.floats(), max_size=120)


@settings(max_examples=examples(40))
@given(
    st.lists(values, max_size=5),
    st.integers(1, 130),
    st.integers(1, 30),
    st.sampled_from(list(GLYPHS.values())),
    st.sampled_from(["", "ms", "usd", "bytes", "ratio"]),
    st.booleans(),
    st.booleans(),
    st.floats(),
)
def test_any_chart_fits_its_place(series, width, height, glyphs, unit, zero, mono, threshold):
    count = max(map(len, series), default=0)
    chart = ChartData(
        tuple(NOON + i * MINUTE for i in range(count)),
        tuple(ChartSeries("日本" * n, tuple(v), n) for n, v in enumerate(series)),
        unit,
        title="LATENCY",
        note="per minute",
        thresholds=(("límit", threshold),),
        zero=zero,
    )
    pointed = chart.times[count // 2] if count else None
    for at in (None, pointed):
        lines = text(chart, width, height, glyphs, pointed=at, mono=mono)
        assert len(lines) <= height
        assert max(map(cell_len, lines), default=0) <= width
        assert not glyphs.plain or "".join(lines).isascii()


def test_a_flat_line_lies_where_its_value_is():
    rows = field(data([6.0] * 40, unit="ms"), height=14)
    drawn = [y for y, row in enumerate(rows) if row.strip()]
    assert drawn == [0], "6 of 6 is at the top"
    rows = field(data([0.0] * 40 + [10.0]), height=14)
    assert rows[-1].startswith("⣀" * 10) or rows[-1].startswith("⣀⣀")


def test_gaps_stay_gaps():
    broken = field(data([1.0] * 10 + [None] * 20 + [1.0] * 10), width=46, height=6)
    whole = field(data([1.0] * 40), width=46, height=6)
    assert all(not row[12:28].strip() for row in broken)
    assert any(row[:8].strip() and row[-8:].strip() for row in broken)
    assert any(" " not in row for row in whole)


def test_nan_and_infinity_are_no_data():
    assert text(data([1.0, math.nan, math.inf, 2.0])) == text(data([1.0, None, None, 2.0]))


@pytest.mark.parametrize("glyphs", GLYPHS.values(), ids=GLYPHS)
def test_a_lone_point_is_seen(glyphs):
    rows = field(data([None] * 20 + [3.0] + [None] * 20), glyphs=glyphs)
    mark = glyphs.marker(0) if glyphs.plain else glyphs.lone
    assert sum(row.count(mark) for row in rows) == 1


def test_one_point_alone_is_drawn_and_said():
    lines = text(data([3.0], names=["only"], unit="usd"))
    assert any("•" in line for line in lines)
    assert "only $3.00" in lines[0]


def test_no_peak_is_hidden_where_points_outnumber_cells():
    spike = [1.0] * 5000
    spike[2345] = 100.0
    rows = field(data(spike), width=50, height=12)
    assert rows[0].strip(), "the one high point reaches the top line"
    assert rows[-1].strip()


@pytest.mark.parametrize(
    "chart",
    [
        ChartData(empty="No calls yet.\nPush events."),
        data([None, None], empty="No calls yet.\nPush events."),
    ],
    ids=["no series", "no values"],
)
def test_nothing_is_said_in_the_callers_words(chart):
    lines = text(chart, 40, 10)
    assert any("No calls yet." in line for line in lines)
    assert any("Push events." in line for line in lines)
    assert not any("┤" in line for line in lines)


def test_axes_have_units_and_local_times():
    lines = text(data([100.0, 9800.0] * 30, unit="ms"), 60, 14)
    assert "10 s ┤" in "\n".join(lines)
    assert "5 s ┤" in "\n".join(lines)
    assert "   0 ┼" in "\n".join(lines)
    assert "11:10" in lines[-1]
    assert lines[-2][lines[-1].index("11:10") + 2] == "┬", "the label stands under its tick"


def test_key_has_name_last_value_and_peak_in_words():
    chart = data([1.0, 9.5, 2.0], [3.0, 4.0, None], names=["openai", "google"], unit="usd", title="SPEND")
    wide = "\n".join(text(chart, 120, 12))
    assert "● openai $2.00  peak $9.50" in wide
    assert "◆ google $4.00  peak $4.00" in wide, "the last value there is"
    narrow = text(chart, 60, 12)
    assert narrow[0] == "SPEND"
    assert "● openai $2.00" in narrow[1]
    tiny = "\n".join(text(chart, 30, 12))
    assert "openai" in tiny
    assert "google" in tiny


def test_names_stay_in_the_key_under_the_crosshair_as_long_as_they_have_room():
    chart = data(
        [2.0, 2.14],
        [1.0, 1.17],
        [1.0, 1.09],
        names=["anthropic", "google", "openai"],
        unit="usd",
        title="COST",
    )
    key = text(chart, 58, 12, pointed=chart.times[-1])[1]
    assert key.rstrip() == "● anthropic $2.14  ◆ google $1.17  ▲ openai $1.09"


def test_labels_at_line_ends_stand_at_their_lines_and_apart():
    chart = data([9.0] * 30, [8.9] * 30, [0.0] * 30, names=["high", "near", "low"])
    lines = text(chart, 120, 12)
    rows = {name: next(i for i, line in enumerate(lines) if name in line) for name in ("high", "near", "low")}
    assert rows["high"] + 1 == rows["near"]
    assert rows["low"] >= rows["near"] + 5


def test_key_without_room_says_how_many_are_missing():
    chart = data(*[[1.0, 2.0]] * 12, names=[f"provider-number-{n}" for n in range(12)])
    line = text(chart, 50, 12)[0]
    assert "+" in line.split()[-1]


def test_threshold_is_a_dashed_line_with_its_name_that_hides_no_data():
    chart = data([100.0] * 40, thresholds=(("budget", 150.0),), unit="usd")
    rows = field(chart, 60, 14)
    assert sum("budget $150 ┄┄" in row for row in rows) == 1
    far = field(data([1.0] * 40, thresholds=(("budget", 500.0),), unit="usd"), 60, 14)
    assert "↑ budget $500" in far[1], "the first line with room"


def test_crosshair_reads_the_time_and_all_values_off():
    chart = data([1.0, 2.0, 3.0], [5.0, None, 7.0], names=["a", "b"], unit="usd")
    lines = text(chart, 60, 12, pointed=chart.times[1])
    assert "a $2.00" in lines[0]
    assert "b –" in lines[0]
    assert "◂ 11:59:00 ▸" in lines[-1]
    assert sum("┊" in line for line in lines) > 3


@pytest.mark.parametrize("glyphs", [BRAILLE, BLOCK, ASCII], ids=lambda g: g.name)
def test_lines_can_be_told_apart_without_colour(glyphs):
    rows = "".join(field(data([1.0] * 60, [9.0] * 60), 60, 14, glyphs, mono=True))
    assert rows.count(glyphs.marker(0)) >= 2
    assert rows.count(glyphs.marker(1)) >= 2


def test_negative_values_lie_below_a_zero_line():
    rows = field(data([-5.0] * 20 + [5.0] * 20), 60, 14)
    assert any("┄" in row for row in rows)


def test_span_wider_than_the_data_leaves_its_room():
    chart = data([1.0] * 10)
    wide = ChartData(chart.times, chart.series, span=Span(chart.times[0], chart.times[-1] + 20 * MINUTE))
    row = next(row for row in field(wide, 60, 8) if row.strip())
    assert len(row.rstrip()) < 30


def test_tokens_are_the_series_own():
    chart = ChartData((NOON, NOON + 1), (ChartSeries("x", (1.0, 2.0), 2), ChartSeries("y", (2.0, 1.0), 9)))
    tokens = {token for line in Plot(chart, 40, 8, BRAILLE).lines() for _, token in line}
    assert {"series-3", "series-2"} <= tokens
