"""Sampling at every interval: what the sources of this machine's figures share."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from tui_monitor.model.clock import SECOND, Micros
from tui_monitor.model.errors import Busy
from tui_monitor.model.feed import Sample
from tui_monitor.sources.api import SourceContext


class Probe(Protocol):
    """Reads figures; blocking, so in a thread."""

    def sample(self, now: Micros) -> tuple[list[Sample], list[str]]:
        """All figures that can be read, and what could not be."""
        ...


async def sample_on(
    ctx: SourceContext,
    thread: ThreadPoolExecutor,
    probe: Probe,
    patience_s: float,
    told: Callable[[Sequence[Sample]], str],
) -> None:
    """Sample at every interval until cancelled, or until the probe raises.

    `patience_s` is the longest time between two looks, beside the interval, where nothing hangs; `told` is
    what is said of the figures while all is well.
    """
    loop = asyncio.get_running_loop()
    while True:
        # What does not answer holds the thread for as long as it likes.
        ctx.expect(patience_s + 2 * ctx.settings.collector.interval / SECOND)
        samples, problems = await loop.run_in_executor(thread, probe.sample, ctx.clock.now())
        for problem in problems:
            ctx.problem(problem)
        try:
            await ctx.submit(samples)
        except Busy as busy:
            ctx.problem(busy.message)
        else:
            ctx.running(told(samples))
        await asyncio.sleep(ctx.settings.collector.interval / SECOND)
