"""Regular expressions in time linear in the text: RE2's syntax, as PromQL has it, without backtracking.

The standard library's engine can take exponential time, and patterns and label values both come from
outside. There are no back references and no look-around, as in RE2. Matches are of the whole text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

MAX_PROGRAM = 5_000
"""Steps of a compiled pattern; counted repetition multiplies them."""
MAX_REPEAT = 1_000
_MAX_NESTING = 100
_MAX_BUILT = 10 * MAX_PROGRAM
"""Parts looked at while the program is made: those that take nothing make no step, however often they are."""
_MAX_CACHED = 50_000
"""Places in the sets of steps that a pattern keeps, about 60 bytes each."""
_ENTRY = 8
"""Places that a set takes beside its steps."""

Chars = Callable[[str], bool]


class PatternError(ValueError):
    """What is wrong with a pattern."""


@dataclass(slots=True)
class _Step:
    """One step of the program: a character to take, a place to be at, or a fork; then where to go."""

    chars: Chars | None = None
    at: str = ""
    """`start` or `end`: holds there only."""
    to: tuple[int, ...] = ()
    """Of a fork the preferred way first."""
    mark: int = -1
    """Where a group begins (2n) or ends (2n + 1)."""


class Pattern:
    """A compiled pattern. Raises `PatternError` for one that is not understood or too large."""

    def __init__(self, text: str) -> None:
        parser = _Parser(text)
        tree = parser.whole()
        self._groups = tuple(parser.groups)
        self._steps: list[_Step] = []
        self._built = 0
        self._accept = self._add(_Step())
        self._entry = self._build(tree, self._accept)
        self._first = self._reach([self._entry], start=True)
        self._cache: dict[tuple[frozenset[int], str], frozenset[int]] = {}
        self._cached = 0

    def matches(self, text: str) -> bool:
        """Whether the whole text matches."""
        states = self._first
        for char in text:
            if not states:
                return False
            key = (states, char)
            following = self._cache.get(key)
            if following is None:
                taken = (s for n in states if (s := self._steps[n]).chars is not None and s.chars(char))
                following = self._reach((n for step in taken for n in step.to), start=False)
                self._keep(key, following)
            states = following
        return self._accept in self._reach(states, start=not text, end=True)

    def _keep(self, key: tuple[frozenset[int], str], following: frozenset[int]) -> None:
        size = _ENTRY + len(following)
        if self._cached + size > _MAX_CACHED:
            self._cache.clear()
            self._cached = 0
        self._cache[key] = following
        self._cached += size

    def _reach(self, entries: Iterable[int], *, start: bool, end: bool = False) -> frozenset[int]:
        """Every step that can be got to without taking a character."""
        seen: set[int] = set()
        todo = list(entries)
        while todo:
            number = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self._steps[number]
            held = (step.at == "start" and start) or (step.at == "end" and end)
            if step.chars is None and (held or not step.at):
                todo += step.to
        return frozenset(seen)

    def _add(self, step: _Step) -> int:
        if len(self._steps) >= MAX_PROGRAM:
            raise PatternError("it is too large")
        self._steps.append(step)
        return len(self._steps) - 1

    def _build(self, tree: "_Tree", to: int) -> int:
        """The steps of a part that go on at `to`; where they begin."""
        self._built += 1
        if self._built > _MAX_BUILT:
            raise PatternError("it is too large")
        match tree.kind:
            case "chars":
                return self._add(_Step(chars=tree.chars, to=(to,)))
            case "at":
                return self._add(_Step(at=tree.at, to=(to,)))
            case "either":
                return self._add(_Step(to=tuple(self._build(part, to) for part in tree.parts)))
            case "repeat":
                return self._repeat(tree, to)
            case "group":
                end = self._add(_Step(to=(to,), mark=2 * tree.least + 1))
                return self._add(_Step(to=(self._build(tree.parts[0], end),), mark=2 * tree.least))
        for part in reversed(tree.parts):
            to = self._build(part, to)
        return to

    def _repeat(self, tree: "_Tree", to: int) -> int:
        (part,) = tree.parts
        way = -1 if tree.lazy else 1
        if tree.most is None:
            loop = self._add(_Step())
            self._steps[loop].to = (self._build(part, loop), to)[::way]
            to = loop
        else:
            after = to
            for _ in range(tree.most - tree.least):
                to = self._add(_Step(to=(self._build(part, to), after)[::way]))
        for _ in range(tree.least):
            to = self._build(part, to)
        return to


@dataclass(frozen=True, slots=True)
class _Tree:
    """A part of a pattern: `chars`, `at`, `either`, `repeat`, `group` (its number is `least`) or a `row`."""

    kind: str
    parts: tuple["_Tree", ...] = ()
    chars: Chars | None = None
    at: str = ""
    least: int = 0
    most: int | None = None
    lazy: bool = False


_DIGIT = frozenset("0123456789")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") | _DIGIT
_SPACE = frozenset("\t\n\f\r ")
_SETS = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
_SIGNS = frozenset("*+?")
_COUNTS = 64
"""Characters within which counts end."""


class _Parser:
    """Reads a pattern by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._nesting = 0
        self._fold = False
        self.groups: list[str] = []
        """Names of the groups that are kept, from group 1 on; empty for those without."""

    def whole(self) -> _Tree:
        tree = self._either()
        if self._at < len(self._text):
            raise PatternError("there is a ) without (")
        return tree

    def _peek(self, ahead: int = 0) -> str:
        return self._text[self._at + ahead : self._at + ahead + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise PatternError("it ends too early")
        self._at += 1
        return char

    def _taken(self, text: str) -> bool:
        found = self._text.startswith(text, self._at)
        self._at += len(text) if found else 0
        return found

    def _either(self) -> _Tree:
        rows = [self._row()]
        while self._taken("|"):
            rows.append(self._row())
        return rows[0] if len(rows) == 1 else _Tree("either", tuple(rows))

    def _row(self) -> _Tree:
        parts: list[_Tree] = []
        while self._peek() and self._peek() not in "|)":
            part = self._atom()
            if part is not None:
                parts.append(self._counted(part))
        return _Tree("row", tuple(parts))

    def _counted(self, part: _Tree) -> _Tree:
        counts = self._counts()
        if counts is None:
            return part
        lazy = self._taken("?")
        if self._peek() in _SIGNS:
            raise PatternError(f"{self._peek()} follows a repetition")
        return _Tree("repeat", (part,), least=counts[0], most=counts[1], lazy=lazy)

    def _counts(self) -> tuple[int, int | None] | None:
        for sign, counts in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._taken(sign):
                return counts
        end = self._text.find("}", self._at, self._at + _COUNTS) if self._peek() == "{" else -1
        if end < 0:
            return None
        low, comma, high = self._text[self._at + 1 : end].partition(",")
        if not (low.isascii() and low.isdigit()) or not (high == "" or (high.isascii() and high.isdigit())):
            return None
        if len(low) > 4 or len(high) > 4:
            raise PatternError(f"a repetition is at most {MAX_REPEAT} times")
        least = int(low)
        most = int(high) if high else None if comma else least
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise PatternError(f"a repetition is at most {MAX_REPEAT} times, the lesser number first")
        self._at = end + 1
        return least, most

    def _atom(self) -> _Tree | None:
        char = self._take()
        match char:
            case "(":
                return self._group()
            case "[":
                return _Tree("chars", chars=self._class())
            case ".":
                return _Tree("chars", chars=lambda _: True)
            case "^" | "$":
                return _Tree("at", at="start" if char == "^" else "end")
            case "\\":
                return self._escape()
            case "*" | "+" | "?":
                raise PatternError(f"there is nothing for {char} to repeat")
        return self._literal(char)

    def _literal(self, char: str) -> _Tree:
        if self._fold:
            both = {char, char.lower(), char.upper()}
            return _Tree("chars", chars=both.__contains__)
        return _Tree("chars", chars=char.__eq__)

    def _group(self) -> _Tree | None:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise PatternError("its groups are nested too deeply")
        folded = self._fold
        before = len(self.groups)
        if not self._taken("?"):
            self.groups.append("")
        elif not self._group_head():
            self._nesting -= 1
            return None
        kept = len(self.groups) if len(self.groups) > before else 0
        tree = self._either()
        if not self._taken(")"):
            raise PatternError("there is a ( without )")
        self._nesting -= 1
        self._fold = folded
        return _Tree("group", (tree,), least=kept) if kept else tree

    def _group_head(self) -> bool:
        """What follows `(?`; False when it was only `(?i)`, which holds from there on."""
        if self._taken("P<") or (self._peek() == "<" and self._peek(1) not in "=!" and self._taken("<")):
            end = self._text.find(">", self._at)
            if end < 0 or not self._text[self._at : end].isidentifier():
                raise PatternError("a group's name is not closed")
            self.groups.append(self._text[self._at : end])
            self._at = end + 1
            return True
        while (flag := self._take()) not in ":)":
            if flag == "i":
                self._fold = True
            elif flag != "s":
                raise PatternError(f"(?{flag} is not known")
        return flag == ":"

    def _escape(self) -> _Tree:
        char = self._take()
        if char in "Az":
            return _Tree("at", at="start" if char == "A" else "end")
        found = self._escaped(char)
        return _Tree("chars", chars=found) if callable(found) else self._literal(found)

    def _escaped(self, char: str) -> str | Chars:
        """What an escape stands for: one character, or a set of them."""
        named = _SETS.get(char.lower())
        if named is not None:
            return (lambda c: c not in named) if char.isupper() else named.__contains__
        if char == "x":
            return self._code()
        if char in _CONTROLS:
            return _CONTROLS[char]
        if char.isalnum():
            raise PatternError(f"\\{char} is not known")
        return char

    def _code(self) -> str:
        end = self._text.find("}", self._at) if self._peek() == "{" else self._at + 1
        digits = self._text[self._at : end + 1].strip("{}")
        try:
            found = chr(int(digits, 16)) if digits.isalnum() else ""
        except (ValueError, OverflowError):
            found = ""
        if not found:
            raise PatternError("\\x needs two digits, or some in {}")
        self._at = end + 1
        return found

    def _class(self) -> Chars:
        turned = self._taken("^")
        singles: set[str] = set()
        tests: list[Chars] = []
        first = True
        while first or self._peek() != "]":
            first = False
            low = self._member()
            if callable(low):
                tests.append(low)
            elif self._peek() == "-" and self._peek(1) not in ("]", ""):
                self._at += 1
                tests.append(_between(low, self._member(), self._fold))
            else:
                singles |= {low, low.lower(), low.upper()} if self._fold else {low}
        self._at += 1
        return lambda char: (char in singles or any(test(char) for test in tests)) is not turned

    def _member(self) -> str | Chars:
        char = self._take()
        if char == "[" and self._peek() == ":":
            raise PatternError("classes like [:alpha:] are not known; write them out")
        return self._escaped(self._take()) if char == "\\" else char


def _between(low: str, high: str | Chars, fold: bool) -> Chars:
    if callable(high) or high < low:
        raise PatternError("a range of characters goes from the lesser to the greater")
    if fold:
        return lambda char: low <= char.lower() <= high or low <= char.upper() <= high
    return lambda char: low <= char <= high
