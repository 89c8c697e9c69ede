"""Taking connections in: every socket that is not served is closed, whenever it was given up."""

import asyncio
import gc
import socket
from collections import Counter

from tests.runtime.collecting import until
from tui_monitor.server.accepting import Accepting, Caps
from tui_monitor.server.refusal import Refusals


async def test_one_given_up_before_it_was_opened_is_closed() -> None:
    counts: Counter[str] = Counter()
    accepting = Accepting(Caps(3), Refusals(counts, lambda _: None), asyncio.Protocol, None)  # type: ignore
    gc.disable()
    try:
        with socket.create_server(("127.0.0.1", 0), backlog=32) as listening:
            listening.setblocking(False)
            clients = [socket.create_connection(listening.getsockname()) for _ in range(20)]
            # All are there at once, so that none has its turn before the next comes.
            running = asyncio.create_task(accepting.run(listening))
            await until(lambda: counts["crowd"] == 17)
            async with asyncio.timeout(5):
                for client in clients[:17]:
                    client.setblocking(False)
                    assert await asyncio.get_running_loop().sock_recv(client, 1) == b""
            running.cancel()
    finally:
        gc.enable()
    for client in clients:
        client.close()
