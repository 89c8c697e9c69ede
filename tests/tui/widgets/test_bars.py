"""Upright bars: heights, estimates, gaps, any size."""

import re

import pytest

from tui_monitor.tui.drawing import ASCII, BRAILLE, width_of
from tui_monitor.tui.widgets.bars import Bar, BarData, Bars, draw_bars


def drawn(data: BarData, width: int, height: int, glyphs=BRAILLE) -> list[str]:
    return ["".join(text for text, _ in line).rstrip() for line in draw_bars(data, width, height, glyphs)]


def days(*values: float | None) -> BarData:
    return BarData(tuple(Bar(str(n), value) for n, value in enumerate(values, 1)), "usd")


def test_heights() -> None:
    lines = drawn(days(4, 2, 0, 0.001), 60, 6)
    assert lines[-1].split() == list("1234")
    rows = [line.ljust(60) for line in lines[:4]]
    first = lines[-1].index("1")
    assert [sum(row[first + n * 6] != " " for row in rows) for n in range(4)] == [4, 2, 0, 1]


@pytest.mark.parametrize("height", range(6, 30))
def test_a_bar_ends_beside_the_label_of_its_value(height: int) -> None:
    lines = [re.split("[┤│]", line) for line in drawn(days(100, 200, 300, 400), 60, height)[:-2]]
    labels = {label.strip(): row for row, (label, _) in enumerate(lines) if label.strip()}
    ends = [
        next(row for row, (_, bars) in enumerate(lines) if bars[n * 6 : n * 6 + 5].strip()) for n in range(4)
    ]
    assert labels.items() <= {f"${n + 1}00": end for n, end in enumerate(ends)}.items()
    assert "$400" in labels


def test_estimates_and_unknown_days() -> None:
    data = BarData((Bar("1", 4.0), Bar("2", None), Bar("3", 4.0, estimate=True)), "usd")
    lines = drawn(data, 40, 5)
    assert "░" in lines[0]
    assert BRAILLE.gap in lines[2]


def test_nothing_to_draw() -> None:
    assert drawn(BarData((), empty="no spend"), 40, 5) == ["  no spend"]
    assert drawn(days(None, None), 40, 5) == ["  no data"]


@pytest.mark.parametrize("glyphs", [BRAILLE, ASCII], ids=lambda g: g.name)
def test_any_size(glyphs) -> None:
    data = days(*(float(n % 7) for n in range(31)))
    for width in range(0, 70, 3):
        for height in range(12):
            lines = draw_bars(data, width, height, glyphs)
            assert len(lines) <= max(height, 0) or not lines
            assert all(sum(width_of(text) for text, _ in line) <= width for line in lines)


async def test_equal_data_is_not_drawn_again(stage, repaints) -> None:
    bars = Bars()
    async with stage(bars).run_test(size=(60, 8)) as pilot:
        bars.show(days(1, 2, 3))
        await pilot.pause()
        seen = repaints(bars)
        bars.show(days(1, 2, 3))
        await pilot.pause()
        assert seen == []
        bars.show(days(1, 2, 4))
        await pilot.pause()
        assert seen
