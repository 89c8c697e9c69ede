"""Who may come in, as a rule on headers; the same over real sockets is in test_doors."""

import pytest

from tui_monitor.server.admission import known_host, own_origin


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:4319", "LOCALHOST:4319", "localhost.", "127.0.0.1", "127.0.0.1:4319",
        "127.8.9.1:80", "[::1]", "[::1]:4319", "monitor.lan", "monitor.lan:80", "192.0.2.7:4319",
    ],
)  # fmt: skip
def test_our_own_names(host: str) -> None:
    assert known_host(host, {"monitor.lan"}, ("192.0.2.7", 4319))


@pytest.mark.parametrize(
    "host",
    [
        "", "evil.example", "evil.example:4319", "localhost.evil.example", "127.0.0.1.evil.example",
        "192.0.2.8:4319", "localhost:80:80", "localhost:x", "[::1", "[::1]x", "user@localhost", "::1",
    ],
)  # fmt: skip
def test_names_that_are_not_ours(host: str) -> None:
    assert not known_host(host, {"monitor.lan"}, ("192.0.2.7", 4319))


def test_an_origin_is_ours_only_with_host_and_port() -> None:
    assert own_origin("http://127.0.0.1:4319", "127.0.0.1:4319")
    assert own_origin("HTTP://LocalHost:4319", "localhost:4319")
    for origin in (
        "null",
        "",
        "http://",
        "http://127.0.0.1:8080",
        "http://evil.example",
        "file://127.0.0.1:4319",
    ):
        assert not own_origin(origin, "127.0.0.1:4319"), origin
