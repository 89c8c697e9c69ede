"""The table of shipped rules in the documentation, made from the rules themselves.

    python -m tui_monitor.alerts.reference docs/alerts.md

writes it into the page, between its markers.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from tui_monitor.alerts.shipped import shipped_rules
from tui_monitor.config.settings import Alerts, BudgetSettings, Collector, RuleSettings
from tui_monitor.model.timerange import format_duration

_SECTION = re.compile(r"(<!-- shipped -->\n).*?(<!-- /shipped -->)", re.DOTALL)


class _Usual:
    """The defaults, with one budget."""

    alerts = Alerts()
    collector = Collector()

    def all_budgets(self) -> Sequence[BudgetSettings]:
        return [BudgetSettings(name="NAME", period="month", amount_usd=100)]


def shipped() -> str:
    """Every shipped rule: name, severity, for, condition."""
    rows = [("rule", "severity", "for", "condition"), ("---",) * 4, *map(_row, shipped_rules(_Usual()))]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def filled(page: str) -> str:
    """The page with the table made anew."""
    return _SECTION.sub(lambda found: f"{found[1]}{shipped()}{found[2]}", page)


def _row(rule: RuleSettings) -> tuple[str, str, str, str]:
    wait = format_duration(rule.for_) if rule.for_ else "–"
    return rule.name, rule.severity.value, wait, f"`{rule.expr}`"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
