"""Every file format that can be imported: one line each, the most particular first."""

from collections.abc import Mapping

from tui_monitor.sources.imports.agents import AGENT_LOGS, AgentLogs
from tui_monitor.sources.imports.api import ImportFailure, LineFormat, TableFormat
from tui_monitor.sources.imports.azure import AzureLlm2023
from tui_monitor.sources.imports.general import GeneralCsv
from tui_monitor.sources.imports.gentd26 import Gentd26
from tui_monitor.sources.imports.jsonl import JsonLines
from tui_monitor.sources.imports.mooncake import Mooncake

FileFormat = TableFormat | LineFormat
AnyFormat = FileFormat | AgentLogs

FORMATS: Mapping[str, FileFormat] = {
    form.name: form
    for form in (
        AzureLlm2023(),
        Mooncake(),
        Gentd26(),
        JsonLines(),
        GeneralCsv(),
    )
}
"""`--format` → format of single files; agents' logs are named in `AGENT_LOGS`."""


def format_named(name: str) -> AnyFormat:
    """A format by its name. Raises `ImportFailure` naming the known ones."""
    found = FORMATS.get(name) or AGENT_LOGS.get(name)
    if found is None:
        known = ", ".join((*FORMATS, *AGENT_LOGS))
        raise ImportFailure(f"unknown format {name!r}", hint=f"formats: {known}")
    return found
