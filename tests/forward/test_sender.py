"""What a receiver's answers lead to: taken, tried again, waited for as it asks, or given up."""

import asyncio
import base64
import http.server
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from tui_monitor.config.forwarding import Forward, ForwardReceiver
from tui_monitor.forward import sender as sending
from tui_monitor.forward.queue import Queue
from tui_monitor.forward.sender import Sender, asked_to_wait, backoff
from tui_monitor.forward.wire import Line, packed, unpacked
from tui_monitor.model.clock import SECOND, SystemClock
from tui_monitor.model.errors import UsageError

Say = tuple[int, dict[str, str], bytes]
OK: Say = (204, {}, b"")


@dataclass
class Receiver:
    """A server that answers as it is told, and keeps what it was sent."""

    port: int
    say: Callable[[int], Say]
    """The answer to each request, by its number from 0."""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/write"


@contextmanager
def receiving(say: Callable[[int], Say] = lambda _: OK) -> Iterator[Receiver]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            number = len(receiver.got)
            receiver.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            status, headers, said = receiver.say(number)
            with suppress(OSError):
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(said))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver = Receiver(server.server_port, say)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT", 0.01)


@pytest.fixture
def queue(tmp_path: Path) -> Queue:
    return Queue(tmp_path / "q", 1_000_000, ["a"])


async def sent(queue: Queue, settings: ForwardReceiver, *, until: Callable[[Sender], bool]) -> Sender:
    """Send until something holds."""
    sender = Sender(settings, queue, SystemClock(), lambda: None, {"TOKEN": "s3cret-token"})
    await sender.refresh()
    async with asyncio.timeout(10):
        task = asyncio.create_task(sender.run())
        try:
            while not until(sender):
                await asyncio.sleep(0.005)
                if task.done():
                    task.result()
                await sender.refresh()
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError, UsageError):
                await task
    return sender


def empty(sender: Sender) -> bool:
    return not sender.state.standing.waiting_samples


async def test_what_waits_comes_in_order_with_the_headers_of_the_protocol(queue: Queue):
    queue.put([(1, 1, b"one"), (2, 1, b"two"), (3, 1, b"three")], {}, {})
    with receiving() as receiver:
        settings = ForwardReceiver(
            url=receiver.url, name="a", bearer_token_env="TOKEN", tenant="me", tenant_header="X-Org"
        )
        sender = await sent(queue, settings, until=empty)
    assert [body for _, body in receiver.got] == [b"one", b"two", b"three"]
    headers = receiver.got[0][0]
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["content-encoding"] == "snappy"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert headers["user-agent"].startswith("tui-monitor/")
    assert headers["authorization"] == "Bearer s3cret-token"
    assert headers["x-org"] == "me"
    assert sender.state.standing.sent == 3


async def test_basic_credentials(queue: Queue):
    queue.put([(1, 1, b"one")], {}, {})
    with receiving() as receiver:
        settings = ForwardReceiver(url=receiver.url, name="a", username="u", password=SecretStr("p:w"))
        await sent(queue, settings, until=empty)
    kind, _, pair = receiver.got[0][0]["authorization"].partition(" ")
    assert (kind, base64.b64decode(pair)) == ("Basic", b"u:p:w")


async def test_after_an_error_of_the_server_it_comes_again_first(queue: Queue):
    queue.put([(1, 1, b"one"), (2, 1, b"two")], {}, {})
    with receiving(lambda number: (503, {}, b"starting up") if number < 3 else OK) as receiver:
        settings = ForwardReceiver(url=receiver.url, name="a")
        broken = await sent(queue, settings, until=lambda sender: bool(sender.state.error))
        assert broken.state.error == "HTTP 503: starting up"
        assert broken.state.again is not None
        sender = await sent(queue, settings, until=empty)
    bodies = [body for _, body in receiver.got]
    assert bodies[-2:] == [b"one", b"two"]
    assert set(bodies[:-1]) == {b"one"}
    assert (sender.state.standing.sent, sender.state.error) == (2, "")


async def test_it_waits_as_long_as_it_is_asked_to(queue: Queue, monkeypatch: pytest.MonkeyPatch):
    slept: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    queue.put([(1, 1, b"one")], {}, {})
    answers: list[Say] = [(429, {"retry-after": "7"}, b""), (503, {"retry-after": "3"}, b"")]
    with receiving(lambda number: answers[number] if number < 2 else OK) as receiver:
        monkeypatch.setattr(sending.asyncio, "sleep", noted)
        await sent(queue, ForwardReceiver(url=receiver.url, name="a"), until=empty)
    assert [seconds for seconds in slept if seconds >= 1] == [7.0, 3.0]


@pytest.mark.parametrize("status", [400, 409, 413, 422])
async def test_what_is_refused_for_good_is_dropped_and_told(queue: Queue, status: int):
    queue.put([(1, 5, b"bad"), (2, 1, b"good")], {}, {})

    def say(number: int) -> Say:
        return (status, {}, b"out of order sample, Bearer s3cret-token\nmore") if number == 0 else OK

    with receiving(say) as receiver:
        settings = ForwardReceiver(url=receiver.url, name="a", bearer_token_env="TOKEN")
        seen: list[str] = []
        sender = Sender(
            settings, queue, SystemClock(), lambda: seen.append(sender.state.error), {"TOKEN": "s3cret-token"}
        )
        async with asyncio.timeout(10):
            task = asyncio.create_task(sender.run())
            while len(receiver.got) < 2 or sender.state.standing.waiting_samples or not sender.state.taken:
                await asyncio.sleep(0.005)
                await sender.refresh()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    standing = sender.state.standing
    assert (standing.refused, standing.sent) == (5, 1)
    assert seen[0].startswith(f"HTTP {status}: out of order sample")
    assert "s3cret" not in "".join(seen)


async def test_a_server_that_hangs_or_is_not_there_is_tried_again(queue: Queue):
    queue.put([(1, 1, b"one")], {}, {})
    release = threading.Event()

    def say(number: int) -> Say:
        if number == 0:
            release.wait(10)
        return OK

    with receiving(say) as receiver:
        settings = ForwardReceiver.model_validate({"url": receiver.url, "name": "a", "timeout": "100ms"})
        sender = await sent(queue, settings, until=lambda sender: sender.state.failures > 0)
        assert "no answer within" in sender.state.error
        release.set()
        await sent(queue, settings, until=empty)
        port = receiver.port
    queue.put([(2, 1, b"two")], {}, {})
    gone = ForwardReceiver(url=f"http://127.0.0.1:{port}", name="a")
    sender = await sent(queue, gone, until=lambda sender: sender.state.failures > 1)
    assert "refused" in sender.state.error
    assert sender.state.standing.waiting_samples == 1


async def test_redirects_are_followed_without_credentials_to_no_other_host(queue: Queue):
    queue.put([(1, 1, b"one")], {}, {})
    with receiving() as other, receiving() as receiver:
        receiver.say = lambda number: (
            (308, {"location": "/here"}, b"") if number == 0 else (307, {"location": other.url}, b"")
        )
        settings = ForwardReceiver(url=receiver.url, name="a", bearer_token_env="TOKEN")
        sender = await sent(queue, settings, until=lambda sender: sender.state.failures > 0)
        assert other.got == []
        assert "redirects" in sender.state.error
    assert [body for _, body in receiver.got][:2] == [b"one", b"one"]


async def test_certificates_that_cannot_be_read_are_told(queue: Queue, tmp_path: Path):
    settings = ForwardReceiver(url="https://127.0.0.1:1", name="a", ca_file=tmp_path / "none.pem")
    with pytest.raises(UsageError, match="certificates"):
        await sent(queue, settings, until=lambda _: False)


async def test_a_secret_that_is_not_there_is_told(queue: Queue):
    settings = ForwardReceiver(url="http://127.0.0.1:1", name="a", password_env="NONE", username="u")
    with pytest.raises(UsageError, match="NONE is not set"):
        await Sender(settings, queue, SystemClock(), lambda: None, {}).run()


@pytest.mark.parametrize("status", [301, 401, 403, 404])
async def test_what_is_wrong_with_us_costs_no_samples(queue: Queue, status: int):
    queue.put([(1, 5, b"good")], {}, {})
    with receiving(lambda number: (status, {}, b"who are you") if number < 3 else OK) as receiver:
        sender = await sent(queue, ForwardReceiver(url=receiver.url, name="a"), until=empty)
    assert len(receiver.got) == 4
    assert (sender.state.standing.refused, sender.state.standing.sent) == (0, 5)


def requested(names: Iterable[str]) -> tuple[int, int, bytes]:
    lines = [Line((("__name__", name),), [(SECOND, 1.0), (2 * SECOND, 2.0)]) for name in names]
    return 2 * SECOND, 2 * len(lines), packed(lines)


@pytest.mark.parametrize("bad", [{0}, {999}, {3, 500, 501, 777}])
async def test_a_bad_series_takes_no_good_one_with_it(queue: Queue, bad: set[int]):
    queue.put([requested(f"m{number}" for number in range(1_000))], {}, {})
    refused = {f"m{number}" for number in bad}
    taken: set[str] = set()

    def say(number: int) -> Say:
        names = named(receiver.got[number][1])
        if names & refused:
            return 400, {}, b"out of bounds"
        # Nothing is sent twice that was taken.
        assert not names & taken
        taken.update(names)
        return OK

    with receiving(say) as receiver:
        settings = ForwardReceiver(url=receiver.url, name="a")
        sender = await sent(queue, settings, until=empty)
    assert taken == {f"m{number}" for number in range(1_000)} - refused
    standing = sender.state.standing
    assert (standing.refused, standing.sent) == (2 * len(bad), 2_000 - 2 * len(bad))


async def test_what_is_bad_as_a_whole_is_not_asked_about_for_ever(queue: Queue):
    queue.put([requested(f"m{number}" for number in range(5_000))], {}, {})
    with receiving(lambda _: (400, {}, b"too old")) as receiver:
        sender = await sent(queue, ForwardReceiver(url=receiver.url, name="a"), until=empty)
    assert len(receiver.got) < 150
    assert (sender.state.standing.refused, sender.state.standing.sent) == (10_000, 0)


async def test_a_receiver_that_fails_while_the_bad_series_is_looked_for_gets_all_again(queue: Queue):
    queue.put([requested(["good", "bad"])], {}, {})
    answers: list[Say] = [
        (400, {}, b"bad"),
        OK,
        (503, {}, b"stopping"),
        (400, {}, b"bad"),
        OK,
        (400, {}, b""),
    ]
    with receiving(lambda number: answers[number]) as receiver:
        sender = await sent(queue, ForwardReceiver(url=receiver.url, name="a"), until=empty)
    assert (sender.state.standing.refused, sender.state.standing.sent) == (2, 2)


def named(body: bytes) -> set[str]:
    """The metrics of a request."""
    return {data[data.index(b"\x12") + 2 :].split(b"\x12")[0].decode() for data, _ in unpacked(body)}


NOON = datetime(2026, 3, 18, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0), ("120", 120.0), ("99999", 600.0), ("soon", None), ("", None), ("-5", None),
        (format_datetime(NOON.replace(minute=1), usegmt=True), 60.0),
        (format_datetime(NOON.replace(hour=11), usegmt=True), 0.0),
    ],
)  # fmt: skip
def test_how_long_it_asks_us_to_wait(text: str, seconds: float | None):
    assert asked_to_wait(text, NOON) == seconds


def test_waits_grow_up_to_a_minute(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sending, "FIRST_WAIT", 1.0)
    waits = [backoff(failures) for failures in range(1, 40)]
    assert all(0.5 <= wait <= 60.0 for wait in waits)
    assert min(waits[10:]) >= 30.0


@pytest.mark.parametrize(
    "settings",
    [
        {"receivers": [{"url": "ftp://host/x"}]},
        {"receivers": [{"url": "http://me:pw@host/x"}]},
        {"receivers": [{"url": "http://host/x", "key_file": "k.pem"}]},
        {"receivers": [{"url": "http://host/x"}, {"url": "http://host/y"}]},
        {"keep": ["("]},
        {"labels": {"a-b": "c"}},
        {"labels": {"__name__": "c"}},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, object]):
    with pytest.raises(ValidationError) as error:
        Forward.model_validate(settings)
    assert "pw" not in str(error.value).replace("pwd", "") or "credentials" in str(error.value)
