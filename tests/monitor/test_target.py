"""Where one attaches: addresses, tokens that stay secret, and what is not done without being asked for."""

import os
from pathlib import Path

import pytest

from tui_monitor.model.errors import UsageError
from tui_monitor.monitor.target import VARIABLE, target

TOKEN = "tuim_0123456789"
ENV = {VARIABLE: TOKEN}


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("url", "base", "place"),
    [
        ("https://box.example", "https://box.example:443", "box.example:443"),
        ("https://box.example:4319/", "https://box.example:4319", "box.example:4319"),
        ("http://127.0.0.1", "http://127.0.0.1:4319", "127.0.0.1:4319"),
        ("http://localhost:9/", "http://localhost:9", "localhost:9"),
        ("http://[::1]:9", "http://[::1]:9", "[::1]:9"),
        ("https://box/tools/monitor/", "https://box:443/tools/monitor", "box:443"),
    ],
)
def test_addresses(url: str, base: str, place: str) -> None:
    found = target(url, None, None, environ=ENV)
    assert (found.url, found.place, found.token, found.clear) == (base, place, TOKEN, False)


@pytest.mark.parametrize(
    "url", ["", "box", "box:4319", "ftp://box", "https://", "https://box:0", "https://box:x", "https://box/?a=b",
            "https://box/#a", "http://[::1", "https://box:99999"],
)  # fmt: skip
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(UsageError, match="--attach"):
        target(url, None, None, environ=ENV)


@pytest.mark.parametrize(
    "url", ["https://ana:hunter2@box", "https://hunter2@box", "http://:hunter2@127.0.0.1"]
)
def test_a_password_in_the_address_is_not_taken_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="password") as told:
        target(url, None, None, environ=ENV)
    assert "hunter2" not in str(told.value) + str(told.value.hint)
    assert "--token-file" in str(told.value.hint)


def test_a_token_does_not_travel_in_clear_unless_asked_for() -> None:
    with pytest.raises(UsageError, match="in clear") as told:
        target("http://box:4319", None, None, environ=ENV)
    assert "ssh -L" in str(told.value.hint)
    assert target("http://box:4319", None, None, insecure=True, environ=ENV).clear


def test_the_file_wins_over_the_variable(token_file: Path) -> None:
    token_file.write_text("another")
    assert target("https://box", token_file, None, environ=ENV).token == "another"


def test_a_token_is_needed_and_never_shown(token_file: Path) -> None:
    with pytest.raises(UsageError, match="no token"):
        target("https://box", None, None, environ={})
    assert TOKEN not in repr(target("https://box", token_file, None, environ={}))


@pytest.mark.parametrize("token", ["two words", "smörgås", "a\nb", "a\x07b"])
def test_what_is_no_token(token: str, token_file: Path) -> None:
    with pytest.raises(UsageError, match="no token") as told:
        target("https://box", None, None, environ={VARIABLE: token})
    assert token not in str(told.value)
    token_file.write_text(token, encoding="utf-8")
    with pytest.raises(UsageError):
        target("https://box", token_file, None, environ={})


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o622, 0o666])
def test_a_token_that_others_can_read_is_not_taken(mode: int, token_file: Path) -> None:
    token_file.chmod(mode)
    with pytest.raises(UsageError, match="others can read") as told:
        target("https://box", token_file, None, environ={})
    assert TOKEN not in str(told.value)


def test_what_is_no_token_file(tmp_path: Path, token_file: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        target("https://box", tmp_path / "none", None, environ={})
    with pytest.raises(UsageError):
        target("https://box", tmp_path, None, environ={})
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(UsageError, match="no file"):
        target("https://box", tmp_path / "pipe", None, environ={})
    token_file.write_text("x" * 20_000)
    with pytest.raises(UsageError, match="no token in"):
        target("https://box", token_file, None, environ={})
    token_file.write_text("")
    with pytest.raises(UsageError, match="no token in"):
        target("https://box", token_file, None, environ={})


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    bad = tmp_path / "ca.pem"
    bad.write_text("no certificate")
    for path in (bad, tmp_path / "none.pem"):
        with pytest.raises(UsageError, match="certificates"):
            target("https://box", None, path, environ=ENV).context()
    assert target("http://127.0.0.1", None, bad, environ=ENV).context() is None
    assert target("https://box", None, None, environ=ENV).context() is not None
