"""Which value was probably meant where no call has the one that a query asks for."""

from tui_monitor.model.call import DIMENSIONS
from tui_monitor.model.providers import ALIASES, canonical
from tui_monitor.query.language import nearest, quote
from tui_monitor.store.api import Reader

_MOST = 1_000
"""Values that are looked through; of more nobody knows whether one is missing."""


def mistyped(label: str, wanted: str, reader: Reader) -> str | None:
    """What is said of a value that no call has; `None` where one has it, or none is near.

    Only of the dimensions all values are known. Raises `StoreError`.
    """
    if label not in DIMENSIONS or not wanted:
        return None
    values = reader.label_values(label, _MOST)
    known = set(values)
    if label == "provider":
        ids = set(map(canonical, values))
        wanted = canonical(wanted)
        known |= ids | {alias for alias, provider in ALIASES.items() if provider in ids}
    if wanted in known or len(values) >= _MOST:
        return None
    meant = nearest(wanted, sorted(known))
    return f"no call has {label}={quote(wanted)}; did you mean {meant}?" if meant else None
