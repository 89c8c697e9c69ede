"""The colours that come with the program. A theme file of one's own has the same keys.

Plain data, read before the first paint. What is promised of them is tested: contrast after WCAG 2.2, and
that the safe ones stay apart for eyes that lack one kind of cone.
"""

from dataclasses import dataclass
from typing import Literal

DEFAULT = "tui-monitor"
DEFAULT_16 = "tui-monitor-16"
"""Where the terminal has 16 colours or fewer, or none are wanted."""
SERIES = 8
"""Colours of lines, bars and areas."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by what they mean: `#rrggbb`, or all of them names of the terminal's own, as `ansi_red`."""

    about: str
    """What it is for, in a line."""
    mode: Literal["dark", "light", "ansi"]
    """What it is made for; `ansi` draws in the terminal's own 16 colours."""
    background: str
    surface: str
    """Behind dialogs."""
    panel: str
    """Behind messages."""
    text: str
    dim: str
    """Units, labels, axes."""
    bright: str
    """Values."""
    accent: str
    """What has the focus, keys, headings: the one colour that means nothing."""
    ok: str
    warn: str
    crit: str
    stale: str
    """What is old or unknown."""
    cursor: str
    """Behind the row under the cursor."""
    series: tuple[str, ...]
    """Eight, of lines, bars and areas; none that could be taken for a warning comes first."""


SHIPPED: dict[str, Palette] = {
    "tui-monitor": Palette(
        about="for dark terminals",
        mode="dark",
        background="#11151b",
        surface="#161b23",
        panel="#1d242e",
        text="#d5dae1",
        dim="#8b949e",
        bright="#f3f6fa",
        accent="#6cb6ff",
        ok="#5fce8a",
        warn="#e3b341",
        crit="#ff7b72",
        stale="#8b949e",
        cursor="#22303f",
        series=(
            *("#6cb6ff", "#56d4a8", "#d89bf2", "#b3d94c"),
            *("#f285b5", "#4fc8d8", "#c9a184", "#a8b3c4"),
        ),
    ),
    "tui-monitor-light": Palette(
        about="for light terminals",
        mode="light",
        background="#fbfbfa",
        surface="#f2f3f4",
        panel="#e7eaee",
        text="#24292f",
        dim="#5f6770",
        bright="#0b0e12",
        accent="#0b62c4",
        ok="#13753a",
        warn="#8a5a00",
        crit="#c4221b",
        stale="#5f6770",
        cursor="#e6eef9",
        series=(
            *("#0b62c4", "#0a7a5a", "#8a3ab8", "#5d7a00"),
            *("#b8306f", "#007a92", "#7d5a4a", "#56606e"),
        ),
    ),
    "tui-monitor-contrast": Palette(
        about="white on black, high contrast",
        mode="dark",
        background="#000000",
        surface="#000000",
        panel="#101418",
        text="#ffffff",
        dim="#c4ccd6",
        bright="#ffffff",
        accent="#7cc7ff",
        ok="#4df08a",
        warn="#ffd000",
        crit="#ffaca4",
        stale="#c4ccd6",
        cursor="#12304f",
        series=(
            *("#7cc7ff", "#5cf0c0", "#e6b3ff", "#c4f04a"),
            *("#ff9fd8", "#4fe3ff", "#d6c08a", "#d0d8e4"),
        ),
    ),
    "tui-monitor-contrast-light": Palette(
        about="black on white, high contrast",
        mode="light",
        background="#ffffff",
        surface="#ffffff",
        panel="#f0f2f5",
        text="#000000",
        dim="#3d444d",
        bright="#000000",
        accent="#003e8c",
        ok="#00552a",
        warn="#6a3e00",
        crit="#9c0006",
        stale="#3d444d",
        cursor="#dcebff",
        series=(
            *("#003e8c", "#00523c", "#5e1690", "#3c5200"),
            *("#8a0f4c", "#005266", "#5a3d30", "#3a424c"),
        ),
    ),
    "tui-monitor-safe": Palette(
        about="dark, told apart with any kind of colour blindness",
        mode="dark",
        background="#11151b",
        surface="#161b23",
        panel="#1d242e",
        text="#d5dae1",
        dim="#939ca7",
        bright="#f3f6fa",
        accent="#9db8ff",
        ok="#56b4e9",
        warn="#f0e442",
        crit="#ff7f50",
        stale="#939ca7",
        cursor="#1e2a37",
        series=(
            *("#5a9bfe", "#3df0a8", "#c39ccf", "#e0a020"),
            *("#d8fbf8", "#71887a", "#d4633a", "#fff04d"),
        ),
    ),
    "tui-monitor-safe-light": Palette(
        about="light, told apart with any kind of colour blindness",
        mode="light",
        background="#fbfbfa",
        surface="#f2f3f4",
        panel="#e7eaee",
        text="#24292f",
        dim="#5f6770",
        bright="#0b0e12",
        accent="#4a3fb0",
        ok="#1260d8",
        warn="#a84600",
        crit="#5e0008",
        stale="#5f6770",
        cursor="#e6eef9",
        series=(
            *("#0f2cf0", "#147090", "#6d11a4", "#c80a48"),
            *("#25295a", "#413500", "#3f001a", "#a85600"),
        ),
    ),
    "tui-monitor-16": Palette(
        about="the terminal's own 16 colours and background",
        mode="ansi",
        background="ansi_default",
        surface="ansi_default",
        panel="ansi_default",
        text="ansi_default",
        dim="ansi_bright_black",
        bright="ansi_default",
        accent="ansi_cyan",
        ok="ansi_green",
        warn="ansi_yellow",
        crit="ansi_red",
        stale="ansi_bright_black",
        cursor="ansi_default",
        series=(
            *("ansi_blue", "ansi_green", "ansi_magenta", "ansi_cyan"),
            *("ansi_bright_blue", "ansi_bright_magenta", "ansi_bright_cyan", "ansi_default"),
        ),
    ),
}
"""By name."""


def resolve(wanted: str, *, few_colours: bool) -> str:
    """The name of the theme that a setting means: `auto` goes by how many colours there are."""
    if wanted != "auto":
        return wanted
    return DEFAULT_16 if few_colours else DEFAULT


OF_THE_TOOLKIT = (
    "ansi-dark",
    "ansi-light",
    "atom-one-dark",
    "atom-one-light",
    "catppuccin-frappe",
    "catppuccin-latte",
    "catppuccin-macchiato",
    "catppuccin-mocha",
    "dracula",
    "flexoki",
    "gruvbox",
    "monokai",
    "nord",
    "rose-pine",
    "rose-pine-dawn",
    "rose-pine-moon",
    "solarized-dark",
    "solarized-light",
    "textual-dark",
    "textual-light",
    "tokyo-night",
)
"""Themes that come with Textual; it is slow to load, so they are named here."""
