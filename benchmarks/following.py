"""WebSocket clients of a collector under load: how long an event takes to reach them, and what they cost.

A real `collect` process takes calls over HTTP at an even pace, in requests of 20 from as many senders as it
takes to keep that pace, since an answer comes after the commit. Each request brings one marker too, an event
that is never merged with another. Other processes hold the clients, reading as little as may be. A marker's
time runs from the moment its request was answered, to the moment a client has its frame; counted from the
sending of the request it is longer, and both are told. Some clients are slow: they read nothing at all.

What the clients cost is the difference to the same load in the same process with one client, after a while
of it that fills caches: memory is the collector's resident set and what the kernel holds for its sockets,
processor seconds are its own. Last come clients that are at rest.

    python benchmarks/following.py --clients 100 --slow 10 --rate 1000 --seconds 20 --resting 1000
    python benchmarks/following.py --minutes 5
"""

import argparse
import asyncio
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from live import Collector, collecting
from table import HERE, Row, show

LINES = 20
SENDERS = 24
BURST = 200
FLAT_OUT = 4.0
SETTLE = 3.0


def call(number: int) -> dict[str, object]:
    """One call; there are twelve kinds of them."""
    return {
        "provider": ("openai", "anthropic", "google")[number % 3], "model": f"m{number % 4}",
        "input_tokens": 900, "output_tokens": 120, "status": "success", "latency_ms": 800 + number % 500,
        "cost_usd": 0.002, "app": "bench",
    }  # fmt: skip


def paced(port: int, rate: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Push at a pace; marker → when its request was sent, and answered."""
    times: dict[str, tuple[float, float]] = {}
    turn, lock = iter(range(int(rate * seconds / LINES))), threading.Lock()
    began, run = time.monotonic(), time.time_ns()

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with lock:
                number = next(turn, None)
            if number is None:
                return
            name = f"marker {run} {number}"
            lines = [orjson.dumps(call(number * LINES + index)) for index in range(LINES)]
            lines.append(orjson.dumps({"kind": "progress", "name": name, "done": 1, "total": 2}))
            time.sleep(max(0.0, began + number * LINES / rate - time.monotonic()))
            sent = time.monotonic()
            connection.request("POST", "/monitor/v1/events", b"\n".join(lines))
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
            times[name] = (sent, time.monotonic())

    together(send, SENDERS)
    return times


def together(work: Callable[[], None], number: int) -> None:
    """Run it in so many threads at once."""
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def flat_out(port: int) -> float:
    """Calls a second that are taken, from four senders that never wait."""
    body = b"\n".join(orjson.dumps(call(number)) for number in range(BURST))
    counts = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        count = 0
        while time.monotonic() < until:
            connection.request("POST", "/monitor/v1/events", body)
            answer = connection.getresponse()
            answer.read()
            count += BURST if answer.status == 200 else 0
        counts.append(count)

    until = time.monotonic() + FLAT_OUT
    together(send, 4)
    return sum(counts) / FLAT_OUT


class Client(asyncio.Protocol):
    """Reads frames and does nothing with them but note when markers came, so that it weighs little."""

    def __init__(self, request: bytes) -> None:
        self.came: list[tuple[bytes, float]] = []
        self.messages, self.size, self.closed = 0, 0, 0
        self.ready = asyncio.get_running_loop().create_future()
        self._request = request
        self._rest = b""
        self._shaken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        data = self._rest + data
        at = 0
        if not self._shaken:
            at = data.find(b"\r\n\r\n") + 4
            if at < 4:
                self._rest = data
                return
            assert data.startswith(b"HTTP/1.1 101"), data
            self._shaken = True
        while (end := _ends(data, at)) and end[1] <= len(data):
            self._heard(data[at] & 15, data[end[0] : end[1]], now)
            at = end[1]
        self._rest = data[at:]

    def _heard(self, kind: int, body: bytes, now: float) -> None:
        if kind == 1:
            self.messages += 1
            self.size += len(body)
            if not self.ready.done() and b'"initial_status"' in body:
                self.ready.set_result(None)
            if b"marker" in body:
                self.came.append((body, now))
        elif kind == 9:
            # An answer with a mask of zeros.
            self._transport.write(bytes([0x8A, 0x80 | len(body), 0, 0, 0, 0]) + body)
        elif kind == 8:
            self.closed = int.from_bytes(body[:2])

    def markers(self) -> dict[str, float]:
        """When each came."""
        found: dict[str, float] = {}
        for body, when in self.came:
            message = orjson.loads(body)
            several = message["data"].get("events", [message])
            found |= {one["data"]["task"]: when for one in several if "task" in one["data"]}
        return found


def _ends(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the frame begins and ends, once that can be told; a server's frames have no mask."""
    if len(data) < at + 2:
        return None
    size, body = data[at + 1], at + 2
    if size >= 126:
        more = 2 if size == 126 else 8
        if len(data) < body + more:
            return None
        size, body = int.from_bytes(data[body : body + more]), body + more
    return body, body + size


async def follow(port: int, token: str, clients: int, slow: int) -> None:
    """Hold clients until standard input ends; then print when each marker came to each of them."""
    lines = (
        "GET /ws HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    )  # fmt: skip
    request = "\r\n".join(lines).encode()
    held = []
    for _ in range(slow):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(request)
        held.append(sock)
    loop = asyncio.get_running_loop()
    opened: list[Client] = []
    for _ in range(clients):
        _, client = await loop.create_connection(lambda: Client(request), "127.0.0.1", port)
        opened.append(client)
    # Each has been told how things stand.
    await asyncio.gather(*(client.ready for client in opened))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    found = {
        "came": [client.markers() for client in opened],
        "closed": [client.closed for client in opened if client.closed],
        "told": [sum(client.messages for client in opened), sum(client.size for client in opened)],
    }
    print(orjson.dumps(found).decode(), flush=True)
    for sock in held:
        sock.close()


@contextmanager
def clients_of(collector: Collector, number: int, slow: int) -> Iterator[dict[str, Any]]:
    """A process with so many clients, as soon as all of them are there; at the end what they were told."""
    command = [sys.executable, str(HERE / "following.py"), "--follow", str(collector.port)]
    command += ["--clients", str(number), "--slow", str(slow)]
    token = next(collector.database.parent.rglob("token")).read_text().strip()
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "TOKEN": token}
    )
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        sys.exit("the clients did not come up")
    found: dict[str, Any] = {}
    yield found
    found |= orjson.loads(process.communicate("\n")[0])


def kernel(collector: Collector) -> float:
    """MB that the kernel holds of what goes out over the collector's connections, as `ss` tells."""
    command = ["ss", "-tmHn", "state", "established", f"( sport = :{collector.port} )"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sum(int(size) for size in re.findall(r",w(\d+)", listed)) / 1e6


@dataclass
class Spell:
    """A while under load."""

    memory: float
    """MB: resident, and what the kernel holds."""
    kernel: float
    processor: float
    """Seconds."""
    seconds: float
    times: dict[str, tuple[float, float]]
    found: dict[str, Any]
    """What the clients were told."""

    def figures(self) -> tuple[list[float], list[float]]:
        """Milliseconds of each marker at each client, from the answer and from the sending of its request."""
        answered, sent = [], []
        for mine in self.found["came"]:
            for name, (began, done) in self.times.items():
                if name in mine:
                    answered.append(1000 * max(0.0, mine[name] - done))
                    sent.append(1000 * (mine[name] - began))
        return answered, sent


def spell(collector: Collector, clients: int, slow: int, rate: int, seconds: float) -> Spell:
    """So many clients for a while of load."""
    with clients_of(collector, clients, slow) as found:
        time.sleep(1.0)
        began, used = time.monotonic(), collector.processor()
        times = paced(collector.port, rate, seconds)
        lasted = time.monotonic() - began
        time.sleep(1.0)
        held = kernel(collector)
        used, memory = collector.processor() - used, collector.memory()[0] + held
    return Spell(memory, held, used, lasted, times, found)


def measure(clients: int, slow: int, rate: int, seconds: float, resting: int) -> Iterator[Row]:
    """One run: the load with one client, with all of them, and clients without load."""
    with tempfile.TemporaryDirectory() as folder, collecting(Path(folder), None) as collector:
        with clients_of(collector, 1, 0):
            paced(collector.port, rate, seconds)
            flat_out(collector.port)
        time.sleep(SETTLE)
        few = spell(collector, 1, 0, rate, seconds)
        many = spell(collector, clients, slow, rate, seconds)
        yield from _told(few, many, clients, slow, rate)
        taken: dict[int, list[float]] = {0: [], clients: []}
        for number in (0, clients, clients, 0):
            with clients_of(collector, number, slow if number else 0):
                taken[number].append(flat_out(collector.port))
            time.sleep(SETTLE)
        alone, crowded = (sum(found) / len(found) for found in taken.values())
        yield Row("calls taken a second, with and without clients", f"{crowded:,.0f}", f"{alone:,.0f}",
                  f"{crowded / alone:.2f}")  # fmt: skip
        yield from _at_rest(collector, resting)


def _told(few: Spell, many: Spell, clients: int, slow: int, rate: int) -> Iterator[Row]:
    answered, sent = many.figures()
    control = statistics.quantiles(few.figures()[0], n=100)
    cuts = [statistics.quantiles(values, n=100) for values in (answered, sent)]
    lost = len(many.times) * clients - len(answered)
    reached = len(many.times) * LINES / many.seconds
    yield Row("calls a second", f"{reached:,.0f}", asked=f"{rate:,}", good=reached > 0.95 * rate)
    yield Row(f"{clients} clients, {slow} slow: commit to frame, p50 and p99",
              f"{cuts[0][49]:.0f} and {cuts[0][98]:.0f} ms", f"{control[49]:.0f} and {control[98]:.0f} ms",
              asked="< 250 ms", good=cuts[0][98] < 250)  # fmt: skip
    yield Row("request sent to frame, p50 and p99", f"{cuts[1][49]:.0f} and {cuts[1][98]:.0f} ms")
    yield Row("markers that did not come", str(lost), asked="0", good=not lost)
    yield Row("clients cut off", str(len(many.found["closed"])), asked="0", good=not many.found["closed"])
    yield Row("memory, resident and the kernel's", f"{many.memory:.1f} MB", f"{few.memory:.1f} MB")
    each = 1000 * (many.memory - few.memory) / (clients + slow - 1)
    yield Row("memory per client", f"{each:.0f} KB", f"of it the kernel's {1000 * many.kernel / clients:.0f}",
              asked="<= 100 KB", good=each <= 100)  # fmt: skip
    yield Row("processor", f"{many.processor / many.seconds:.1%}", f"{few.processor / few.seconds:.1%}")
    messages, size = many.found["told"]
    more = 1e6 * (many.processor - few.processor) / messages
    yield Row("processor per message to a client", f"{more:.0f} µs", f"of {size / messages:.0f} bytes")


def _at_rest(collector: Collector, clients: int) -> Iterator[Row]:
    with clients_of(collector, 1, 0):
        before = collector.memory()[0]
        with clients_of(collector, clients, 0):
            time.sleep(SETTLE)
            memory = collector.memory()[0] + kernel(collector)
            used = collector.processor()
            time.sleep(10.0)
            used = (collector.processor() - used) / 10.0
    each = 1000 * (memory - before) / clients
    yield Row(f"{clients:,} clients at rest: memory of each", f"{each:.0f} KB", f"processor {used:.1%}",
              asked="<= 100 KB", good=each <= 100)  # fmt: skip


def lasting(clients: int, slow: int, rate: int, minutes: float) -> Iterator[Row]:
    """Memory while the load goes on, with all clients."""
    with (
        tempfile.TemporaryDirectory() as folder,
        collecting(Path(folder), None) as collector,
        clients_of(collector, clients, slow),
    ):
        for minute in range(1, round(minutes) + 1):
            used = collector.processor()
            paced(collector.port, rate, 60)
            share = (collector.processor() - used) / 60
            held = f"kernel {kernel(collector):.1f} MB"
            yield Row(
                f"memory after {minute} min",
                f"{collector.memory()[0]:.1f} MB",
                held,
                f"{share:.1%} of a core",
            )


def main() -> None:
    """Measure, or hold the clients."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--slow", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--resting", type=int, default=1000, help="clients at rest")
    parser.add_argument("--minutes", type=float, help="only memory, over so long")
    parser.add_argument("--follow", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.follow:
        asyncio.run(follow(args.follow, os.environ["TOKEN"], args.clients, args.slow))
        return
    os.environ["TUI_MONITOR_SERVER__MAX_CONNECTIONS"] = "8192"
    os.environ["TUI_MONITOR_SERVER__RATE_LIMIT"] = "0"
    if args.minutes:
        show(list(lasting(args.clients, args.slow, args.rate, args.minutes)))
    else:
        show(list(measure(args.clients, args.slow, args.rate, args.seconds, args.resting)))


if __name__ == "__main__":
    main()
