"""How an agent is paid: what the settings say, what its log tells, and else by subscription."""

from collections.abc import Callable, Iterable

from tui_monitor.config.agents import Agents, Billing
from tui_monitor.model.call import Call
from tui_monitor.model.feed import Record


def billed(name: str, settings: Agents) -> Billing | None:
    """What the settings say of an agent; `None` where they say nothing."""
    return settings.billing.get(name)


def bill(records: Iterable[Record], billing: Billing | None) -> None:
    """Set `cost_status` of calls: "subscription" costs nothing, "unpriced" is priced on the write path.

    A call that comes as "computed" is paid by the token, as its log tells; free ones stay free.
    """
    for record in records:
        if not isinstance(record, Call) or record.cost_status == "free":
            continue
        if billing == "api" or (billing is None and record.cost_status == "computed"):
            record.cost_status = "unpriced"
        else:
            record.cost_status = "subscription"


def as_now_paid(settings: Agents, price: Callable[[Call], None]) -> Callable[[Call], None]:
    """Prices stored calls by what the settings say now of agents they name."""

    def priced(call: Call) -> None:
        billing = billed(call.source, settings)
        if billing is not None:
            bill([call], billing)
        price(call)

    return priced
