"""Logs of coding agents, copied from elsewhere: read by the rules and identities of the live ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.feed import Record, Retract
from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.billing import bill
from tui_monitor.sources.agents.logs import Logs
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.agents.tail import Slice
from tui_monitor.sources.imports.api import (
    SHOWN_REJECTIONS,
    FileSummary,
    ImportFailure,
    ImportOptions,
    ImportSummary,
    OnProgress,
    Progress,
)
from tui_monitor.sources.imports.sinks import BATCH


@dataclass(frozen=True, slots=True)
class AgentLogs:
    """A folder of an agent's logs, or some of its files."""

    adapter: Adapter

    @property
    def name(self) -> str:
        """The agent's."""
        return self.adapter.name

    @property
    def about(self) -> str:
        """One line for the help."""
        return f"logs of {self.adapter.title}: a folder of them, or files"

    @property
    def relative(self) -> bool:
        """They have dates."""
        return False


AGENT_LOGS: Mapping[str, AgentLogs] = {name: AgentLogs(adapter) for name, adapter in ADAPTERS.items()}
"""`--format` → format."""

Reject = Callable[[int, str], None]
"""Is told the index of a record that was not taken, and why."""


def read_logs(
    form: AgentLogs, paths: Sequence[Path], options: ImportOptions, summary: ImportSummary,
    progress: OnProgress | None,
) -> Iterator[tuple[list[Record], Reject]]:  # fmt: skip
    """Everything below these paths, some thousand records at a time, and whom to tell what is rejected.

    Notes in the summary what was read, and each file that something was wrong with. Raises `ImportFailure`
    at once where there is nothing to read.
    """
    logs = _found(form, paths, options)
    return _portions(form, logs, options, _Told(paths, summary), progress)


def _found(form: AgentLogs, paths: Sequence[Path], options: ImportOptions) -> Logs:
    for path in paths:
        if not path.exists():
            raise ImportFailure(f"cannot read {path}: no such file or folder")
        if path.is_file() and form.adapter.kind(path.name) is None:
            raise ImportFailure(f"{path} is no log of {form.adapter.title}")
    if options.rebase is not None or options.start is not None:
        raise ImportFailure(
            f"times of {form.name} are dates, and copies are known by them", hint="leave them as they are"
        )
    logs = Logs(form.adapter, paths, SystemClock())
    logs.look()
    if not logs.files():
        names = ", ".join(str(path) for path in paths)
        raise ImportFailure(f"no logs of {form.adapter.title} in {names}")
    return logs


def _portions(
    form: AgentLogs, logs: Logs, options: ImportOptions, told: "_Told", progress: OnProgress | None
) -> Iterator[tuple[list[Record], Reject]]:
    tails = logs.waiting()
    total, done = sum(tail.unread for tail in tails), 0
    records: list[Record] = []
    files: list[Path] = []
    for part in logs.read(tails, final=True):
        found = part.found.records
        _complete(found, form, options)
        told.read(part)
        records += found
        files += [part.tail.file.path] * len(found)
        # Within one transaction calls come before what takes them back.
        if len(records) >= BATCH or any(isinstance(record, Retract) for record in found):
            yield records, told.rejecting(files)
            records, files = [], []
        done += part.bytes
        if progress is not None:
            progress(Progress(done, total, told.rows))
    if records:
        yield records, told.rejecting(files)
    for path, why in logs.broken.items():
        told.file(path).error = why


def _complete(records: Sequence[Record], form: AgentLogs, options: ImportOptions) -> None:
    """How the calls are paid, and what was given for those that name no provider or model."""
    bill(records, options.billing.get(form.name))
    for record in records:
        if isinstance(record, Call):
            record.provider = record.provider or options.provider
            record.model_served = record.model_served or options.model


class _Told:
    """What was read and what was wrong: in sum for the paths given, by name for files with faults."""

    def __init__(self, paths: Sequence[Path], summary: ImportSummary) -> None:
        self.rows = 0
        self._given = FileSummary(paths[0])
        self._files: dict[Path, FileSummary] = {}
        self._summary = summary
        summary.files.append(self._given)

    def file(self, path: Path) -> FileSummary:
        """The file by its name."""
        if path not in self._files:
            self._files[path] = FileSummary(path)
            self._summary.files.append(self._files[path])
        return self._files[path]

    def read(self, part: Slice) -> None:
        """Count what a slice brought."""
        self.rows += len(part.found.records) + len(part.found.bad)
        self._given.rows = self.rows
        for offset, reason in part.found.bad:
            file = self.file(part.tail.file.path)
            shown = len(file.rejections) < SHOWN_REJECTIONS and part.tail.file.kind == "lines"
            file.reject(_line_number(file.path, offset) if shown else 0, reason)

    def rejecting(self, files: Sequence[Path]) -> Reject:
        """Who is told of rejected records that came from these files."""

        def reject(index: int, reason: str) -> None:
            self.file(files[index]).reject(0, reason)

        return reject


def _line_number(path: Path, offset: int) -> int:
    """Which line begins at a byte; 0 where that cannot be told any more."""
    number = 1
    try:
        with path.open("rb") as file:
            while offset > 0 and (data := file.read(min(offset, 1 << 20))):
                number += data.count(b"\n")
                offset -= len(data)
    except OSError:
        return 0
    return number
