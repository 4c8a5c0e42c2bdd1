"""What `tws risk` asks of a running trader: how far each limit is, a change of limits, a release."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from tws.desk import ChangeLimits, ReleaseLimit
from tws.desk.distances import report
from tws.errors import ConfigError
from tws.model.records import Alarmed, LimitReleased, LimitsChanged, Record
from tws.runtime.stopping import named
from tws.runtime.trader import Trader

__all__ = ["LimitWish", "change", "shown"]


class LimitWish(Struct, frozen=True, kw_only=True):
    """What a named human wants: values by path, or a limit that has latched to be released."""

    operator: str
    reason: str
    changes: dict[str, str] = field(default_factory=dict)
    release: str = ""
    """`max_daily_loss`, or `max_entries/SPY`."""


def shown(trader: Trader) -> dict[str, Any]:
    """Limits in force, what has latched, and the distance of each limit that is a figure."""
    state = trader.desk.state
    rows = report(trader.desk, trader.clock.now_ns())
    return {
        "limits": {} if state.limits is None else state.limits.to_plain(),
        "latched": dict(state.latches),
        "distances": [
            {"name": row.name, "about": row.about, "latched": row.latched, "figure": _text(row.figure),
             "bound": _text(row.bound), "part": None if row.part is None else float(row.part)}
            for row in rows
        ],
    }


async def change(trader: Trader, wish: LimitWish) -> list[str]:
    """The records that came of it. Raises ConfigError with the desk's own words when it refused."""
    operator, reason = named(wish.operator, wish.reason)
    command: ChangeLimits | ReleaseLimit
    if wish.release:
        limit, _, scope = wish.release.partition("/")
        command = ReleaseLimit(limit=limit, scope=scope, operator=operator, reason=reason)
    else:
        command = ChangeLimits(operator=operator, reason=reason, changes=wish.changes)
    records = await trader.ask(command)
    if not any(isinstance(record, LimitsChanged | LimitReleased) for record in records):
        raise ConfigError("limits", wish.release or wish.changes, _why(records), "Nothing was changed")
    return [type(record).__name__ for record in records]


def _why(records: list[Record]) -> str:
    said = [record.text for record in records if isinstance(record, Alarmed)]
    return "; ".join(said) or "refused, as a moment ago"


def _text(value: object) -> str | None:
    return None if value is None else str(value)
