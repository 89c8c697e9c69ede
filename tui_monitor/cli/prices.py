"""`prices`: which price holds for a model, and where it comes from."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import MonitorError
from tui_monitor.model.text import clean
from tui_monitor.model.units import UNKNOWN

if TYPE_CHECKING:
    from tui_monitor.pricing.book import Explanation

_NAMES = {
    "input": "input", "output": "output", "cache_read": "cache read", "cache_write_5m": "cache write, 5 min",
    "cache_write_1h": "cache write, 1 h", "reasoning": "reasoning",
}  # fmt: skip
_PER_CALL = "request"


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser)
    shown = verbs.add("show", "the price of a model, in US dollars per million tokens")
    shown.add_argument("model", metavar="MODEL")
    shown.add_argument("--provider", metavar="P", help="only this provider's")
    shown.add_argument("--at", metavar="TIME", help="the price of that moment instead of now")
    examples(
        parser,
        """
        tui-monitor prices show claude-sonnet-4-5
        tui-monitor prices show gpt-4o --provider azure --at 2025-01-01

        prices of your own stand in the file that prices.file names:
          [[prices]]
          provider = "openai"
          model = "gpt-4o"
          input = 2.5
          output = 10.0
        after a change, `tui-monitor reprice --from 30d` prices stored calls anew
        """,
    )


def run(context: Context) -> int:
    """Show it; raises `MonitorError` for a model that no list knows, `UsageError` for a broken price file."""
    from tui_monitor.cli.times import instant
    from tui_monitor.pricing.book import PriceBook

    args, now = context.args, context.clock.now()
    at = instant(args.at, context.settings.calendar(), now) if args.at else now
    found = PriceBook.load(context.settings.prices).explain(args.provider, args.model, at)
    if not found:
        whose = f" of {clean(args.provider)}" if args.provider else ""
        raise MonitorError(
            f"no price is known for {clean(args.model)}{whose}: its calls are unpriced",
            hint="write one into a price file, see `tui-monitor prices --help`",
        )
    context.out.answer(found, lambda: _show(context, found))
    return 0


def _show(context: Context, found: "list[Explanation]") -> None:
    from tui_monitor.cli.tables import Column, name, number, table

    columns = [
        name("provider"),
        name("model"),
        name("price"),
        number("USD per 1M"),
        Column("valid"),
        name("from"),
    ]
    table(context.out, columns, [row for each in found for row in _rows(each)])
    for each in found:
        if each.note:
            context.out.note(f"note: {each.provider}: {each.note}")


def _rows(each: "Explanation") -> list[list[str]]:
    days = (
        f"{each.valid_from or '…'} – {each.valid_to or '…'}" if each.valid_from or each.valid_to else "always"
    )
    source = f"{each.source} {each.version}".strip()
    if each.discount:
        source += f", less {each.discount:.0%}"
    rows = [
        [each.provider, each.model, _called(kind), f"{price.normalize():f}", days, source]
        for kind, price in each.prices.items()
    ]
    for tier in each.tiers:
        above = f"above {tier.above:,} input tokens"
        rows += [
            [each.provider, each.model, f"{_called(kind)}, {above}", f"{price.normalize():f}", days, source]
            for kind, price in tier.prices.items()
        ]
    return rows or [[each.provider, each.model, UNKNOWN, UNKNOWN, days, source]]


def _called(kind: str) -> str:
    return "per call (USD)" if kind == _PER_CALL else _NAMES.get(kind, kind)
