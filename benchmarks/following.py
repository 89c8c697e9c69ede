"""WebSocket clients of a collector under load: how long an event takes to reach them, and what they cost.

A real `collect` process takes calls over HTTP at an even pace, in requests of 20; each request brings one
marker too, an event that is never merged with another. Another process holds the clients, all over one
network library. A marker's time runs from the moment its request was answered, which is after the commit, to
the moment a client has its frame; counted from the sending of the request it is longer, and both are told.
Some clients are slow: they read nothing at all. Memory is the collector's resident set: before there were
clients, with all of them at rest, and under load; processor seconds are its own, as a share of one core.

How many calls a second it takes at most is measured with and without clients, in turn.

    python benchmarks/following.py --clients 100 --slow 10 --rate 1000 --seconds 20
"""

import argparse
import asyncio
import http.client
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import orjson
from live import Collector, collecting
from table import HERE, Row, show

LINES = 20
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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times: dict[str, tuple[float, float]] = {}
    began = time.monotonic()
    for number in range(int(rate * seconds / LINES)):
        time.sleep(max(0.0, began + number * LINES / rate - time.monotonic()))
        name = f"marker {number}"
        lines = [orjson.dumps(call(number * LINES + index)) for index in range(LINES)]
        lines.append(orjson.dumps({"kind": "progress", "name": name, "done": 1, "total": 2}))
        sent = time.monotonic()
        connection.request("POST", "/monitor/v1/events", b"\n".join(lines))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        times[name] = (sent, time.monotonic())
    return times


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
    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / FLAT_OUT


async def follow(url: str, token: str, clients: int, slow: int) -> None:
    """Hold clients until standard input ends; then print when each marker came to each of them."""
    from websockets.asyncio.client import ClientConnection, connect

    headers = {"Authorization": f"Bearer {token}"}
    came: list[dict[str, float]] = []
    closed: list[int] = []

    async def read(client: ClientConnection) -> None:
        mine: dict[str, float] = {}
        came.append(mine)
        async for text in client:
            if b"marker" in (data := text if isinstance(text, bytes) else text.encode()):
                now = time.monotonic()
                message = orjson.loads(data)
                several = message["data"].get("events", [message])
                mine.update((one["data"]["task"], now) for one in several if "task" in one["data"])
        closed.append(client.close_code or 0)

    def stubborn() -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
        lines = (
            "GET /ws HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
        )  # fmt: skip
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall("\r\n".join(lines).encode())
        return sock

    held = [stubborn() for _ in range(slow)]
    opened = [
        await connect(f"{url}/ws", additional_headers=headers, proxy=None, compression=None)
        for _ in range(clients)
    ]
    tasks = [asyncio.create_task(read(client)) for client in opened]
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    print(orjson.dumps({"came": came, "closed": closed}).decode(), flush=True)
    for task in tasks:
        task.cancel()
    for sock in held:
        sock.close()


def clients_of(collector: Collector, token: str, number: int, slow: int) -> "subprocess.Popen[str]":
    """A process with so many clients, as soon as all of them are there."""
    command = [sys.executable, str(HERE / "following.py"), "--follow", f"ws://127.0.0.1:{collector.port}"]
    command += ["--clients", str(number), "--slow", str(slow)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "TOKEN": token}
    )
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        sys.exit("the clients did not come up")
    return process


def figures(
    times: dict[str, tuple[float, float]], came: list[dict[str, float]]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each marker at each client, from the answer and from the sending of its request."""
    answered, sent = [], []
    for mine in came:
        for name, (began, done) in times.items():
            if name in mine:
                answered.append(1000 * max(0.0, mine[name] - done))
                sent.append(1000 * (mine[name] - began))
    return answered, sent


def measure(clients: int, slow: int, rate: int, seconds: float) -> list[Row]:
    """One run."""
    os.environ["TUI_MONITOR_SERVER__MAX_CONNECTIONS"] = "8192"
    os.environ["TUI_MONITOR_SERVER__RATE_LIMIT"] = "0"
    with tempfile.TemporaryDirectory() as folder, collecting(Path(folder), None) as collector:
        token = next(Path(folder).rglob("token")).read_text().strip()
        paced(collector.port, rate, 5)
        time.sleep(SETTLE)
        alone = flat_out(collector.port)
        time.sleep(SETTLE)
        before = collector.memory()[0]
        process = clients_of(collector, token, clients, slow)
        time.sleep(SETTLE)
        at_rest = collector.memory()[0]
        began, used = time.monotonic(), collector.processor()
        times = paced(collector.port, rate, seconds)
        share = (collector.processor() - used) / (time.monotonic() - began)
        time.sleep(1.0)
        loaded = collector.memory()[0]
        crowded = flat_out(collector.port)
        time.sleep(SETTLE)
        after = collector.memory()[0]
        found = orjson.loads(process.communicate("\n")[0])
    answered, sent = figures(times, found["came"])
    cuts = [statistics.quantiles(values, n=100) for values in (answered, sent)]
    lost = len(times) * clients - len(answered)
    everybody = clients + slow
    return [
        Row(f"{clients} clients, {slow} slow: commit to frame, p50", f"{cuts[0][49]:.0f} ms"),
        Row("commit to frame, p99", f"{cuts[0][98]:.0f} ms", asked="< 250 ms", good=cuts[0][98] < 250),
        Row("request sent to frame, p50 and p99", f"{cuts[1][49]:.0f} and {cuts[1][98]:.0f} ms"),
        Row("markers that did not come", str(lost), asked="0", good=not lost),
        Row("clients cut off", str(len(found["closed"])), asked="0", good=not found["closed"]),
        Row("memory before, at rest, loaded, after flat out",
            f"{before:.0f}, {at_rest:.0f}, {loaded:.0f}, {after:.0f} MB"),
        Row("memory per client, loaded", f"{1000 * (loaded - before) / everybody:.0f} KB", asked="<= 100 KB",
            good=loaded - before <= 0.1 * everybody),
        Row(f"processor at {rate} calls/s", f"{100 * share:.0f} %"),
        Row("calls taken a second, with and without clients", f"{crowded:,.0f}", f"{alone:,.0f}",
            f"{crowded / alone:.2f}"),
    ]  # fmt: skip


def main() -> None:
    """Measure, or hold the clients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--slow", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--follow", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.follow:
        asyncio.run(follow(args.follow, os.environ["TOKEN"], args.clients, args.slow))
    else:
        show(measure(args.clients, args.slow, args.rate, args.seconds))


if __name__ == "__main__":
    main()
