"""What the sections of a configuration file share: strictness, exact numbers, a guess at what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict

__all__ = ["Section", "did_you_mean", "exact"]


class Section(BaseModel):
    # strict: a port in quotes is a slip, and the file is the place to mend it.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def chosen(self) -> dict[str, Any]:
        """What the file says, by name, without what it leaves to the defaults of whoever reads it."""
        return self.model_dump(exclude_none=True)


def exact(value: object) -> object:
    """TOML has no decimals: 0.1 arrives as a float, and its shortest text is what the user wrote."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return Decimal(repr(value))


def did_you_mean(name: str, known_as: str, known: Iterable[str]) -> str:
    """The cure for a name that nobody knows: the nearest one that is known, then all of them."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    guess = f"Did you mean {near[0]}? " if near else ""
    return f"{guess}{known_as}: {', '.join(names)}"
