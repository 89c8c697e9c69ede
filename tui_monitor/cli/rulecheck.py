"""What is wrong with the rules, found without opening a database."""

from typing import TYPE_CHECKING

from tui_monitor.cli.context import Context

if TYPE_CHECKING:
    from tui_monitor.alerts.rules import Problem


def problems(context: Context) -> "list[Problem]":
    """Rules that cannot be evaluated, and what else is odd about them."""
    settings = context.settings.alerts.rules
    if not settings:
        return []
    raise NotImplementedError
