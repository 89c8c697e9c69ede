"""Themes of one's own: TOML files in the folder `themes` beside the configuration, one a theme.

A file names what it changes of a theme that is there already (`base`). Costs pydantic: import it where files
are read.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from tui_monitor.config.fields import Section
from tui_monitor.config.palettes import DEFAULT, SERIES, SHIPPED, Palette
from tui_monitor.config.problems import describe, nearest
from tui_monitor.config.toml import TomlFile, read_toml
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean

MAX_THEMES = 64
"""Files that are read; nobody chooses from more."""
FOLDER = "themes"
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_HUES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
ANSI = ("ansi_default", *(f"ansi_{bright}{hue}" for bright in ("", "bright_") for hue in _HUES))
"""The names of the terminal's own colours."""


def _colour(value: str) -> str:
    if not _HEX.fullmatch(value) and value not in ANSI:
        raise ValueError("no colour; write it like '#6cb6ff', or in an ansi theme like 'ansi_cyan'")
    return value.lower()


Colour = Annotated[str, AfterValidator(_colour)]


class ThemeFile(Section):
    """What may stand in a theme file. Every key may be left out; then it is the base's."""

    base: str = DEFAULT
    about: str = Field(default="", max_length=120)
    mode: Literal["dark", "light", "ansi"] | None = None
    background: Colour | None = None
    surface: Colour | None = None
    panel: Colour | None = None
    text: Colour | None = None
    dim: Colour | None = None
    bright: Colour | None = None
    accent: Colour | None = None
    ok: Colour | None = None
    warn: Colour | None = None
    crit: Colour | None = None
    stale: Colour | None = None
    cursor: Colour | None = None
    series: list[Colour] | None = None

    @field_validator("base")
    @classmethod
    def _shipped(cls, value: str) -> str:
        if value not in SHIPPED:
            raise ValueError(f"no theme to start from{nearest(value, list(SHIPPED))}")
        return value

    @field_validator("series")
    @classmethod
    def _all(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and len(value) != SERIES:
            raise ValueError(f"{SERIES} colours are needed, there are {len(value)}")
        return value

    @model_validator(mode="after")
    def _of_one_kind(self) -> "ThemeFile":
        """In an ansi theme every colour is the terminal's, in any other none is."""
        ansi = self.palette().mode == "ansi"
        for name, value in asdict(self.palette()).items():
            for colour in value if name == "series" else (value,):
                if name not in ("about", "mode") and (colour in ANSI) != ansi:
                    kind = "the terminal's own, like 'ansi_red'" if ansi else "written like '#6cb6ff'"
                    raise ValueError(
                        f"{name} is {colour}, but colours of {'an ansi' if ansi else 'this'} theme are {kind}"
                    )
        return self

    def palette(self) -> Palette:
        """The base with what the file changes."""
        told = {name: value for name, value in self if name != "base" and value is not None}
        if "series" in told:
            told["series"] = tuple(told["series"])
        return replace(SHIPPED[self.base], **told)


@dataclass(frozen=True, slots=True)
class Themes:
    """What was found in a folder: palettes by name, and what is wrong with the others, a line each."""

    palettes: Mapping[str, Palette] = field(default_factory=dict[str, Palette])
    problems: tuple[str, ...] = ()


def folder(config_file: Path) -> Path:
    """Where themes of one's own are looked for, beside the configuration file; there or not."""
    return config_file.expanduser().absolute().parent / FOLDER


def stamp(where: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of the theme files: other ones mean that they are to be read again."""
    found: list[tuple[str, int, int]] = []
    for path in _files(where):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def load_themes(where: Path) -> Themes:
    """Every theme of a folder. One that is wrong is told of, and the others are as they are."""
    palettes: dict[str, Palette] = {}
    problems: list[str] = []
    for path in _files(where):
        try:
            palettes[path.stem] = load_theme(path)
        except UsageError as error:
            problems.append(f"{error.message}; {error.hint}" if error.hint else error.message)
    return Themes(palettes, tuple(problems))


def load_theme(path: Path) -> Palette:
    """One theme. Raises `UsageError` that names the file, the line and the key of everything wrong in it."""
    if not _NAME.fullmatch(path.stem):
        raise UsageError(f"{clean(str(path))}: the name of a theme is letters, digits, - and _, at most 40")
    if path.stem in SHIPPED:
        raise UsageError(f"{path}: a theme of this name comes with the program", hint="rename the file")
    file = read_toml(path, named=False)
    try:
        return ThemeFile(**file.values).palette()
    except ValidationError as error:
        raise UsageError("\n".join(_told(file, error))) from error


def written(name: str) -> str:
    """A theme that comes with the program as a file to start from. Raises KeyError."""
    palette = SHIPPED[name]
    lines = [
        "# A theme: the name of this file is its name. What you leave out is as in the base.",
        "# Colours are #rrggbb, or in a theme of mode ansi the terminal's own, like ansi_red.",
        f'base = "{name}"',
    ]
    for part in fields(Palette):
        value = getattr(palette, part.name)
        lines.append(f"{part.name} = {json.dumps(list(value) if part.name == 'series' else value)}")
    return "\n".join(lines) + "\n"


def _files(where: Path) -> list[Path]:
    try:
        return sorted(path for path in where.iterdir() if path.suffix == ".toml")[:MAX_THEMES]
    except OSError:
        return []


def _told(file: TomlFile, error: ValidationError) -> list[str]:
    # The model's own validator has no key, and pydantic no words for that.
    lines = describe(ThemeFile, error, file.place)
    return [line.replace("configuration : ", "").replace(" : ", ": ") for line in lines]
