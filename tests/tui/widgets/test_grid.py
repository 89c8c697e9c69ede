"""The grid: a cursor that keeps to its row, columns that keep their place, few repaints."""

import pytest
from rich.cells import cell_len

from tui_monitor.tui.drawing import ASCII, BRAILLE
from tui_monitor.tui.widgets.columns import draw_row, lay_out, place
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow

COLUMNS = (
    Column("name", "provider", min=8, max=20),
    Column("p50", "p50", width=8, align="right", rank=3),
    Column("p95", "p95", width=8, align="right"),
    Column("cost", "today", width=9, align="right", rank=1),
)


def row(key: str, p95: float | None = 1.0, **more) -> GridRow:
    cells = {
        "name": Cell(key),
        "p50": Cell("850 ms"),
        "p95": Cell(f"{p95} s", sort=p95),
        "cost": Cell("$1.00"),
    }
    return GridRow(key, {**cells, **more})


def rows(keys: str) -> list[GridRow]:
    return [row(key) for key in keys]


class TestColumns:
    def test_go_by_rank_and_never_shrink_numbers(self):
        def shown(width: int) -> dict[str, int]:
            return {column.key: size for column, size in lay_out(COLUMNS, width)}

        assert shown(80) == {"name": 20, "p50": 8, "p95": 8, "cost": 9}
        assert shown(40) == {"name": 9, "p50": 8, "p95": 8, "cost": 9}
        assert shown(38) == {"name": 17, "p95": 8, "cost": 9}
        assert shown(28) == {"name": 18, "p95": 8}
        assert shown(5) == {"name": 5}
        assert shown(-1) == {"name": 0}

    def test_share_what_is_left(self):
        wide = lay_out((Column("a", "", max=10), Column("b", "", max=99), Column("c", "", width=5)), 60)
        assert [size for _, size in wide] == [10, 41, 5]

    def test_a_number_is_whole_or_not_there(self):
        number = Column("n", "", width=6, align="right")
        assert place("12.4", number, 6, BRAILLE) == "  12.4"
        assert place("$123.45", number, 6, BRAILLE) == "$123.45", "borrows from the gap"
        assert place("$123,456.78", number, 6, BRAILLE) == "     …"
        assert place("a long name", Column("n", ""), 6, BRAILLE) == "a lon…"

    def test_a_borrowing_number_moves_nothing(self):
        places = lay_out(COLUMNS, 60)
        texts = []
        for cost in ("$1.00", "$12,345.67"):
            spans = draw_row(row("a", cost=Cell(cost)), places, BRAILLE)
            texts.append("".join(text for text, _ in spans))
        assert cell_len(texts[0]) == cell_len(texts[1])
        assert texts[1].endswith("1.0 s $12,345.67")

    def test_glyph_and_wide_names_stay_aligned(self):
        places = lay_out(COLUMNS, 60)
        for glyphs in (BRAILLE, ASCII):
            drawn = [
                "".join(t for t, _ in draw_row(row("x", name=Cell(name, "ok", "●")), places, glyphs))
                for name in ("openai", "日本語プロバイダーの長い名前", "e\u0301te\u0301", "")
            ]
            assert len({cell_len(text) for text in drawn}) == 1


def test_a_mark_stands_beside_a_name_and_in_line_behind_numbers():
    places = lay_out((Column("name", "name", width=10), Column("cost", "cost", width=8, align="right")), 20)
    cells = {"name": Cell("ab", mark=("◌", "stale")), "cost": Cell("9.0", mark=("▲", "warn"))}
    spans = draw_row(GridRow("a", cells), places, BRAILLE)
    assert "".join(text for text, _ in spans) == "ab ◌           9.0 ▲"
    assert [(text.strip(), style) for text, style in spans if style] == [("◌", "stale"), ("▲", "warn")]


async def test_shows_rows_under_their_titles(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 6)) as pilot:
        grid.show([row("anthropic", 2.5), row("openai", None)])
        await pilot.pause()
        lines = [line.rstrip() for line in app.lines()]
        assert lines[0] == "  provider                   p50       p95      today"
        assert lines[1] == "▸ anthropic               850 ms     2.5 s      $1.00"
        assert lines[2].startswith("  openai ")
        assert lines[3:] == ["", "", ""]


async def test_a_single_row_has_titles(stage):
    grid = Grid(COLUMNS)
    grid.styles.height = "auto"
    app = stage(grid)
    async with app.run_test(size=(60, 6)) as pilot:
        grid.show([row("anthropic", 2.5)])
        await pilot.pause()
        assert app.lines()[0].split() == ["provider", "p50", "p95", "today"]
        assert app.lines()[1].startswith("▸ anthropic")


async def test_rows_are_whole_where_the_toolkit_told_no_size(stage):
    class Deaf(Grid):
        def on_resize(self, event):
            event.prevent_default()

    grid = Deaf(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 6)) as pilot:
        grid.show([row("anthropic", 2.5)])
        await pilot.pause()
        assert app.lines()[1].rstrip() == "▸ anthropic               850 ms     2.5 s      $1.00"


async def test_cursor_keeps_to_its_row_when_rows_move_come_and_go(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 12)) as pilot:
        grid.focus()
        grid.show(rows("abcde"))
        await pilot.press("down", "j")
        assert grid.cursor == "c"
        grid.show(rows("zyecba"))
        assert grid.cursor == "c"
        await pilot.press("k")
        assert grid.cursor == "e"
        grid.show(rows("zycba"))
        assert grid.cursor == "c", "its own row is gone: the one in its place"
        grid.show(rows("z"))
        assert grid.cursor == "z"
        grid.show([])
        assert grid.cursor is None
        await pilot.press("down", "enter", "pageup")
        grid.show(rows("ab"))
        assert grid.cursor == "a"


async def test_cursor_stays_on_its_line_when_rows_come_in_above(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    keys = [f"row{n:02}" for n in range(40)]
    async with app.run_test(size=(60, 10)) as pilot:
        grid.focus()
        grid.show([row(key) for key in keys])
        for _ in range(20):
            await pilot.press("down")
        before = next(y for y, line in enumerate(app.lines()) if line.startswith("▸"))
        grid.show([row(key) for key in ["new1", "new2", *keys]])
        await pilot.pause()
        assert app.lines()[before].startswith("▸ row20")


async def test_scrolls_and_says_how_many_more(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 8)) as pilot:
        grid.focus()
        grid.show(rows("abcdefghij"))
        await pilot.pause()
        assert app.lines()[-1].strip() == "4 more ↓"
        await pilot.press("pagedown", "down", "down")
        assert app.lines()[-1].strip() == "2 more ↑   2 more ↓"
        await pilot.press("end")
        assert grid.cursor == "j"
        assert app.lines()[-1].strip() == "4 more ↑"
        await pilot.press("home")
        assert grid.cursor == "a"
        grid.show(rows("abcdefg"))
        await pilot.pause()
        assert [line.strip()[:1] for line in app.lines()[1:]] == ["▸", *"bcdefg"], (
            "seven rows need no such line"
        )


async def test_wheel_scrolls_without_the_cursor_and_new_rows_do_not_jump_back(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 8)) as pilot:
        grid.show(rows("abcdefghijklmnop"))
        await pilot.pause()
        grid._scroll(6)
        await pilot.pause()
        assert grid.cursor == "a"
        assert app.lines()[1].strip().startswith("g")
        grid.show([row(key, 2.0) for key in "abcdefghijklmnop"])
        await pilot.pause()
        assert app.lines()[1].strip().startswith("g")
        grid.focus()
        await pilot.press("down")
        assert app.lines()[1].startswith("▸ b")


async def test_one_changed_row_repaints_one_line(stage, repaints):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(100, 40)) as pilot:
        given = [row(f"row{n}") for n in range(36)]
        grid.show(given)
        await pilot.pause()
        drawn = repaints(grid)
        grid.show([row(f"row{n}") for n in range(36)])
        await pilot.pause()
        assert drawn == []
        grid.show([*given[:7], row("row7", 99.0), *given[8:]])
        await pilot.pause()
        assert drawn == [8]


async def test_moving_repaints_two_lines_and_tells(stage, repaints):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 12)) as pilot:
        grid.focus()
        grid.show(rows("abc"))
        await pilot.pause()
        drawn = repaints(grid)
        await pilot.press("down")
        assert sorted(drawn) == [1, 2]
        assert [event.key for event in app.of(Grid.Moved)] == ["a", "b"]


async def test_enter_and_second_click_open_the_row_under_the_cursor(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)

    def opened() -> list[tuple[str, str | None]]:
        return [(event.key, event.column) for event in app.of(Grid.Opened)]

    async with app.run_test(size=(60, 12)) as pilot:
        grid.focus()
        grid.show(rows("abc"))
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.click(grid, offset=(5, 3))
        assert opened() == [("b", None)]
        assert grid.cursor == "c"
        await pilot.click(grid, offset=(5, 3))
        await pilot.press("right", "right", "enter", "left", "left", "enter")
        assert opened()[1:] == [("c", None), ("c", "p95"), ("c", None)]


async def test_click_on_a_title_tells_the_column(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 12)) as pilot:
        grid.show(rows("abc"))
        await pilot.click(grid, offset=(40, 0))
        await pilot.click(grid, offset=(3, 0))
        await pilot.click(grid, offset=(0, 0))
        assert [event.column for event in app.of(Grid.HeaderClicked)] == ["p95", "name"]


async def test_sorts_on_raw_values_with_unknown_ones_last(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 12)) as pilot:
        grid.focus()
        grid.show([row("a", 9.0), row("b", None), row("c", 100.0), row("d", 0.5)])
        await pilot.press("end")
        grid.sort_by("p95", reverse=True)
        assert [r.key for r in grid.rows] == ["c", "a", "d", "b"]
        assert grid.cursor == "d"
        await pilot.pause()
        assert "▾p95" in app.lines()[0]
        grid.sort_by("p95")
        assert [r.key for r in grid.rows] == ["d", "a", "c", "b"]
        grid.sort_by(None)
        assert [r.key for r in grid.rows] == ["a", "b", "c", "d"]


async def test_empty_grid_says_how_it_is_fed(stage):
    grid = Grid(COLUMNS, empty="No calls yet.\nPush events to /monitor/v1/events.")
    app = stage(grid)
    async with app.run_test(size=(60, 8)) as pilot:
        assert [line.strip() for line in app.lines()[:2]] == [
            "No calls yet.",
            "Push events to /monitor/v1/events.",
        ]
        grid.say_empty("Nothing in the last hour.")
        await pilot.pause()
        assert app.lines()[0].strip() == "Nothing in the last hour."
        assert app.lines()[2].strip() == ""
        grid.show(rows("a"))
        await pilot.pause()
        assert "Nothing" not in "".join(app.lines())


async def test_columns_do_not_move_with_what_they_hold(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(70, 8)) as pilot:
        grid.show([row("a")])
        await pilot.pause()
        header = app.lines()[0]
        grid.show([row("a" * 300, 123.456, cost=Cell("$99,999.99"))])
        await pilot.pause()
        assert app.lines()[0] == header
        assert grid.visible_columns == ["name", "p50", "p95", "cost"]
        await pilot.resize_terminal(28, 8)
        assert grid.visible_columns == ["name", "p95"]


@pytest.mark.parametrize("height", [1, 2, 3, 4])
async def test_low_grids_show_rows_first(stage, height):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, height)) as pilot:
        grid.focus()
        grid.show(rows("abcdefgh"))
        await pilot.press("down", "down", "down")
        assert any(line.startswith("▸ d") for line in app.lines())


HEADED = [
    GridRow("h1", heading="FRUIT"), row("apple", 3.0), row("fig", 1.0),
    GridRow("h2", heading="ROOTS"), row("beet", 2.0), row("yam", 4.0),
]  # fmt: skip


async def test_the_cursor_passes_over_headings(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 9)) as pilot:
        grid.focus()
        grid.show(HEADED)
        await pilot.pause()
        assert grid.cursor == "apple"
        assert app.lines()[1].startswith(" FRUIT")
        seen = []
        for key in ("down", "down", "up", "end", "home", "pagedown", "pageup"):
            await pilot.press(key)
            seen.append(grid.cursor)
        assert seen == ["fig", "beet", "fig", "yam", "apple", "yam", "apple"]
        await pilot.click(grid, offset=(3, 4))
        assert grid.cursor == "apple"
        # Its row goes, and the place it had is a heading now.
        grid.show([HEADED[0], HEADED[3], *HEADED[4:]])
        assert grid.cursor == "beet"
        grid.show([HEADED[0]])
        assert grid.cursor is None
        await pilot.press("down", "enter")
        assert grid.cursor is None


async def test_the_first_row_brings_its_heading_into_sight(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 5)) as pilot:
        grid.focus()
        grid.show(HEADED)
        await pilot.press("end", "home")
        assert app.lines()[1].startswith(" FRUIT")
        assert app.lines()[2].startswith("▸ apple")


async def test_each_heading_keeps_its_rows_when_they_are_ordered(stage):
    grid = Grid(COLUMNS)
    app = stage(grid)
    async with app.run_test(size=(60, 9)):
        grid.show(HEADED)
        grid.sort_by("p95", reverse=True)
        assert [r.key for r in grid.rows] == ["h1", "apple", "fig", "h2", "yam", "beet"]
        grid.sort_by("p95")
        assert [r.key for r in grid.rows] == ["h1", "fig", "apple", "h2", "beet", "yam"]
