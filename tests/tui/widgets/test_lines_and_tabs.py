"""Static lines and the tab bar."""

import pytest

from tui_monitor.tui.drawing import ASCII
from tui_monitor.tui.widgets.lines import Line, Lines
from tui_monitor.tui.widgets.tabs import Tab, Tabs

TABS = (
    Tab("overview", "1", "Overview"),
    Tab("providers", "2", "Providers", short="Prov"),
    Tab("costs", "3", "Costs"),
    Tab("alerts", "4", "Alerts", badge="▲2"),
)


async def test_both_sides_have_their_place(stage):
    lines = Lines([Line((("tui-monitor", "accent"), ("  box", "")), (("14:32", "dim"),)), Line.of("second")])
    app = stage(lines)
    async with app.run_test(size=(40, 4)) as pilot:
        assert app.lines()[0] == "tui-monitor  box                   14:32"
        assert app.lines()[1].rstrip() == "second"
        await pilot.resize_terminal(20, 4)
        assert app.lines()[0] == "tui-monitor  … 14:32"
        await pilot.resize_terminal(4, 4)
        assert app.lines()[0] == "tui…"


async def test_only_changed_lines_are_repainted_and_the_height_follows(stage, repaints):
    lines = Lines([Line.of("a"), Line.of("b"), Line.of("c")])
    app = stage(lines)
    async with app.run_test(size=(40, 6)) as pilot:
        drawn = repaints(lines)
        lines.show([Line.of("a"), Line.of("b"), Line.of("c")])
        await pilot.pause()
        assert drawn == []
        lines.show([Line.of("a"), Line.of("B"), Line.of("c")])
        await pilot.pause()
        assert drawn == [1]
        lines.show([Line.of("a")])
        await pilot.pause()
        assert lines.size.height == 1
        lines.show([])
        await pilot.pause()
        assert "".join(app.lines()).strip() == ""


async def test_style_tokens_are_the_themes_colours(stage):
    lines = Lines([Line((("bad", "crit bold"), ("plain", ""), ("inverse", "reverse"), ("odd", "nonsense")))])
    app = stage(lines)
    async with app.run_test(size=(40, 2)):
        bad, plain, inverse, odd = lines.render_line(0)
        assert bad.style.color.triplet.hex == app.theme_variables["crit"].lower()
        assert bad.style.bold
        assert plain.style.color.triplet.hex == app.theme_variables["foreground"].lower()
        assert inverse.style.reverse
        assert odd.style == plain.style
        assert all(
            s.style.bgcolor.triplet.hex == app.theme_variables["background"].lower() for s in (bad, odd)
        )


@pytest.mark.parametrize(
    ("width", "bar"),
    [
        (60, " 1 Overview  2 Providers   3 Costs  4 Alerts ▲2"),
        (44, " 1 Over  2 Providers   3 Cost  4 Aler ▲2"),
        (32, " 1  2 Prov   3  4 ▲2"),
        (16, " 1  2   3  4 ▲2"),
    ],
)
async def test_tabs_shrink_with_the_screen(stage, width, bar):
    app = stage(Tabs(TABS, "providers"))
    async with app.run_test(size=(width, 2)):
        assert app.lines()[0].rstrip() == bar


async def test_tabs_tell_what_was_clicked_and_repaint_only_on_a_difference(stage, repaints):
    tabs = Tabs(TABS, "providers")
    app = stage(tabs)
    async with app.run_test(size=(60, 2)) as pilot:
        await pilot.click(tabs, offset=(3, 0))
        await pilot.click(tabs, offset=(41, 0))
        await pilot.click(tabs, offset=(58, 0))
        assert [event.tab for event in app.of(Tabs.Chosen)] == ["overview", "alerts"]
        drawn = repaints(tabs)
        tabs.show(TABS, "providers")
        await pilot.pause()
        assert drawn == []
        tabs.show(TABS, "costs")
        await pilot.pause()
        assert drawn == [0]
        assert tabs.active == "costs"


async def test_ascii_set_draws_ascii_only(stage):
    app = stage(Lines([Line((("● ok – 日本 ≈ 5 …", "ok"),), (("▲", "warn"),))]), ASCII)
    async with app.run_test(size=(40, 2)):
        assert app.lines()[0].rstrip() == "* ok - ???? ~ 5 ~" + " " * 22 + "^"


async def test_only_the_stretch_that_differs_is_painted(stage, monkeypatch):
    lines = Lines([Line.of("requests 12.4 日本 /min")])
    app = stage(lines)
    async with app.run_test(size=(40, 2)) as pilot:
        painted = []
        monkeypatch.setattr(lines, "_set_dirty", lambda *regions: painted.extend(regions))
        for text in ("requests 13.4 日本 /min", "requests 13.4 日x  /min", "requests 13.4 日x  /min"):
            lines.show([Line.of(text)])
            await pilot.pause()
        assert [(region.x, region.width) for region in painted] == [(10, 1), (16, 2)]


async def test_what_changed_while_it_was_hidden_is_seen_when_it_is_back(stage):
    lines = Lines([Line.of("before"), Line.of("same")])
    app = stage(lines)
    async with app.run_test(size=(40, 4)) as pilot:
        assert app.lines()[0].startswith("before")
        lines.display = False
        await pilot.pause()
        lines.show([Line.of("after"), Line.of("same")])
        await pilot.pause()
        lines.display = True
        await pilot.pause()
        assert [line.strip() for line in app.lines()[:2]] == ["after", "same"]
