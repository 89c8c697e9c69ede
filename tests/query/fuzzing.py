"""Texts that nobody would write, asked of everything that reads queries.

`python tests/query/fuzzing.py --minutes 20` goes on over what is known to be asked: the short form, filters,
and, where the shared data is there, every expression of Prometheus's own tests.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from promql_data import DATA, expressions  # noqa: E402
from promql_grammar import Grammar  # noqa: E402

from tui_monitor.model.calendar import Calendar  # noqa: E402
from tui_monitor.model.call import Call  # noqa: E402
from tui_monitor.model.clock import HOUR, MINUTE, SECOND, ManualClock  # noqa: E402
from tui_monitor.model.errors import MonitorError, QueryError  # noqa: E402
from tui_monitor.model.feed import Sample  # noqa: E402
from tui_monitor.model.timerange import Span  # noqa: E402
from tui_monitor.query.local import LocalEngine  # noqa: E402
from tui_monitor.query.promql.limits import Limits  # noqa: E402
from tui_monitor.store.api import WriteBatch  # noqa: E402
from tui_monitor.store.database import Store  # noqa: E402

NOW = 1_700_000_000 * SECOND
LIMITS = Limits(samples=200_000, seconds=5.0)
SLOW = 10.0
"""Seconds of our own time after which a question counts as a hang."""
LARGEST = 4_000_000_000
"""Bytes that the process may take."""

WRITTEN = [
    'latency{provider="claude"} [1h] p95 by(model)', "error_rate{} [24h] sum", "tokens [today]",
    'cost{model=~".*"} [30d] sum by(model)', "requests / errors", "cost [7d] offset 1w", "latency avg",
    "provider=claude AND latency>1000", "NOT status=error OR (cost>$0.05 AND tokens>=1k)",
    'model~"gpt.*" latency>1.5s', "finish_reason!=stop", "error_rate by(provider) > 3 * baseline",
    'baseline(sum(rate(llm_cost_usd_total[1h])), "7d")', "sum by(model)(rate(requests[5m]))",
    "histogram_quantile(0.9, rate(llm_request_duration_seconds[5m]))", "x{a='b'}[5m:1m] @ end()",
]  # fmt: skip
"""What people ask."""
PIECES = [
    "(", ")", "{", "}", "[", "]", "[5m:", ",", '"', "'", "`", "\\", "=~", "!~", "~", "=", "!=", ">", "<=",
    "-", "^", "%", " by(", " and ", " AND ", " NOT ", " or ", " offset ", "@", "0x", "1e999", "NaN", "5m",
    "99999d", "1_0", "$", "€", "\0", "\n", "#", "ü", "\u202e", "\ud800", "😀", "(a+)+", r'"\ud800"',
    "{2,9999}", "[^", "p95", "topk(1e9,", "-" * 40, "(" * 300, "[1h:1ms]", " offset -9999y", "9" * 400,
    "count_values('a',",
]  # fmt: skip
"""What tears them apart."""


class Torn:
    """Makes texts out of others, from one seed."""

    def __init__(self, random: Random, corpus: list[str]) -> None:
        self._random = random
        self._corpus = corpus

    def text(self) -> str:
        """One text: written, grown by the grammar, or torn."""
        random = self._random
        if random.random() < 0.2:
            text = Grammar(random.randrange(1 << 32)).whole()
        else:
            text = random.choice(self._corpus)
        for _ in range(random.choice((0, 1, 1, 2, 3, 8))):
            text = self._turned(text)
        return text[:5_000]

    def _turned(self, text: str) -> str:
        random = self._random
        low, high = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
        match random.randrange(6):
            case 0:
                return text[:low] + text[high:]
            case 1:
                return text[:low] + random.choice(PIECES) + text[low:]
            case 2:
                return text[:low] + text[low:high] * random.choice((2, 2, 3, 30)) + text[high:]
            case 3:
                other = random.choice(self._corpus)
                return text[:low] + other[random.randrange(len(other) + 1) :]
            case 4:
                return (
                    text[:low]
                    + chr(random.choice((random.randrange(128), random.randrange(0xD7FF))))
                    + text[low:]
                )
        return text[:low] + random.choice(PIECES) + text[high:]


class Reads:
    """Everything that reads queries, over a small store."""

    def __init__(self, folder: Path) -> None:
        self.store = store = Store.open(folder / "monitor.db", write=True, clock=ManualClock(NOW))
        calls = [
            Call(
                "test", str(n), ts_end=NOW - n * MINUTE, provider=("openai", "anthropic")[n % 2],
                model_served="m", status=("success", "error")[n % 3 == 0], latency_ms=float(n), in_uncached=n,
                cost=n * 10**6,
            )
            for n in range(40)
        ]  # fmt: skip
        samples = [
            Sample(name, NOW - n * MINUTE, float(n), {"job": job}, "counter" if name == "x" else "gauge")
            for name in ("x", "up", "http_requests_total") for job in ("a", "b") for n in range(30)
        ]  # fmt: skip
        store.write(WriteBatch(calls, samples))
        self.engine = LocalEngine(store, Calendar(), LIMITS)

    def wrong(self, text: str) -> str:
        """What is wrong with how a text is taken; empty where it is answered, or refused as it should be."""
        for name, ask in (
            ("instant", lambda: self.engine.instant(text, NOW)),
            ("range", lambda: self.engine.range(text, NOW - HOUR, NOW, 10 * MINUTE)),
            ("check", lambda: self.engine.check(text)),
            ("calls", lambda: list(self.engine.calls(text, Span(NOW - HOUR, NOW), 100).calls)),
            ("complete", lambda: self.engine.complete(text, len(text) // 2)),
        ):
            began = time.process_time()
            try:
                ask()
            except QueryError as error:
                told = f"{text!r}"[:300]
                if not 0 <= error.position <= len(text) or error.position + error.length > len(text) + 1:
                    return f"{name} of {told} points at {error.position}+{error.length}: {error.message}"
                error.pointed()
            except MonitorError:
                pass
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                return f"{name} of {text!r} raises {type(error).__name__}: {error}"
            if time.process_time() - began > SLOW:
                return f"{name} of {text!r} takes {time.process_time() - began:.0f} s"
        return ""


def corpus() -> list[str]:
    """What is known to be asked."""
    return WRITTEN * 20 + (sorted(set(expressions())) if DATA.exists() else [])


def main() -> int:
    """Ask for so many minutes, and print what goes wrong."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--minutes", type=float, default=20)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST, LARGEST))
    until = time.monotonic() + given.minutes * 60
    random, asked, told = Random(given.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        reads, torn = Reads(Path(folder)), Torn(random, corpus())
        while time.monotonic() < until and told < 30:
            wrong = reads.wrong(torn.text())
            asked += 1
            if wrong:
                told += 1
                print(wrong.encode("utf-8", "backslashreplace").decode(), flush=True)
            if asked % 1_000 == 0:
                print(f"{asked} asked, {told} wrong", file=sys.stderr, flush=True)
    print(f"{asked} asked, {told} wrong", file=sys.stderr)
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
