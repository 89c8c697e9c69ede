"""Files that are imported once: presets of known traces, any table, and our own lines."""

from tui_monitor.sources.imports.api import (
    FileSummary,
    Format,
    ImportFailure,
    ImportOptions,
    ImportSummary,
    Progress,
    Sink,
    Written,
)
from tui_monitor.sources.imports.general import FIELDS
from tui_monitor.sources.imports.run import run_import
from tui_monitor.sources.imports.sinks import DrySink, StoreSink
from tui_monitor.sources.imports.table import FORMATS

__all__ = [
    "FIELDS",
    "FORMATS",
    "DrySink",
    "FileSummary",
    "Format",
    "ImportFailure",
    "ImportOptions",
    "ImportSummary",
    "Progress",
    "Sink",
    "StoreSink",
    "Written",
    "run_import",
]
