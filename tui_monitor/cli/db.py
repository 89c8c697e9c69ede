"""`db`: look after the database: what is in it, is it sound, copy it, put a copy back."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.progress import bar
from tui_monitor.cli.updating import tell_updated, update
from tui_monitor.model.errors import StoreLocked, UsageError
from tui_monitor.model.identity import actor
from tui_monitor.model.text import clean
from tui_monitor.model.units import UNKNOWN, size

if TYPE_CHECKING:
    from tui_monitor.store.database import Store
    from tui_monitor.store.rebuild import LayerReport, RebuildReport
    from tui_monitor.store.stats import LayerStats, StoreStats


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="stats")
    verbs.add("stats", "rows, bytes, time span and growth of each layer")
    verbs.add("check", "look for damage; exit code 1 where there is some")
    copying = verbs.add("backup", "copy the database to a file; collecting goes on")
    copying.add_argument("file", type=Path, metavar="FILE", help="where the copy goes; must not exist")
    back = verbs.add("restore", "put a copy in the database's place; what was there is set aside")
    back.add_argument("file", type=Path, metavar="FILE", help="the copy")
    verbs.add("compact", "drop what retention lets go and give the space back to the file system")
    again = verbs.add("rebuild-rollups", "make sums and histograms anew from the calls, and compare")
    again.add_argument("--dry-run", action="store_true", help="only say what differs")
    gone = verbs.add("forget", "take a person's name out of every layer; sums stay as they are")
    gone.add_argument("--user", required=True, metavar="NAME", help="the value of the label `user`")
    gone.add_argument("--yes", action="store_true", help="do not ask")
    verbs.add("audit", "what people had done to the stored data")
    out = verbs.add("export", "single calls as JSON lines, CSV or Parquet")
    out.add_argument("--format", choices=("jsonl", "csv", "parquet"), default="jsonl", help="default: jsonl")
    out.add_argument("--from", dest="since", metavar="TIME", help="calls from this moment on (default: all)")
    out.add_argument("--to", dest="until", metavar="TIME", help="calls before this moment (default: now)")
    out.add_argument("--out", type=Path, metavar="FILE", help="a new file (default: standard output)")
    examples(
        parser,
        """
        tui-monitor db
        tui-monitor db check
        tui-monitor db backup ~/monitor-2026-03-18.db
        tui-monitor db restore ~/monitor-2026-03-18.db
        tui-monitor db export --from 30d --format csv --out calls.csv
        """,
    )


def run(context: Context) -> int:
    """Do it. Raises `StoreError`, and `StoreLocked` where a collector must be stopped first."""
    match context.args.action:
        case "check":
            return _check(context)
        case "backup":
            return _backup(context)
        case "restore":
            return _restore(context)
        case "compact":
            return _compact(context)
        case "rebuild-rollups":
            return _rebuild(context)
        case "export":
            return _export(context)
        case "audit":
            return _audit(context)
        case "forget":
            return _forget(context)
        case _:
            return _stats(context)


@contextmanager
def _writing(context: Context) -> "Iterator[Store]":
    """The database under its lock. Raises `StoreError` where there is none, and `StoreLocked`."""
    from tui_monitor.store.database import Store
    from tui_monitor.store.opening import check_file
    from tui_monitor.store.upgrade import BeingUpdated

    check_file(context.database, write=False)
    zone = context.settings.calendar().zone
    try:
        store = Store.open(
            context.database, write=True, clock=context.clock, zone=zone, update=update(context)
        )
    except StoreLocked as error:
        if not isinstance(error, BeingUpdated):
            error.hint = "stop the collector or the dashboard for a moment, and try again"
        raise
    try:
        tell_updated(context, store)
        yield store
    finally:
        store.close()


@contextmanager
def _reading(context: Context) -> "Iterator[Store]":
    """The database beside whoever writes it. Raises `StoreError` where there is none, or an older one."""
    from tui_monitor.store.database import Store

    store = Store.open(context.database, write=False, clock=context.clock)
    try:
        yield store
    finally:
        store.close()


def _stats(context: Context) -> int:
    with _reading(context) as store:
        stats = store.stats(context.settings.retention, context.clock.now())
    context.out.answer(stats, lambda: _show_stats(context, stats))
    return 0


def _show_stats(context: Context, stats: "StoreStats") -> None:
    from tui_monitor.cli.tables import Column, facts, number, table
    from tui_monitor.cli.times import written

    calendar = context.settings.calendar()

    def when(at: int | None) -> str:
        return UNKNOWN if at is None else written(at, calendar)

    def row(layer: "LayerStats") -> list[str]:
        a_day = UNKNOWN if layer.rows_per_day is None else f"{layer.rows_per_day:,.0f}"
        rows = UNKNOWN if layer.rows is None else f"{layer.rows:,}"
        return [layer.name, rows, size(layer.bytes), a_day, when(layer.first), when(layer.last)]

    columns = [
        Column("layer"), number("rows"), number("size"), number("rows a day", 1), Column("from", rank=2),
        Column("to", rank=3),
    ]  # fmt: skip
    table(context.out, columns, [row(layer) for layer in stats.layers])
    context.out.line()
    cap = size(stats.cap_bytes) if stats.cap_bytes else "none"
    if stats.cap_unmet:
        cap += ", which cannot be met: no raw calls are left to drop, and the rest is larger"
    growth = UNKNOWN if stats.growth_per_day is None else f"{size(round(stats.growth_per_day))} a day"
    facts(
        context.out,
        [
            ("file", clean(stats.path, 500)),
            ("size", f"{size(stats.file_bytes)}, its log {size(stats.wal_bytes)}"),
            ("in use", size(stats.used_bytes)),
            *([("sampled out", f"{stats.sampled_out:,} calls")] if stats.sampled_out else []),
            ("cap", cap),
            ("comes in", growth),
            ("cap reached", f"≈ {when(stats.cap_reached)}" if stats.cap_reached else UNKNOWN),
        ],
    )


def _check(context: Context) -> int:
    from tui_monitor.store.upkeep import faults

    with bar(context, "checking"):
        found = faults(context.database)

    def show() -> None:
        for fault in found:
            context.out.line(clean(fault, 500))
        count = "1 fault" if len(found) == 1 else f"{len(found):,} faults"
        context.out.line(count if found else "the database is sound")
        if found:
            context.out.note("  put a copy back with `tui-monitor db restore FILE`")

    context.out.answer({"faults": found}, show)
    return 1 if found else 0


def _backup(context: Context) -> int:
    from tui_monitor.store.backup import backup

    target = context.args.file.expanduser()
    with bar(context, "copying") as told:
        made = backup(context.database, target, told)
    words = f"{made.calls:,} calls, {size(made.bytes)}, in {clean(str(made.path), 500)}"
    context.out.answer(made, lambda: context.out.line(words))
    return 0


def _restore(context: Context) -> int:
    from tui_monitor.store.backup import restore

    copy = context.args.file.expanduser()
    try:
        with bar(context, "copying") as told:
            aside = restore(copy, context.database, told)
    except StoreLocked as error:
        error.hint = "stop the collector or the dashboard first"
        raise

    def show() -> None:
        context.out.line(f"{clean(str(context.database), 500)} is {clean(str(copy), 500)} now")
        if aside is not None:
            context.out.line(f"what was there is {clean(str(aside), 500)}")

    context.out.answer({"database": context.database, "from": copy, "set_aside": aside}, show)
    return 0


def _compact(context: Context) -> int:
    from tui_monitor.store.upkeep import size as bytes_of

    cap = context.settings.retention.size
    with _writing(context) as store:
        before = bytes_of(context.database)
        with bar(context, "packing"):
            store.seal(context.clock.now())
        dropped = store.retain(context.settings.retention, context.clock.now())
        with bar(context, "giving back") as told:
            done = store.compact(told)
    words = f"{size(before)} → {size(done.after)}; {dropped.too_old:,} rows were too old"
    if dropped.calls_for_size:
        words += f", {dropped.calls_for_size:,} raw calls had to go for the cap of {size(cap)}"

    def show() -> None:
        context.out.line(words)
        if dropped.over_cap:
            context.out.note(
                f"note: {size(dropped.over_cap)} more than the cap of {size(cap)} are still in use, and no "
                "raw calls are left to drop: raise retention.size, or keep the other layers for less long"
            )

    context.out.answer({"before": before, "after": done.after, "dropped": dropped}, show)
    return 0


def _rebuild(context: Context) -> int:
    mend = not context.args.dry_run
    opened = _writing(context) if mend else _reading(context)
    with opened as store, bar(context, "summing up") as told:
        report = store.rebuild_rollups(mend=mend, progress=told)
    context.out.answer(report, lambda: _show_rebuilt(context, report, mend))
    return 1 if (report.wrong or report.damaged) and not mend else 0


def _show_rebuilt(context: Context, report: "RebuildReport", mend: bool) -> None:
    from tui_monitor.cli.tables import Column, number, table
    from tui_monitor.cli.times import written

    def row(layer: "LayerReport") -> list[str]:
        name = f"{layer.layer} ({layer.zone})" if layer.zone else layer.layer
        return [clean(name), f"{layer.checked:,}", f"{layer.wrong:,}", f"{layer.left:,}"]

    columns = [Column("layer"), number("compared"), number("differed"), number("left alone")]
    table(context.out, columns, [row(layer) for layer in report.layers])
    done = "mended" if mend else "differ"
    same = "those that could be read are the same" if report.damaged else "all the same"
    context.out.line(f"{report.calls:,} calls; " + (f"{report.wrong:,} {done}" if report.wrong else same))
    calendar = context.settings.calendar()
    for words in report.damaged:
        context.out.note(f"damage: {clean(words, 300)}")
    for span in report.not_compared:
        when = f"{written(span.start, calendar)} – {written(span.end, calendar)}"
        context.out.note(f"note: {when} was not compared: something of it is damaged; nothing was changed")
    for span in report.gone:
        when = f"{written(span.start, calendar)} – {written(span.end, calendar)}"
        context.out.note(f"note: some calls of {when} are no longer kept one by one")
    for one in report.sampled:
        when = f"{written(one.span.start, calendar)} – {written(one.span.end, calendar)}"
        context.out.note(f"note: of the calls of {when} only a sample is kept; {one.calls:,} were left out")


def _forget(context: Context) -> int:
    user = clean(context.args.user)
    if not context.args.yes:
        _confirm(f"forget {user} for good, in {context.database}?")
    who = actor(context.settings.general.name)
    with _writing(context) as store:
        done = store.forget("user", user, who)
    words = (
        f"{user} is forgotten: {done.calls:,} calls, {done.cells:,} sums, {done.events:,} events, "
        f"{done.series:,} series, {done.alerts:,} alerts"
        if done.total
        else f"nothing is known of {user}"
    )
    context.out.answer(done, lambda: context.out.line(words))
    if done.total:
        context.out.note("note: copies made before, and the log file, may know the name still")
    return 0


def _audit(context: Context) -> int:
    from tui_monitor.cli.tables import Column, name, table
    from tui_monitor.cli.times import written

    with _reading(context) as store:
        entries = store.audit()
    calendar = context.settings.calendar()

    def show() -> None:
        if not entries:
            context.out.line("nothing was done to the stored data")
            return
        rows = [
            [
                written(entry.at, calendar), entry.who, entry.what,
                ", ".join(f"{kind} {count}" for kind, count in entry.detail.items() if count),
            ]
            for entry in entries
        ]  # fmt: skip
        table(context.out, [Column("when"), name("who"), Column("what"), name("rows")], rows)

    context.out.answer(entries, show)
    return 0


def _confirm(question: str) -> None:
    """Ask on the terminal. Raises `UsageError` where nobody can be asked or the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError("this cannot be taken back", hint="add --yes if that is what you want")
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UsageError("nothing was changed")


def _export(context: Context) -> int:
    from tui_monitor.cli.exporting import export
    from tui_monitor.cli.times import instant
    from tui_monitor.model.timerange import Span
    from tui_monitor.store.api import Layer
    from tui_monitor.store.database import Store

    args, now = context.args, context.clock.now()
    calendar = context.settings.calendar()
    target = args.out.expanduser() if args.out else None
    if target is None and context.out.json:
        raise UsageError("--json needs a file for the calls", hint="name one with --out")
    store = Store.open(context.database, write=False, clock=context.clock)
    try:
        first = store.extent().first
        since = instant(args.since, calendar, now) if args.since else (now if first is None else first)
        until = instant(args.until, calendar, now) if args.until else now + 1
        if until <= since and args.since:
            raise UsageError("--to lies before --from")
        span = Span.half_open(since, max(since, until))
        total = store.raw_count(span)
        raw = store.holdings()[Layer.RAW]
        with bar(context, "writing") as told:
            progress = None if told is None or target is None else (lambda done: told(done, total))
            count = export(store.raw_sample(span), args.format, target, progress)
    finally:
        store.close()
    warnings = ["some calls of this time are no longer kept one by one"] if raw.dropped_in(span) else []
    if raw.sampled_in(span):
        warnings.append("of some calls only a sample is kept; sample_weight is how many each stands for")
    if target is None:
        for warning in warnings:
            context.out.note(f"note: {warning}")
        return 0
    words = f"{count:,} calls in {clean(str(target), 500)}"
    context.out.answer({"calls": count, "file": target}, lambda: context.out.line(words), warnings)
    return 0
