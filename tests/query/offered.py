"""What completion offers, seen as the query it would make."""

from collections.abc import Callable

from tui_monitor.query.local import LocalEngine


def offers(engine: LocalEngine) -> Callable[[str], list[str]]:
    """Asks an engine; `|` in the text marks where the cursor stands."""

    def offered(text: str) -> list[str]:
        before, _, after = text.partition("|")
        found = engine.complete(before + after, len(before))
        return [before[: len(before) - one.length] + one.text + after for one in found]

    return offered
