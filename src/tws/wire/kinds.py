"""Kinds of fields: how one text field of the wire becomes a value, and back. All sentinels live here.

A kind has a reader (bytes to value, ValueError when the bytes don't mean one) and a writer (value to
text). "Unset" is None in a message; on the wire it is an empty field or a largest number, and which of
them TWS or a client writes differs by field, so there is a kind for each. A reader takes every form.
Sources: TWS-BEHAVIOUR.md F1, C5, A8; the official client's `decode` and `make_field_handle_empty`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import inf, isfinite
from typing import Any

__all__ = [
    "AND_OR",
    "BOOL",
    "DECIMAL",
    "FLOAT",
    "FLOAT0",
    "GREEK1",
    "GREEK2",
    "INT",
    "INT0",
    "INT0_EMPTY",
    "OPTIONS",
    "OPT_BOOL",
    "OPT_DECIMAL",
    "OPT_DECIMAL_EMPTY",
    "OPT_FLOAT",
    "OPT_FLOAT_EMPTY",
    "OPT_INT",
    "OPT_INT_EMPTY",
    "OPT_LONG",
    "PERCENT",
    "STR",
    "STRIKE",
    "STRIKE_EMPTY",
    "TEXT",
    "TRUE_FALSE",
    "VOLATILITY",
    "Kind",
]

DOUBLE_MAX = 1.7976931348623157e308
DOUBLE_MAX_TEXT = "1.7976931348623157E308"
UNSET_TEXTS = frozenset((b"1.7976931348623157E308", b"1.7976931348623157e+308"))
"""The largest number as TWS and Java write it, and as Python does."""
INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
UNSET_DECIMALS = frozenset((
    b"", b"2147483647", b"9223372036854775807", b"-9223372036854775808", b"1.7976931348623157E308",
    b"170141183460469231731687303715884105727",
))
"""What stands for "no number" in a decimal field; the last is the official client's own 2**127 - 1."""
MAX_EXPONENT = 60
"""Decimals beyond ten to this power are refused: written plainly, `1E999999999` would fill the memory."""
INFINITE = frozenset((b"Infinity", b"Infinite"))
"""The first is TWS's and the official client's; ib_async 2.1.0 writes the second."""

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_NOT_PLAIN = re.compile(r"[^\x00-\x5b\x5d-\x7f]")


@dataclass(frozen=True)
class Kind:
    """One kind.

    `inline` is a format for f-strings that writes the value without a call, when there is one.
    """

    name: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], str]
    inline: str = ""


# readers


def read_int(field: bytes) -> int:
    """A whole number; no blanks, no underscores, no plus."""
    if field.isdigit() or (field[:1] == b"-" and field[1:].isdigit()):
        return int(field)
    raise ValueError("is no whole number")


def read_int0(field: bytes) -> int:
    """A whole number; an empty field is 0, as the official reader has it."""
    return read_int(field) if field else 0


def read_opt_int(field: bytes) -> int | None:
    if not field:
        return None
    value = read_int(field)
    return None if value == INT_MAX else value


def read_opt_long(field: bytes) -> int | None:
    if not field:
        return None
    value = read_int(field)
    return None if value == LONG_MAX else value


def read_float(field: bytes) -> float:
    """A finite number that is not the unset one."""
    value = float(field)
    if not isfinite(value) or value == DOUBLE_MAX or b"_" in field:
        raise ValueError("is no finite number")
    return value


def read_float0(field: bytes) -> float:
    """A finite number; an empty field is 0, as the official reader has it, and so is the unset number, which
    the official Java client writes here.
    """
    return read_float(field) if field and field not in UNSET_TEXTS else 0.0


def read_opt_float(field: bytes) -> float | None:
    if not field:
        return None
    if field in INFINITE:
        return inf
    value = float(field)
    if value == DOUBLE_MAX:
        return None
    if not isfinite(value) or b"_" in field:
        raise ValueError("is no number")
    return value


def read_strike(field: bytes) -> float | None:
    """A strike of 0 stands for "no strike" below server version 202 (F1). From 202 an empty field does, and
    clients that still write 0 for a stock are read the same way.
    """
    return read_opt_float(field) or None


def read_decimal(field: bytes) -> Decimal:
    if field in UNSET_DECIMALS or b"_" in field:
        raise ValueError("is no decimal number")
    value = Decimal(field.decode("ascii"))
    if not value.is_finite():
        raise ValueError("is no finite decimal number")
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError("is no decimal number of a size that can be meant")
    return value


def read_opt_decimal(field: bytes) -> Decimal | None:
    return None if field in UNSET_DECIMALS else read_decimal(field)


def read_str(field: bytes) -> str:
    """UTF-8; what is none stays readable as backslash escapes, as in the official client."""
    return field.decode("utf-8", "backslashreplace")


def read_text(field: bytes) -> str:
    """Text in which TWS writes all that is not ASCII as backslash-u escapes (A8)."""
    text = field.decode("utf-8", "backslashreplace")
    if "\\u" not in text:
        return text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_bool(field: bytes) -> bool:
    """1 or 0; an empty field is False, as the official reader has it."""
    if field in (b"1", b"true"):
        return True
    if field in (b"0", b"", b"false"):
        return False
    raise ValueError("is neither 1 nor 0")


def read_opt_bool(field: bytes) -> bool | None:
    return None if field in (b"", b"2147483647") else read_bool(field)


def read_options(field: bytes) -> tuple[tuple[str, str], ...]:
    pairs = []
    for part in read_str(field).split(";"):
        if part:
            tag, equals, value = part.partition("=")
            if not equals:
                raise ValueError("is no list of tag=value;")
            pairs.append((tag, value))
    return tuple(pairs)


def read_and_or(field: bytes) -> bool:
    if field not in (b"a", b"o"):
        raise ValueError("is neither a(nd) nor o(r)")
    return field == b"a"


def read_count(field: bytes) -> int:
    """How many items follow."""
    value = read_int(field) if field else 0
    if value < 0:
        raise ValueError("is a negative count")
    return value


def _greek(unset: float) -> Callable[[bytes], float | None]:
    def read(field: bytes) -> float | None:
        value = read_opt_float(field)
        return None if value is None or value == unset else value

    return read


def read_true_false(raw: bytes) -> bool:
    """The one truth value that is a word (assumed: no official Python source says it); others are false."""
    return raw == b"true"


def read_volatility(field: bytes) -> float | None:
    """Any negative implied volatility means: not computed (E; the official decoder)."""
    value = read_opt_float(field)
    return None if value is None or value < 0 else value


# writers


def write_int(value: int) -> str:
    return f"{value:d}"


def write_true_false(value: bool) -> str:
    return "true" if value else "false"


def write_int0_empty(value: int) -> str:
    return f"{value:d}" if value else ""


def write_float(value: float) -> str:
    if not isfinite(value):
        raise ValueError(f"{value} is no finite number")
    return repr(value)


def _write_opt_float(unset: str) -> Callable[[float | None], str]:
    def write(value: float | None) -> str:
        if value is None:
            return unset
        if value == inf:
            return "Infinity"
        return write_float(value)

    return write


def read_percent(raw: bytes) -> float | None:
    value = read_opt_float(raw)
    return None if value == INT_MAX else value


def write_percent(value: float | None) -> str:
    """Whole, as TWS's own type of it is: ib_insync and ib_async can't read `1.0` there."""
    return "2147483647" if value is None else str(int(value))


def _write_opt_int(unset: str) -> Callable[[int | None], str]:
    def write(value: int | None) -> str:
        return unset if value is None else f"{value:d}"

    return write


def write_decimal(value: Decimal) -> str:
    """Plain digits: no exponent, and no zeros behind the point (clients below 163 read sizes as integers)."""
    text = str(value)
    if text.isdigit():
        return text
    if not value.is_finite():
        raise ValueError(f"{value} is no finite number")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _write_opt_decimal(unset: str) -> Callable[[Decimal | None], str]:
    def write(value: Decimal | None) -> str:
        return unset if value is None else write_decimal(value)

    return write


def write_str(value: str) -> str:
    if "\0" in value:
        raise ValueError(f"{value[:64]!r} has a NUL inside: it would end the field")
    return value


def write_text(value: str) -> str:
    """Escape what is not ASCII, and the backslash itself: a reader of any escape form gets it back."""
    if "\0" in value:
        raise ValueError(f"{value[:64]!r} has a NUL inside: it would end the field")
    if value.isascii() and "\\" not in value:
        return value
    return _NOT_PLAIN.sub(_escape, value)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def write_opt_bool(value: bool | None) -> str:
    return "" if value is None else f"{value:d}"


def write_options(value: tuple[tuple[str, str], ...]) -> str:
    for tag, text in value:
        if "=" in tag or ";" in tag or ";" in text:
            raise ValueError(f"option {tag}={text} has a separator inside")
    return write_str("".join(f"{tag}={text};" for tag, text in value))


def write_and_or(value: bool) -> str:
    return "a" if value else "o"


_MAX_FLOAT, _EMPTY_FLOAT = _write_opt_float(DOUBLE_MAX_TEXT), _write_opt_float("")

STR = Kind("text", read_str, write_str)
TEXT = Kind("escaped text", read_text, write_text)
BOOL = Kind("1 or 0", read_bool, write_int, "{:d}")
OPT_BOOL = Kind("1, 0 or empty", read_opt_bool, write_opt_bool)
INT = Kind("integer", read_int, write_int, "{:d}")
INT0 = Kind("integer, empty is 0", read_int0, write_int, "{:d}")
INT0_EMPTY = Kind("integer, 0 is empty", read_int0, write_int0_empty)
OPT_INT = Kind("integer or 2147483647", read_opt_int, _write_opt_int("2147483647"))
OPT_INT_EMPTY = Kind("integer or empty", read_opt_int, _write_opt_int(""))
OPT_LONG = Kind("integer or 9223372036854775807", read_opt_long, _write_opt_int("9223372036854775807"))
FLOAT = Kind("number", read_float, write_float)
FLOAT0 = Kind("number, empty is 0", read_float0, write_float)
OPT_FLOAT = Kind("number or 1.7976931348623157E308", read_opt_float, _MAX_FLOAT)
OPT_FLOAT_EMPTY = Kind("number or empty", read_opt_float, _EMPTY_FLOAT)
PERCENT = Kind("whole percent or 2147483647", read_percent, write_percent)
STRIKE = Kind("strike, none is 0.0", read_strike, _write_opt_float("0.0"))
STRIKE_EMPTY = Kind("strike, none is empty", read_strike, _write_opt_float(""))
DECIMAL = Kind("decimal", read_decimal, write_decimal)
OPT_DECIMAL = Kind("decimal or 2147483647", read_opt_decimal, _write_opt_decimal("2147483647"))
OPT_DECIMAL_EMPTY = Kind("decimal or empty", read_opt_decimal, _write_opt_decimal(""))
OPTIONS = Kind("tag=value;…", read_options, write_options)
TRUE_FALSE = Kind("true or false", read_true_false, write_true_false)
AND_OR = Kind("a or o", read_and_or, write_and_or)
VOLATILITY = Kind("volatility, none is -1", read_volatility, _write_opt_float("-1.0"))
GREEK1 = Kind("number, none is -1", _greek(-1.0), _write_opt_float("-1.0"))
GREEK2 = Kind("number, none is -2", _greek(-2.0), _write_opt_float("-2.0"))
