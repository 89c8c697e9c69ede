"""`reprice`: price stored calls anew, after prices have changed, or how an agent is paid."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.call import NANO
from tui_monitor.model.errors import StoreLocked
from tui_monitor.model.units import usd

if TYPE_CHECKING:
    from tui_monitor.store.reprice import RepriceReport


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "--from", dest="since", metavar="TIME", required=True, help="calls from this moment on"
    )
    examples(parser, "tui-monitor reprice --from 2026-03-01\ntui-monitor reprice --from 30d")


def run(context: Context) -> int:
    """Do it under the database's lock. Raises `StoreLocked`, `StoreError`, `UsageError`."""
    from tui_monitor.cli.times import instant
    from tui_monitor.pricing.book import PriceBook
    from tui_monitor.sources.agents.billing import as_now_paid
    from tui_monitor.store.database import Store
    from tui_monitor.store.opening import check_file

    settings = context.settings
    calendar = settings.calendar()
    since = instant(context.args.since, calendar, context.clock.now())
    check_file(context.database, write=False)
    prices = PriceBook.load(settings.prices)
    try:
        store = Store.open(context.database, write=True, clock=context.clock, zone=calendar.zone)
    except StoreLocked as error:
        error.hint = "stop the collector or the dashboard for a moment, and try again"
        raise
    try:
        report = store.reprice(since, as_now_paid(settings.agents, prices.price))
    finally:
        store.close()
    context.out.answer(report, lambda: _show(context, report))
    return 0


def _show(context: Context, report: "RepriceReport") -> None:
    from tui_monitor.cli.tables import facts
    from tui_monitor.cli.times import written

    facts(
        context.out,
        [
            ("calls looked at", f"{report.looked_at:,}"),
            ("changed", f"{report.changed:,}"),
            ("cost before", usd(report.cost_before / NANO)),
            ("cost now", usd(report.cost_after / NANO)),
            ("unpriced before", f"{report.unpriced_before:,}"),
            ("unpriced now", f"{report.unpriced_after:,}"),
        ],
    )
    calendar = context.settings.calendar()
    for span in report.gone:
        when = f"{written(span.start, calendar)} – {written(span.end, calendar)}"
        context.out.note(
            f"note: some calls of {when} are no longer kept one by one; those keep their old price"
        )
