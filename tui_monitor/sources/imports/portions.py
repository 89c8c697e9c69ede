"""Agents' logs in portions; large ones are read by a process of their own, while this one writes."""

import copyreg
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from pathlib import Path

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.feed import Record, Retract
from tui_monitor.sources.agents.api import Kind
from tui_monitor.sources.agents.logs import Logs
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.imports import process

OWN_PROCESS = 64 << 20
"""Bytes from which on a second process is worth its start."""
_RECORDS = 2_000
_BYTES = 16 << 20
_PROGRAM = "from tui_monitor.sources.imports.portions import send; send(*given)"


@dataclass(slots=True)
class Portion:
    """Some records, and what was wrong on the way to them."""

    records: list[Record] = field(default_factory=list)
    files: list[tuple[Path, int]] = field(default_factory=list)
    """Which files the records came from, in order, and how many from each."""
    bad: list[tuple[Path, Kind, int, str]] = field(default_factory=list)
    """(file, its kind, offset, reason)."""
    broken: dict[Path, str] = field(default_factory=dict)
    """Files and folders that cannot be read, and why."""
    bytes: int = 0
    withdraws: bool = False
    """Whether a record takes others back, which must be stored by then."""


def portions(name: str, paths: Sequence[Path]) -> Iterator[Portion]:
    """Everything below these paths."""
    logs = Logs(ADAPTERS[name], paths, SystemClock())
    logs.look()
    portion = Portion()
    for part in logs.read(logs.waiting(), final=True):
        found, file = part.found, part.tail.file
        portion.records += found.records
        portion.files.append((file.path, len(found.records)))
        portion.bad.extend((file.path, file.kind, offset, reason) for offset, reason in found.bad)
        portion.bytes += part.bytes
        portion.withdraws = any(isinstance(record, Retract) for record in found.records)
        if portion.withdraws or len(portion.records) >= _RECORDS or portion.bytes >= _BYTES:
            yield portion
            portion = Portion()
    portion.broken.update(logs.broken)
    yield portion


def read_ahead(name: str, paths: Sequence[Path]) -> Iterator[Portion]:
    """The same, by a process of its own. Raises `ImportFailure` when that process ends too early."""
    return process.read(_PROGRAM, name, list(paths))


def send(name: str, paths: Sequence[Path]) -> None:
    """The body of that process."""
    # Values without their names take less than half the time, on both sides.
    values = attrgetter(*(each.name for each in fields(Call)))
    copyreg.pickle(Call, lambda call: (Call, values(call)))
    process.send(portions(name, paths))
