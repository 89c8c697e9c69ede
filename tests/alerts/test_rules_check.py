"""What is told about a rule before it runs, and the sentences that alerts say."""

import re
import tomllib
from pathlib import Path

from tui_monitor.alerts.rules import Problem, compile_rules
from tui_monitor.alerts.rules import check as check_rules
from tui_monitor.alerts.template import default_summary, fill, unfillable
from tui_monitor.config.settings import Alerts, RuleSettings


def check(settings: list[RuleSettings], engine) -> list[Problem]:
    return check_rules(compile_rules(settings, engine))


def rule(**fields: object) -> RuleSettings:
    return RuleSettings.model_validate({"name": "r", "expr": "error_rate{} [5m] > 5%", **fields})


def test_good_rules_have_no_problems(engine):
    exprs = [
        "error_rate{} [5m] by(provider) > 0.05",
        'latency{provider="claude"} [10m] p95 by(model) >= 8s',
        "cost{} [today] sum > 20",
        "requests{} [5m] sum < 1",
        "avg(latency) > 2000",
    ]
    assert check([rule(name=str(i), expr=expr) for i, expr in enumerate(exprs)], engine) == []


def test_problems_name_the_rule_and_point_at_the_place(engine):
    rules = [
        rule(name="typo", expr="latancy{} [5m] p95 > 2000"),
        rule(name="off", expr="error_rate{} [5m]", enabled=False),
        rule(name="place", summary="{{ $labels.provider }} {{ $lables.model }} {{ query }}"),
    ]
    typo, off, *places = check(rules, engine)
    assert (typo.rule, typo.fatal) == ("typo", True)
    lines = typo.message.splitlines()
    assert lines[0].startswith("latancy")
    assert lines[1].startswith("^^^^^^^")
    assert (off.rule, off.fatal) == ("off", True)
    assert [(p.rule, p.fatal) for p in places] == [("place", False), ("place", False)]
    assert "{{ $lables.model }}" in places[0].message


def test_the_examples_of_the_documentation_have_no_problems(engine):
    page = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    examples = "".join(re.findall(r"```toml\n(.*?)```", page, re.DOTALL))
    settings = Alerts.model_validate(tomllib.loads(examples)["alerts"])
    assert len(settings.rules) == 3
    assert check(settings.rules, engine) == []


def test_an_error_shows_no_control_characters(engine):
    (problem,) = check([rule(expr="error\x1b[31m_rate{} > 5%")], engine)
    assert "\x1b" not in problem.message


def test_a_sentence_is_filled_with_values_in_their_unit():
    labels = {"provider": "openai"}
    assert fill("{{ $labels.provider }}: {{$value}} > {{ $threshold }}", labels, 2140.0, 2000.0, "ms") == (
        "openai: 2.14 s > 2.00 s"
    )
    assert fill("{{ $labels.model }} costs {{ $value }}", labels, 3.2, None, "usd") == "– costs $3.20"
    assert fill("{{ $else }} stays", labels, 1, 1, "") == "{{ $else }} stays"
    assert unfillable("{{ $value }} {{ $labels.a }} {{ $labels.a-b }} {{ 1 }}") == [
        "{{ $labels.a-b }}",
        "{{ 1 }}",
    ]


def test_a_label_cannot_bring_a_place_or_control_characters_into_the_sentence():
    labels = {"model": "{{ $value }}\x1b[2J", "user": "a" * 5000}
    assert fill("{{ $labels.model }}", labels, 7, 1, "") == "{{ $value }}[2J"
    assert len(fill("{{ $labels.user }}", labels, 7, 1, "")) == 500


def test_without_a_sentence_the_alert_says_the_comparison():
    labels = {"provider": "openai", "model": ""}
    assert default_summary("errors", labels, 0.072, ">", 0.05, "ratio") == (
        "errors: 7.2 % > 5.0 % for provider=openai"
    )
    assert default_summary("idle", {}, 0, "<", 1, "requests") == "idle: 0 < 1"


def test_the_mark_stands_under_the_place(engine) -> None:
    (rule,) = compile_rules([RuleSettings(name="r", expr="latency{} [5m] p95 >> 3")], engine)
    text, mark = rule.error.splitlines()[:2]
    assert text == "latency{} [5m] p95 >> 3"
    assert mark.index("^") == text.rindex(">")
