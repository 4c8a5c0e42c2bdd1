"""What a command writes with: safe on every console and in every file.

Windows consoles and redirected output often speak cp1252, where a check mark or a box does not exist, and
Python then stops in the middle of a report. `prepare_output` makes that impossible: what an encoding
can't show is replaced. `glyphs` goes one better and picks ASCII twins beforehand, so that nothing is lost.
Rich is imported only when something is written with it.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Glyphs", "glyphs", "make_console", "prepare_output", "print_json"]


class Glyphs(NamedTuple):
    """The signs of a report."""

    good: str
    bad: str
    warn: str
    skip: str
    arrow: str
    dash: str


UNICODE = Glyphs(good="✓", bad="✗", warn="!", skip="·", arrow="→", dash="–")
ASCII = Glyphs(good="+", bad="x", warn="!", skip="-", arrow="->", dash="-")


def prepare_output() -> None:
    """From now on no sign stops the process: stdout and stderr replace what they can't write."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(
            stream, "reconfigure", None
        )  # a stream that a test or an IDE put there may lack it
        if reconfigure is not None:
            reconfigure(errors="replace")


def glyphs(stream: TextIO | None = None) -> Glyphs:
    """The signs that `stream` (stdout unless told) can show, all of one kind."""
    target = sys.stdout if stream is None else stream
    try:
        "".join(UNICODE).encode(getattr(target, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def make_console(stream: TextIO | None = None) -> Console:
    """A Rich console on `stream` (stdout unless told). Into a file: no colours, no broken lines."""
    from rich.console import Console

    target = sys.stdout if stream is None else stream
    terminal = target.isatty()
    return Console(file=target, highlight=False, emoji=False, soft_wrap=not terminal)


def print_json(value: Any) -> None:
    """`value` on stdout as one JSON document, in ASCII: it survives every encoding."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
