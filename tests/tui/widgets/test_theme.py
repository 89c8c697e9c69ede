"""Colours: ours and those derived for any other theme."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES

from tui_monitor.tui import theme
from tui_monitor.tui.widgets.lines import Line, Lines

WORDS = ("ok", "warn", "crit", "stale", "dim", "bright", "accent", "series-1", "series-8")


@pytest.mark.parametrize("name", [t.name for t in theme.THEMES])
def test_our_themes_are_readable(name):
    ours = next(t for t in theme.THEMES if t.name == name)
    background = Color.parse(ours.background)
    for variable in theme.SEMANTIC:
        ratio = _contrast(Color.parse(ours.variables[variable]), background)
        assert ratio >= 4.5, f"{variable} on {name}: {ratio:.1f}"


def _contrast(one: Color, other: Color) -> float:
    def light(colour: Color) -> float:
        parts = [c / 255 for c in colour.rgb]
        red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["nord", "textual-light", "solarized-light", "ansi-dark", "ansi-light"])
async def test_every_theme_has_all_style_tokens(stage, name):
    assert name in BUILTIN_THEMES
    lines = Lines([Line(tuple((word, word) for word in WORDS))])
    app = stage(lines)
    async with app.run_test(size=(80, 2)) as pilot:
        app.theme = name
        await pilot.pause()
        await pilot.pause()
        styles = {segment.text.strip(): segment.style for segment in lines.render_line(0)}
        assert all(styles[word].color is not None for word in WORDS)
        assert len({styles[word].color for word in ("ok", "warn", "crit")}) == 3


async def test_an_app_without_our_variables_still_draws():
    from textual.app import App

    lines = Lines([Line.of("text", "crit")])

    class Bare(App[None]):
        def compose(self):
            yield lines

    async with Bare().run_test(size=(20, 2)):
        assert lines.render_line(0).text.startswith("text")
