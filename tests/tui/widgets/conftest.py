"""A bare app to put a widget on, and what it painted."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from tui_monitor.tui import theme
from tui_monitor.tui.drawing import BRAILLE, Glyphs

M = TypeVar("M", bound=Message)


class Stage(App[None]):
    """Shows one widget under our theme and keeps the messages it posted."""

    CSS = "Screen { background: $background; }"

    def __init__(self, widget: Widget, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__()
        self.widget = widget
        self.glyphs = glyphs
        self.heard: list[Message] = []
        theme.install(self)
        self.theme = theme.DEFAULT

    def get_css_variables(self) -> dict[str, str]:
        base = super().get_css_variables()
        self.theme_variables = {**theme.variables(base), **base}
        return self.theme_variables

    def compose(self) -> ComposeResult:
        yield self.widget

    def hear(self, event: Message) -> None:
        """Keep a message of the widget under test."""
        self.heard.append(event)

    on_grid_moved = on_grid_opened = on_grid_header_clicked = hear
    on_chart_pointed = on_tabs_chosen = on_prompt_submitted = on_prompt_changed = hear
    on_range_zoomed = on_range_moved = hear

    def of(self, kind: type[M]) -> list[M]:
        """The messages of one kind, oldest first."""
        return [event for event in self.heard if isinstance(event, kind)]

    def lines(self) -> list[str]:
        """The screen as text."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]


@pytest.fixture
def stage() -> Callable[..., Stage]:
    """Makes an app with one widget."""
    return Stage


@pytest.fixture
def repaints(monkeypatch: pytest.MonkeyPatch) -> Callable[[Widget], list[int]]:
    """Records the lines a widget wants painted from now on."""

    def watch(widget: Widget) -> list[int]:
        drawn: list[int] = []
        set_dirty = widget._set_dirty

        def recorded(*regions: Region) -> None:
            rows = [y for region in regions for y in region.line_range]
            drawn.extend(rows if regions else range(widget.size.height))
            set_dirty(*regions)

        monkeypatch.setattr(widget, "_set_dirty", recorded)
        return drawn

    return watch
