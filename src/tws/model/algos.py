"""An algorithm that works an order at IB, as TWS takes it: a name and parameters.

`tws.ordertypes` builds IB's own ones with typed parameters; those of third parties are a raw `Algo`.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import force_setattr

__all__ = ["Algo", "Tags", "sorted_tags"]

Tags: TypeAlias = tuple[tuple[str, str], ...]
"""Names with values, both as TWS's text; each name once, sorted: protobuf carries them as a map (wire.md)."""


class Algo(Struct, frozen=True, kw_only=True):
    """`strategy` is TWS's name of it (`Adaptive`), `algo_id` marks orders that a program of one's own made.

    Parameters may be given as a dict. Raises ValueError for a name that stands twice.
    """

    strategy: str
    params: Tags = ()
    algo_id: str = ""

    def __post_init__(self) -> None:
        force_setattr(self, "params", sorted_tags(self.params, "params"))

    def get(self, name: str) -> str | None:
        """The text of one parameter."""
        return dict(self.params).get(name)


def sorted_tags(tags: object, what: str) -> Tags:
    """Tags in their one order. Raises ValueError for a name that stands twice or is no text."""
    rows = list(tags.items()) if isinstance(tags, dict) else list(tags)  # type: ignore[call-overload]
    found = dict(rows)
    if len(found) != len(rows) or not all(isinstance(text, str) for row in rows for text in row):
        raise ValueError(f"{what} wants each name once, name and value as text: {rows!r}")
    return tuple(sorted(found.items()))
