"""Whatever comes from outside, on whatever screen: no crash, no style, no control, exact lines."""

import io
import random
import subprocess
import sys
import unicodedata

import pytest
from rich.cells import cell_len
from rich.console import Console
from textual.containers import Vertical

from tui_monitor.query.result import Completion
from tui_monitor.tui.drawing import ASCII, BLOCK, BRAILLE
from tui_monitor.tui.widgets.chart import Chart, ChartData, ChartSeries
from tui_monitor.tui.widgets.grid import Cell, Column, Grid, GridRow
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.prompt import Prompt
from tui_monitor.tui.widgets.tabs import Tab, Tabs

NOON = 1_773_835_200_000_000
NASTY = {
    "closing tag": "[/foo]",
    "half a tag": "[/",
    "link": "[link=http://x]y[/link]",
    "action": "[@click=app.quit]x[/]",
    "escape": "\x1b[2J\x1b[31mred\x1b[0m",
    "title": "\x1b]0;owned\x07",
    "clipboard": "\x1b]52;c;aGk=\x1b\\",
    "c1": "\x9b31mred\x9d0;x\x9c\x90q",
    "bidi": "abc\u202edcba\u2066x\u2069",
    "long": "model-" * 1_000,
    "cjk": "日本語のモデル名" * 3,
    "emoji": "👨\u200d👩\u200d👧\u200d👦 👍🏽 🇩🇪 ❤\ufe0f 1\ufe0f\u20e3",
    "arabic": "نموذج اللغة الكبير",
    "combining": "e" + "\u0301" * 400,
    "lines": "one\ntwo\r\nthree\x0b\u2028four",
    "nul": "a\x00b\x7fc\x08d",
    "surrogate": "a\ud800b",
    "unassigned": "\U000e0041\u0378\uffff",
    "empty": "",
    "space": "   ",
}


class Everything(Vertical):
    """One of each widget, all of them holding the same text."""

    DEFAULT_CSS = """
    Everything { & Grid { height: 1fr; } & Chart { height: 1fr; } }
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def compose(self):
        text = self.text
        yield Lines([Line(((text, "accent"), (text, text)), ((text, "crit"),)), Line.of(text)])
        yield Tabs([Tab("a", text, text, badge=text), Tab("b", "2", "Costs", token=text)], "a")
        number = Column("value", text, width=8, align="right")
        yield Grid([Column("name", text, min=4), number, Column("more", "x", rank=2)], empty=text)
        yield Chart()
        yield Prompt(placeholder=text, completer=self.complete, history=[text])

    async def complete(self, _: str, __: int) -> list[Completion]:
        return [Completion(self.text, 0, "value", self.text)]

    def fill(self) -> None:
        text = self.text
        cells = {"name": Cell(text, text, text), "value": Cell(text, "ok"), "more": Cell(text, "dim bold")}
        self.query_one(Grid).show([GridRow("k", cells), GridRow(text, {})])
        times = tuple(NOON + i * 60_000_000 for i in range(30))
        series = tuple(ChartSeries(text, tuple(float(i % 5) for i in range(30)), n) for n in range(2))
        self.query_one(Chart).show(
            ChartData(
                times, series, text, thresholds=((text, 3.0), (text, 99.0)), title=text, note=text, empty=text
            )
        )
        prompt = self.query_one(Prompt)
        prompt.value = text
        prompt.show_error(2, 3, text)


def check(app, width: int, height: int) -> None:
    lines = app.lines()
    assert len(lines) == height
    assert {cell_len(line) for line in lines} == {width}
    assert not {unicodedata.category(c) for c in "".join(lines)} & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize("name", NASTY)
async def test_nasty_text(stage, name):
    all_of_it = Everything(NASTY[name])
    app = stage(all_of_it)
    async with app.run_test(size=(80, 30)) as pilot:
        check(app, 80, 30)
        all_of_it.fill()
        await pilot.pause()
        # What the input line itself draws is its own affair; it is held to what may be typed.
        all_of_it.query_one(Prompt).value = ""
        await pilot.pause()
        check(app, 80, 30)
        metas = [s.style.meta for strip in app.screen._compositor.render_strips() for s in strip if s.style]
        assert not any("@click" in meta for meta in metas)
        all_of_it.query_one(Prompt).focus()
        await pilot.press("x", "up", "enter")
        all_of_it.query_one(Chart).focus()
        await pilot.press("left", "left")
        assert app.is_running


async def test_any_size(stage):
    all_of_it = Everything("日本語 model")
    app = stage(all_of_it)
    rng = random.Random(7)
    sizes = [(1, 1), (2, 1), (1, 5), (10, 3), (60, 20), (80, 24), (200, 50)]
    sizes += [(rng.randint(1, 200), rng.randint(1, 50)) for _ in range(25)]
    async with app.run_test(size=(80, 24)) as pilot:
        all_of_it.fill()
        for width, height in sizes:
            app.glyphs = rng.choice((BRAILLE, BLOCK, ASCII))
            await pilot.resize_terminal(width, height)
            check(app, width, height)


@pytest.mark.parametrize("theme", ["tui-monitor", "ansi-dark", "textual-light"])
async def test_without_colour(stage, monkeypatch, theme):
    """Every piece has a style, or the toolkit's filter fails; glyph and word carry the state."""
    monkeypatch.setenv("NO_COLOR", "1")
    all_of_it = Everything("openai")
    app = stage(all_of_it)
    async with app.run_test(size=(80, 30)) as pilot:
        app.theme = theme
        assert app.no_color
        all_of_it.fill()
        all_of_it.query_one(Grid).focus()
        await pilot.press("down", "right")
        all_of_it.query_one(Chart).focus()
        await pilot.press("left")
        await pilot.pause()
        check(app, 80, 30)
        for strip in app.screen._compositor.render_strips():
            for segment in strip:
                colour = segment.style.color
                assert colour is None or colour.triplet is None or len(set(colour.triplet)) == 1


@pytest.mark.parametrize("system", ["standard", "256", "truecolor"])
async def test_colours_fit_the_terminal(stage, system):
    """With few colours the states still differ, and the text does not vanish into its ground."""
    lines = Lines([Line(tuple((word, word) for word in ("ok", "warn", "crit", "dim", "bright", "accent")))])
    app = stage(lines)
    async with app.run_test(size=(60, 2)):
        console = Console(color_system=system, force_terminal=True, file=io.StringIO())
        known = console._color_system
        drawn = {s.text: s.style.render(" ", color_system=known) for s in lines.render_line(0)}
        assert len({drawn[word] for word in ("ok", "warn", "crit")}) == 3
        for segment in lines.render_line(0):
            front = segment.style.color.downgrade(known)
            back = segment.style.bgcolor.downgrade(known)
            assert front != back, segment.text


HEAVY = {"numpy", "httpx", "plotext", "pydantic", "starlette", "sqlite3", "genai_prices", "aiosqlite"}


def loaded(modules: str) -> set[str]:
    """What a fresh interpreter holds after importing these."""
    code = f"import sys, {modules}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_widgets_loads_nothing_heavy():
    names = ("grid", "chart", "tabs", "prompt")
    assert not loaded(", ".join(f"tui_monitor.tui.widgets.{name}" for name in names)) & HEAVY


def test_drawing_loads_no_toolkit():
    assert "textual" not in loaded("tui_monitor.tui.drawing, tui_monitor.tui.widgets.plot")
