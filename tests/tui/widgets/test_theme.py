"""Our widgets under any theme of the toolkit."""

import pytest
from textual.theme import BUILTIN_THEMES

from tui_monitor.tui.widgets.lines import Line, Lines

WORDS = ("ok", "warn", "crit", "stale", "dim", "bright", "accent", "series-1", "series-8")


@pytest.mark.parametrize("name", ["nord", "solarized-light", "ansi-dark"])
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
