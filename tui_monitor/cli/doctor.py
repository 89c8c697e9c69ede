"""`doctor`: what is wrong with this machine, terminal or installation, and what to do about it."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.cli.checks.api import Check, Level

_STYLES: "dict[Level, str]" = {"ok": "green", "warn": "yellow", "fail": "red"}
_GLYPHS: "dict[Level, str]" = {"ok": "ok", "warn": "warn", "fail": "crit"}


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    examples(
        parser,
        """
        tui-monitor doctor
        tui-monitor doctor --json | jq '.data.checks[] | select(.level != "ok")'
        """,
    )


def run(context: Context) -> int:
    """Print every check; 1 if one failed. Writes nothing, and asks no network."""
    from tui_monitor.config.logs import redactor

    redactor.learn_variables(os.environ)
    found: list[Check] = []
    subject = ""
    for check in checks(context):
        found.append(check)
        if not context.out.json:
            if check.subject != subject:
                subject = check.subject
                _head(context, subject, first=len(found) == 1)
            _show(context, check)
    levels = {check.level for check in found}
    worst = next((level for level in reversed(_STYLES) if level in levels), "ok")
    if context.out.json:
        data = {"worst": worst, "checks": [asdict(check) for check in found]}
        context.out.write_json({"status": "success", "data": data, "warnings": []})
    else:
        _sum(context, found)
    return 1 if worst == "fail" else 0


def checks(context: Context) -> "Iterator[Check]":
    """All of them, one after the other; a subject that breaks is told as one that failed."""
    from tui_monitor.cli.checks import program, service, settings, storage, terminal, time, ways
    from tui_monitor.cli.checks.api import Check, Scene

    scene = Scene(context, os.environ)
    for subject in (
        terminal.terminal, time.clock, settings.config, settings.consent, ways.sources, storage.database,
        storage.writable, ways.collector, service.service, program.program,
    ):  # fmt: skip
        try:
            yield from subject(scene)
        except Exception as error:
            words = f"cannot be looked at: {type(error).__name__}: {error}"
            yield Check(subject.__name__, "check", "fail", words)


def _head(context: Context, subject: str, *, first: bool) -> None:
    from tui_monitor.cli.tables import title

    if not first:
        context.out.line()
    title(context.out, subject)


def _show(context: Context, check: "Check") -> None:
    from rich.text import Text

    from tui_monitor.cli.tables import DIM

    out, style = context.out, _STYLES[check.level]
    mark = f"{check.level:<4}" if out.plain else f"{out.glyphs.state(_GLYPHS[check.level])} {check.level:<4}"
    parts = [("  ", ""), (f"{mark}  ", style), (f"{clean(check.name):<14}  ", DIM), (_safe(check.text), "")]
    out.line(Text.assemble(*parts))
    if check.hint:
        out.line(Text.assemble((" " * (4 + len(mark)), ""), (_safe(check.hint), DIM)))


def _safe(text: str) -> str:
    from tui_monitor.config.logs import redactor

    return redactor.clean(clean(text, 600))


def _sum(context: Context, found: "list[Check]") -> None:
    counts = {level: sum(check.level == level for check in found) for level in _STYLES}
    words = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    context.out.line()
    context.out.line(words)
