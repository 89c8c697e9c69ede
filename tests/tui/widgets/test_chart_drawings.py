"""Every drawing against plain arithmetic: each value lies in its row and column, each stack adds up."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.examples import examples
from tui_monitor.model.clock import MINUTE
from tui_monitor.model.timerange import Span
from tui_monitor.tui.drawing import ASCII, BLOCK, BRAILLE, GLYPHS
from tui_monitor.tui.widgets import grouped, stacked
from tui_monitor.tui.widgets.axes import Scale, scale
from tui_monitor.tui.widgets.field import Frame, lines
from tui_monitor.tui.widgets.figure import DRAWINGS, ChartData, ChartSeries, Mark, cleaned, drawings
from tui_monitor.tui.widgets.heat import buckets, shade
from tui_monitor.tui.widgets.plot import Plot

NOON = 1_773_835_200_000_000
odd = st.none() | st.floats() | st.sampled_from([0.0, 1e-12, 5e-324, 1e299, -1e299, 1.0])
measured = st.none() | st.floats(0, 1e6)


def chart(*values, unit="usd", step=MINUTE, **more) -> ChartData:
    count = max((len(v) for v in values), default=0)
    times = tuple(NOON + i * step for i in range(count))
    return ChartData(
        times, tuple(ChartSeries(f"s{n}", tuple(v), n) for n, v in enumerate(values)), unit, **more
    )


def text(data: ChartData, width=60, height=12, glyphs=BRAILLE, **more) -> list[str]:
    return ["".join(piece for piece, _ in line) for line in Plot(data, width, height, glyphs, **more).lines()]


def frame_of(data: ChartData, columns: int, rows: int, glyphs=BRAILLE, high=10.0, **more) -> Frame:
    return Frame(columns, rows, Scale(0.0, high, ()), (data.times[0], data.times[-1]), glyphs, **more)


@settings(max_examples=examples(50))
@given(
    st.lists(st.lists(odd, max_size=150), min_size=1, max_size=4),
    st.integers(1, 90),
    st.integers(1, 24),
    st.sampled_from(list(GLYPHS.values())),
    st.sampled_from(list(DRAWINGS)),
    st.booleans(),
    st.booleans(),
    st.lists(odd, max_size=150),
)
def test_any_drawing_fits_its_place(series, width, height, glyphs, drawing, mono, unfinished, side):
    data = chart(*series, unfinished=unfinished, title="COST", drawing="line")
    count = len(data.times)
    if drawing == "heat":
        bounds = (*(2.0**n for n in range(len(series) - 1)), math.inf)
        data = replace(data, bounds=bounds, drawing="heat")
    else:
        first = replace(data.series[0], low=tuple(side), high=tuple(side[::-1]))
        at = data.times[count // 2] if count else NOON
        data = replace(
            data,
            series=(first, *data.series[1:]),
            drawing=drawing,
            rest=ChartSeries("more", tuple(side[:count]), -1) if len(side) >= count else None,
            marks=(Mark(at, "日本 alert"), Mark(at + 1, "b" * 90), Mark(NOON - 1, "outside")),
            projected=at,
        )
    for pointed in (None, NOON + 3 * MINUTE):
        rows = text(data, width, height, glyphs, mono=mono, pointed=pointed)
        assert len(rows) <= height
        assert max(map(cell_len, rows), default=0) <= width
        assert not glyphs.plain or "".join(rows).isascii()


@settings(max_examples=examples(50))
@given(
    st.lists(st.none() | st.floats(0, 10), min_size=2, max_size=400),
    st.integers(1, 60),
    st.integers(1, 20),
    st.sampled_from(list(GLYPHS.values())),
)
def test_every_value_lies_in_its_cell_and_gaps_stay_free(values, columns, rows, glyphs):
    data = chart(values)
    frame = frame_of(data, columns, rows, glyphs)
    cells = lines(data, [cleaned(values, len(values))], frame, None, labelled=False)
    across, down = {"braille": (2, 4), "block": (2, 2), "ascii": (1, 1)}[glyphs.name]
    lows: dict[int, float] = {}
    highs: dict[int, float] = {}
    for i, value in enumerate(values):
        # Where it lies, by plain arithmetic on the whole chart.
        place = i / (len(values) - 1) * (columns * across - 1)
        # Of what lies just between two places, either is right.
        assume(value is None or place % 1 != 0.5)
        x = round(place)
        if value is None:
            continue
        lows[x], highs[x] = min(value, lows.get(x, value)), max(value, highs.get(x, value))
    dots = rows * down - 1
    for x in lows:
        for value in (lows[x], highs[x]):
            row = (dots - round(value / 10 * dots)) // down
            near = [cells[r][x // across][0] for r in range(max(0, row - 1), min(rows, row + 2))]
            assert any(near), f"{value} at {x} of {columns}"
    if not lows:
        assert not any(there for row in cells for there, _ in row)
    elif len(values) <= columns:
        known = sorted(lows)
        for x, y in pairwise(known):
            i = round(x / (columns * across - 1) * (len(values) - 1))
            j = round(y / (columns * across - 1) * (len(values) - 1))
            if any(v is None for v in values[i:j]):
                between = range(x // across + 1, y // across)
                assert not any(cells[r][c][0] for r in range(rows) for c in between)


@settings(max_examples=examples(50))
@given(
    st.lists(st.tuples(measured, measured, measured), min_size=1, max_size=60),
    st.integers(1, 70),
    st.integers(1, 16),
    st.sampled_from(["stack", "bars"]),
)
def test_a_stack_is_as_high_as_its_sum_and_in_order(points, columns, rows, drawing):
    series = [list(values) for values in zip(*points, strict=True)]
    data = chart(*series, drawing=drawing)
    values = [cleaned(v, len(v)) for v in series]
    stack = stacked.layers(data, values, None)
    sums = stacked.totals(stack, len(points))
    high = max((v for v in sums if v is not None), default=1.0) or 1.0
    frame = frame_of(data, columns, rows, high=high)
    cells = stacked.stacked(data, stack, sums, frame)
    for x, start, stop in frame.groups(data.times, columns):
        told = [v for v in sums[start:stop] if v is not None]
        column = [cells[rows - 1 - row][x] for row in range(rows)]
        if not told:
            assert not any(there for there, _ in column)
            continue
        top = max(told)
        eighths = sum(
            "▁▂▃▄▅▆▇█".index(there) + 1 if " on-" not in token else 8 for there, token in column if there
        )
        wanted = max(round(top / high * rows * 8), 1 if top else 0)
        assert abs(eighths - wanted) <= 1
        order = [int(token.split()[0][-1]) for _, token in column if token]
        assert order == sorted(order), "the first series stands on the floor"


def test_totals_do_not_make_data_of_gaps():
    data = chart([1.0, None, 2.0], [None, None, 3.0])
    stack = stacked.layers(data, [s.values for s in data.series], (4.0, None, None))
    assert stacked.totals(stack, 3) == (1.0, None, 5.0)
    nothing = ChartData(data.times, (), "usd", rest=ChartSeries("more", (4.0, None, None), -1))
    assert stacked.totals(stacked.layers(nothing, [], (4.0, None, None)), 3) == (4.0, None, None)


def test_many_series_are_summed_at_the_same_instant():
    # Two peaks in one cell that never were at the same time make no higher stack.
    one = [0.0, 9.0] + [0.0] * 998
    other = [9.0, 0.0] + [0.0] * 998
    data = chart(one, other, drawing="stack")
    plot = Plot(data, 60, 14, BRAILLE)
    assert max(v for v in plot.sums if v is not None) == 9.0
    assert plot.frame.scale.high == 10.0


@pytest.mark.parametrize("glyphs", [BRAILLE, BLOCK, ASCII], ids=lambda g: g.name)
def test_what_is_stacked_reads_without_colour(glyphs):
    data = chart([5.0] * 40, [5.0] * 40, drawing="stack")
    rows = text(data, 60, 14, glyphs, mono=True)
    field = "\n".join(rows[1:-2])
    assert field.count(glyphs.marker(0)) > 30 * 3
    assert field.count(glyphs.marker(1)) > 30 * 3
    low = max(i for i, row in enumerate(rows[:-2]) if glyphs.marker(0) * 10 in row)
    high = min(i for i, row in enumerate(rows[:-2]) if glyphs.marker(1) * 10 in row)
    assert high < low


def test_bars_have_gaps_where_there_is_room_and_one_per_step():
    data = chart([4.0, 0.0, 8.0], drawing="bars", unit="requests")
    rows = text(data, 40, 10)
    floor = rows[-3][6:]
    assert len([part for part in floor.split(" ") if part]) == 2, "a bar of nothing is not drawn"
    assert "last step 8" in rows[0]


@pytest.mark.parametrize("width", [50, 98, 130, 190, 250, 300])
def test_either_all_bars_stand_apart_or_none(width):
    data = chart([8.0] * 60, drawing="bars", unit="requests")
    plot = Plot(data, width, 12, BRAILLE)
    inside = "".join(piece for piece, _ in plot.lines()[plot.head + plot.rows - 1])[plot.offset :]
    bars, gaps = inside.split(), inside.strip().split("█")
    assert len(bars) in (1, 60), "a hole in some places reads as a step in which nothing happened"
    assert {len(gap) for gap in gaps if gap} <= {1}
    assert max(map(len, bars[1:-1]), default=0) - min(map(len, bars[1:-1]), default=0) <= 1


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(measured, measured, measured), min_size=1, max_size=60),
    st.integers(8, 120),
    st.integers(1, 16),
)
def test_each_bar_of_a_group_is_as_high_as_the_highest_of_its_steps(points, columns, rows):
    series = [list(values) for values in zip(*points, strict=True)]
    data = chart(*series, drawing="grouped")
    values = [cleaned(v, len(v)) for v in series]
    high = max((v for told in values for v in told if v is not None), default=1.0) or 1.0
    frame = frame_of(data, columns, rows, high=high)
    cells = grouped.grouped(data, values, frame)
    found = grouped.groups(data, frame)
    assert [one.start for one in found[1:]] == [one.stop for one in found[:-1]], "no step is left out"
    assert (found[0].start, found[-1].stop) == (0, len(points))
    assert len(found) == 1 or all(one.width > 3 for one in found), "there is room for all and a gap"
    for one in found:
        drawn = {}
        for column in range(one.first, one.last + 1):
            told = [cells[rows - 1 - row][column] for row in range(rows)]
            eighths = sum("▁▂▃▄▅▆▇█".index(there) + 1 for there, _ in told if there)
            if eighths:
                drawn.setdefault(told[0][1], set()).add(eighths)
        tops = [max((v for v in told[one.start : one.stop] if v), default=None) for told in values]
        wanted = {f"series-{n + 1}": top for n, top in enumerate(tops) if top}
        assert list(drawn) == list(wanted), "beside each other in the order of the key"
        for token, top in wanted.items():
            assert drawn[token] == {max(1, round(top / high * rows * 8))}


def test_a_group_says_of_how_many_steps_it_is_and_what_was_before():
    many = chart(*[[5.0] * 60] * 4, drawing="grouped")
    assert "each bar the highest of" in " ".join(text(many, 100, 12)[:2])
    few = chart([8.0] * 6, [4.0] * 6, drawing="grouped")
    assert "highest of" not in " ".join(text(few, 100, 12))
    then = replace(few, before=((6.0,) * 6, (6.0,) * 6), before_name="then", unfinished=True)
    rows = text(then, 100, 12)
    assert sum("┄" * 4 in row for row in rows[1:-2]) == 1, "one line high in every group"
    assert "▒" in rows[-3], "the last step is not over"
    times = (*few.times[:-1], few.times[-2] + MINUTE // 10)
    cut = replace(few, times=times, unfinished=True, span=Span(times[0] - MINUTE, few.times[-1]))
    assert "highest of" not in " ".join(text(cut, 100, 12)), "what is begun has the room of a whole step"
    assert "▒" in text(cut, 100, 12)[-3]
    mono = "\n".join(text(few, 60, 10, ASCII, mono=True)[1:-2])
    assert mono.count("*") > mono.count("o") > 6


def test_the_key_of_what_is_added_up_tells_of_the_last_step_as_a_whole_does():
    data = chart([4.0, 6.0], [3.0, None], drawing="bars", unit="requests")
    head = " ".join(text(data, 70, 10)[:2])
    assert "last step 6" in head
    assert " 6 " in head.split("last step 6")[1] + " "
    assert "3 " not in head.replace("peak 3", "")


def test_only_what_adds_up_is_stacked():
    assert "stack" in drawings(chart([1.0], unit="usd"))
    assert drawings(chart([1.0], unit="ms")) == ("line", "area", "grouped")
    assert drawings(chart([-1.0], unit="usd")) == ("line", "area")
    assert "grouped" not in drawings(chart([1.0], unit="usd")), "bars of one series are the same stacked"
    assert drawings(chart([1.0], [2.0], unit="usd"))[-2:] == ("bars", "grouped")
    assert drawings(chart([1.0], unit="s", bounds=(1.0,))) == ("heat",)


# Heat maps.


def histogram(*counts, bounds=(1.0, 2.0, 4.0, math.inf), **more) -> ChartData:
    return replace(chart(*counts, unit="s"), bounds=bounds, drawing="heat", title="LATENCY", **more)


def test_a_heat_map_has_its_buckets_upwards_and_its_shades_by_count():
    rows = text(histogram([0] * 30, [1] * 30, [64] * 30, [0] * 30), 60, 11)
    assert [row.split("┤")[0].strip() for row in rows if "┤" in row] == ["4 s", "2 s"]
    assert "1 s ┼" in "\n".join(rows), "nothing is below one second"
    upper, lower = (next(row for row in rows if label in row) for label in ("4 s ┤", "2 s ┤"))
    assert "█████" in upper
    assert "░░░░░" in lower
    assert "64 a step" in rows[0]


@pytest.mark.parametrize("width", [30, 47, 60, 90, 133])
@pytest.mark.parametrize("late", [1_000_000, 20_000_000, 59_000_000])
def test_a_heat_map_has_no_holes_and_no_stripes_at_any_width(width, late):
    # The last step is cut off, and may share its column with the one before.
    data = histogram([0] * 60, [8] * 60, [0] * 60, [0] * 60, unfinished=True)
    data = replace(data, times=(*data.times[:-1], data.times[-2] + late))
    plot = Plot(data, width, 12, BRAILLE)
    lines = ["".join(part for part, _ in line) for line in plot.lines()[plot.head :]]
    row = next(line for line in lines if "█" in line)
    assert set(row[plot.offset :]) == {"█"}


def test_the_crosshair_tells_the_fullest_buckets():
    data = histogram([5] * 9, [0] * 9, [2] * 9, [3] * 9)
    first = text(data, 100, 12, pointed=data.times[4])[0]
    assert "0 to 1 s 5" in first
    assert "over 4 s 3" in first
    assert first.endswith("all 10")


@given(
    st.lists(st.lists(st.none() | st.integers(0, 99), min_size=5, max_size=5), min_size=4, max_size=4),
    st.integers(1, 6),
)
def test_joined_buckets_lose_nothing(counts, rows):
    data = histogram(*counts)
    found = buckets(data, [s.values for s in data.series], rows)
    assert len(found) <= rows
    assert sum(v or 0 for bucket in found for v in bucket.counts) == sum(
        v or 0 for one in counts for v in one
    )
    assert all(one.high == other.low for one, other in pairwise(found))


def test_shades_never_show_something_as_nothing():
    assert shade(1, 1e9, BRAILLE)[0] == "░"
    assert shade(0, 5, BRAILLE) == shade(None, 5, BRAILLE) == ("", "")
    assert shade(5, 5, BRAILLE) == ("█", "heat-8")
    assert shade(5, 5, ASCII)[0].isascii()


# What is said beside the values.


def test_words_of_marks_leave_a_low_chart_to_its_line():
    marks = tuple(Mark(NOON + n * MINUTE, f"mark {n}") for n in range(4, 10))
    low, high = (text(chart([0.0] * 20, marks=marks), 60, height) for height in (6, 16))
    assert len([row for row in low if "mark" in row]) == 1
    assert "mark 9" in "".join(low), "the newest has the room"
    assert len([row for row in high if "mark" in row]) == 3


def test_the_unfinished_step_says_so():
    data = chart([5.0] * 20, unfinished=True)
    assert "○" in "".join(text(data))
    assert "so far" in text(data, pointed=data.times[-1])[-1]
    assert "so far" not in text(data, pointed=data.times[-2])[-1]
    past = replace(data, fixed=True)
    assert "part of a step" in text(past, pointed=data.times[-1])[-1]


def test_what_did_not_happen_yet_is_dashed_and_its_band_shaded():
    data = chart([2.0] * 20 + [5.0] * 20)
    low, high = (None,) * 20 + (3.0,) * 20, (None,) * 20 + (8.0,) * 20
    series = (replace(data.series[0], low=low, high=high),)
    told = text(replace(data, series=series, projected=data.times[20]), 60, 14)
    assert "░" in "".join(told)
    assert "░" not in "".join(text(data, 60, 14))
    plain = text(replace(data, projected=data.times[20]), 60, 14)
    past = max((row[:30] for row in plain[1:-2]), key=lambda row: sum("⠀" < c < "⣿" for c in row))
    coming = max((row[38:] for row in plain[1:-2]), key=lambda row: sum("⠀" < c < "⣿" for c in row))
    assert " " not in past[8:28], "what happened is a whole line"
    assert coming.strip().count(" ") >= 8, "what did not has holes"


def test_marks_stand_at_their_instant_with_their_words():
    data = chart(
        [1.0] * 41, marks=(Mark(NOON + 20 * MINUTE, "p95 is high", "crit"),), thresholds=(("max", 9.0),)
    )
    plot = Plot(data, 60, 14, BRAILLE)
    rows = [[*line] for line in plot.lines()]
    assert any("p95 is high" in piece and token == "crit" for row in rows for piece, token in row)
    columns = {"".join(piece for piece, _ in row).find("┊") for row in rows} - {-1}
    middle = plot.offset + plot.columns // 2
    assert len(columns) == 1
    assert abs(columns.pop() - middle) <= 1


def test_marks_close_together_give_up_words_before_places():
    marks = tuple(Mark(NOON + n * MINUTE, f"a long name {n}") for n in range(10, 30))
    rows = text(chart([1.0] * 40, marks=marks), 60, 14)
    assert max(row.count("┊") for row in rows) >= 15
    assert any("a long name" in row for row in rows)


def test_a_span_longer_than_the_times_leaves_bars_in_their_place():
    data = chart([1.0] * 10, drawing="bars", unit="requests")
    wide = replace(data, span=Span(data.times[0] - MINUTE, data.times[-1] + 10 * MINUTE))
    row = text(wide, 60, 10)[-3]
    assert len(row.rstrip()) < 40


@pytest.mark.parametrize("glyphs", list(GLYPHS.values()), ids=list(GLYPHS))
@pytest.mark.parametrize("values", [[3.0], [5.0, 5.0], [1e299, -1e299], [5e-324, 0.0], [math.nan, math.inf]])
def test_odd_values_at_any_width(values, glyphs):
    for drawing in ("line", "area"):
        for width in (1, 2, 5, 24, 80):
            for height in (1, 2, 5, 20):
                rows = text(chart(values, drawing=drawing, unit="ms"), width, height, glyphs)
                assert max(map(cell_len, rows), default=0) <= width


def test_the_work_grows_with_cells_not_with_points():
    # What is drawn of a hundred times as many points is at most the outline of each column.
    data = chart([float(i % 97) for i in range(20_000)])
    frame = frame_of(data, 50, 10, high=100.0)
    assert len(frame.groups(data.times, 100)) == 100
    assert scale(0, 1, "", 3).high == 1.0
