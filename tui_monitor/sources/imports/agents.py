"""Logs of coding agents, copied from elsewhere: read by the rules and identities of the live ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tui_monitor.model.call import Call
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.feed import Record
from tui_monitor.sources.agents.api import Adapter
from tui_monitor.sources.agents.billing import bill
from tui_monitor.sources.agents.logs import Logs
from tui_monitor.sources.agents.table import ADAPTERS
from tui_monitor.sources.imports.api import (
    SHOWN_REJECTIONS,
    FileSummary,
    ImportFailure,
    ImportOptions,
    ImportSummary,
    OnProgress,
    Progress,
)
from tui_monitor.sources.imports.portions import OWN_PROCESS, Portion, portions, read_ahead
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
    total = _checked(form, paths, options)
    return _stored_together(form, paths, total, options, _Told(paths, summary), progress)


def _checked(form: AgentLogs, paths: Sequence[Path], options: ImportOptions) -> int:
    """How many bytes there are to read."""
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
    return sum(tail.unread for tail in logs.waiting())


def _stored_together(
    form: AgentLogs, paths: Sequence[Path], total: int, options: ImportOptions, told: "_Told",
    progress: OnProgress | None,
) -> Iterator[tuple[list[Record], Reject]]:  # fmt: skip
    read = read_ahead if total >= OWN_PROCESS else portions
    done = 0
    records: list[Record] = []
    files: list[Path] = []
    for portion in read(form.name, paths):
        _complete(portion.records, form, options)
        told.read(portion)
        records += portion.records
        for path, count in portion.files:
            files += [path] * count
        # Within one transaction calls come before what takes them back.
        if portion.withdraws or len(records) >= BATCH:
            yield records, told.rejecting(files)
            records, files = [], []
        done += portion.bytes
        if progress is not None:
            progress(Progress(done, total, told.rows))
    if records:
        yield records, told.rejecting(files)


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

    def read(self, portion: Portion) -> None:
        """Count what a portion brought."""
        self.rows += len(portion.records) + len(portion.bad)
        self._given.rows = self.rows
        for path, kind, offset, reason in portion.bad:
            file = self.file(path)
            shown = len(file.rejections) < SHOWN_REJECTIONS and kind == "lines"
            file.reject(_line_number(path, offset) if shown else 0, reason)
        for path, why in portion.broken.items():
            self.file(path).error = why

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
