"""Which shards a process does, as `--shards` says it."""

from __future__ import annotations

import re

from audiojourney.errors import UsageError

_PART = re.compile(r"(\d+)/(\d+)")
_RANGE = re.compile(r"(\d+)-(\d+)")
_HINT = "Write 2/8 for the second of eight parts, or 120-133 for shards by their number from 0 on."


def check_choice(text: str) -> None:
    """Check the wording of a choice.

    Raises:
        UsageError: it is none.
    """
    part, span = _PART.fullmatch(text), _RANGE.fullmatch(text)
    if part and 1 <= int(part[1]) <= int(part[2]):
        return
    if span and int(span[1]) <= int(span[2]):
        return
    raise UsageError(f"--shards is {text!r}.", _HINT)


def choose(text: str | None, count: int) -> list[int]:
    """Return the numbers of the chosen shards out of `count`, in order; all of them for None.

    The parts `1/n` to `n/n` share all shards between them; neighbours go to different parts.
    """
    if text is None:
        return list(range(count))
    part = _PART.fullmatch(text)
    if part:
        return list(range(int(part[1]) - 1, count, int(part[2])))
    first, last = map(int, text.split("-"))
    return [number for number in range(first, last + 1) if number < count]
