"""Boards: files of panels that somebody put together, each a pane of its own. Read, checked, and laid out.

A board is a TOML file in the folder `dashboards` beside the configuration file; some come with the program,
and one's own of the same name takes the place of such a one.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from tui_monitor.config import resources
from tui_monitor.config.fields import Duration, Name, Section
from tui_monitor.config.problems import describe
from tui_monitor.config.toml import KeyPath, parse_toml, read_text
from tui_monitor.model.errors import NotFound, UsageError
from tui_monitor.model.text import clean

FOLDER = "dashboards"
COLUMNS = 12
"""Columns of the grid on which panels lie."""
MOST_PANELS = 24
MOST_FILES = 100
"""Files of one's own that are read."""
_LONGEST_NAME = 40
NOTHING = "no data in this time range"

Widget = Literal["line", "area", "stack", "bars", "grouped", "heat", "stat", "gauge", "table", "alerts"]
CHARTS: tuple[Widget, ...] = ("line", "area", "stack", "bars", "grouped", "heat")
"""Widgets that show values over time."""
_ONE_QUERY: tuple[Widget, ...] = ("heat", "stat")
_SIZES: dict[Widget, tuple[int, int]] = {"stat": (3, 1), "gauge": (4, 1)}
_SIZE = (6, 2)
"""Columns and rows of a panel that says nothing of them."""

Query = Annotated[str, Field(min_length=1, max_length=4_000)]
Label = Annotated[Name, Field(min_length=1, max_length=60)]
Words = Annotated[Name, Field(max_length=300)]


class Threshold(Section):
    """A value from which on something is not as it should be."""

    value: float
    name: Annotated[Name, Field(max_length=30)] = ""
    """What stands at its line. Default: its level."""
    level: Literal["warning", "critical"] = "warning"
    when: Literal["above", "below"] = "above"
    """On which side of it things are bad; the value itself is on that side."""

    @property
    def label(self) -> str:
        """What stands at its line."""
        return self.name or self.level

    def passed(self, value: float) -> bool:
        """Whether a value is on the bad side."""
        # What is reckoned from two figures may miss it by the last digit of a float.
        at = math.isclose(value, self.value, rel_tol=1e-9)
        return at or (value > self.value if self.when == "above" else value < self.value)


class PanelSettings(Section):
    """One panel of a board."""

    title: Label
    widget: Widget = "line"
    query: Query | None = None
    """In the short form or in PromQL."""
    queries: dict[Label, Query] = Field(default_factory=dict, max_length=6)
    """Several in one panel, each by the name that stands at its line."""
    unit: Annotated[Name, Field(max_length=16)] = ""
    """In place of the one that is known of the metric."""
    range: Duration | None = None
    """A range of time of its own, in place of the one that all panes share."""
    thresholds: list[Threshold] = Field(default_factory=list, max_length=4)
    max: float | None = Field(default=None, gt=0)
    """Where the bar of a gauge is full. Default: 1 for ratios, else the largest value."""
    needs: Words = ""
    """Said where there is no data: what would bring some."""
    row: int | None = Field(default=None, ge=1, le=100)
    column: int | None = Field(default=None, ge=1, le=COLUMNS)
    width: int | None = Field(default=None, ge=1, le=COLUMNS)
    height: int | None = Field(default=None, ge=1, le=12)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.widget == "alerts":
            if self.query or self.queries:
                raise ValueError('a panel with widget = "alerts" shows the open alerts, and takes no query')
        elif bool(self.query) == bool(self.queries):
            raise ValueError("a panel needs either query or queries")
        elif self.queries and self.widget in _ONE_QUERY:
            raise ValueError(f'a panel with widget = "{self.widget}" takes one query')
        if (self.row is None) != (self.column is None):
            raise ValueError("row and column go together; without both, panels follow each other")
        if self.column is not None and self.column + self.size[0] > COLUMNS + 1:
            raise ValueError(
                f"from column {self.column} there are {COLUMNS + 1 - self.column} columns, not {self.size[0]}"
            )
        return self

    @property
    def asked(self) -> dict[str, str]:
        """Its queries by name; a single one has none."""
        return dict(self.queries) if self.queries else {"": self.query} if self.query else {}

    @property
    def missing(self) -> str:
        """What is said where there is nothing to show: what would bring something."""
        if self.widget == "alerts":
            return "no alert is open"
        return f"{NOTHING} – needs {self.needs}" if self.needs else NOTHING

    @property
    def over_time(self) -> bool:
        """Whether it draws values over time."""
        return self.widget in CHARTS

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the grid."""
        width, height = _SIZES.get(self.widget, _SIZE)
        return self.width or width, self.height or height


class BoardSettings(Section):
    """A file: a title, and panels."""

    title: Label
    about: Words = ""
    """One line about what it is for."""
    panels: list[PanelSettings] = Field(min_length=1, max_length=MOST_PANELS)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a panel lies on the grid, from 0 on."""

    row: int
    column: int
    width: int
    height: int

    def meets(self, other: "Place") -> bool:
        """Whether both take the same cell."""
        return (
            self.row < other.row + other.height
            and other.row < self.row + self.height
            and self.column < other.column + other.width
            and other.column < self.column + self.width
        )


@dataclass(frozen=True)
class Board:
    """One board as its file has it. With `problems` it has no panels."""

    name: str
    path: Path
    shipped: bool
    title: str
    about: str = ""
    panels: tuple[PanelSettings, ...] = ()
    places: tuple[Place, ...] = ()
    problems: tuple[str, ...] = ()
    """What is wrong, each with file and line."""
    where: Callable[[KeyPath], str] = str
    """`file:line` of a key."""

    @property
    def rows(self) -> int:
        """Rows of the grid that are taken."""
        return max((place.row + place.height for place in self.places), default=0)


def folder(config_file: Path) -> Path:
    """Where one's own boards are, beside the configuration file; there or not."""
    return config_file.expanduser().absolute().parent / FOLDER


def good_name(name: str) -> bool:
    """Whether a board may be called so: letters, digits, - and _."""
    return (
        0 < len(name) <= _LONGEST_NAME and name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    )


def stamp(own: Path) -> tuple[tuple[str, int, int], ...]:
    """Differs when a file in the folder of one's own came, went or changed."""
    found: list[tuple[str, int, int]] = []
    for path in _files(own):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((path.name, status.st_mtime_ns, status.st_size))
    return tuple(found)


def load_boards(own: Path) -> list[Board]:
    """Every board: one's own by name, then those that come with the program. Broken ones have problems."""
    mine = [_read(path, shipped=False) for path in _files(own)[:MOST_FILES]]
    names = {board.name for board in mine}
    return [*mine, *(board for board in shipped() if board.name not in names)]


def shipped() -> list[Board]:
    """Those that come with the program."""
    return [_read(path, shipped=True) for path in resources.dashboards()]


def names(own: Path) -> list[str]:
    """The name of every board, good or broken; no file is read."""
    mine = [path.stem for path in _files(own)[:MOST_FILES]]
    return list(dict.fromkeys([*mine, *(path.stem for path in resources.dashboards())]))


def named(boards: Sequence[Board], name: str) -> Board | None:
    """One by its name, or by its title."""
    wanted = name.strip().lower()
    by_name = (board for board in boards if board.name.lower() == wanted)
    return next(by_name, None) or next((board for board in boards if board.title.lower() == wanted), None)


def find(boards: Sequence[Board], name: str) -> Board:
    """The same. Raises `NotFound` that names the nearest."""
    found = named(boards, name)
    if found is not None:
        return found
    from tui_monitor.config.problems import nearest

    told = nearest(name.strip().lower(), [board.name for board in boards]).removeprefix("; ")
    raise NotFound(f"there is no dashboard {clean(name, 60)!r}", hint=told)


def read_board(path: Path, text: str, *, shipped: bool = False) -> Board:
    """A board whose file has this text; what is wrong stands in its problems."""
    title = clean(path.stem, _LONGEST_NAME)
    try:
        file = parse_toml(path, text)
    except UsageError as error:
        said = f"{error.message} ({error.hint})" if error.hint else error.message
        return Board(path.stem, path, shipped, title, problems=(said,))
    try:
        made = BoardSettings.model_validate(file.values)
    except ValidationError as error:
        found = tuple(describe(BoardSettings, error, file.place))
        return Board(path.stem, path, shipped, title, problems=found, where=file.place)
    places = lay_out(made.panels)
    problems = tuple(_meeting(made.panels, places, file.place))
    if problems:
        return Board(path.stem, path, shipped, made.title, problems=problems, where=file.place)
    return Board(
        path.stem, path, shipped, made.title, made.about, tuple(made.panels), places, where=file.place
    )


def lay_out(panels: Sequence[PanelSettings]) -> tuple[Place, ...]:
    """The place of each: as it says, else behind the one before it; where no room is, in the next row."""
    places: list[Place] = []
    row = column = band = 0
    for panel in panels:
        width, height = panel.size
        if panel.row is not None and panel.column is not None:
            row, column, band = panel.row - 1, panel.column - 1, height
        elif column + width > COLUMNS:
            row, column, band = row + band, 0, 0
        places.append(Place(row, column, width, height))
        column, band = column + width, max(band, height)
    return tuple(places)


def _meeting(
    panels: Sequence[PanelSettings], places: Sequence[Place], where: Callable[[KeyPath], str]
) -> Iterator[str]:
    for n, place in enumerate(places):
        for earlier in range(n):
            if place.meets(places[earlier]):
                yield (
                    f"{where(('panels', n))}: {panels[n].title!r} lies over {panels[earlier].title!r}: "
                    "move it by row and column, or make one of them smaller by width and height"
                )
                break


def _files(own: Path) -> list[Path]:
    try:
        with os.scandir(own) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(".toml") and entry.name[0] != "."]
    except OSError:
        return []
    return [own / name for name in sorted(names)]


def _read(path: Path, *, shipped: bool) -> Board:
    if not good_name(path.stem):
        problem = f"{path}: a dashboard's file has a name of letters, digits, - and _, like my-team.toml"
        return Board(clean(path.stem, 60), path, shipped, clean(path.stem, 60), problems=(problem,))
    try:
        return read_board(path, read_text(path, named=False), shipped=shipped)
    except UsageError as error:
        return Board(path.stem, path, shipped, clean(path.stem, 60), problems=(error.message,))
