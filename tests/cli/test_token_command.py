"""`token`: tokens are made, told once, shown, replaced and taken away."""

from tests.cli.conftest import Cli
from tui_monitor.config import places
from tui_monitor.model.clock import HOUR, ManualClock
from tui_monitor.server.named import NamedTokens, Used


def test_a_token_is_told_once(cli: Cli) -> None:
    made = cli("token", "add", "grafana", "--role", "read")
    assert made.code == 0
    assert "shown once" in made.err
    secret = made.out.strip()
    assert secret not in cli("token", "list").out
    found = NamedTokens(places.named_tokens_file()).find(secret)
    assert found is not None
    assert found.name == "grafana"


def test_the_list_says_what_each_may_and_when_it_was_used(cli: Cli, clock: ManualClock) -> None:
    cli("token", "add", "app", "--role", "push")
    used = Used(places.used_tokens_file())
    clock.advance(HOUR)
    used.note("app", clock.now())
    used.write()
    default, app = cli("token", "list", "--json").json["data"]
    assert default == {"name": "default", "role": "operate", "created": None, "last_used": None}
    assert app == {
        "name": "app",
        "role": "push",
        "created": "2026-03-18T12:00:00Z",
        "last_used": "2026-03-18T13:00:00Z",
    }
    assert "app      push     2026-03-18 12:00:00  2026-03-18 13:00:00" in cli("token", "list").out
    clock.advance(HOUR)
    cli("token", "rotate", "app")
    assert cli("token", "list", "--json").json["data"][1]["last_used"] is None


def test_rotating_and_removing(cli: Cli) -> None:
    default = cli("token").out.strip()
    fresh = cli("token", "rotate").out.strip()
    assert fresh != default
    assert cli("token").out.strip() == fresh
    old = cli("--json", "token", "add", "app", "--role", "operate").json["data"]["token"]
    new = cli("token", "rotate", "app").out.strip()
    tokens = NamedTokens(places.named_tokens_file())
    assert tokens.find(old) is None
    assert tokens.find(new) is not None
    assert cli("token", "remove", "app").out == "app opens nothing from now on\n"
    assert tokens.find(new) is None


def test_mistakes_are_told(cli: Cli) -> None:
    assert cli("token", "add", "app").code == 2
    assert cli("token", "add", "app", "--role", "root").code == 2
    assert cli("token", "remove", "app").code == 1
    nobody = cli("token", "url")
    assert (nobody.code, "no collector of" in nobody.err) == (1, True)
    assert "rotate" in cli("token", "remove", "default").err
    assert cli("token", "add", "default", "--role", "read").code == 2
