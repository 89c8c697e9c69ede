"""`dashboards`: made, edited, checked and shown, each panel by itself."""

import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tui_monitor.config import places

BOARD = """title = "Mine"
[[panels]]
title = "calls"
widget = "stat"
query = "requests{} [1h]"
thresholds = [{ value = 30, level = "critical", name = "many" }]
[[panels]]
title = "slip"
query = "latncy{} p95"
[[panels]]
title = "theirs"
query = "pg_up{}"
needs = "postgres_exporter"
[[panels]]
title = "by provider"
widget = "table"
queries = { good = 'requests{status="success"} by(provider)', bad = 'requests{status="error"} by(provider)' }
[[panels]]
title = "over time"
widget = "bars"
query = "requests{} by(provider)"
range = "2h"
[[panels]]
title = "alerts"
widget = "alerts"
needs = "nothing"
"""


@pytest.fixture
def mine() -> Path:
    """A board of one's own."""
    path = places.config_file().parent / "dashboards" / "mine.toml"
    path.parent.mkdir(parents=True)
    path.write_text(BOARD)
    return path


def test_new_writes_once(cli: Cli) -> None:
    assert cli("dashboards", "new", "team", "--like", "users").code == 0
    ran = cli("dashboards", "new", "team")
    assert (ran.code, "is there already" in ran.err) == (2, True)
    assert cli("dashboards", "new", "../evil").code == 2
    assert cli("dashboards", "new", "plain").code == 0
    found = {board["name"]: board for board in cli("dashboards", "--json").json["data"]}
    assert (found["team"]["shipped"], found["users"]["shipped"]) == (False, True)
    assert found["team"]["panels"] == found["users"]["panels"]
    # Two of the same title could not be told apart.
    assert (found["team"]["title"], found["users"]["title"]) == ("Team", "Users")
    assert cli("dashboards", "check").code == 0


def test_check_points_into_the_query(fed: Cli, mine: Path) -> None:
    ran = fed("dashboards", "check", "mine")
    assert ran.code == 1
    assert f"{mine}:9: slip" in ran.out
    assert "  latncy{} p95\n  ^^^^^^ unknown metric" in ran.out
    assert "nobody has sent pg_up yet" in ran.err
    mine.write_text("title = 3")
    ran = fed("dashboards", "check", "mine")
    assert (ran.code, f"{mine}:1: title" in ran.out) == (1, True)
    assert fed("dashboards", "show", "mine").code == 2
    assert f"{mine}:1" in fed("dashboards", "list").out


def test_edit_opens_a_copy_and_checks_it(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "editor.py"
    script.write_text("import sys; p = sys.argv[1]; t = open(p).read(); open(p, 'w').write(t + 'x = 1\\n')")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.delenv("VISUAL", raising=False)
    ran = cli("dashboards", "edit", "agents")
    assert (ran.code, "unknown key panels[10].x" in ran.out) == (1, True)
    assert (places.config_file().parent / "dashboards" / "agents.toml").exists()
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    assert cli("dashboards", "edit", "users").code == 1


def test_show_gives_each_panel_by_itself(fed: Cli, mine: Path) -> None:
    ran = fed("dashboards", "show", "mine")
    assert ran.code == 0
    parts = ran.out.split("\n\n")
    assert parts[0].startswith("CALLS  1H")
    assert ("60" in parts[0], "many" in parts[0]) == (True, True)
    assert "^^^^^^ unknown metric" in parts[1]
    assert "no data in this time range – needs postgres_exporter" in parts[2]
    assert "good anthropic" in parts[3]
    assert "bad openai" in parts[3]
    assert parts[4].startswith("OVER TIME  2H")
    assert "no alert is open" in parts[5]
    assert "nothing" not in parts[5]


def test_numbers_are_those_of_the_query(fed: Cli, mine: Path) -> None:
    panels = fed("dashboards", "show", "mine", "--json").json["data"]["panels"]
    alone = fed("query", "requests{} [1h]", "--json").json["data"]["result"]
    assert panels[0]["result"] == alone
    assert (panels[2]["needs"], panels[2].get("result", [])) == ("postgres_exporter", [])
    assert panels[1]["error"]["position"] == 0
    assert {row["metric"]["series"] for row in panels[3]["result"]} == {"good", "bad"}


def test_a_range_in_words(fed: Cli, mine: Path) -> None:
    def table(length: str) -> list[tuple[object, str]]:
        panels = fed("dashboards", "show", "mine", "--range", length, "--json").json["data"]["panels"]
        return [(row["metric"], row["value"][1]) for row in panels[3]["result"]]

    assert table("today") == table("12h") != table("yesterday")
    assert fed("dashboards", "show", "mine", "--range", "tomorow").code == 2


def test_every_shipped_board_answers_on_an_empty_database(fed: Cli) -> None:
    for name in ("application", "database", "agents", "users", "executive"):
        panels = fed("dashboards", "show", name, "--json").json["data"]["panels"]
        broken = [panel for panel in panels if not panel.get("error", {"unknown": True})["unknown"]]
        assert broken == []
