"""Scenarios: faults with their times, from a TOML file or by the name of one that comes with us.

    about = "What it plays, in a sentence."

    [[fault]]
    name = "connectivity-lost"    # a fault of the registry
    at = "30s"                    # fields of When
    lasts = "20s"                 # fields of that fault
    restored = "lost"

A file that can't be meant is refused before anything of it is played; the error names file, line, field
and what would be valid.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tws.errors import ConfigError, DataError
from tws.simulator.faults.base import REGISTRY, Fault, When, build

__all__ = ["about", "load", "parse", "scenarios"]

FOLDER = Path(__file__).parent / "scenarios"
MAX_BYTES = 1_000_000
_LINE = re.compile(r"line (\d+)")


def scenarios() -> tuple[str, ...]:
    """The names of the scenarios that come with us."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def about(name: str) -> str:
    """What a named scenario plays."""
    text = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")).get("about", "")
    return str(text)


def load(source: str | Path, check: Callable[[When], None]) -> list[tuple[Fault, When]]:
    """All faults of a scenario, a file, or the one fault of that name, in their order.

    Raises ConfigError for an unknown name, DataError for a file with a fault in it.
    """
    text = str(source)
    if text in scenarios():
        return parse(FOLDER / f"{text}.toml", check)
    if text in REGISTRY:
        return [build(text, {})]
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        return parse(path, check)
    raise ConfigError(
        "faults",
        text,
        "is no scenario, no fault and no file",
        f"{_near(text)}Or the path of a .toml file",
    )


def _near(name: str) -> str:
    """The names that a slip may have meant: those like it, those that it is a part of; all when none is."""
    known = [*scenarios(), *sorted(REGISTRY)]
    near = [*get_close_matches(name, known, 3), *(each for each in known if name in each)]
    if near:
        return f"Did you mean {' or '.join(dict.fromkeys(near))}? tws sim ctl list tells all. "
    return f"Known here: {', '.join(known)}. "


def parse(path: Path, check: Callable[[When], None]) -> list[tuple[Fault, When]]:
    """The faults of a file. Raises DataError with line and reason."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(path, 1, f"is larger than {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
        data = tomllib.loads(text)
    except OSError as error:
        raise DataError(path, 1, f"can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(path, 1, f"is no UTF-8 text: {error}") from error
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        raise DataError(path, int(found[1]) if found else 1, f"is no TOML: {error}") from error
    return _faults(path, text, data, check)


def _faults(
    path: Path, text: str, data: dict[str, Any], check: Callable[[When], None]
) -> list[tuple[Fault, When]]:
    for key in data:
        if key not in ("about", "fault"):
            raise DataError(
                path, _line(text, -1, key), f"{key} is no part of a scenario: write about and [[fault]]"
            )
    rows = data.get("fault", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise DataError(path, 1, "holds no [[fault]]")
    made = []
    for number, row in enumerate(rows):
        values = dict(row)
        name = values.pop("name", None)
        if not isinstance(name, str):
            raise DataError(path, _line(text, number, ""), "name is missing: which fault is meant?")
        try:
            fault, when = build(name, values)
            check(when)
        except ConfigError as error:
            line = _line(text, number, error.field)
            raise DataError(
                path, line, f"{error.field} = {error.value!r}: {error.reason}. {error.cure}"
            ) from error
        made.append((fault, when))
    return made


def _line(text: str, block: int, key: str) -> int:
    """The line of a key in the so-manieth [[fault]] (-1: before the first), as far as plain TOML shows it."""
    at, start = -1, 1
    names = {key, key.replace("_", "-")}
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip().replace(" ", "").startswith("[[fault]]"):
            at += 1
            if at == block:
                start = number
        elif at == block and line.partition("=")[0].strip().strip("\"'") in names:
            return number
    return start
