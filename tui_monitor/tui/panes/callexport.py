"""Calls and answers as the command line writes them: by the same names, exact."""

from collections.abc import Sequence

from tui_monitor.model.call import Call
from tui_monitor.model.clock import iso
from tui_monitor.query.result import Result
from tui_monitor.tui.exporting import Export, Table


def calls_table(calls: Sequence[Call]) -> Table:
    """One row for each call, one column for each name of the event feed."""
    from tui_monitor.sources.written import COLUMNS, written

    rows = (written(call) for call in calls)
    return Table(COLUMNS, tuple(tuple(row.get(name) for name in COLUMNS) for row in rows))


def calls_export(filter: str, calls: Sequence[Call]) -> Export:
    """Calls of a filter; what programs get is `data` of `tui-monitor --json query FILTER`."""
    from tui_monitor.sources.written import written

    known = [{name: value for name, value in written(call).items() if value is not None} for call in calls]
    data = {"resultType": "calls", "filter": filter, "result": known}
    return Export("calls", calls_table(calls) if calls else None, data)


def result_table(result: Result) -> Table:
    """Times below each other, series beside each other."""
    names = [", ".join(f"{name}={value}" for name, value in series.labels) for series in result.series]
    header = ("time", *(name or result.metric or "value" for name in names))
    columns = [series.values for series in result.series]
    rows = ((iso(at), *(column[n] for column in columns)) for n, at in enumerate(result.times))
    return Table(header, tuple(rows))
