"""What we hold up ourselves is never told as the provider's slowness."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from tui_monitor.sources.probes.source import Outcome, probe
from tui_monitor.sources.probes.targets import Target
from tui_monitor.sources.web import Web

TOOK = 0.15
"""Seconds that the server takes. It is a process of its own, so that our load is not its."""
SERVER = f"""
import http.server, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet: in two, each waits for the other side's acknowledgement
    def log_message(self, *_): pass
    def do_GET(self):
        began = time.monotonic()
        time.sleep({TOOK})
        body = b'{{"data": []}}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("x-took", str(time.monotonic() - began))
        self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def target():
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        yield Target("p", "openai", f"http://127.0.0.1:{port}/v1", "host")
    finally:
        server.terminate()
        server.wait()


def measure(web: Web, target: Target, times: int, beside=None) -> list[tuple[float | None, float]]:
    """What was measured, and what the server says it took; the first answer opens the connection."""

    async def main() -> list[Outcome]:
        await probe(web, target, 5.0)
        helper = asyncio.create_task(beside()) if beside else None
        found = [await probe(web, target, 5.0) for _ in range(times)]
        if helper:
            helper.cancel()
        return found

    outcomes = asyncio.run(main())
    assert [outcome.why for outcome in outcomes] == [""] * times
    return [(outcome.seconds, float(outcome.headers["x-took"])) for outcome in outcomes]


def honest(found: list[tuple[float | None, float]]) -> bool:
    """Whether each is right within the share that is allowed, and what a loaded host adds, or unknown."""
    return all(seconds is None or took <= seconds <= took * 1.4 for seconds, took in found)


def test_at_rest_the_duration_is_known_and_right(web, target):
    found = measure(web, target, 4)
    assert honest(found), found
    assert any(seconds is not None for seconds, _ in found), found


def test_a_collector_whose_loop_is_stuck_does_not_stretch_it(web, target):
    async def stuck() -> None:
        while True:
            await asyncio.sleep(0.01)
            # Sleeps without giving the loop back: other threads go on.
            time.sleep(0.3)  # noqa: ASYNC251

    found = measure(web, target, 2, stuck)
    assert honest(found), found
    assert any(seconds is not None for seconds, _ in found), found


def test_a_busy_thread_beside_is_not_told_as_latency(web, target):
    ended = threading.Event()

    def busy() -> None:
        while not ended.is_set():
            sum(range(2_000))

    threads = [threading.Thread(target=busy) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        found = measure(web, target, 2)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert honest(found), found


def test_who_holds_the_interpreter_makes_the_duration_unknown(web, target):
    ended = threading.Event()

    def greedy() -> None:
        while not ended.is_set():
            # One call of C holds the interpreter for a tenth of a second.
            sum(range(3_000_000))

    thread = threading.Thread(target=greedy)
    thread.start()
    try:
        found = measure(web, target, 2)
    finally:
        ended.set()
        thread.join()
    assert honest(found), found
    assert any(seconds is None for seconds, _ in found), found
