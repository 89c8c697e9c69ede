"""What is spent in a budget's period and scope: one query for panes, commands and rules."""

import re
from collections.abc import Mapping
from typing import Literal

from tui_monitor.model.calendar import Period
from tui_monitor.model.errors import QueryError
from tui_monitor.query.promql.ast import Matcher, Summary
from tui_monitor.query.promql.printer import printed

LABEL = re.compile(r"[A-Za-z_][\w.\-]*")
"""What a label may be called; attributes of calls have dots and dashes in their names too."""
WINDOWS: Mapping[str, Period] = {"day": "today", "week": "week", "month": "month"}
"""The running calendar period of a budget for each day, week or month."""


def spend_query(
    period: Literal["day", "week", "month"], scope: Mapping[str, str], metric: str = "cost"
) -> str:
    """The query behind a budget. Raises `QueryError` for a scope that names no label."""
    return printed(Summary(metric, matchers_of(scope), WINDOWS[period], "sum"))


def matchers_of(scope: Mapping[str, str]) -> tuple[Matcher, ...]:
    """What a call must be to count. Raises `QueryError` for what is no label's name."""
    for name in scope:
        if not LABEL.fullmatch(name):
            raise QueryError(f"{name!r} is no label", hint="labels are provider, model, project, user …")
    return tuple(Matcher(name, "=", value) for name, value in scope.items())
