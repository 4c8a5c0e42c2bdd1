"""What a command writes with: safe on every console and in every file.

Windows consoles and redirected output often speak cp1252, where a check mark or a box does not exist, and
Python then stops in the middle of a report. `prepare_output` makes that impossible: what an encoding
can't show is replaced. `glyphs` goes one better and picks ASCII twins beforehand, so that nothing is lost.
Rich is imported only when something is written with it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Glyphs", "ask", "drop_output", "glyphs", "make_console", "prepare_output", "print_json", "short"]


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
    """From now on no sign stops the process: stdout and stderr replace what they can't write, and a stream
    that was closed from outside (`>&-`, a service without a console) swallows it.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(
            stream, "reconfigure", None
        )  # a stream that a test or an IDE put there may lack it
        if reconfigure is not None:
            reconfigure(errors="replace")


def drop_output() -> None:
    """stdout takes nothing more (a full disk, a reader that is gone): the end must not try it once more."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def ask(question: Callable[[], Any], cure: str) -> Any:
    """What somebody answers to one of Typer's questions. Ctrl-C ends the command as everywhere; raises
    ConfigError with `cure` when nobody is there to answer.
    """
    from tws.errors import ConfigError

    try:
        return question()
    except typer.Abort as ended:
        if isinstance(ended.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise ConfigError("answer", None, "the input ended before it came", cure) from None


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


def short(figure: str | None, unknown: str) -> str:
    """A figure for a human: four places are enough; JSON has them all."""
    return unknown if figure is None else f"{round(Decimal(figure), 4).normalize():f}"


def print_json(value: Any) -> None:
    """`value` on stdout as one JSON document, in ASCII: it survives every encoding."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")
