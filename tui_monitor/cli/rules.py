"""`rules`: list, look into, check, write and switch the alert rules."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.errors import UsageError
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import format_duration
from tui_monitor.model.units import show

if TYPE_CHECKING:
    from tui_monitor.alerts.machine import Reading
    from tui_monitor.alerts.rules import Rule
    from tui_monitor.cli.rulecheck import Said
    from tui_monitor.model.alert import RuleState

_SHOWN = 20
"""Series of a rule whose values are shown."""


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="list")
    verbs.add("list", "every rule with its expression and its open alerts")
    verbs.add("show", "one rule, and what it reads at this moment").add_argument("name", metavar="NAME")
    checking = verbs.add(
        "check", "say what is wrong with the rules; exit code 1 where one cannot be evaluated"
    )
    checking.add_argument("--now", action="store_true", help="say which rules hold at this moment as well")
    creating = verbs.add("create", "write a rule into the configuration file, if it is good")
    create_arguments(creating)
    for verb, help_line in (("enable", "look at these rules again"), ("disable", "look at them no longer")):
        verbs.add(verb, help_line).add_argument("names", metavar="NAME", nargs="+")
    examples(
        parser,
        """
        tui-monitor rules
        tui-monitor rules show "error rate"
        tui-monitor rules check --now
        tui-monitor rules create slow "latency{provider=\\"claude\\"} p95 by(model) > 2 * baseline" --for 5m
        tui-monitor rules create month "monthly_spend >= budget * 0.8" --severity critical --dry-run
        tui-monitor rules disable cpu memory
        """,
    )


def create_arguments(parser: ArgumentParser) -> None:
    """What `create` takes."""
    parser.add_argument("name", metavar="NAME", help="its name; a shipped rule of that name is replaced")
    parser.add_argument("expr", metavar="EXPR", help="its condition, like 'error_rate > 3 * baseline'")
    parser.add_argument("--for", dest="wait", metavar="5m", help="how long it must hold (default: at once)")
    parser.add_argument(
        "--severity", default="warning", metavar="S", help="info, warning (default) or critical"
    )
    parser.add_argument(
        "--summary", default="", metavar="TEXT", help="one sentence; {{ $value }} is filled in"
    )
    parser.add_argument(
        "--label", action="append", default=[], metavar="K=V", help="a label for its alerts; may be repeated"
    )
    parser.add_argument("--budget", metavar="NAME", help="the budget that `budget` stands for")
    parser.add_argument("--dry-run", action="store_true", help="check it and show what would be written")


def run(context: Context) -> int:
    """Look or change; raises `UsageError`, `QueryError` and `StoreError`."""
    from tui_monitor.cli import ruleedit

    match context.args.action:
        case "check":
            return _check(context)
        case "show":
            return _show(context)
        case "create":
            return ruleedit.create(context)
        case "enable" | "disable" as verb:
            return ruleedit.switch(context, on=verb == "enable")
        case _:
            return show_list(context)


def show_list(context: Context) -> int:
    """The rules, with how many alerts each has; raises `StoreError`."""
    from tui_monitor.cli.tables import Column, name, number, table

    rules = _states(context)
    columns = [
        name("rule"),
        Column("severity"),
        Column("for", rank=2),
        number("alerts"),
        Column("state"),
        Column("from", rank=3),
        name("expression", rank=1),
    ]

    def show_them() -> None:
        if not rules:
            context.out.line("no rules are configured")
            return
        table(context.out, columns, [_row(rule) for rule in rules])

    context.out.answer(rules, show_them)
    return 0


def _states(context: Context) -> "tuple[RuleState, ...]":
    if context.target is not None or context.database.exists():
        return context.ask(lambda monitor: monitor.alerts()).rules
    from tui_monitor.cli.rulecheck import compiled, engine_of

    with engine_of(context) as engine:
        return tuple(rule.state(0) for rule in compiled(context, engine))


def _row(rule: "RuleState") -> list[str]:
    return [
        rule.name,
        rule.severity.value,
        _wait(rule.for_us),
        str(rule.alerts),
        _state(rule),
        "shipped" if rule.shipped else "own",
        rule.expr,
    ]


def _wait(for_us: int) -> str:
    return format_duration(for_us) if for_us else "at once"


def _state(rule: "RuleState") -> str:
    return "broken" if rule.error else "on" if rule.enabled else "off"


def _show(context: Context) -> int:
    from tui_monitor.cli.rulecheck import compiled, engine_of, says

    with engine_of(context) as engine:
        rule = named(compiled(context, engine), context.args.name)
        said = says(context, rule, engine)
    data = {"rule": rule.state(0), "asked": rule.asked, "now": said}
    context.out.answer(data, lambda: _show_rule(context, rule, said), rule.warnings)
    return 0


def named(rules: "tuple[Rule, ...]", name: str) -> "Rule":
    """The rule of that name. Raises `UsageError`."""
    from tui_monitor.query.language import nearest

    for rule in rules:
        if rule.name == name:
            return rule
    meant = nearest(name, [rule.name for rule in rules])
    asked = f", did you mean {clean(meant)!r}?" if meant else ""
    raise UsageError(f"no rule is called {clean(name, 120)!r}{asked}", hint="see `tui-monitor rules list`")


def _show_rule(context: Context, rule: "Rule", said: "Said") -> None:
    from tui_monitor.cli.tables import facts

    state, setting = rule.state(0), rule.settings
    pairs: list[tuple[str, str | tuple[str, str]]] = [
        ("rule", rule.name),
        ("from", "shipped" if rule.shipped else "own"),
        ("state", _state(state)),
        ("severity", setting.severity.value),
        ("for", _wait(state.for_us)),
        ("expression", setting.expr),
    ]
    if rule.asked != setting.expr:
        pairs.append(("asked as", rule.asked))
    if setting.budget:
        pairs.append(("budget", setting.budget))
    if setting.labels:
        pairs.append(("labels", " ".join(f"{key}={value}" for key, value in setting.labels.items())))
    if setting.summary:
        pairs.append(("summary", setting.summary))
    facts(context.out, pairs)
    if rule.error:
        context.out.note(rule.error)
    context.out.line()
    _show_now(context, rule, said)


def _show_now(context: Context, rule: "Rule", said: "Said") -> None:
    from tui_monitor.cli.tables import Column, name, number, table

    if said.error:
        context.out.note(said.error)
    if not said.readings:
        context.out.line("no data at this moment")
        return
    rows = [
        [" ".join(f"{k}={v}" for k, v in sorted(r.labels.items())) or "–", show(r.value, r.unit),
         f"{rule.watch.op} {show(r.threshold, r.unit)}", "holds" if r.holds else ""]
        for r in sorted(said.readings, key=lambda r: (not r.holds, sorted(r.labels.items())))
    ]  # fmt: skip
    columns = [name("now, for"), number("value"), number("against"), Column("")]
    table(context.out, columns, rows[:_SHOWN])
    if len(rows) > _SHOWN:
        context.out.line(f"… and {len(rows) - _SHOWN} more")


def _check(context: Context) -> int:
    from tui_monitor.alerts.rules import check
    from tui_monitor.cli.rulecheck import compiled, engine_of, reasons, says

    reason = reasons(context) if context.args.now else None
    with engine_of(context) as engine:
        rules = compiled(context, engine)
        found = check(rules)
        asked = [rule for rule in rules if rule.watched] if context.args.now else []
        said = [says(context, rule, engine, reason) for rule in asked]
    fatal = [problem for problem in found if problem.fatal]

    def show_them() -> None:
        for problem in found:
            kind = "error" if problem.fatal else "note"
            context.out.note(f"{kind}: rule {clean(problem.rule)}:\n{problem.message}")
        own = sum(not rule.shipped for rule in rules)
        context.out.line(f"{len(rules)} rules, {own} of your own, {len(fatal)} with errors")
        for rule, one in zip(asked, said, strict=True):
            _show_holding(context, rule, one)
        if asked and not any(reading.holds for one in said for reading in one.readings):
            context.out.line("none holds at this moment")

    data: dict[str, object] = {"rules": len(rules), "problems": found}
    if context.args.now:
        data["now"] = [{"rule": o.rule, "holds": _holding(o), "error": o.error} for o in said]
    context.out.answer(data, show_them)
    return 1 if fatal else 0


def _holding(said: "Said") -> "list[Reading]":
    return [reading for reading in said.readings if reading.holds]


def _show_holding(context: Context, rule: "Rule", said: "Said") -> None:
    wait = rule.settings.for_
    when = f"if it holds for {format_duration(wait)}" if wait else "at once"
    for reading in _holding(said):
        context.out.line(clean(f"{rule.settings.severity.value}, {when}: {rule.name}: {reading.summary}"))
    if said.error:
        context.out.note(f"{rule.name}: {said.error}")
