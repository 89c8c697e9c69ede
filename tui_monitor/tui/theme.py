"""Colours: the only place that names any.

Widgets and styles use variables. A theme of Textual's own works too: what it lacks is derived from the rest.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from textual.color import Color
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App

SEMANTIC = ("ok", "warn", "crit", "stale", "text-dim", "text-bright", *(f"series-{n}" for n in range(1, 9)))
"""The variables every theme gets, without the `$`."""

_DARK_SERIES = ("#6cb6ff", "#e3b341", "#56d4a8", "#d89bf2", "#f2936b", "#8ddb5f", "#f285b5", "#a8b3c4")
_LIGHT_SERIES = ("#0b62c4", "#8a5a00", "#0a7a5a", "#8a3ab8", "#b4441a", "#3f7a14", "#b8306f", "#56606e")
_ANSI_SERIES = ("blue", "yellow", "green", "magenta", "cyan", "bright_red", "bright_blue", "white")


def _series(colours: tuple[str, ...]) -> dict[str, str]:
    return {f"series-{n}": colour for n, colour in enumerate(colours, 1)}


DARK = Theme(
    name="tui-monitor",
    dark=True,
    primary="#6cb6ff",
    secondary="#4a7fb5",
    accent="#6cb6ff",
    foreground="#d5dae1",
    background="#11151b",
    surface="#161b23",
    panel="#1d242e",
    success="#5fce8a",
    warning="#e3b341",
    error="#ff7b72",
    variables={
        "ok": "#5fce8a",
        "warn": "#e3b341",
        "crit": "#ff7b72",
        "stale": "#8b949e",
        "text-dim": "#8b949e",
        "text-bright": "#f3f6fa",
        "block-cursor-background": "#22303f",
        "block-cursor-foreground": "#f3f6fa",
        "block-cursor-text-style": "none",
        "input-selection-background": "#6cb6ff 30%",
        **_series(_DARK_SERIES),
    },
)

LIGHT = Theme(
    name="tui-monitor-light",
    dark=False,
    primary="#0b62c4",
    secondary="#3d6fa8",
    accent="#0b62c4",
    foreground="#24292f",
    background="#fbfbfa",
    surface="#f2f3f4",
    panel="#e7eaee",
    success="#1a7f42",
    warning="#8a5a00",
    error="#c4221b",
    variables={
        "ok": "#1a7f42",
        "warn": "#8a5a00",
        "crit": "#c4221b",
        "stale": "#656d76",
        "text-dim": "#5f6770",
        "text-bright": "#0b0e12",
        "block-cursor-background": "#d6e4f5",
        "block-cursor-foreground": "#0b0e12",
        "block-cursor-text-style": "none",
        "input-selection-background": "#0b62c4 25%",
        **_series(_LIGHT_SERIES),
    },
)

THEMES = (DARK, LIGHT)
DEFAULT = DARK.name


def install(app: "App[Any]") -> None:
    """Make our themes known to the app."""
    for theme in THEMES:
        app.register_theme(theme)


def variables(base: Mapping[str, str]) -> dict[str, str]:
    """The semantic variables for a theme that has none of its own.

    `base` are its CSS variables; merge the answer under them.
    """
    foreground = base.get("foreground", "#888888")
    background = base.get("background", "#000000")
    if background.startswith("ansi"):
        dim = "ansi_bright_black"
        series = tuple(f"ansi_{name}" for name in _ANSI_SERIES)
    else:
        below = Color.parse(background)
        dim = below.blend(Color.parse(foreground), 0.62).hex
        series = _DARK_SERIES if below.brightness < 0.5 else _LIGHT_SERIES
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
        "": known.get("foreground", "#888888"),
        "dim": known["text-dim"],
        "bright": known["text-bright"],
        "accent": known.get("accent", known["text-bright"]),
        **{name: known[name] for name in SEMANTIC if not name.startswith("text-")},
        "cursor": known.get("block-cursor-background", known["text-dim"]),
        **_heat(known),
    }


def _heat(known: Mapping[str, str]) -> dict[str, str]:
    """From almost nothing over the accent to bright: one hue, so that only lightness tells."""
    accent, background = known.get("accent", known["text-bright"]), known.get("background", "#000000")
    if background.startswith("ansi"):
        steps = (known["text-dim"],) * 3 + (accent,) * 3 + (known["text-bright"],) * 2
    else:
        floor, middle, top = (Color.parse(c) for c in (background, accent, known["text-bright"]))
        steps = (
            *(floor.blend(middle, share).hex for share in (0.4, 0.55, 0.7, 0.85, 1.0)),
            *(middle.blend(top, share).hex for share in (0.35, 0.7, 1.0)),
        )
    return {f"heat-{n}": colour for n, colour in enumerate(steps, 1)}
