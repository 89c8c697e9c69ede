"""Filters of lists: which rows pass, and that any text is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.tui.widgets.columns import Cell, Column, GridRow
from tui_monitor.tui.widgets.sifted import MOST, SiftedGrid, sift, terms

COLUMNS = (Column("provider", "provider"), Column("state", "state"), Column("rate", "req/min"))


def row(name: str, state: str, **more: str) -> GridRow:
    cells = {"provider": Cell(name), "state": Cell(state), **{key: Cell(text) for key, text in more.items()}}
    return GridRow(name, cells)


ROWS = [
    GridRow("h1", heading="CLOUD"),
    row("OpenAI", "unhealthy", rate="12.4"),
    row("anthropic", "healthy", rate="3"),
    GridRow("h2", heading="HERE"),
    row("ollama local", "healthy"),
]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("openai", ["h1", "OpenAI"]),
        ("OPEN", ["h1", "OpenAI"]),
        ("healthy", ["h1", "OpenAI", "anthropic", "h2", "ollama local"]),
        ("state=healthy", ["h1", "anthropic", "h2", "ollama local"]),
        ("state!=healthy", ["h1", "OpenAI"]),
        ("!state=healthy", ["h1", "OpenAI"]),
        ("!state!=un", ["h1", "OpenAI"]),
        ("!openai", ["h1", "anthropic", "h2", "ollama local"]),
        ("healthy !open !olla", ["h1", "anthropic"]),
        ("req/min=12", ["h1", "OpenAI"]),
        ("rate=3", ["h1", "anthropic"]),
        ('"ama lo"', ["h2", "ollama local"]),
        ('"ama lo', ["h2", "ollama local"]),
        ('provider="ollama l', ["h2", "ollama local"]),
        ("cloud", []),
        ("zone=eu", []),
        ("   ", [row.key for row in ROWS]),
        ("state=", [row.key for row in ROWS]),
    ],
)
def test_rows_that_pass(text: str, left: list[str]) -> None:
    wanted = terms(text, COLUMNS)
    assert [row.key for row in (sift(ROWS, wanted) if wanted else ROWS)] == left


@given(st.text(max_size=200))
def test_any_text_is_a_filter_and_its_opposite_leaves_the_others(text: str) -> None:
    wanted = terms(text, COLUMNS)
    assert len(wanted) <= MOST
    rows = [row for row in ROWS if not row.heading]
    kept = sift(rows, wanted)
    assert all(row in rows for row in kept)
    for term in wanted:
        assert term.passes(rows[0]) != type(term)(term.text, term.column, not term.no).passes(rows[0])


async def test_a_filter_stays_while_rows_come_and_says_when_none_passes(stage) -> None:
    grid = SiftedGrid(COLUMNS, empty="Nobody.")
    app = stage(grid)
    async with app.run_test(size=(60, 10)) as pilot:
        assert "Nobody." in "\n".join(app.lines())
        grid.show(ROWS)
        grid.sift("anthropic")
        await pilot.pause()
        assert [one.key for one in grid.rows] == ["h1", "anthropic"]
        assert grid.counts == (1, 3)
        grid.show([*ROWS, row("anthropic eu", "healthy")])
        assert [one.key for one in grid.rows] == ["h1", "anthropic", "h2", "anthropic eu"]
        assert grid.counts == (2, 4)
        grid.sift("mode=fast")
        await pilot.pause()
        told = "\n".join(app.lines())
        assert "None of 4 has: mode=fast" in told
        assert "provider= state= req/min=" in told
        grid.sift("")
        assert len(grid.rows) == 6
