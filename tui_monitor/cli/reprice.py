"""`reprice`: price stored calls anew, after prices have changed, or how an agent is paid."""

import asyncio
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.cli.updating import tell_updated, update
from tui_monitor.model.call import NANO
from tui_monitor.model.clock import Micros
from tui_monitor.model.units import usd

if TYPE_CHECKING:
    from tui_monitor.cli.progress import Told
    from tui_monitor.store.reprice import RepriceReport


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    parser.add_argument(
        "--from", dest="since", metavar="TIME", required=True, help="calls from this moment on"
    )
    examples(parser, "tui-monitor reprice --from 2026-03-01\ntui-monitor reprice --from 30d")


def run(context: Context) -> int:
    """Let the running collector do it, or do it under the database's lock. Raises `MonitorError`."""
    from tui_monitor.cli.progress import bar
    from tui_monitor.cli.times import instant
    from tui_monitor.config import places
    from tui_monitor.monitor.remote import somebody_listens
    from tui_monitor.store.opening import check_file

    since = instant(context.args.since, context.settings.calendar(), context.clock.now())
    check_file(context.database, write=False)
    socket = places.expected_socket(context.database)
    with bar(context, "pricing") as told:
        report = _there(socket, since, told) if somebody_listens(socket) else _here(context, since, told)
    context.out.answer(report, lambda: _show(context, report))
    return 0


def _there(socket: Path, since: Micros, told: "Told | None") -> "RepriceReport":
    from tui_monitor.monitor.remote import SocketClient

    async def ask() -> "RepriceReport":
        async with SocketClient(socket) as client:
            return await client.reprice(since, told)

    return asyncio.run(ask())


def _here(context: Context, since: Micros, told: "Told | None") -> "RepriceReport":
    from tui_monitor.pricing.book import PriceBook
    from tui_monitor.sources.agents.billing import as_now_paid
    from tui_monitor.store.database import Store

    settings = context.settings
    prices = PriceBook.load(settings.prices)
    zone = settings.calendar().zone
    store = Store.open(context.database, write=True, clock=context.clock, zone=zone, update=update(context))
    try:
        tell_updated(context, store)
        return store.reprice(since, as_now_paid(settings.agents, prices.price), told)
    finally:
        store.close()


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
    for one in report.sampled:
        when = f"{written(one.span.start, calendar)} – {written(one.span.end, calendar)}"
        context.out.note(f"note: {one.calls:,} calls of {when} were sampled out; those keep their old price")
