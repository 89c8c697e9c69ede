"""What commands show of known data, as tables and as JSON."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.conftest import Cli, call, write_lines
from tui_monitor.cli import costs
from tui_monitor.config import places
from tui_monitor.model.clock import SECOND, ManualClock
from tui_monitor.query.language import quote

HOSTILE = ("[/foo]", "[@click=app.quit]x[/]", "\x1b]0;title\x07\x1b[31mred\x9b5n", "x" * 5_000, "日本語" * 10)


def test_status_without_a_database_says_how_to_feed_it(cli: Cli) -> None:
    ran = cli("status")
    assert (ran.code, ran.out) == (3, "")
    assert str(places.database_file()) in ran.err
    assert "tui-monitor import" in ran.err
    assert cli("--json", "status").json["errorType"] == "unavailable"


def test_other_questions_without_a_database_fail_with_a_hint(cli: Cli) -> None:
    for words in (["costs"], ["query", "requests{}"], ["alerts"], ["import", "list"]):
        ran = cli(*words)
        assert (ran.code, ran.out) == (1, "")
        assert "tui-monitor import" in ran.err
    assert not places.database_file().exists()


def test_status_shows_providers_spend_alerts_cache_and_limits(fed: Cli) -> None:
    ran = fed("status")
    assert ran.code == 2
    lines = ran.out.splitlines()
    anthropic = next(line for line in lines if line.startswith("anthropic"))
    assert "● healthy" in anthropic
    assert "$20.00" in anthropic
    openai = next(line for line in lines if line.startswith("openai"))
    assert "✖ unavailable" in openai
    assert "0 % [LOW]" in openai
    assert any(line.startswith("today") and "$20.00" in line for line in lines)
    assert any(line.startswith("this week") and "$23.00" in line for line in lines)
    assert "no active alerts" in lines
    assert any(line.startswith("cache hit rate") for line in lines)
    assert lines[-1] == "rate limits: none reported"


def test_status_in_json(fed: Cli) -> None:
    ran = fed("--json", "status")
    assert ran.code == 2
    data = ran.json["data"]
    assert (ran.json["status"], data["health"], data["severity"]) == ("success", "unavailable", 2)
    assert {row["provider"]: row["requests"] for row in data["providers"]["rows"]} == {
        "anthropic": 40.0,
        "openai": 20.0,
    }


def test_costs_by_any_dimension(fed: Cli) -> None:
    ran = fed("costs", "--by", "user", "--period", "today")
    lines = ran.out.splitlines()
    ana = next(line for line in lines if line.startswith("ana"))
    assert ana.split()[1:4] == ["40", "40.0", "k"]
    assert "$20.00" in ana
    assert "20 unpriced" in next(line for line in lines if line.startswith("bob"))
    month = fed("costs", "--json").json
    assert [spend["cost"] for spend in month["data"]["spends"]] == [20.0, 23.0, 23.0]
    assert month["data"]["projection"] is None
    assert any("no projection yet" in warning for warning in month["warnings"])
    assert "not a label" in fed("costs", "--by", "a b").err


def test_budgets_show_how_much_is_used(fed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAILY_BUDGET", "16")
    ran = fed("costs")
    assert "125.0 %" in next(line for line in ran.out.splitlines() if line.startswith("daily"))
    plain = fed("costs", "--plain").out
    assert "█" not in plain
    assert plain.replace("–", "").isascii() or "日本" in plain


def test_charts_are_drawn_in_text(fed: Cli) -> None:
    chart = fed("query", "requests{} by(provider)", "--range", "1h", "--chart").out
    assert "┼──" in chart
    assert "● anthropic 29" in chart
    assert any("⠀" < sign <= "⣿" for sign in chart), "lines of dots, as on the screen"
    ran = fed("costs", "--chart", "--by", "provider")
    assert "18 Mar" in ran.out
    ticks = [line.partition("┤")[0].strip() for line in chart.splitlines() if "┤" in line]
    assert ticks == ["30", "20", "10"]
    assert "no data in this range" in fed("query", "ttft{}", "--range", "1h", "--chart").out


def test_a_chart_draws_the_largest(cli: Cli, clock: ManualClock, tmp_path: Path) -> None:
    rows = [
        call(clock, 100 * n + k, (1 + 20 * k) * SECOND, user=f"u{n:02}", cost_usd=0.1)
        for n in range(10)
        for k in range(n + 2)
    ]
    rows.append(call(clock, 5000, SECOND, user="once", cost_usd=0.15))
    assert cli("import", str(write_lines(tmp_path / "t.jsonl", rows))).code == 0
    named = [f"u{n:02}" for n in range(9, 1, -1)]
    for command in (
        ("query", "cost{} [1h] sum by(user)", "--range", "1h", "--chart"),
        ("metrics", "cost", "--group-by", "user", "--range", "1h", "--chart"),
    ):
        ran = cli(*command)
        # Beside the ends of the lines, in their order.
        assert sorted(re.findall(r"\b(u\d\d|once) .* peak ", ran.out)) == sorted(named), command


def test_a_plain_chart_is_figures_for_who_listens(fed: Cli) -> None:
    for command in (
        ("query", "requests{} by(provider)", "--range", "1h", "--chart"),
        ("metrics", "requests", "--range", "1h", "--chart"),
        ("costs", "--chart", "--by", "provider"),
    ):
        plain = fed(*command, "--plain").out
        assert not any(0x2500 <= ord(c) <= 0x28FF for c in plain), plain
    table = fed("query", "requests{} by(provider)", "--range", "1h", "--chart", "--plain").out.splitlines()
    assert table[0].split() == ["time", "anthropic", "openai"]
    assert len(table) <= 30
    assert any(line.split()[2:] == ["40", "20"] for line in table)


def test_a_long_name_does_not_make_a_table_wide(cli: Cli, clock: ManualClock, tmp_path: Path) -> None:
    rows = [call(clock, 1, SECOND, user="日" * 250), call(clock, 2, SECOND, user="x" * 250)]
    assert cli("import", str(write_lines(tmp_path / "t.jsonl", rows))).code == 0
    lines = cli("costs", "--by", "user").out.splitlines()
    assert max(map(cell_len, lines)) <= 280
    assert sum("…" in line for line in lines) == 2
    data = cli("costs", "--by", "user", "--json").json["data"]
    assert {len(row["name"]) for row in data["rows"]} == {250}


def test_metrics_build_the_short_form_safely(fed: Cli) -> None:
    ran = fed("--json", "metrics", "requests", "--provider", "claude", "--group-by", "model", "--range", "1h")
    data = ran.json["data"]
    assert data["query"] == 'requests{provider="anthropic"} [1h] by(model)'
    assert data["result"][0]["value"][1] == "40"
    hostile = fed("--json", "metrics", "requests", "--model", 'x"} or {y="\\')
    assert hostile.json["data"]["result"] in ([], [{"metric": {}, "value": [1773835200.0, "0"]}])


def test_latency_comes_with_its_spread(fed: Cli) -> None:
    ran = fed("metrics", "latency", "--provider", "anthropic", "--format", "chart")
    titles, figures = ran.out.splitlines()[-2:]
    assert titles.split() == ["p50", "p95", "p99", "avg", "min", "max"]
    assert figures.split()[-4:] == ["1.00", "s", "1.04", "s"]
    (row,) = fed("metrics", "latency", "--provider", "anthropic", "--format", "json").json["data"]["result"]
    assert row["min"] == 1000
    assert row["avg"] == pytest.approx(1019.5)
    assert row["p50"] == pytest.approx(1019.5, rel=0.01)


def test_metrics_alone_lists_them(fed: Cli) -> None:
    names = {entry["name"] for entry in fed("--json", "metrics").json["data"]}
    assert {"latency", "cost", "error_rate", "cache_hit_rate"} <= names


def test_query_as_a_table_at_a_moment_and_over_time(fed: Cli) -> None:
    now = fed("query", "requests{} [1h] by(provider)").out.splitlines()
    assert [line.split() for line in now] == [["provider", "requests"], ["anthropic", "40"], ["openai", "20"]]
    earlier = fed("query", "requests{} [1h]", "--at", "2026-03-17T16:00:00Z").out.splitlines()
    assert earlier[-1].strip() == "1"
    assert fed("query", "requests{} [1h]", "--at", "20h").out.splitlines()[-1].strip() == "1"
    over = fed("query", "requests{}", "--range", "24h", "--step", "1h").out.splitlines()
    assert len(over) == 25
    assert over[-1].split() == ["2026-03-18", "12:00:00", "60"]


def test_an_error_points_at_its_place(fed: Cli) -> None:
    ran = fed("query", "latancy{} [1h]")
    assert ran.code == 1
    assert ran.err.splitlines()[:2] == [
        "latancy{} [1h]",
        '^^^^^^^ unknown metric "latancy", did you mean latency?',
    ]
    told = fed("--json", "query", "latancy{} [1h]").json
    assert (told["errorType"], told["position"], told["length"]) == ("bad_data", 0, 7)


def test_wide_names_stay_aligned(fed: Cli) -> None:
    from rich.cells import cell_len

    lines = fed("costs", "--by", "model").out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("model"))
    title, *rows = lines[at : at + 3]
    ends = {cell_len(row[: row.index(" k", 20)]) for row in rows}
    assert cell_len(title[: title.index("out")]) > 0
    assert len(ends) == 1, rows


@pytest.mark.parametrize("name", HOSTILE)
def test_text_from_outside_is_only_text(
    cli: Cli, clock: ManualClock, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [call(clock, n, SECOND, provider=name, model=name, user=name, status="error") for n in range(20)]
    assert cli("import", str(write_lines(tmp_path / "h.jsonl", rows)), "--batch", name).code == 0
    monkeypatch.setenv("TERM", "xterm-256color")
    for words in (
        ["status"], ["costs", "--by", "user", "--chart"],
        ["metrics", "latency", "--group-by", "model", "--chart"],
        ["query", "requests{} by(model)"], ["query", "requests{} by(model)", "--range", "1h", "--chart"],
        ["query", "requests{} by(model)", "--range", "1h", "--step", "30m"],
        ["query", f"requests{{}} by({quote(name[:60])})"],
        ["query", "--explain", f"requests by({quote(name[:60])})"],
        ["import", "list"], ["alerts", "history", name], ["alerts", "ack", name], ["prices", "show", name],
        ["query", f"requests{{model={name}}}"], ["import", "undo", name + "?"],
    ):  # fmt: skip
        ran = cli(*words)
        said = ran.out + ran.err
        assert "\x1b" not in said
        assert "\x9b" not in said
        assert all(character == "\n" or character.isprintable() for character in said), words
        assert "unexpected error" not in said
        assert max(len(line) for line in said.splitlines()) <= 4_100


def test_a_terminal_gets_colour_and_its_width(
    fed: Cli, monkeypatch: pytest.MonkeyPatch, clock: ManualClock
) -> None:
    import io

    from tui_monitor.cli.main import run

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def shown() -> str:
        screen = Terminal()
        with monkeypatch.context() as patch:
            patch.setattr("sys.stdout", screen)
            assert run(["status"], clock) == 2
        return screen.getvalue()

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    assert "\x1b[31m" in shown()
    monkeypatch.setenv("NO_COLOR", "1")
    text = shown()
    assert "\x1b" not in text
    table = [line for line in text.splitlines() if line.startswith(("provider", "anthropic", "openai"))]
    assert len(table) == 3
    assert all(len(line) <= 60 for line in table)
    assert table[1].split() == ["openai", "✖", "unavailable", "1.12", "s", "0", "%", "[LOW]", "–"]
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown()


def test_a_locale_without_unicode_gets_ascii(fed: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    for words in (["status"], ["costs", "--chart"], ["metrics", "latency", "--chart"]):
        ran = fed(*words)
        assert (ran.out + ran.err).isascii(), words
        assert "?" not in ran.out.replace("??????", ""), words
    assert "日本語モデル" in fed("--json", "costs").out


def test_saved_queries_are_listed_and_asked(cli: Cli) -> None:
    text = 'requests{provider="anthropic"} [1h] by(model)'
    assert cli("query", "--saved").out.startswith("no query is saved")
    assert "saved as mine" in cli("query", "--save", "mine", text).out
    assert cli("--json", "query", "--saved").json["data"] == {"mine": text}
    assert cli("query", "--saved").out == f"mine  {text}\n"
    assert (
        cli("--json", "query", "--saved", "mine", "--explain").out
        == cli("--json", "query", text, "--explain").out
    )
    ran = cli("query", "--saved", "mien")
    assert ran.code == 2
    assert "no query is saved as mien, did you mean mine?" in ran.err
    for words in (["--save", "x"], ["--saved", "mine", text], ["--save", "x", "--saved", "y", text]):
        assert cli("query", *words).code == 2


@pytest.mark.parametrize(
    ("cost", "previous", "said"),
    [
        (997.7, 1000.0, "="),
        (5.0, 0.0, "new"),
        (107.0, 100.0, "+7 %"),
        (90.0, 100.0, "-10 %"),
        (5.0, None, "–"),
    ],
)
def test_the_change_of_a_spend_is_that_of_the_screen(cost: float, previous: float | None, said: str) -> None:
    assert costs.changed(cost, previous) == said
