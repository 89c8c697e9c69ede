"""From palettes to what the toolkit and our widgets draw with.

Widgets and styles use variables. A theme of the toolkit's own works too: what it lacks is derived from the
rest. No colour is named here: those are in config/palettes.py, and in the files of whoever has some.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.color import Color
from textual.theme import Theme

from tui_monitor.config.palettes import DEFAULT, SERIES, SHIPPED, Palette

if TYPE_CHECKING:
    from textual.app import App

_STATES = ("ok", "warn", "crit", "stale")
SEMANTIC = (*_STATES, "text-dim", "text-bright", *(f"series-{n}" for n in range(1, SERIES + 1)))
"""The variables every theme gets, without the `$`."""
TERMINAL = "ansi"
"""What colours of the terminal's own begin with."""

_ANSI = {"surface": "ansi_default", "panel": "ansi_default", "ansi-background": "ansi_default"}
"""What the toolkit would mix, and cannot of the terminal's colours."""


def theme_of(name: str, palette: Palette) -> Theme:
    """A palette as the toolkit takes it."""
    ansi = palette.mode == "ansi"
    return Theme(
        name=name,
        dark=palette.mode != "light",
        ansi=ansi,
        primary=palette.accent,
        secondary=palette.accent,
        accent=palette.accent,
        foreground=palette.text,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        success=palette.ok,
        warning=palette.warn,
        error=palette.crit,
        variables={
            **{state: getattr(palette, state) for state in _STATES},
            "text-dim": palette.dim,
            "text-bright": palette.bright,
            "block-cursor-background": palette.cursor,
            "block-cursor-foreground": palette.bright,
            "block-cursor-text-style": "reverse" if ansi else "none",
            "input-selection-background": palette.accent if ansi else f"{palette.accent} 30%",
            **_scrollbar(palette),
            **(_ANSI if ansi else {}),
            **_series(palette.series),
        },
    )


def _scrollbar(palette: Palette) -> dict[str, str]:
    """As quiet as an axis."""
    behind = dict.fromkeys(("background", "background-hover", "background-active"), palette.background)
    thumb = {"": palette.dim, "-hover": palette.text, "-active": palette.accent}
    return {f"scrollbar-{name}": colour for name, colour in behind.items()} | {
        f"scrollbar{state}": colour for state, colour in thumb.items()
    }


def _series(colours: tuple[str, ...]) -> dict[str, str]:
    return {f"series-{n}": colour for n, colour in enumerate(colours, 1)}


def install(app: "App[Any]") -> None:
    """Make our themes known to the app."""
    for name, palette in SHIPPED.items():
        app.register_theme(theme_of(name, palette))


def variables(base: Mapping[str, str]) -> dict[str, str]:
    """The semantic variables for a theme that has none of its own.

    `base` are its CSS variables; merge the answer under them.
    """
    ours = SHIPPED[DEFAULT]
    foreground = base.get("foreground", ours.text)
    background = base.get("background", ours.background)
    if background.startswith(TERMINAL):
        few = SHIPPED["tui-monitor-16"]
        dim, series = few.dim, few.series
    else:
        below = Color.parse(background)
        dim = below.blend(Color.parse(foreground), 0.62).hex
        series = SHIPPED[DEFAULT if below.brightness < 0.5 else "tui-monitor-light"].series
    return {
        "ok": base.get("success", foreground),
        "warn": base.get("warning", foreground),
        "crit": base.get("error", foreground),
        "stale": dim,
        "text-dim": dim,
        "text-bright": foreground,
        **_series(series),
    }


def colours(base: Mapping[str, str]) -> dict[str, str]:
    """The colour of every style token under a theme with these variables; the empty token is plain text."""
    known = {**variables(base), **base}
    return {
        "": known.get("foreground", SHIPPED[DEFAULT].text),
        "dim": known["text-dim"],
        "bright": known["text-bright"],
        "accent": known.get("accent", known["text-bright"]),
        **{name: known[name] for name in SEMANTIC if not name.startswith("text-")},
        "cursor": known.get("block-cursor-background", known["text-dim"]),
        **_heat(known),
    }


def _heat(known: Mapping[str, str]) -> dict[str, str]:
    """From almost nothing over the accent to bright: one hue, so that only lightness tells."""
    accent = known.get("accent", known["text-bright"])
    background = known.get("background", SHIPPED[DEFAULT].background)
    if background.startswith(TERMINAL):
        steps = (known["text-dim"],) * 3 + (accent,) * 3 + (known["text-bright"],) * 2
    else:
        floor, middle, top = (Color.parse(c) for c in (background, accent, known["text-bright"]))
        steps = (
            *(floor.blend(middle, share).hex for share in (0.4, 0.55, 0.7, 0.85, 1.0)),
            *(middle.blend(top, share).hex for share in (0.35, 0.7, 1.0)),
        )
    return {f"heat-{n}": colour for n, colour in enumerate(steps, 1)}
