"""The token: made once, private, replaced at once."""

import base64
import stat
from pathlib import Path

import pytest

from tui_monitor.model.errors import MonitorError
from tui_monitor.server.tokens import TokenFile, offered_token, read_or_make, replace


def test_is_made_at_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token"
    token = read_or_make(path)
    assert len(token) >= 43
    assert read_or_make(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    path.chmod(0o644)
    assert read_or_make(path) == "secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_file_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("")
    token = TokenFile(path)
    assert not token.is_it("")
    assert not token.is_it("x")
    assert token.is_it(path.read_text().strip())


def test_a_replaced_token_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "token"
    file = TokenFile(path)
    old = file.value()
    new = replace(path)
    assert new != old
    assert file.is_it(new)
    assert not file.is_it(old)


def test_a_directory_in_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(MonitorError, match=str(tmp_path)):
        read_or_make(tmp_path)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer   abc ", "abc"),
        ("Basic " + base64.b64encode(b"anyone:abc").decode(), "abc"),
        ("Basic " + base64.b64encode(b"anyone:a:c").decode(), "a:c"),
        ("Basic " + base64.b64encode(b"anyone").decode(), None),
        ("Basic ***", None),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), None),
        ("Digest abc", None),
        ("abc", None),
        ("", None),
    ],
)
def test_the_secret_of_a_header(header: str, token: str | None) -> None:
    assert offered_token(header) == token
