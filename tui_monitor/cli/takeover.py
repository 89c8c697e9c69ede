"""A running collector takes over what was written into the configuration."""

import asyncio

from tui_monitor.cli.context import Context
from tui_monitor.config import places
from tui_monitor.model.errors import MonitorError


def take_over(context: Context) -> bool:
    """Let a running collector read its configuration again; False where none runs, or it did not."""
    from tui_monitor.monitor.remote import SocketClient, somebody_listens

    path = places.expected_socket(context.database)
    if not somebody_listens(path):
        return False

    async def reload() -> None:
        async with SocketClient(path) as client:
            await client.reload()

    try:
        asyncio.run(reload())
    except MonitorError as error:
        context.out.note(f"written, but the running collector did not take it over: {error.message}")
        return False
    return True
