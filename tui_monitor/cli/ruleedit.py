"""Changes to the alert rules, written into the configuration file."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui_monitor.cli.context import Context
from tui_monitor.cli.rulecheck import compiled, engine_of, says
from tui_monitor.cli.rules import named
from tui_monitor.cli.takeover import take_over
from tui_monitor.config import places
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean

if TYPE_CHECKING:
    from tui_monitor.alerts.rules import Rule
    from tui_monitor.config.settings import RuleSettings

_TABLE = "alerts.rules"


def create(context: Context) -> int:
    """Check a rule, and write it. Raises `UsageError`, and `QueryError` which points into the expression."""
    from tui_monitor.config.edit import append_table

    table = _table(context)
    setting = _setting(table)
    if any(rule.name == setting.name for rule in context.settings.alerts.rules):
        raise UsageError(
            f"there is a rule {clean(setting.name)!r} already",
            hint="take another name, or edit it in the file",
        )
    rule, holds = _tried(context, setting)
    file = _file(context)
    written = not context.args.dry_run
    taken = False
    if written:
        append_table(file, _TABLE, table)
        _forget(context)
        taken = take_over(context)
    data = {"rule": rule.state(0), "file": file, "written": written, "holds_now": holds, "taken_over": taken}

    def show() -> None:
        if written:
            _show_written(context, f"rule {clean(setting.name)!r} is in {file}", taken)
        else:
            context.out.line(f"# would be added to {file}")
            context.out.line(_as_toml(table))
        context.out.line(f"at this moment it {'holds' if holds else 'does not hold'}")

    context.out.answer(data, show, rule.warnings)
    return 0


def switch(context: Context, *, on: bool) -> int:
    """Switch rules on or off, shipped ones too. Raises `UsageError`."""
    from tui_monitor.config.edit import set_values, update_table

    settings = context.settings.alerts
    with engine_of(context) as engine:
        rules = compiled(context, engine)
    chosen = [named(rules, name) for name in dict.fromkeys(context.args.names)]
    file = _file(context)
    names = {rule.name for rule in chosen}
    own = [rule for rule in chosen if not rule.shipped and rule.settings.enabled is not on]
    listed = [name for name in settings.disabled if not (on and name in names)]
    if not on:
        listed += [rule.name for rule in chosen if rule.shipped and rule.name not in listed]
    for rule in own:
        update_table(file, _TABLE, rule.name, {"enabled": None if on else False})
    if listed != settings.disabled:
        set_values(file, {"alerts.disabled": listed})
    _forget(context)
    taken = take_over(context)
    now_on = _enabled(context)
    for name in sorted(names):
        if now_on.get(name) is not on:
            origin = context.loaded.layers.origin(("alerts", "disabled"))
            context.out.note(f"note: {clean(name)} is {'off' if on else 'on'} all the same, by {origin}")
    data = {"rules": sorted(names), "enabled": on, "file": file, "taken_over": taken}
    words = f"{', '.join(clean(name) for name in sorted(names))}: {'on' if on else 'off'}"
    context.out.answer(data, lambda: _show_written(context, words, taken))
    return 0


def _table(context: Context) -> dict[str, Any]:
    """The rule as it is written; what was not given is left out."""
    args = context.args
    given = {
        "name": args.name,
        "expr": args.expr,
        "for": args.wait,
        "severity": args.severity,
        "labels": dict(_label(text) for text in args.label),
        "summary": args.summary,
        "budget": args.budget,
    }
    return {key: value for key, value in given.items() if value}


def _label(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (sign and name and value):
        raise UsageError(f"not a label: {clean(text, 120)!r}", hint="write it NAME=VALUE")
    return name, value


def _setting(table: dict[str, Any]) -> "RuleSettings":
    from pydantic import ValidationError

    from tui_monitor.config.settings import RuleSettings

    try:
        return RuleSettings.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        told = first["msg"].removeprefix("Value error, ")
        raise UsageError(
            clean(f"{field}: {told}", 500), hint="see `tui-monitor rules create --help`"
        ) from None


def _tried(context: Context, setting: "RuleSettings") -> tuple["Rule", bool]:
    """The rule, and whether it holds now. Raises `QueryError` where it is no good."""
    from tui_monitor.alerts.rules import checked, compile_rule, condition_of, misspelt

    budgets, calendar = context.settings.all_budgets(), context.settings.calendar()
    with engine_of(context) as engine:
        missing = checked(condition_of(setting, budgets), engine)
        if missing is not None and misspelt(missing):
            raise missing
        if missing is not None:
            context.out.note(
                f"note: nobody has sent {clean(missing.name)} yet; until then the rule has no data"
            )
        rule = compile_rule(setting, engine, budgets=budgets, calendar=calendar)
        return rule, any(reading.holds for reading in says(context, rule, engine).readings)


def _file(context: Context) -> Path:
    return context.config_file or context.loaded.file or places.config_file()


def _forget(context: Context) -> None:
    """What was read before is not what holds now."""
    vars(context).pop("loaded", None)


def _enabled(context: Context) -> dict[str, bool]:
    with engine_of(context) as engine:
        return {rule.name: rule.enabled for rule in compiled(context, engine)}


def _as_toml(table: dict[str, Any]) -> str:
    from tui_monitor.config.written import bare, toml

    return "\n".join([f"[[{_TABLE}]]", *(f"{bare(key)} = {toml(value)}" for key, value in table.items())])


def _show_written(context: Context, words: str, taken: bool) -> None:
    context.out.line(words)
    context.out.line(
        "the running collector looks at it now" if taken else "it holds from the next collector on"
    )
