"""What changes from one set of limits to another, bound by bound, and whether it lets more pass.

    changes(Limits(), Limits(max_position=500, symbols={"SPY": {"max_position": 100}}))

An override that appears or goes is compared with the bound for everything, which holds where there is none.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tws.risk.fields import FIELDS, tighter
from tws.risk.limits import SCOPES, Limits

__all__ = ["LimitChange", "changes"]


class LimitChange(Struct, frozen=True, kw_only=True):
    """One bound by its path, as text; empty: there was, or is, no such override."""

    name: str
    old: str
    new: str
    loosens: bool

    def __str__(self) -> str:
        return f"{self.name} from {self.old or 'none'} to {self.new or 'none'}"


def changes(old: Limits, new: Limits) -> tuple[LimitChange, ...]:
    """In the order in which people read limits, overrides behind them."""
    before, after = old.to_plain(), new.to_plain()
    paths = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    return tuple(
        LimitChange(
            name=path, old=before.get(path, ""), new=after.get(path, ""), loosens=_loosens(path, old, new)
        )
        for path in paths
    )


def _loosens(path: str, old: Limits, new: Limits) -> bool:
    kind = FIELDS.get(path.rpartition(".")[2])
    if kind is None:
        return True  # the zone of the day, delayed data: no order of tighter and looser
    before, after = _value(path, old), _value(path, new)
    if kind.tight == "beyond":
        return not set(after) >= set(before)
    return not tighter(kind, after, before)


def _value(path: str, limits: Limits) -> Any:
    """The bound at a path; that for everything where it has no override."""
    scope, _, rest = path.partition(".")
    key, _, name = rest.rpartition(".")
    if scope not in SCOPES or not rest:
        return getattr(limits, path)
    return getattr(limits, scope).get(key, {}).get(name, getattr(limits, name))
