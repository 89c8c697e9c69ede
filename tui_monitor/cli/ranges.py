"""Ranges of time on the command line: `--range` in words, or `--from` and `--to`."""

from argparse import ArgumentParser, Namespace

from tui_monitor.cli.times import instant
from tui_monitor.model.calendar import Calendar
from tui_monitor.model.clock import Micros
from tui_monitor.model.comparison import AGAINST
from tui_monitor.model.errors import QueryError, UsageError
from tui_monitor.model.timerange import TimeRange
from tui_monitor.model.timewords import FORMS, NotATime, read_range


def arguments(parser: ArgumentParser, words: str) -> None:
    """The options; `words` say what is done with the range."""
    parser.add_argument(
        "--range", metavar="R", help=f"{words}: 30m, 7d, yesterday 14:00 to 15:30, last month, march …"
    )
    parser.add_argument(
        "--from", dest="since", metavar="TIME", help="from this moment on, instead of --range"
    )
    parser.add_argument("--to", dest="until", metavar="TIME", help="up to this moment (default: now)")


def compared(parser: ArgumentParser) -> None:
    """The option that compares."""
    parser.add_argument(
        "--compare", choices=AGAINST, metavar="WITH",
        help="beside each figure the one before: previous (period), or the same time a day or a week before",
    )  # fmt: skip


def asked(
    args: Namespace, calendar: Calendar, now: Micros, usual: TimeRange, at: Micros | None = None
) -> TimeRange | None:
    """What the options say; `None` where they say nothing. `at` is where a length alone ends.

    Raises `UsageError`.
    """
    if args.since or args.until:
        return _from_to(args, calendar, now, usual, at)
    if not args.range:
        return None
    try:
        found = read_range(args.range, TimeRange(usual.length, at), now, calendar)
    except NotATime as error:
        place = QueryError(error.message, text=args.range, position=error.position, length=error.length)
        raise UsageError(f"--range:\n{place.pointed()}", hint=error.hint or FORMS) from None
    if at is not None and found.end != at:
        raise UsageError("--at and --range both say when", hint="with --at, --range is a length: --range 1h")
    return found


def _from_to(
    args: Namespace, calendar: Calendar, now: Micros, usual: TimeRange, at: Micros | None
) -> TimeRange:
    if args.range or at is not None:
        raise UsageError("--from and --to stand instead of --range and --at")
    end = instant(args.until, calendar, now) - 1 if args.until else None
    stop = now if end is None else end
    start = instant(args.since, calendar, now) - 1 if args.since else stop - usual.length
    if start >= stop:
        raise UsageError("--to lies before --from" if args.until else "--from is yet to come")
    return TimeRange(stop - start, end)
