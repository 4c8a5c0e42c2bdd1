"""What the sections of a configuration file share: strictness, exact numbers, a guess at what was meant."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["Amount", "Section", "Symbol", "Words", "did_you_mean", "exact"]


def exact(value: object) -> object:
    """TOML has no decimals: 0.1 arrives as a float, and its shortest text is what the user wrote."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return Decimal(repr(value))


Amount = Annotated[Decimal, BeforeValidator(exact), Field(gt=0, allow_inf_nan=False)]
Symbol = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Z0-9][A-Z0-9 .\-/]*$")]
Words = Annotated[str, Field(min_length=1, max_length=100)]


class Section(BaseModel):
    """A section. An unknown name is an error, and so is a port in quotes: a slip, to be mended there."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def chosen(self) -> dict[str, Any]:
        """What the file says, by name, without what it leaves to the defaults of whoever reads it."""
        return self.model_dump(exclude_none=True)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The cure for a name that nobody knows: the nearest one that is known, then all of them."""
    names = list(known)
    near = get_close_matches(name, names, 1)
    return (f"Did you mean {near[0]}? " if near else "") + f"Known here: {', '.join(names)}"
