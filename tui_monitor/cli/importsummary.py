"""What came of an import, for people."""

from dataclasses import fields
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.tables import facts
from tui_monitor.cli.times import written
from tui_monitor.model.text import clean
from tui_monitor.model.units import age, count

if TYPE_CHECKING:
    from tui_monitor.sources.imports import FileSummary, ImportSummary


_REASONS = 5
"""Kinds of rejections that are told of one file."""


def failed(summary: "ImportSummary") -> bool:
    """Whether nothing could be taken, or a file ended too early."""
    nothing = summary.stored + summary.known + summary.corrected + summary.late == 0
    return any(file.error for file in summary.files) or (summary.rejected > 0 and nothing)


def as_fields(summary: "ImportSummary") -> dict[str, object]:
    """The summary for programs."""
    return {field.name: getattr(summary, field.name) for field in fields(summary)}


def show(context: Context, summary: "ImportSummary") -> None:
    """Rows read, stored, known, rejected and why; then what to do next."""
    calendar = context.settings.calendar()
    pairs: list[tuple[str, str | tuple[str, str]]] = [
        ("format", summary.format),
        ("rows read", f"{summary.rows:,}"),
        ("would be stored" if summary.dry_run else "stored", f"{summary.stored:,}"),
    ]
    if not summary.dry_run:
        pairs.append(("already known", f"{summary.known:,}"))
    for words, number in (("corrected", summary.corrected), ("too late to correct", summary.late)):
        if number:
            pairs.append((words, f"{number:,}"))
    pairs.append(("rejected", (f"{summary.rejected:,}", "yellow" if summary.rejected else "")))
    if summary.unpriced:
        pairs.append(("unpriced", f"{summary.unpriced:,}"))
    if summary.first is not None and summary.last is not None:
        pairs.append(("from", written(summary.first, calendar)))
        pairs.append(("to", written(summary.last, calendar)))
        pairs.append(("tokens", f"{count(summary.input_tokens)} in, {count(summary.output_tokens)} out"))
    if summary.began is not None:
        pairs.append(("trace begins", written(summary.began, calendar)))
    elif summary.shift_us:
        direction = "later" if summary.shift_us > 0 else "earlier"
        pairs.append(("shifted", f"{age(abs(summary.shift_us))} {direction}"))
    facts(context.out, pairs)
    for file in summary.files:
        _rejections(context, file)
    _next(context, summary)


def _rejections(context: Context, file: "FileSummary") -> None:
    path = clean(str(file.path))
    for line, reason in file.rejections:
        context.out.note(f"{path}:{line}: {reason}" if line else f"{path}: {reason}")
    more = file.rejected - len(file.rejections)
    if more > 0:
        context.out.note(f"{path}: {file.rejected:,} of {file.rows:,} rows were rejected, the rest is taken:")
        for reason, times in sorted(file.reasons.items(), key=lambda kind: -kind[1])[:_REASONS]:
            context.out.note(f"  {times:,} × {reason}")
    if file.error:
        context.out.note(f"{path}: {file.error}")


def _next(context: Context, summary: "ImportSummary") -> None:
    out = context.out
    if summary.unpriced:
        out.note(
            "note: calls without a known price stay unpriced: give --provider and --model, or a price file"
        )
    for label, times in summary.overflow.items():
        out.note(f"note: {times:,} values of {label} as (other); see collector.max_label_values")
    if summary.dry_run:
        out.note("nothing was stored: this was a dry run")
    elif summary.stored or summary.corrected:
        out.line(f"take it back with: tui-monitor import undo {summary.batch_id}")
