"""The exchange's face: inputs in, events out.

Deterministic and sans-I/O. Time comes with every input and never runs back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tws.exchange.events import CompletedOrder, Event, ExecutionReport, OrderView, PositionRow
from tws.exchange.terms import (
    AccountSetup,
    ExecutionFilter,
    FeeSchedule,
    Habits,
    Listing,
    MarginModel,
    OrderTicket,
)
from tws.model.account import AccountValue

__all__ = ["Exchange"]

ANY = ExecutionFilter()


class Exchange:
    """A simulated broker's matching engine and books. Inputs return events in TWS's order."""

    def __init__(
        self,
        listings: Iterable[Listing],
        accounts: Iterable[AccountSetup],
        *,
        habits: Habits = Habits(),
        fees: FeeSchedule = FeeSchedule(),
        margin: MarginModel = MarginModel(),
        next_order_ids: Mapping[int, int] | None = None,
        run: int = 1,
    ) -> None:
        """`next_order_ids` restores ids per client; `run` (0..65535) keeps execIds and permIds of two runs apart."""
        raise NotImplementedError

    def list(self, listing: Listing) -> None:
        """Add an instrument. Raises ConfigError when its con_id is 0 or already listed."""
        raise NotImplementedError

    # -- the market ------------------------------------------------------------------------------

    def quote(self, con_id: int, bid: int, bid_lots: int, ask: int, ask_lots: int, now_ns: int) -> Sequence[Event]:
        """A new best bid and ask, in ticks and lots; lots 0: that side is empty. It refreshes the displayed size."""
        raise NotImplementedError

    def trade(self, con_id: int, price: int, lots: int, now_ns: int) -> Sequence[Event]:
        """A print, in ticks and lots: it sets the last price and triggers stops, and fills nothing itself."""
        raise NotImplementedError

    def advance(self, now_ns: int) -> Sequence[Event]:
        """Let time pass: opens, closes and expiries up to `now_ns`. Call it at least at `next_wake()`."""
        raise NotImplementedError

    def next_wake(self) -> int | None:
        """The next instant at which `advance` has something to do, None for never."""
        raise NotImplementedError

    # -- orders ----------------------------------------------------------------------------------

    def place(self, ticket: OrderTicket, now_ns: int) -> Sequence[Event]:
        """placeOrder: a new order, a what-if, or the change of a living one."""
        raise NotImplementedError

    def cancel(self, client_id: int, order_id: int, now_ns: int) -> Sequence[Event]:
        """cancelOrder by its owner."""
        raise NotImplementedError

    def global_cancel(self, now_ns: int) -> Sequence[Event]:
        """reqGlobalCancel: every living order of every client."""
        raise NotImplementedError

    def restart(self, now_ns: int) -> None:
        """TWS restarts: untransmitted orders are lost without a word (C2 Bracket)."""
        raise NotImplementedError

    def new_day(self, now_ns: int) -> None:
        """A day begins: today's realised P&L and the previous day's equity are set anew (D: 20:30 ET)."""
        raise NotImplementedError

    def refuse(self, con_id: int, reason: str | None) -> None:
        """From now on reject new orders on this contract (201) for this reason; None ends it. A fault to play."""
        raise NotImplementedError

    # -- ids -------------------------------------------------------------------------------------

    def next_order_id(self, client_id: int) -> int:
        """nextValidId of a client: above all that it ever used; outlives its sessions."""
        raise NotImplementedError

    def note_seen(self, client_id: int, order_id: int) -> None:
        """The client saw this id through an open-order callback: it may not use it as new (103)."""
        raise NotImplementedError

    def set_next_order_id(self, client_id: int, order_id: int) -> None:
        """Roll a client's ids back or forth: the fault of INCIDENTS.md 1, or "Reset API order ID sequence"."""
        raise NotImplementedError

    def order_ids(self) -> dict[int, int]:
        """Next ids of all clients, to be given to a later exchange as `next_order_ids`."""
        raise NotImplementedError

    # -- questions -------------------------------------------------------------------------------

    def open_orders(self, client_id: int | None = None) -> tuple[OrderView, ...]:
        """Living, transmitted orders of one client, or of all; oldest first."""
        raise NotImplementedError

    def completed_orders(self) -> tuple[CompletedOrder, ...]:
        """Orders that ended, in the order of their end."""
        raise NotImplementedError

    def executions(self, wanted: ExecutionFilter = ANY) -> tuple[ExecutionReport, ...]:
        """Executions that match, oldest first."""
        raise NotImplementedError

    def accounts(self) -> tuple[str, ...]:
        raise NotImplementedError

    def positions(self, account: str | None = None) -> tuple[PositionRow, ...]:
        """Positions of one account, or of all; rows that were closed stay with quantity 0 until `new_day`."""
        raise NotImplementedError

    def account_values(self, account: str) -> tuple[AccountValue, ...]:
        """The rows of message 6, TWS's tags (D)."""
        raise NotImplementedError
