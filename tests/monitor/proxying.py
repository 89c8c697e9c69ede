"""A proxy between a viewer and a collector: it counts bytes, delays them, and breaks the line."""

import asyncio
from contextlib import suppress


class Proxy:
    """Forwards TCP from a port of its own; every way of breaking is a switch."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.port = 0
        self.sent = 0
        """Bytes towards the collector."""
        self.heard = 0
        """Bytes towards the viewer."""
        self.connections = 0
        self.refusing = False
        """Connections are closed at once."""
        self.holding = False
        """What comes is swallowed, and nobody is told: a half-open line."""
        self.cut_answers = 0
        """So many requests that change something reach the collector, and their answers are cut off."""
        self.delay = 0.0
        """Seconds of one way."""
        self.rate = 0.0
        """Bytes per second of one way; 0 is no limit."""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Break all connections off."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            if self.refusing:
                return
            there, onward = await asyncio.open_connection("127.0.0.1", self.target)
            self._open |= {writer, onward}
            try:
                acts = {"changes": False}
                both = self._pump(reader, onward, acts, up=True), self._pump(there, writer, acts, up=False)
                await asyncio.gather(*both)
            finally:
                self._open -= {writer, onward}
                onward.transport.abort()
        except (OSError, asyncio.CancelledError):
            # The stream library takes a cancelled one for an error.
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, acts: dict[str, bool], *, up: bool
    ) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def send() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    break
                writer.write(data)
                with suppress(OSError):
                    await writer.drain()
            with suppress(OSError, RuntimeError):
                writer.write_eof()

        sending = asyncio.create_task(send())
        free = 0.0
        try:
            while data := await reader.read(1_400):
                if self.holding:
                    continue
                if up:
                    self.sent += len(data)
                    if data.startswith((b"POST ", b"DELETE ", b"GET ")):
                        acts["changes"] = not data.startswith(b"GET ")
                else:
                    self.heard += len(data)
                    if self.cut_answers and acts["changes"]:
                        # It was done over there, and nobody here knows.
                        self.cut_answers -= 1
                        self.cut()
                        return
                free = max(free, loop.time()) + (len(data) / self.rate if self.rate else 0.0)
                queue.put_nowait((free + self.delay, data))
            queue.put_nowait((0.0, b""))
            await sending
        finally:
            sending.cancel()
