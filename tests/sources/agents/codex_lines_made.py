"""Lines as Codex writes them, and whole families of sessions whose truth is known."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
NAMES = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens", "total_tokens")

Vector = tuple[int, int, int, int, int]
ZERO: Vector = (0, 0, 0, 0, 0)


def stamp(when: datetime) -> str:
    """RFC 3339 with milliseconds."""
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(kind: str, when: datetime, **payload: Any) -> dict[str, Any]:
    """One line of a rollout."""
    return {"timestamp": stamp(when), "type": kind, "payload": payload}


def meta(session: str, when: datetime, **more: Any) -> dict[str, Any]:
    """The line that says whose a file is."""
    return line("session_meta", when, id=session, timestamp=stamp(when), cwd="/srv/demo", **more)


def tokens(
    when: datetime, last: Vector | None, total: Vector | None, limits: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A line with counters."""
    info: dict[str, Any] | None = None
    if last is not None or total is not None:
        info = {"model_context_window": 272_000}
        if last is not None:
            info["last_token_usage"] = dict(zip(NAMES, last, strict=True))
        if total is not None:
            info["total_token_usage"] = dict(zip(NAMES, total, strict=True))
    return line("event_msg", when, type="token_count", info=info, rate_limits=limits)


def limits(percent: float, plan: str | None = "plus") -> dict[str, Any]:
    """Limits as they come with an answer."""
    return {
        "primary": {"used_percent": percent, "window_minutes": 300, "resets_at": 1_772_460_000},
        "secondary": {"used_percent": percent / 4, "window_minutes": 10_080, "resets_at": 1_773_000_000},
        "plan_type": plan,
    }


def dump(lines: list[dict[str, Any]]) -> bytes:
    """As they stand in the file."""
    return b"".join(orjson.dumps(each) + b"\n" for each in lines)


def plus(one: Vector, other: Vector) -> Vector:
    """Part by part."""
    a, b, c, d, e = (x + y for x, y in zip(one, other, strict=True))
    return a, b, c, d, e


@dataclass
class Rollout:
    """A session, and which calls its file shows: (identity, when it was first)."""

    session: str
    when: datetime
    place: str
    lines: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[int, int]] = field(default_factory=list)
    """(line, identity of the call) of what would count if this were the only file."""
    total: Vector = ZERO
    verbatim: bool = False
    """Whether a copy that names nobody has the times of what it was copied from."""
    copies: bool = False
    """Whether it holds copies or a burst: where those come from, a copy that names nobody cannot tell."""
    needed: bool = False
    """Whether nothing but this file leads from a copy to the others, or tells what it is."""
    exists: bool = True


class Forest:
    """Sessions forked, resumed and accompanied at random, some of them gone."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = START
        self.vectors: list[Vector] = []
        """Tokens of each call that there ever was."""
        self.rollouts: list[Rollout] = []
        for _ in range(self.rng.randint(1, 3)):
            self._grow(self._begin())
        for _ in range(self.rng.randint(2, 7)):
            parent = self.rng.choice(self.rollouts)
            self.rng.choice((self._fork, self._fork, self._fork, self._resume, self._spawn))(parent)
        gone = self.rng.choice(self.rollouts[: max(1, len(self.rollouts) // 2)])
        gone.exists = gone.needed or self.rng.random() < 0.3

    def files(self) -> dict[str, bytes]:
        """Place below the home → content."""
        found = {each.place: dump(each.lines) for each in self.rollouts if each.exists}
        for each in self.rollouts:
            if each.exists and each.place.startswith("sessions/") and self.rng.random() < 0.1:
                # Left in the archive as well, and not up to date there.
                some = each.lines[: self.rng.randint(1, len(each.lines))]
                found[f"archived_sessions/{Path(each.place).name}"] = dump(some)
        return found

    @property
    def owners(self) -> dict[int, set[str]]:
        """Call → the session that it counts for; where a copy names nobody, any that has it."""
        found: dict[int, list[Rollout]] = {}
        for each in self.rollouts:
            if each.exists:
                for _, identity in each.calls:
                    found.setdefault(identity, []).append(each)
        return {
            identity: {each.session for each in holders if each.verbatim} | {min(holders, key=_age).session}
            for identity, holders in found.items()
        }

    @property
    def sums(self) -> dict[str, int]:
        """What a database must hold."""
        counted = [self.vectors[identity] for identity in self.owners]
        return {
            "calls": len(counted),
            "input": sum(v[0] for v in counted),
            "cache_read": sum(v[1] for v in counted),
            "cache_write": 0,
            "output": sum(v[2] for v in counted),
        }

    def _begin(self, *, archived: bool | None = None) -> Rollout:
        self.now += timedelta(seconds=self.rng.randint(1, 5_000))
        number = len(self.rollouts)
        session = f"0199{number:04x}-0000-7000-8000-{self.rng.getrandbits(48):012x}"
        name = f"rollout-{self.now:%Y-%m-%dT%H-%M-%S}-{session}.jsonl"
        if archived is None:
            archived = self.rng.random() < 0.3
        place = f"archived_sessions/{name}" if archived else f"sessions/{self.now:%Y/%m/%d}/{name}"
        found = Rollout(session, self.now, place)
        self.rollouts.append(found)
        return found

    def _grow(self, rollout: Rollout, *, fresh: bool = True) -> None:
        """Own calls, with everything that is written between them."""
        rng = self.rng
        if fresh:
            rollout.lines.append(meta(rollout.session, rollout.when))
        rollout.lines.append(line("turn_context", self.now, model="gpt-5", cwd="/srv/demo"))
        for _ in range(rng.randint(1, 8)):
            self.now += timedelta(seconds=rng.randint(1, 90), milliseconds=rng.randint(0, 999))
            rollout.lines.append(line("response_item", self.now, type="message", text='a "token_count" line'))
            self._call(rollout)
            luck = rng.random()
            if luck < 0.2:
                # The limits are told again, with the counters as they were.
                rollout.lines.append({**rollout.lines[-1], "timestamp": stamp(self.now)})
            elif luck < 0.3:
                rollout.lines.append(tokens(self.now, None, None, limits(rng.random() * 100)))
            elif luck < 0.4:
                rollout.lines.append(line("compacted", self.now, message="…"))
                rollout.lines.append(tokens(self.now, (0, 0, 0, 0, 17_000), rollout.total))
            elif luck < 0.5:
                self._other_lineage(rollout)

    def _call(self, rollout: Rollout) -> None:
        rng = self.rng
        said = rng.randint(1_000, 90_000)
        out = rng.randint(50, 3_000)
        last = (said, rng.randint(0, said), out, rng.randint(0, out), said + out)
        rollout.total = plus(rollout.total, last)
        rollout.calls.append((len(rollout.lines), len(self.vectors)))
        self.vectors.append(last)
        rollout.lines.append(tokens(self.now, last, rollout.total, limits(rng.random() * 100)))

    def _other_lineage(self, rollout: Rollout) -> None:
        """A helper with counters of its own, below the others: it is left out rather than counted twice."""
        total = ZERO
        # Two calls in the first second of a sub-agent would be taken for a replay.
        self.now += timedelta(seconds=1)
        for part in range(2, 2 + self.rng.randint(1, 3)):
            last = tuple(max(0, value // (4 * part)) for value in rollout.total)
            total = plus(total, last)  # type: ignore[arg-type]
            if total[0] < rollout.total[0] and total != ZERO:
                rollout.lines.append(tokens(self.now, last, total))  # type: ignore[arg-type]

    def _copied(self, parent: Rollout, child: Rollout, *, shift: bool) -> None:
        """The parent's lines up to some call."""
        if not parent.calls:
            return
        # In a copy with other times nothing tells what a sub-agent repeated from what it called.
        parent.needed |= "thread_spawn" in str(parent.lines)
        calls = parent.calls[: self.rng.randint(1, len(parent.calls))]
        child.copies = True
        end = calls[-1][0] + 1
        offset = len(child.lines)
        for number, each in enumerate(parent.lines[:end]):
            when = stamp(child.when + timedelta(milliseconds=number)) if shift else each["timestamp"]
            child.lines.append({**each, "timestamp": when})
        child.calls = [(at + offset, identity) for at, identity in calls]
        child.total = plus(ZERO, _total(parent.lines[calls[-1][0]]))

    def _fork(self, parent: Rollout) -> None:
        child = self._begin()
        child.lines.append(meta(child.session, child.when, forked_from_id=parent.session))
        self._copied(parent, child, shift=self.rng.random() < 0.7)
        if self.rng.random() < 0.85:
            self._grow(child, fresh=False)
        if self.rng.random() < 0.5 and not parent.verbatim:
            # The parent goes on as well.
            self._grow(parent, fresh=False)

    def _resume(self, parent: Rollout) -> None:
        """A copy under another name, as older versions made it: with the times as they were."""
        child = self._begin()
        child.lines.append(meta(child.session, child.when))
        self._copied(parent, child, shift=False)
        if self.rng.random() < 0.5 and not parent.copies:
            # It does not even name whom it was copied from.
            child.lines[1:] = [each for each in child.lines[1:] if each["type"] != "session_meta"]
            child.calls = _recounted(child.lines, child.calls, parent)
            child.verbatim = child.needed = parent.needed = True
        self._grow(child, fresh=False)

    def _spawn(self, parent: Rollout) -> None:
        """A sub-agent whose file begins with a burst of what the parent had called."""
        child = self._begin()
        source = {"subagent": {"thread_spawn": {"parent_thread_id": parent.session, "depth": 1}}}
        more = {"forked_from_id": parent.session} if self.rng.random() < 0.5 else {}
        child.lines.append(meta(child.session, child.when, source=source, **more))
        if len(parent.calls) > 1 and self.rng.random() < 0.8:
            calls = parent.calls[: self.rng.randint(2, len(parent.calls))]
            child.copies = True
            burst = child.when.replace(microsecond=0)
            for at, _ in calls:
                burst += timedelta(milliseconds=1)
                child.lines.append({**parent.lines[at], "timestamp": stamp(burst)})
            if self.rng.random() < 0.7:
                child.total = _total(parent.lines[calls[-1][0]])
        self._grow(child, fresh=False)


def _age(rollout: Rollout) -> datetime:
    return rollout.when


def _total(each: dict[str, Any]) -> Vector:
    found = each["payload"]["info"]["total_token_usage"]
    a, b, c, d, e = (found[name] for name in NAMES)
    return a, b, c, d, e


def _recounted(
    lines: list[dict[str, Any]], calls: list[tuple[int, int]], parent: Rollout
) -> list[tuple[int, int]]:
    """Where the calls stand now that lines before them are gone."""
    found: list[tuple[int, int]] = []
    at = 0
    for _, identity in calls:
        original = next(number for number, known in parent.calls if known == identity)
        at = lines.index(parent.lines[original], at)
        found.append((at, identity))
    return found
