"""What `tws risk` asks of a running trader: how far each limit is, a change of limits, a release."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from tws.config import is_paper_account
from tws.desk import ChangeLimits, Desk, DeskState, ReleaseLimit
from tws.desk.distances import report
from tws.errors import ConfigError
from tws.model.records import Alarmed, LimitReleased, LimitsChanged, Record
from tws.risk.changes import changes
from tws.runtime.adjusting import said_against
from tws.runtime.stopping import named
from tws.runtime.trader import Trader

__all__ = ["LimitWish", "change", "changed", "refuse_loosened", "shown"]


class LimitWish(Struct, frozen=True, kw_only=True):
    """What a named human wants: values by path, or a limit that has latched to be released."""

    operator: str
    reason: str
    changes: dict[str, str] = field(default_factory=dict)
    release: str = ""
    """`max_daily_loss`, or `max_entries/SPY`."""

    def to_command(self) -> ChangeLimits | ReleaseLimit:
        """Raises ConfigError without a name and a reason."""
        operator, reason = named(self.operator, self.reason)
        if self.release:
            limit, _, scope = self.release.partition("/")
            return ReleaseLimit(limit=limit, scope=scope, operator=operator, reason=reason)
        return ChangeLimits(operator=operator, reason=reason, changes=self.changes)


def shown(desk: Desk, now_ns: int) -> dict[str, Any]:
    """Limits in force, what has latched, and the distance of each limit that is a figure.

    A desk without a market (a journal's) knows no price: what counts money has no figure then.
    """
    state = desk.state
    return {
        "limits": {} if state.limits is None else state.limits.to_plain(),
        "latched": dict(state.latches),
        "distances": [
            {"name": row.name, "about": row.about, "latched": row.latched, "figure": _text(row.figure),
             "bound": _text(row.bound), "part": None if row.part is None else float(row.part)}
            for row in report(desk, now_ns)
        ],
    }


async def change(trader: Trader, wish: LimitWish) -> list[str]:
    """The records that came of it. Raises ConfigError with the desk's own words when it refused."""
    return changed(wish, await trader.ask(wish.to_command()))


def refuse_loosened(wish: LimitWish, desk: DeskState) -> None:
    """On a live account no word of the moment loosens what the configuration says, for which the unlock was
    earned. Raises ConfigError.
    """
    configured = desk.configured
    if not wish.changes or desk.limits is None or configured is None or is_paper_account(desk.account):
        return
    try:
        wished = desk.limits.changed(wish.changes)
    except ValueError:
        return  # the desk says what is wrong with it
    looser = [each for each in changes(configured, wished) if each.loosens]
    if looser:
        reason = f"lets more pass on a live account than its configuration: {', '.join(map(str, looser))}"
        cure = "Write it into the file, earn and unlock it there (tws unlock), then: tws reload"
        raise ConfigError("limits", wish.changes, reason, cure)


def changed(wish: LimitWish, records: list[Record]) -> list[str]:
    """The kinds of records. Raises ConfigError when nothing was changed."""
    if not any(isinstance(record, LimitsChanged | LimitReleased) for record in records):
        asked = wish.release or wish.changes
        raise ConfigError("limits", asked, said_against(records), "Nothing was changed")
    return [type(record).__name__ for record in records if not isinstance(record, Alarmed)]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
