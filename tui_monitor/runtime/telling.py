"""The messages that tell events to whoever follows, as JSON."""

import orjson

from tui_monitor.model.clock import Micros
from tui_monitor.model.merging import Item


def written(item: Item) -> bytes:
    """An event as the message that tells it."""
    return orjson.dumps({"type": "event", **told(item)}, option=orjson.OPT_NON_STR_KEYS)


def told(item: Item) -> dict[str, object]:
    """An event as plain data: `id`, `ts` in µs UTC, `event`, `data`, and `merged` where it is several."""
    several = {"merged": item.merged} if item.merged > 1 else {}
    return {"id": item.id, "ts": item.ts, "event": item.event, "data": item.data, **several}


def gone(first: int, last: int, now: Micros) -> bytes:
    """The message that says what is missing."""
    return orjson.dumps({"type": "gone", "ts": now, "from": first, "to": last})


def together(items: list[Item], after: int, through: int) -> bytes:
    """Merged events in one message, which is read whole or not at all."""
    data = {"from": after + 1, "to": through, "events": [told(item) for item in items]}
    several = Item(
        "merged", max(item.ts for item in items), data, sum(item.merged for item in items), through
    )
    return written(several)
