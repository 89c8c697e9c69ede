"""`rules`: list and check the alert rules of the configuration."""

from argparse import ArgumentParser
from typing import TYPE_CHECKING

from tui_monitor.cli.actions import actions
from tui_monitor.cli.context import Context
from tui_monitor.cli.options import examples
from tui_monitor.model.text import clean
from tui_monitor.model.timerange import format_duration

if TYPE_CHECKING:
    from tui_monitor.model.alert import RuleState


def arguments(parser: ArgumentParser) -> None:
    """What the verb takes."""
    verbs = actions(parser, default="list")
    verbs.add("list", "every rule with its expression and its open alerts")
    verbs.add("check", "say what is wrong with the rules; exit code 1 where one cannot be evaluated")
    examples(parser, "tui-monitor rules\ntui-monitor rules check")


def run(context: Context) -> int:
    """List or check."""
    return _check(context) if context.args.action == "check" else show_list(context)


def show_list(context: Context) -> int:
    """The rules, with how many alerts each has; raises `StoreError`."""
    from tui_monitor.cli.tables import Column, name, number, table

    view = context.ask(lambda monitor: monitor.alerts())
    columns = [
        name("rule"),
        Column("severity"),
        Column("for"),
        number("alerts"),
        Column("state"),
        name("expression"),
    ]

    def show_them() -> None:
        if not view.rules:
            context.out.line("no rules are configured")
            return
        table(context.out, columns, [_row(rule) for rule in view.rules])

    context.out.answer(view.rules, show_them)
    return 0


def _row(rule: "RuleState") -> list[str]:
    state = "broken" if rule.error else "on" if rule.enabled else "off"
    wait = format_duration(rule.for_us) if rule.for_us else "at once"
    return [rule.name, rule.severity.value, wait, str(rule.alerts), state, rule.expr]


def _check(context: Context) -> int:
    from tui_monitor.cli.rulecheck import problems

    settings = context.settings.alerts.rules
    found = problems(context)
    fatal = [problem for problem in found if problem.fatal]

    def show_them() -> None:
        for problem in found:
            kind = "error" if problem.fatal else "note"
            context.out.note(f"{kind}: rule {clean(problem.rule)}:\n{problem.message}")
        context.out.line(f"{len(settings)} rules, {len(fatal)} with errors")

    context.out.answer({"rules": len(settings), "problems": found}, show_them)
    return 1 if fatal else 0
