"""Tokens with names: kept as digests, changed by many processes, gone at once."""

import stat
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_monitor.config.redact import Redactor
from tui_monitor.model.errors import MonitorError, NotFound, UsageError
from tui_monitor.server.named import NamedTokens, Used
from tui_monitor.server.roles import Role
from tui_monitor.server.tokens import offered_token


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens.json"


def test_the_secret_is_nowhere_in_the_file(path: Path) -> None:
    secret = NamedTokens(path).add("grafana", Role.READ, 5)
    assert len(secret) >= 43
    assert secret not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = NamedTokens(path).find(secret)
    assert found is not None
    assert (found.name, found.role, found.created) == ("grafana", Role.READ, 5)
    assert {it.name for it in path.parent.iterdir()} == {"tokens.json", "tokens.json.lock"}


def test_a_change_counts_at_once_for_who_has_the_file_open(path: Path) -> None:
    watching, changing = NamedTokens(path), NamedTokens(path)
    assert watching.find("anything") is None
    old = changing.add("app", Role.PUSH, 1)
    assert watching.find(old) is not None
    new = changing.rotate("app", 2)
    assert watching.find(old) is None
    found = watching.find(new)
    assert found is not None
    assert (found.role, found.created) == (Role.PUSH, 2)
    changing.remove("app")
    assert watching.find(new) is None
    path.unlink()
    assert watching.all() == ()


@pytest.mark.parametrize("name", ["", "default", "-x", "a b", "a/b", "ä", "x" * 65, "a\x1b[2J", "a\n"])
def test_names_that_cannot_be(path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        NamedTokens(path).add(name, Role.READ, 1)
    assert not path.exists()


def test_a_name_is_given_once_and_an_unknown_one_is_not_found(path: Path) -> None:
    tokens = NamedTokens(path)
    secret = tokens.add("app", Role.PUSH, 1)
    with pytest.raises(UsageError, match="already"):
        tokens.add("app", Role.OPERATE, 2)
    for act in (lambda: tokens.rotate("other", 2), lambda: tokens.remove("other")):
        with pytest.raises(NotFound):
            act()
    with pytest.raises(UsageError, match="default"):
        tokens.remove("default")
    found = tokens.find(secret)
    assert found is not None
    assert found.role is Role.PUSH


_NO_ROLE = b'{"tokens":[{"name":"a","role":"root","sha256":"x","created":1}]}'


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b'{"tokens":[1]}', _NO_ROLE])
def test_a_damaged_file_lets_nobody_in_and_is_not_written_over(path: Path, damaged: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(damaged)
    with pytest.raises(MonitorError, match=str(path)):
        NamedTokens(path).find("x")
    with pytest.raises(MonitorError, match="damaged"):
        NamedTokens(path).add("a", Role.READ, 1)
    assert path.read_bytes() == damaged


def test_processes_that_add_at_once_lose_none(path: Path) -> None:
    words = (
        "import sys; from pathlib import Path; from tui_monitor.server.named import NamedTokens\n"
        "from tui_monitor.server.roles import Role\n"
        "for n in range(10): NamedTokens(Path(sys.argv[1])).add(f'{sys.argv[2]}-{n}', Role.PUSH, n)"
    )
    running = [subprocess.Popen([sys.executable, "-c", words, str(path), f"p{i}"]) for i in range(3)]
    assert [process.wait(30) for process in running] == [0, 0, 0]
    assert len(NamedTokens(path).all()) == 30


def test_when_they_were_used_is_merged_with_what_others_wrote(tmp_path: Path) -> None:
    path = tmp_path / "used.json"
    one, two = Used(path), Used(path)
    one.note("a", 10)
    one.note("b", 1)
    two.note("a", 5)
    one.write()
    two.write()
    assert Used(path).read() == {"a": 10, "b": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_bytes(orjson.dumps({"a": "soon", "b": 3}))
    assert Used(path).read() == {"b": 3}
    path.write_bytes(b"{")
    assert Used(path).read() == {}


def test_one_that_got_into_a_log_is_taken_out(path: Path) -> None:
    secret = NamedTokens(path).add("app", Role.PUSH, 1)
    assert secret not in Redactor().clean(f"curl -u x {secret} failed")


@given(st.text(max_size=200) | st.binary(max_size=60).map(lambda data: "Basic " + data.decode("latin-1")))
def test_no_header_breaks_the_reading(header: str) -> None:
    offered = offered_token(header)
    assert offered is None or offered


@given(
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+/=", min_size=1),
    st.sampled_from(["Bearer", "bearer", "BEARER"]),
    st.integers(1, 3),
)
def test_what_is_offered_as_bearer_is_found(secret: str, scheme: str, spaces: int) -> None:
    assert offered_token(f"{scheme}{' ' * spaces}{secret}") == secret
