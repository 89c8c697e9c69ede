"""What an import is made of: a format, options, where the rows go, and what came of it."""

import math
import re
from bisect import insort
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tui_monitor.config.agents import Billing
from tui_monitor.model.clock import Micros
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.feed import Record
from tui_monitor.store.api import ImportInfo

if TYPE_CHECKING:
    import numpy as np

    from tui_monitor.model.columns import CallColumns

MAX_REASONS = 20
"""Kinds of reasons counted for each file."""
SHOWN_REJECTIONS = 5
"""Rejected rows told one by one for each file; the others are counted."""
_VALUE = re.compile(r"'[^']*'|(?<!\w)-?\d[\w.:+-]*")
"""Values in a reason: without them the same fault of two rows reads the same."""


class ImportFailure(MonitorError):
    """A file that cannot be imported at all: missing, a folder, binary, of another format."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How rows become calls."""

    now: Micros
    """The moment of the import, µs UTC."""
    provider: str | None = None
    """Provider of rows that name none."""
    model: str | None = None
    """Model of rows that name none."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """For `csv`: our field → column of the file."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels (`project`, `app` …) or attributes of rows that have none."""
    start: Micros | None = None
    """When a trace with relative times began."""
    rebase: Micros | None = None
    """Shift all times by one length so that the newest row is at this instant."""
    timezone: str = "UTC"
    """IANA zone of times that are written without an offset."""
    billing: Mapping[str, Billing] = field(default_factory=dict)
    """How agents are paid, for their logs."""
    delimiter: str | None = None
    """For `csv`: what separates the cells; found by itself when not given."""


Row = Callable[[list[str]], Record]
"""Makes a record of one row's cells, without identity; raises `Invalid`."""


class Format(Protocol):
    """One kind of file."""

    @property
    def name(self) -> str:
        """What `--format` takes."""
        ...

    @property
    def about(self) -> str:
        """One line for the help."""
        ...

    @property
    def relative(self) -> bool:
        """Whether its times count from the start of the trace."""
        ...


class TableFormat(Format, Protocol):
    """A file with a header and rows of cells."""

    @property
    def header(self) -> tuple[str, ...]:
        """Columns by which the format is recognised; empty for one that takes any."""
        ...

    def row(self, header: list[str], options: ImportOptions) -> Row:
        """What makes records of rows under this header. Raises `ImportFailure` where columns are missing."""
        ...


class LineFormat(Format, Protocol):
    """A file with one record on each line."""

    def line(self, options: ImportOptions) -> Callable[[bytes], Record]:
        """What makes a record of a line; an empty `source_key` is filled in later. Raises `Invalid`."""
        ...


@dataclass(slots=True)
class Written:
    """What became of some records."""

    stored: int = 0
    known: int = 0
    """Rows that were there already, equal in all fields."""
    corrected: int = 0
    """Rows that were there with other content: another model, price or time."""
    late: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """(index among the records, reason)."""
    unpriced: int | None = 0
    """Calls without a price; `None` where somebody else prices them."""
    overflow: dict[str, int] = field(default_factory=dict)
    """How often a label's value was one too many and is counted as `(other)`."""


class Sink(Protocol):
    """Where the rows go: a store that is open here, or a running collector."""

    def begin(self, info: ImportInfo) -> None:
        """Note the import before its first row. Raises `StoreError`."""
        ...

    def write(self, records: Sequence[Record]) -> Written:
        """Store records of the import; durable on return. Raises `StoreError`."""
        ...


@runtime_checkable
class ColumnSink(Sink, Protocol):
    """A sink that takes many plain calls at once."""

    def write_columns(self, calls: "CallColumns", others: int) -> "tuple[Written, np.ndarray]":
        """Store what is plain of the calls; a mask of those that were stored. The others are for `write`.

        `others` is how many records come besides. Durable on return. Raises `StoreError`.
        """
        ...


@dataclass(slots=True)
class FileSummary:
    """One file of an import."""

    path: Path
    rows: int = 0
    rejected: int = 0
    rejections: list[tuple[int, str]] = field(default_factory=list)
    """(line number, or 0 where there is none to tell; reason) of the first few."""
    reasons: dict[str, int] = field(default_factory=dict)
    """How many rows were rejected for what, without their values; the first kinds only."""
    error: str = ""
    """Why the rest of the file could not be read."""

    def reject(self, line: int, reason: str) -> None:
        """Count a row that was not taken."""
        self.rejected += 1
        kind = _VALUE.sub("…", reason)
        if kind in self.reasons or len(self.reasons) < MAX_REASONS:
            self.reasons[kind] = self.reasons.get(kind, 0) + 1
        insort(self.rejections, (line, reason), key=lambda each: each[0] or math.inf)
        del self.rejections[SHOWN_REJECTIONS:]


@dataclass(slots=True)
class ImportSummary:
    """What came of an import. Tokens and times are those of the rows that were taken or known."""

    batch_id: str
    format: str
    files: list[FileSummary] = field(default_factory=list)
    stored: int = 0
    known: int = 0
    corrected: int = 0
    late: int = 0
    unpriced: int | None = 0
    overflow: dict[str, int] = field(default_factory=dict)
    """How often a label's value was one too many (`collector.max_label_values`) and became `(other)`."""
    first: Micros | None = None
    last: Micros | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    shift_us: Micros = 0
    """By how much times were shifted."""
    began: Micros | None = None
    """When a trace whose times count from its start began."""
    dry_run: bool = False

    @property
    def rows(self) -> int:
        """Rows read."""
        return sum(file.rows for file in self.files)

    @property
    def rejected(self) -> int:
        """Rows not taken."""
        return sum(file.rejected for file in self.files)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is. Bytes as they lie on disk."""

    done: int
    total: int
    rows: int
    measuring: bool = False
    """Whether this is the first look, which finds the newest row."""


OnProgress = Callable[[Progress], None]
