"""What the groups of a regular expression take, in time linear in the text."""

import re

from tui_monitor.query.regex import Pattern, PatternError

MOST = 1_000_000
"""Characters that an expanded template may have."""

_NAMES = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))", re.ASCII)
_Thread = tuple[int, tuple[int, ...]]


class Captures(Pattern):
    """A compiled pattern whose groups can be read. Of several ways to match, the first preferred counts."""

    def groups(self, text: str) -> list[str] | None:
        """The whole text and what each group took, empty where it took no part; `None` without a match."""
        if not self.matches(text):
            return None
        marks = (-1,) * (2 * len(self._groups) + 2)
        threads = self._spread([(self._entry, marks)], 0, text)
        for place, char in enumerate(text, 1):
            following: list[_Thread] = []
            for number, taken in threads:
                step = self._steps[number]
                if step.chars is not None and step.chars(char):
                    following += [(to, taken) for to in step.to]
            threads = self._spread(following, place, text)
        found = next(taken for number, taken in threads if number == self._accept)
        pairs = zip(found[2::2], found[3::2], strict=True)
        return [text, *(text[begin:end] if end >= 0 else "" for begin, end in pairs)]

    def expanded(self, text: str, template: str) -> str | None:
        """The template with `$1`, `${1}` or `$name` for what the groups took; `None` without a match.

        Raises `PatternError` for what becomes too long.
        """
        groups = self.groups(text)
        if groups is None:
            return None
        named = dict(zip(self._groups, groups[1:], strict=True))

        size = len(template)

        def group(match: re.Match[str]) -> str:
            nonlocal size
            found = taken(match)
            size += len(found)
            if size > MOST:
                raise PatternError(f"what it makes has more than {MOST:,} characters")
            return found

        def taken(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            if not name:
                return "$"
            if name.isdigit():
                return groups[int(name)] if len(name) < 5 and int(name) < len(groups) else ""
            return named.get(name, "")

        return _NAMES.sub(group, template)

    def _spread(self, threads: list[_Thread], place: int, text: str) -> list[_Thread]:
        """Everything that is got to without taking a character, the preferred ways first, each step once."""
        seen: set[int] = set()
        out: list[_Thread] = []
        todo = threads[::-1]
        while todo:
            number, marks = todo.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self._steps[number]
            if step.chars is not None or number == self._accept:
                out.append((number, marks))
                continue
            if (step.at == "start" and place) or (step.at == "end" and place < len(text)):
                continue
            if step.mark >= 0:
                marks = (*marks[: step.mark], place, *marks[step.mark + 1 :])
            todo += [(to, marks) for to in reversed(step.to)]
        return out
