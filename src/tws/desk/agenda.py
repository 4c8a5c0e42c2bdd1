"""Which trades the desk must look at after an event: those that it touched, and those whose wait is over.

To look at every open trade after every event is simple and right, and too slow with fifty of them. What a
look decides depends on the trade's own orders and counters, on the link, and on waits. So a trade is looked
at again when a record was applied that concerns it, when a wait ends that its last look found running, and
after every record that may concern all. The result is the same as that of looking at all, which a
property test holds (tests/desk/test_agenda.py).

The agenda stands beside the state, like quotes: it says where to look, never what is so. A new one, as after
a recovery, looks at everything once.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from tws.desk.state import DeskState
from tws.model import records as r
from tws.model.records import Record

__all__ = ["Agenda"]

_OF_A_GROUP = (
    r.Planned, r.Intended, r.Denied, r.Released, r.Reopened, r.HandedBack, r.Watched, r.Adopted,
)
_OF_AN_ORDER = (
    r.Approved, r.Changed, r.Stated, r.Resized, r.Agreed, r.Moved, r.Bound, r.Booked, r.Annulled,
    r.CancelAsked, r.Missed,
)
_OF_NONE = (
    r.Charged, r.FloorRaised, r.PositionHeard, r.OpeningSet, r.OpeningConfirmed, r.Asked, r.Answered,
    r.Retired, r.ForeignSeen, r.Alarmed, r.AllCancelAsked, r.HoursStated, r.LimitsChanged, r.LimitLatched,
    r.LimitReleased, r.LossAnchored, r.PeakRaised, r.Lacked, r.Refused, r.CashAsked, r.CashHeard,
    r.CashAdjusted, r.Differs, r.ReversalMoved, r.Aimed, r.RuleSwitched, r.Reloaded,
    r.Folded,
)


# Differs: while it keeps a stop from being placed, its trade asks to be looked at after every event; when it
# has lasted, a Shortfall says what it means.


class Agenda:
    """The trades to look at. Every other kind of record than those named above touches all of them."""

    def __init__(self, *, everything: bool = False) -> None:
        """`everything`: look at all trades after every event, the plain form."""
        self._everything = everything
        self._all = True
        self._touched: dict[str, None] = {}
        self._due: dict[str, int] = {}
        self._queue: list[tuple[int, str]] = []
        self._now_ns = 0

    def note(self, state: DeskState, record: Record) -> None:
        """A record was applied."""
        ways = _WAYS.get(type(record))
        if ways is None:
            self._all = True
        else:
            ways(self, state, record)

    def touch(self, group_id: str) -> None:
        """Look at this trade after the present event."""
        if group_id:
            self._touched[group_id] = None

    def touch_all(self) -> None:
        """Look at every trade after the present event."""
        self._all = True

    def wait(self, group_id: str, at_ns: int | None) -> None:
        """Look at this trade again at `at_ns`, if nothing touches it before; None: nothing is waited for."""
        if at_ns is None:
            self._due.pop(group_id, None)
        elif self._due.get(group_id) != at_ns:
            self._due[group_id] = at_ns
            heappush(self._queue, (at_ns, group_id))

    def take(self, state: DeskState, now_ns: int) -> list[str]:
        """The trades to look at now, in the order in which they were opened; they are off the agenda then.

        Trades that are over are among them when something touched them.
        """
        if now_ns < self._now_ns:
            self._all = True  # a clock that went back: each wait is measured anew
        self._now_ns = now_ns
        while self._queue and self._queue[0][0] <= now_ns:
            at_ns, group_id = heappop(self._queue)
            if self._due.get(group_id) == at_ns:
                del self._due[group_id]
                self._touched[group_id] = None
        found = list(self._touched)
        if self._all or self._everything:
            found += [group_id for group_id in state.open_groups if group_id not in self._touched]
        if len(found) > 1:
            found.sort(key=_serial)
        self._all = False
        self._touched = {}
        return found


def _serial(group_id: str) -> tuple[int, str]:
    number = group_id.rpartition("-")[2]
    return (int(number) if number.isdigit() else 0, group_id)


def _group(agenda: Agenda, state: DeskState, record: Record) -> None:
    agenda.touch(getattr(record, "group_id", ""))


def _order(agenda: Agenda, state: DeskState, record: Record) -> None:
    order = state.book.orders.get(getattr(record, "intent_id", ""))
    if order is not None:
        agenda.touch(order.group_id)


def _symbol(agenda: Agenda, state: DeskState, record: Record) -> None:
    symbol = getattr(record, "symbol", "")
    for group_id in state.open_groups:
        if state.groups[group_id].contract.symbol == symbol:
            agenda.touch(group_id)


def _contract(agenda: Agenda, state: DeskState, record: Record) -> None:
    """Trades that are over too: shares of ours that others had sold may be there again."""
    contract = getattr(record, "contract", None)
    for group_id in (*state.open_groups, *state.over):
        group = state.groups.get(group_id)
        if group is not None and contract is not None and group.contract.con_id == contract.con_id:
            agenda.touch(group_id)


def _contracts(agenda: Agenda, state: DeskState, record: Record) -> None:
    """Of the options, and of the shares that they became."""
    _contract(agenda, state, record)
    underlying = getattr(record, "underlying", None)
    for group_id in state.open_groups:
        if underlying is not None and state.groups[group_id].contract.con_id == underlying.con_id:
            agenda.touch(group_id)


def _none(agenda: Agenda, state: DeskState, record: Record) -> None:
    """It concerns no trade's protection."""


_WAYS: dict[type, Callable[[Agenda, DeskState, Record], None]] = {
    **dict.fromkeys(_OF_A_GROUP, _group),
    **dict.fromkeys(_OF_AN_ORDER, _order),
    **dict.fromkeys(_OF_NONE, _none),
    r.FlattenMoved: _symbol,
    **dict.fromkeys((r.Shortfall, r.Adjusted, r.Inferred, r.Busted), _contract),
    r.Exercised: _contracts,
}
