"""The database's own row: whether it can be written, what is wrong with it, and how large it is."""

import asyncio
import itertools
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.model.errors import FileGone, StoreError, StoreLocked
from tui_monitor.runtime.supervisor import Handle, Worker

if TYPE_CHECKING:
    from tui_monitor.runtime.collector import Collector
    from tui_monitor.store.database import Store

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_PATIENCE_S = 120.0
"""Longest time between two looks where nothing hangs."""
_LOOKS = 60
"""Looks at the write path between two at what was set aside."""
_KEEPS = 3
"""Looks at the write path between two whether file and lock are those of their names."""
WAITS = "what comes is sent away, to come again; goes on by itself as soon as it can be written"


def database_worker(collector: "Collector") -> Worker:
    """Says why nothing can be written while that is so, and what was found damaged."""

    async def run(handle: Handle) -> None:
        shown, words = "", ""
        for number in itertools.count():
            handle.expect(_PATIENCE_S)
            if number % _LOOKS == 0:
                words = await asyncio.to_thread(_words, collector.store)
            if number % _KEEPS == 0:
                await _keep(collector)
            trouble = collector.trouble
            if not trouble:
                handle.running(words)
            elif trouble != shown:
                handle.failed(trouble, WAITS)
            shown = trouble
            await asyncio.sleep(_LOOK_S)

    return Worker("database", run)


async def _keep(collector: "Collector") -> None:
    try:
        await asyncio.to_thread(collector.store.keep)
    except (FileGone, StoreLocked) as error:
        # Going on would be to say of data that it is stored when it is not.
        log.error("%s", error.message)
        collector.lose(error)
        raise
    except StoreError as error:
        log.warning("the lock of the database could not be looked at: %s", error.message)


def _words(store: "Store") -> str:
    try:
        aside = store.set_aside()
    except StoreError as error:
        return error.message
    calls = sum(found.calls for found in aside)
    told = [f"{calls:,} damaged calls are set aside; `tui-monitor db check` names them"] if aside else []
    if store.updated is not None and store.updated.copy is not None:
        told.append(f"brought up to date; as it was before is {store.updated.copy.name}")
    return "; ".join(told)


def database_bytes(path: Path) -> int | None:
    """Bytes of the database and its write-ahead log; None where there is none."""
    try:
        size = path.stat().st_size
    except OSError:
        return None
    try:
        return size + path.with_name(path.name + "-wal").stat().st_size
    except OSError:
        return size
