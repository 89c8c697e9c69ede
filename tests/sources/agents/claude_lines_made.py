"""Lines as Claude Code writes them, and whole families of sessions whose truth is known."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
PROJECT = "-srv-demo"

Tokens = tuple[int, int, int, int]
"""Input, cache write, cache read, output."""


def usage(tokens: Tokens, **more: Any) -> dict[str, Any]:
    """A usage object."""
    plain, write, read, out = tokens
    return {
        "input_tokens": plain,
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
        "cache_creation": {"ephemeral_5m_input_tokens": write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": out,
        "service_tier": "standard",
        **more,
    }


def answer(
    message: str | None, request: str | None, tokens: Tokens, *, session: str = "s-1", at: float = 0.0,
    model: str = "claude-sonnet-4-5", message_more: dict[str, Any] | None = None,
    usage_more: dict[str, Any] | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """A line of an answer, `at` seconds after the start."""
    said: dict[str, Any] = {
        "role": "assistant", "model": model, "stop_reason": None,
        "content": [{"type": "text", "text": 'it says "usage":{"input_tokens":1} …'}],
        "usage": usage(tokens, **(usage_more or {})), **(message_more or {}),
    }  # fmt: skip
    if message is not None:
        said["id"] = message
    line: dict[str, Any] = {
        "type": "assistant", "uuid": f"u-{message}-{at}", "isSidechain": False, "sessionId": session,
        "timestamp": stamp(at), "cwd": "/srv/demo", "version": "2.1.0", "message": said, **more,
    }  # fmt: skip
    if request is not None:
        line["requestId"] = request
    return line


def stamp(at: float) -> str:
    """`at` seconds after the start, as Claude Code writes it."""
    return (START + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user(session: str, at: float, text: str = "hi") -> dict[str, Any]:
    """A line that bills nothing."""
    return {
        "type": "user", "sessionId": session, "timestamp": stamp(at), "cwd": "/srv/demo",
        "message": {"role": "user", "content": text}, "toolUseResult": {"usage": {"output_tokens": 10**9}},
    }  # fmt: skip


def dump(*lines: dict[str, Any]) -> bytes:
    """Lines as they stand in the file."""
    return b"".join(orjson.dumps(line) + b"\n" for line in lines)


@dataclass
class Forest:
    """Sessions that were resumed, forked and accompanied by subagents. `truth` is what was called."""

    seed: int
    files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    truth: dict[str, Tokens] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._names = 0
        self._at = 0.0
        for _ in range(self.random.randint(1, 3)):
            self._session()
        for _ in range(self.random.randint(1, 5)):
            step = self.random.choice((self._fork, self._resume, self._aside, self._subagent, self._session))
            step()

    @property
    def sums(self) -> dict[str, int]:
        """What the database must hold in the end."""
        columns = list(zip(*self.truth.values(), strict=True))
        plain, write, read, out = (sum(column) for column in columns)
        return {
            "calls": len(self.truth), "input": plain + write + read, "cache_read": read,
            "cache_write": write, "output": out,
        }  # fmt: skip

    def bytes(self) -> dict[str, bytes]:
        """Every file as it stands in the end."""
        return {place: dump(*lines) for place, lines in self.files.items()}

    def write(self, root: Path) -> None:
        """All of it below a folder."""
        for place, data in self.bytes().items():
            path = root / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    def _name(self, kind: str) -> str:
        self._names += 1
        return f"{kind}_{self.seed}_{self._names}"

    def _session(self) -> None:
        session = self._name("s")
        lines = self.files.setdefault(f"{PROJECT}/{session}.jsonl", [])
        for _ in range(self.random.randint(1, 8)):
            lines += self._call(session)

    def _call(self, session: str, *, sidechain: bool = False) -> list[dict[str, Any]]:
        """One answer in several lines; some are never finished, some have no ids."""
        rng = self.random
        self._at += rng.random() * 20
        message, request = self._name("msg"), self._name("req")
        nameless = rng.random() < 0.08
        foreign = rng.random() < 0.1
        plain, write, read = rng.randint(0, 20), rng.randint(0, 5_000), rng.randint(0, 90_000)
        lines = [user(session, self._at)]
        outs = sorted(rng.randint(1, 900) for _ in range(1 if nameless else rng.randint(1, 5)))
        for number, out in enumerate(outs):
            line = answer(
                None if nameless else message, None if foreign or nameless else request,
                (plain, write, read, out), session=session, at=self._at + number, isSidechain=sidechain,
            )  # fmt: skip
            line["uuid"] = f"{message}-{number}"
            if number == len(outs) - 1 and rng.random() < 0.9:
                line["message"]["stop_reason"] = "end_turn"
            lines.append(line)
        if rng.random() < 0.15:
            lines.append(answer(self._name("x"), None, (0, 0, 0, 0), session=session, model="<synthetic>"))
        if rng.random() < 0.08 and not (nameless or foreign or sidechain):
            # The same message under another request, on no sidechain: another call.
            other = self._name("req")
            twin = (plain, write, read, rng.randint(1, 900))
            lines.append(answer(message, other, twin, session=session, at=self._at))
            self.truth[f"{message}:{other}"] = twin
        self.truth[f"{message}:{request}"] = (plain, write, read, outs[-1])
        return lines

    def _some(self) -> tuple[str, list[dict[str, Any]]]:
        place = self.random.choice(sorted(self.files))
        return place, self.files[place]

    def _fork(self) -> None:
        """A new session that begins with copies of an older one, perhaps of half an answer."""
        _, lines = self._some()
        session = self._name("s")
        cut = self.random.randint(0, len(lines))
        copies = [{**line, "sessionId": session} for line in lines[:cut]]
        self.files[f"{PROJECT}/{session}.jsonl"] = copies + self._call(session)

    def _resume(self) -> None:
        """Older versions began a new file with everything in it, and went on there."""
        _, lines = self._some()
        session = self._name("s")
        self.files[f"{PROJECT}/{session}.jsonl"] = [*lines, *self._call(session)]

    def _aside(self) -> None:
        """A side question replays the conversation under requests of its own."""
        place, lines = self._some()
        session = place.rpartition("/")[2].removesuffix(".jsonl")
        copies = [
            {**line, "isSidechain": True, "requestId": self._name("req")}
            for line in lines
            if "requestId" in line and not line["isSidechain"]
        ]
        agent = f"{PROJECT}/{session}/subagents/agent-{self._name('a')}.jsonl"
        self.files[agent] = copies + self._call(session, sidechain=True)

    def _subagent(self) -> None:
        place, _ = self._some()
        session = place.rpartition("/")[2].removesuffix(".jsonl")
        agent = f"{PROJECT}/{session}/subagents/agent-{self._name('a')}.jsonl"
        self.files[agent] = [line for _ in range(3) for line in self._call(session, sidechain=True)]
