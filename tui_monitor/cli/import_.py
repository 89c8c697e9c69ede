"""`import`: load traces from files; list imports, and take one back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import StoreError, UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.sources.imports import ImportOptions

_USAGE = """tui-monitor import [options] FILE …
       tui-monitor import list
       tui-monitor import undo BATCH"""
FORMATS = ("azure-llm-2023", "mooncake", "gentd26", "csv", "jsonl")


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.usage = _USAGE
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="files to load, plain or gzipped; folders of an agent's logs"
    )
    parser.add_argument(
        "--format",
        metavar="F",
        help=f"{', '.join(FORMATS)}, found by the header if not given; or an agent whose logs they are: "
        "claude-code, codex …",
    )
    parser.add_argument(
        "--map", metavar="FIELD=COLUMN", action="append", default=[],
        help="for csv: our field and the column it is in; repeat it for each",
    )  # fmt: skip
    parser.add_argument("--provider", metavar="P", help="provider of rows that name none")
    parser.add_argument("--model", metavar="M", help="model of rows that name none")
    parser.add_argument(
        "--label",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="project, app … of rows that have none",
    )
    parser.add_argument("--start", metavar="TIME", help="when a trace with relative times began")
    parser.add_argument(
        "--rebase", metavar="TIME", help="shift all times so that the newest row is then; `now` for now"
    )
    parser.add_argument(
        "--timezone", metavar="ZONE", default="UTC", help="zone of times without offset (default: UTC)"
    )
    parser.add_argument("--delimiter", metavar="C", help="for csv: what separates the cells")
    parser.add_argument("--batch", metavar="NAME", help="name the import, to take it back by")
    parser.add_argument("--dry-run", action="store_true", help="read and check everything, store nothing")
    examples(
        parser,
        """
        tui-monitor import --provider azure --model gpt-4 code.csv.gz
        tui-monitor import --format mooncake --rebase now conversation.csv.gz
        tui-monitor import --format csv --map ts=when --map input_tokens=prompt calls.csv --provider openai
        tui-monitor import calls.jsonl --dry-run
        tui-monitor import --format claude-code laptop/.claude
        tui-monitor import undo 20260318-120000-3f2a
        """,
    )


def run(context: Context) -> int:
    """Import, list or undo; raises `ImportFailure`, `StoreError`, `UsageError`."""
    match context.args.files:
        case ["list"] if not Path("list").exists():
            return _list(context)
        case ["undo", batch]:
            return _undo(context, batch)
        case ["undo", *_]:
            raise UsageError("undo takes one import", hint="`tui-monitor import list` names them")
        case _:
            return _import(context)


def _import(context: Context) -> int:
    from tui_monitor.cli.importing import run_here_or_there
    from tui_monitor.cli.importsummary import as_fields, failed, show

    args = context.args
    batch = clean(args.batch, 80) if args.batch else None
    paths = [Path(name).expanduser() for name in args.files]
    try:
        summary = run_here_or_there(context, paths, options(context), batch)
    except KeyboardInterrupt:
        context.out.note("interrupted: what is stored stays, and the same import again goes on from there")
        raise
    except StoreError:
        context.out.note("what was stored before stays; the same import again goes on from there and counts")
        context.out.note("nothing twice; `tui-monitor import list` names it, so that it can be taken back")
        raise
    data = {"rows": summary.rows, "rejected": summary.rejected, **as_fields(summary)}
    context.out.answer(data, lambda: show(context, summary))
    return 1 if failed(summary) else 0


def options(context: Context) -> "ImportOptions":
    """How rows become calls, from the flags. Raises `UsageError`."""
    from zoneinfo import ZoneInfo

    from tui_monitor.cli.times import instant
    from tui_monitor.model.providers import canonical
    from tui_monitor.sources.imports import ImportOptions

    args, now = context.args, context.clock.now()
    calendar = context.settings.calendar()
    try:
        ZoneInfo(args.timezone)
    except (KeyError, ValueError, OSError):
        raise UsageError(
            f"no such time zone: {args.timezone!r}", hint="write it like Europe/Berlin"
        ) from None
    if args.start and args.rebase:
        raise UsageError("--start and --rebase both say when the trace was", hint="give one of them")
    return ImportOptions(
        now=now,
        provider=canonical(args.provider) if args.provider else None,
        model=args.model,
        columns=_pairs("--map", args.map),
        labels=_pairs("--label", args.label),
        start=instant(args.start, calendar, now) if args.start else None,
        rebase=instant(args.rebase, calendar, now) if args.rebase else None,
        timezone=args.timezone,
        delimiter=args.delimiter,
        billing=context.settings.agents.billing,
    )


def _pairs(option: str, given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals or not value:
            raise UsageError(f"{option} {text!r} is no NAME=VALUE")
        if key in pairs:
            raise UsageError(f"{option} names {key!r} twice")
        pairs[key] = value
    return pairs


def _list(context: Context) -> int:
    from tui_monitor.cli.tables import Column, name, number, table
    from tui_monitor.cli.times import written

    found = context.ask(lambda monitor: monitor.imports())
    calendar = context.settings.calendar()
    columns = [
        name("batch"),
        Column("when"),
        Column("format"),
        number("calls"),
        Column("state"),
        name("files"),
    ]
    rows = [
        [
            info.batch_id, written(info.started, calendar), info.format, f"{info.stored:,}",
            "taken back" if info.undone else "shifted" if info.shift_us else "", ", ".join(info.files),
        ]
        for info in found
    ]  # fmt: skip
    context.out.answer(
        found, lambda: table(context.out, columns, rows) if rows else context.out.line("no imports")
    )
    return 0


def _undo(context: Context, batch: str) -> int:
    taken = context.ask(lambda monitor: monitor.undo_import(batch))
    words = f"import {clean(batch)} is taken back: {taken:,} calls"
    context.out.answer({"batch_id": batch, "calls": taken}, lambda: context.out.line(words))
    return 0
