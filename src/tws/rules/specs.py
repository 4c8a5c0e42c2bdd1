"""The spec of an indicator: a name, its parameters, and one of its outputs, such as `macd(12,26,9).signal`.

Here it is only brought into its one spelling (no blanks, small letters, whole numbers without a point), so
that two spellings are one value and are worked out once.
"""

from __future__ import annotations

import re
from math import isfinite

__all__ = ["checked_spec"]

_SPEC = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\(([^()]*)\))?\s*(?:\.\s*([A-Za-z_][A-Za-z0-9_]*))?\s*")


def checked_spec(text: str) -> str:
    """The spec as it is written everywhere. Raises ValueError for what is none."""
    found = _SPEC.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no indicator such as ema(20)")
    name, inner, output = found.group(1).lower(), found.group(2) or "", found.group(3)
    arguments = ",".join(_plain(part, text) for part in inner.split(",")) if inner.strip() else ""
    return f"{name}({arguments})" + (f".{output.lower()}" if output else "")


def _plain(part: str, text: str) -> str:
    try:
        value = float(part)
    except ValueError:
        raise ValueError(f"{text!r}: {part.strip()!r} is no number") from None
    if not isfinite(value):
        raise ValueError(f"{text!r}: {part.strip()!r} is no number")
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
