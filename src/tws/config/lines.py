"""In which line of a TOML file a setting stands, for whoever has to mend it.

    line_of(text, "risk.max_positon")    line_of(text, "rules.dip.when")    line_of(text, "signals.1.port")

Python's reader of TOML keeps no lines, so the headers and keys are looked for anew, in a file that it has
read already. What is not found by itself has the line of what is around it; 0: nothing of it was found.
A part of a place that is a number counts sections of one name, from 0; without it the first is meant.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

__all__ = ["line_of"]

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=\s*(.*)""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


def line_of(text: str, field: str) -> int:
    """The line, from 1 on, of a field as `ConfigError` names it."""
    best, found = 0, 0
    for number, place, named in _places(text):
        unnumbered = [part for part in place if not part.isdigit()]
        depth = max(_shared(".".join(written), field) for written in (place, named, unnumbered))
        if depth > best:
            best, found = depth, number
    return found


def _places(text: str) -> Iterator[tuple[int, list[str], list[str]]]:
    """Each header and key: its line, its place, and the same with the section's name for its number."""
    counts: Counter[str] = Counter()
    place: list[str] = []
    named: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            place = named = _parts(header[2])
            if header[1] == "[[":
                name = ".".join(place)
                place = named = [*place, str(counts[name])]
                counts[name] += 1
            yield number, place, named
        elif key := _KEY.match(line):
            parts = _parts(key[1])
            if parts == ["name"] and place and place[-1].isdigit():
                named = [*place[:-1], key[2].split("#")[0].strip().strip("\"'")]
                yield number, place, named
            yield number, [*place, *parts], [*named, *parts]


def _parts(dotted: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def _shared(written: str, field: str) -> int:
    """How much of a field what is written covers; as text, for a symbol may hold a dot."""
    if not written or not field:
        return 0
    if f"{field}.".startswith(f"{written}."):
        return len(written)
    return len(field) if written.startswith(f"{field}.") else 0
