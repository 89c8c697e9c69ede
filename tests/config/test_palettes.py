"""The colours that come with the program: they can be read, and told apart by every kind of eye."""

import itertools
import re
from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from tui_monitor.config.palettes import DEFAULT, DEFAULT_16, OF_THE_TOOLKIT, SERIES, SHIPPED, resolve

RGB = tuple[float, float, float]
STATES = ("ok", "warn", "crit", "stale")
TEXTS = ("text", "dim", "bright", "accent", *STATES)
DRAWN = [name for name, palette in SHIPPED.items() if palette.mode != "ansi"]
SAFE = [name for name in SHIPPED if "safe" in name]
EYES = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip
"""Of linear RGB, at full severity: Machado, Oliveira, Fernandes 2009, doi:10.1109/TVCG.2009.113, table 1."""
ROOT = Path(__file__).resolve().parents[2]


def linear(colour: str) -> RGB:
    """Linear light of an sRGB colour, 0 to 1 (IEC 61966-2-1)."""
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return red, green, blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    high, low = sorted(
        (sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (one, other)),
        reverse=True,
    )
    return (high + 0.05) / (low + 0.05)


def seen(colour: str, eye: str) -> RGB:
    """A colour in CIE L*a*b* (D65), as an eye sees it."""
    light = linear(colour)
    rgb = [min(1, max(0, sum(m * c for m, c in zip(row, light, strict=True)))) for row in EYES[eye]]
    to_xyz = (
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.072175),
        (0.0193339, 0.119192, 0.9503041),
    )
    xyz = [sum(m * c for m, c in zip(row, rgb, strict=True)) / sum(row) for row in to_xyz]
    x, y, z = (t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def apart(one: str, other: str, eye: str) -> float:
    """The distance ΔE*ab of 1976; about 2.3 is just to be noticed."""
    pairs = zip(seen(one, eye), seen(other, eye), strict=True)
    return sum((a - b) ** 2 for a, b in pairs) ** 0.5


@pytest.mark.parametrize("name", DRAWN)
def test_everything_can_be_read(name: str) -> None:
    palette = SHIPPED[name]
    wanted = 7.0 if "contrast" in name else 4.5
    for part in TEXTS:
        colour = getattr(palette, part)
        for below in ("background", "surface", "panel"):
            ratio = contrast(colour, getattr(palette, below))
            assert ratio >= (wanted if below == "background" else 4.5), f"{part} on {below}: {ratio:.2f}"
        # What is secondary may be a little weaker on the one row that is lit.
        least = 4.2 if part in ("dim", "stale") else 4.5
        ratio = contrast(colour, palette.cursor)
        assert ratio >= least, f"{part} under the cursor: {ratio:.2f}"
    for colour in palette.series:
        assert contrast(colour, palette.background) >= 4.5, colour
    assert contrast(palette.cursor, palette.background) > 1.05, "the lit row can be seen"


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", SAFE)
def test_safe_colours_stay_apart(name: str, eye: str) -> None:
    palette = SHIPPED[name]
    for one, other in itertools.combinations([getattr(palette, state) for state in STATES], 2):
        assert apart(one, other, eye) > 24, f"states {one} and {other}"
    for one, other in itertools.combinations(palette.series, 2):
        assert apart(one, other, eye) > 20, f"series {one} and {other}"


def test_what_the_safe_themes_are_for() -> None:
    usual = SHIPPED[DEFAULT]
    assert apart(usual.ok, usual.crit, "deuteranopia") < 24
    assert apart("#ffffff", "#000000", "all cones") == pytest.approx(100, abs=0.1)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


@pytest.mark.parametrize("name", SHIPPED)
def test_series_have_a_colour_each(name: str) -> None:
    assert len(set(SHIPPED[name].series)) == SERIES


@pytest.mark.parametrize("name", SHIPPED)
def test_no_series_looks_like_an_alert(name: str) -> None:
    palette = SHIPPED[name]
    if name not in DRAWN:
        assert not {palette.warn, palette.crit} & set(palette.series)
        return
    # Where any eye is to tell eight colours apart, the last of them may come near.
    for n, colour in enumerate(palette.series):
        for state in (palette.warn, palette.crit):
            least = 30 if n < 4 else 0 if name in SAFE else 25
            assert apart(colour, state, "all cones") > least, (colour, state)


def test_few_colours_have_a_theme_of_their_own() -> None:
    assert resolve("auto", few_colours=False) == DEFAULT
    assert resolve("auto", few_colours=True) == DEFAULT_16
    assert resolve("nord", few_colours=True) == "nord"


def test_colours_are_named_nowhere_else() -> None:
    named = re.compile(r"[\"'\s(]#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b|\brgba?\(")
    places = [*(ROOT / "tui_monitor").rglob("*.py"), *(ROOT / "styles").glob("*.tcss")]
    allowed = {"palettes.py", "theming.py"}
    found = [
        f"{path.name}:{number}"
        for path in places
        if path.name not in allowed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if named.search(line)
    ]
    assert len(places) > 50
    assert not found


def test_the_themes_of_the_toolkit_are_known() -> None:
    assert tuple(sorted(BUILTIN_THEMES)) == OF_THE_TOOLKIT
