"""The words of a rule's text, each with its place: names, figures with their unit, quoted text, signs.

The grammar is closed: what is none of these is an error that names line and column. Nothing is ever
evaluated.
"""

from __future__ import annotations

import re
from enum import StrEnum
from math import isfinite

from msgspec import Struct

from tws.errors import ConfigError

__all__ = ["MAX_TEXT", "Shape", "Token", "TokenError", "tokens"]

MAX_TEXT = 100_000
"""Characters of one condition: five hundred parts of two hundred each."""


class Shape(StrEnum):
    """What a token is."""

    NAME = "a name"
    NUMBER = "a number"
    SECONDS = "a duration"
    CLOCK = "a time"
    PERCENT = "a percentage"
    TEXT = "quoted text"
    SIGN = "a sign"
    END = "the end"


class Token(Struct, frozen=True):
    """One token: as written, its figure where it is one, where it begins (both 1-based)."""

    shape: Shape
    text: str
    line: int
    column: int
    value: float = 0.0


class TokenError(ConfigError):
    """A rule's text is wrong: `line` and `column` within it say where."""

    def __init__(self, field: str, text: str, at: Token, reason: str, cure: str) -> None:
        lines = text.splitlines() or [""]
        line = lines[min(at.line, len(lines)) - 1]
        told = f"line {at.line}, column {at.column}: {_short(reason, 300)}"
        super().__init__(field, _short(line, 120), told, _short(cure, 600))
        self.line = at.line
        self.column = at.column


def _short(text: str, most: int) -> str:
    """A text as a message can carry it."""
    return text if len(text) <= most else text[: most - 3] + "..."


_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\n]+ | \#[^\n]*)
    | (?P<clock>\d+(?::\d+)+)
    | (?P<number>-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)(?P<unit>%|[A-Za-z]+)?
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | "(?P<text>[^"\\\n]*)"
    | (?P<sign>>=|<=|==|!=|[<>(),.+])
    """,
    re.VERBOSE | re.ASCII,  # digits of other scripts look like ours and mean something else to a reader
)
_UNITS = {"": Shape.NUMBER, "%": Shape.PERCENT}
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def tokens(text: str, field: str) -> list[Token]:
    """The tokens of a text, with `Shape.END` at last. Raises TokenError, which names the `field`."""
    found: list[Token] = []
    at, line, begin = 0, 1, 0
    if len(text) > MAX_TEXT:
        here = Token(Shape.END, "", 1, 1)
        raise TokenError(
            field, text, here, f"{len(text)} characters; at most {MAX_TEXT}", "Make several rules of it"
        )
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            here = Token(Shape.SIGN, text[at], line, at - begin + 1)
            raise TokenError(field, text, here, f"{text[at]!r} means nothing here", _cure_of(text[at]))
        if not match.group("space"):
            found.append(_token(match, line, at - begin + 1, text, field))
        elif "\n" in match.group():
            line += match.group().count("\n")
            begin = at + match.group().rindex("\n") + 1
        at = match.end()
    return [*found, Token(Shape.END, "", line, at - begin + 1)]


def _token(match: re.Match[str], line: int, column: int, text: str, field: str) -> Token:
    whole = match.group()
    if match.group("clock"):
        return Token(Shape.CLOCK, whole, line, column)
    if match.group("text") is not None:
        return Token(Shape.TEXT, match.group("text"), line, column)
    if match.group("number") is None:
        return Token(Shape.NAME if match.group("name") else Shape.SIGN, whole, line, column)
    value, unit = float(match.group("number").replace("_", "")), match.group("unit")
    shape = _UNITS.get(unit or "", Shape.SECONDS if unit in _SECONDS else None)
    if shape is None or not isfinite(value):
        here = Token(Shape.NUMBER, whole, line, column)
        cure = "Units are s, m, h, d and %, such as 90s or 2%"
        raise TokenError(field, text, here, f"{whole!r} is no figure", cure)
    return Token(shape, whole, line, column, value * _SECONDS.get(unit or "", 1.0))


def _cure_of(sign: str) -> str:
    if sign == "=":
        return "Write == to ask whether two are equal"
    if sign in "&|!~":
        return "Write and, or, not"
    if sign == '"':
        return "Close the quotes on the same line"
    return "Text other than names and figures stands in double quotes"
