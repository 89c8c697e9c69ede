"""Questions to servers that lie, hang and drip: each ends within its deadline, and nothing leaks."""

import asyncio
import os
import socket
import time

import pytest
from pydantic import SecretStr

from tests.sources import loopback
from tests.sources.loopback import answer, serving
from tui_monitor.model.clock import SystemClock
from tui_monitor.model.errors import UsageError
from tui_monitor.model.unanswered import Unanswered
from tui_monitor.sources.probes.kinds import request_for
from tui_monitor.sources.probes.targets import Target
from tui_monitor.sources.web import Answer, Request, Web

KEY = "sk-" + "topsecret0123456789"
WITHIN = 0.3


@pytest.fixture
def ask(web: Web):
    def ask(url: str, **fields) -> Answer:
        headers = {"authorization": f"Bearer {KEY}"}
        return asyncio.run(web.get(Request(url, headers, **{"timeout": WITHIN, **fields})))

    return ask


@pytest.fixture
def why(ask):
    def why(url: str, **fields) -> str:
        with pytest.raises(Unanswered) as caught:
            ask(url, **fields)
        error = caught.value
        assert KEY not in f"{error!r} {error.words} {error.__cause__} {error.__context__!r}"
        return error.why

    return why


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (loopback.hang, "timeout"),
        (loopback.drip_headers, "timeout"),
        (loopback.drip_body, "timeout"),
        (loopback.endless, "too large"),
        (loopback.cut, "reset"),
        (loopback.no_http, "reset"),
        (loopback.slam, "reset"),
    ],
)
def test_every_lie_ends_in_time_and_has_a_name(why, handler, reason):
    with serving(handler) as server:
        began = time.monotonic()
        assert why(server.url) == reason
        assert time.monotonic() - began < WITHIN + 20.0


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://no-such-host.invalid/", "dns"),
        ("http://127.0.0.1:1/", "connect"),
        ("http://[::1", "request"),
        ("ftp://127.0.0.1/", "request"),
        ("http://a..b/", "dns"),
    ],
)
def test_what_cannot_be_reached_has_a_name(why, url, reason):
    assert why(url, timeout=3.0) == reason


def test_a_server_without_tls_is_named(why):
    with serving(answer({})) as server:
        assert why(server.url.replace("http:", "https:")) in ("tls", "reset", "timeout")


def test_headers_that_no_library_sends_are_not_repeated(web):
    request = Request("http://127.0.0.1:1/", {"authorization": KEY + "\r\nx: y"}, 1.0)
    with pytest.raises(Unanswered) as caught:
        asyncio.run(web.get(request))
    assert KEY not in str(caught.value)


def test_a_key_is_never_carried_to_another_address(ask, why):
    with serving(answer({})) as other, serving(answer(status=302, location=f"{other.url}/take")) as first:
        # Without leave no redirect is followed at all; with it, none to what is not https.
        assert ask(first.url).status == 302
        assert why(first.url, redirects=3) == "redirect"
        assert other.asked == []


def test_redirects_within_one_address_are_followed_a_few_times(ask):
    def handle(asked, conn):
        if asked.path == "/end":
            answer({"ok": 1})(asked, conn)
        else:
            answer(status=301, location="/end" if asked.path == "/a" else "/loop")(asked, conn)

    with serving(handle) as server:
        assert ask(f"{server.url}/a", redirects=3).body == b'{"ok": 1}'
        assert ask(f"{server.url}/loop", redirects=3).status == 301
        assert [asked.path for asked in server.asked].count("/loop") == 4


def test_a_connection_is_used_again_and_cookies_are_not():
    with serving(answer({}, set_cookie="tracker=1; path=/")) as server:

        async def run() -> None:
            async with Web(SystemClock()) as web:
                for _ in range(3):
                    await web.get(Request(server.url))

        asyncio.run(run())
    assert [asked.connection for asked in server.asked] == [1, 1, 1]
    assert all("cookie" not in asked.headers for asked in server.asked)
    assert server.asked[0].headers["user-agent"].startswith("tui-monitor/")
    assert server.asked[0].headers["accept-encoding"] == "identity"


def test_a_connection_that_the_other_side_closed_meanwhile_is_no_failure():
    def handle(asked, conn):
        if asked.connection == 1 and len(server.asked) == 2:
            conn.shutdown(socket.SHUT_RDWR)
        else:
            answer({})(asked, conn)

    with serving(handle) as server:

        async def run() -> list[int]:
            async with Web(SystemClock()) as web:
                return [(await web.get(Request(server.url))).status for _ in range(2)]

        assert asyncio.run(run()) == [200, 200]


def test_who_hangs_holds_up_nobody_else():
    def handle(asked, conn):
        (loopback.hang if asked.path == "/hang" else answer({}))(asked, conn)

    with serving(handle) as server:

        async def run() -> bool:
            async with Web(SystemClock(), at_once=2) as web:
                stuck = asyncio.create_task(web.get(Request(f"{server.url}/hang", timeout=60.0)))
                for _ in range(5):
                    await web.get(Request(server.url, timeout=1.0))
                waits = not stuck.done()
                stuck.cancel()
                await asyncio.gather(stuck, return_exceptions=True)
                return waits

        assert asyncio.run(run())


def test_leaving_ends_what_is_under_way():
    with serving(loopback.hang) as server:

        async def run() -> BaseException:
            async with Web(SystemClock()) as web:
                stuck = asyncio.create_task(web.get(Request(server.url, timeout=30.0)))
                await asyncio.sleep(0.1)
            (result,) = await asyncio.gather(stuck, return_exceptions=True)
            assert isinstance(result, BaseException)
            return result

        began = time.monotonic()
        assert isinstance(asyncio.run(run()), asyncio.CancelledError | Unanswered)
        assert time.monotonic() - began < 20.0


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch):
    """Asks once by a client of its own, with these variables in the environment and no other proxies."""

    def alone(environ: dict[str, str], request: Request) -> Answer:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        for name, value in environ.items():
            monkeypatch.setenv(name, value)

        async def run() -> Answer:
            async with Web(SystemClock()) as web:
                return await web.get(request)

        return asyncio.run(run())

    return alone


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_key_in_clear_goes_to_a_server_nearby_past_every_proxy(alone, variable):
    with serving(answer({"data": []})) as proxy:
        # Nobody listens at this address of the host: what is not refused went to the proxy.
        target = Target("vllm", "openai", "http://127.0.0.2:1/v1", "gpu", SecretStr(KEY))
        with pytest.raises(Unanswered) as caught:
            alone({variable: proxy.url}, request_for(target, 2.0))
        assert caught.value.why == "connect"
        assert proxy.asked == []
    outside = Target("openai", "openai", "https://10.0.0.7/v1", "gw", SecretStr(KEY))
    assert not request_for(outside, 2.0).direct


@pytest.mark.parametrize(
    "proxy", ["socks5://127.0.0.1:9", "ftp://bob:hunter2@x:1", "http://bob:hunter2@x:port"]
)
def test_a_proxy_that_cannot_be_used_is_named_and_stops_only_what_needs_it(alone, proxy):
    with serving(answer({})) as server:
        with pytest.raises(Unanswered, match="the proxy that the environment names cannot be used") as caught:
            alone({"ALL_PROXY": proxy}, Request("https://a.invalid/"))
        assert caught.value.why == "proxy"
        assert alone({"ALL_PROXY": proxy}, Request(server.url, direct=True)).status == 200


def test_certificates_that_cannot_be_read_are_named(alone):
    with pytest.raises(UsageError, match="SSL_CERT_FILE"):
        alone({"SSL_CERT_FILE": "/no/such/file"}, Request("https://a.invalid/"))
