"""How many requests a client may send: a bucket of tokens for each, refilled as time goes on."""

import ipaddress
from collections import OrderedDict
from math import inf

_SECONDS = 2.0
"""So many seconds' worth of requests may come at once."""
_MOST = 4_096
"""Clients that are remembered; of more, those that were silent longest are as good as new."""


class Rates:
    """At most `limit` requests per second of each client; 0 is no limit."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._room = max(1.0, limit * _SECONDS)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str, now: float) -> float:
        """Seconds that a client has to wait before its next request; 0 counts this one as sent."""
        if not self._limit:
            return 0.0
        left, at = self._left.pop(client, (self._room, -inf))
        if now > at:
            left = min(self._room, left + (now - at) * self._limit)
        allowed = left >= 1.0
        self._left[client] = (left - 1.0 if allowed else left, max(now, at))
        if len(self._left) > _MOST:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1.0 - left) / self._limit


def origin_of(address: str) -> str:
    """The client behind an address: of IPv6 the /64, for a single host has all of it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or ipaddress.ip_network((found, 64), strict=False).network_address)
    return address
