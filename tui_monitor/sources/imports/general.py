"""Any table with a header: columns by our names, or mapped to them."""

import difflib
from collections.abc import Callable
from zoneinfo import ZoneInfo

from tui_monitor.model.call import Call
from tui_monitor.model.providers import canonical
from tui_monitor.recorder.checks import Invalid
from tui_monitor.sources.fields import COUNTS, FLAGS, MONEY, NUMBERS, TEXTS, TIMES, TOKENS, nano, split_tokens
from tui_monitor.sources.imports.api import ImportFailure, ImportOptions, Row
from tui_monitor.sources.imports.cells import decimal, indexes, truth, whole
from tui_monitor.sources.times import moment, utc_or

SECONDS = {"latency_s": "latency_ms", "ttft_s": "ttft_ms", "queue_wait_s": "queue_wait_ms"}
_ATTRIBUTE = "attrs."
FIELDS: tuple[str, ...] = (
    "id", *TIMES, *TEXTS, *TOKENS, *NUMBERS, *SECONDS, *COUNTS, *FLAGS, MONEY, "response_id", "request_id",
)  # fmt: skip
"""What a column may be mapped to, beside `attrs.NAME`."""

Setter = Callable[[Call, str], None]


class GeneralCsv:
    """One call a row. A column that is no field of ours becomes an attribute."""

    name = "csv"
    about = "any table with a header; --map FIELD=COLUMN for columns that have other names than ours"
    relative = False
    header = ()

    def row(self, header: list[str], options: ImportOptions) -> Row:
        """Compiles the mapping. Raises `ImportFailure` for an unknown field or column, and without a time."""
        columns = columns_of(header, options)
        if not any(field in TIMES for field in columns):
            raise ImportFailure(
                f"no column for the time among {', '.join(header)}"[:500],
                hint="name it with --map ts=COLUMN",
            )
        tokens = [(name, columns[name]) for name in TOKENS if name in columns]
        plain = _plain_tokens(columns)
        # Texts first: an identity is made with the provider's name.
        others = sorted((field for field in columns if field not in TOKENS), key=lambda f: f not in TEXTS)
        setters = [(columns[field], _setter(field, options)) for field in others]
        defaults = _defaults(options)
        source = f"import:{self.name}"

        def read(cells: list[str]) -> Call:
            call = Call(source, "")
            for at, put in setters:
                cell = cells[at]
                if cell:
                    put(call, cell)
            if plain is not None:
                call.in_uncached = whole("input_tokens", cells[plain[0]])
                call.out_total = whole("output_tokens", cells[plain[1]])
            elif tokens:
                split_tokens(call, {name: whole(name, cells[at]) for name, at in tokens})
            for name, value in defaults:
                if getattr(call, name) is None:
                    setattr(call, name, value)
            return call

        return read


def columns_of(header: list[str], options: ImportOptions) -> dict[str, int]:
    """Our field, or `attrs.NAME`, → index of its column."""
    for field in options.columns:
        if field not in FIELDS and not field.startswith(_ATTRIBUTE):
            near = difflib.get_close_matches(field, FIELDS, 1)
            raise ImportFailure(
                f"--map {field}: no such field",
                hint=(f"did you mean {near[0]!r}? " if near else "")
                + f"fields: {', '.join(FIELDS)}; attrs.NAME for anything else",
            )
    mapped = dict(zip(options.columns, indexes(header, list(options.columns.values())), strict=True))
    taken = set(mapped.values())
    for at, column in enumerate(header):
        if at in taken or not column:
            continue
        name = column.lower()
        # Two columns of one meaning: the mapped or the first one counts, the other is kept beside it.
        field = name if name in FIELDS and name not in mapped else _ATTRIBUTE + column
        mapped.setdefault(field, at)
    return mapped


def _plain_tokens(columns: dict[str, int]) -> tuple[int, int] | None:
    """The two columns of the common case: all input and all output, no caches."""
    if {name for name in TOKENS if name in columns} == {"input_tokens", "output_tokens"}:
        return columns["input_tokens"], columns["output_tokens"]
    return None


def _defaults(options: ImportOptions) -> list[tuple[str, str]]:
    given = {"provider": options.provider, "model_served": options.model}
    return [(name, value) for name, value in given.items() if value]


def _setter(field: str, options: ImportOptions) -> Setter:
    if field in TIMES:
        return _time(field, TIMES[field], options)
    if field in TEXTS:
        name = TEXTS[field]
        return lambda call, cell: setattr(call, name, cell)
    if field in NUMBERS:
        return lambda call, cell: setattr(call, field, decimal(field, cell))
    if field in SECONDS:
        return _seconds(field, SECONDS[field])
    if field in COUNTS:
        return lambda call, cell: setattr(call, field, whole(field, cell))
    if field in FLAGS:
        return lambda call, cell: setattr(call, field, truth(field, cell))
    return _other(field, options.provider or "")


def _time(field: str, name: str, options: ImportOptions) -> Setter:
    zone = utc_or(ZoneInfo(options.timezone))
    return lambda call, cell: setattr(call, name, moment(field, cell, zone))


def _seconds(field: str, name: str) -> Setter:
    def put(call: Call, cell: str) -> None:
        value = decimal(field, cell)
        setattr(call, name, None if value is None else value * 1000)

    return put


def _other(field: str, provider: str) -> Setter:
    def key(call: Call, cell: str) -> None:
        call.source_key = cell

    def money(call: Call, cell: str) -> None:
        value = decimal(field, cell)
        call.cost_reported = None if value is None else nano(field, value)

    def identity(call: Call, cell: str) -> None:
        call.call_keys = (*call.call_keys, f"{canonical(call.provider or provider)}:{cell}")

    def attribute(call: Call, cell: str) -> None:
        call.attrs[name] = _number_or_text(name, cell)

    name = field.removeprefix(_ATTRIBUTE)
    others = {"id": key, MONEY: money, "response_id": identity, "request_id": identity}
    return others.get(field, attribute)


def _number_or_text(name: str, cell: str) -> int | float | str:
    """A cell as the number it is written as, so that it can be reckoned with."""
    if not cell[:1].isdigit() and cell[:1] not in "-.":
        return cell
    if cell.isdecimal() and len(cell) < 16 and (cell[0] != "0" or cell == "0"):
        return int(cell)
    try:
        value = decimal(name, cell)
    except Invalid:
        return cell
    return cell if value is None or repr(value) != cell else value
