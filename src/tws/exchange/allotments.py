"""What an advisor's order filled goes to the accounts of its clients.

Reported (users of a large open platform): the executions and commissions of the order come first, in the
advisor's account; then one of each for every account that gets a part. Assumed: they come when the order has
ended, each at the order's average price, with its share of the order's fees, under an execId of its own.
The advisor's account gives at cost and realises nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from tws.exchange.activation import settle
from tws.exchange.bells import elapse
from tws.exchange.core import Core
from tws.exchange.events import CommissionCharged, Event, Executed, ExecutionReport, OrderView
from tws.exchange.matching import tell_books
from tws.exchange.working import UNBOUND
from tws.model.order import Side

__all__ = ["Allotments"]

ZERO = Decimal(0)
FINE = Decimal("1E-8")
NO_LIQUIDITY = 0


class Allotments:
    """Reached as `exchange.allotments`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def share_out(
        self, order: OrderView, parts: Sequence[tuple[str, Decimal]], now_ns: int
    ) -> Sequence[Event]:
        """Unsigned shares of what an ended order filled go to the accounts named; each is told of its part.

        A part of the advisor's own stays where it is; so does what that account doesn't hold any more.
        """
        core = self._core
        elapse(core, now_ns)
        source = core.ledgers[order.ticket.account]
        fees = order.fees
        for place, (account, shares) in enumerate(parts, 1):
            fee = fees if place == len(parts) else (order.fees * shares / order.filled).quantize(FINE)
            fees -= fee
            holding = source.holdings.get(order.con_id)
            if holding is not None and holding.quantity and account != source.account:
                self._give(order, account, shares, fee)
        tell_books(core, source.account, core.books[order.con_id])
        settle(core)
        return core.take()

    def _give(self, order: OrderView, account: str, shares: Decimal, fee: Decimal) -> None:
        """One account's part: out of the advisor's at its cost, into the client's at that less the fee."""
        core, book = self._core, self._core.books[order.con_id]
        source = core.ledgers[order.ticket.account]
        holding = source.holdings[order.con_id]
        signed = shares if order.ticket.side is Side.BUY else -shares
        whole = signed == holding.quantity
        cost = holding.cost if whole else (holding.cost * signed / holding.quantity).quantize(FINE)
        source.fill(order.con_id, -signed, fee - cost, -fee)
        profit = core.ledgers[account].fill(order.con_id, signed, cost - fee, fee)
        executed = Executed(
            exec_id=core.next_exec_id(), client_id=order.client_id, order_id=order.order_id or UNBOUND,
            perm_id=order.perm_id, account=account, con_id=order.con_id, side="BOT" if signed > 0 else "SLD",
            quantity=shares, price=order.average_price, time_ns=core.now, cumulative=shares,
            average_price=order.average_price, order_ref=order.ticket.order_ref,
            exchange=book.instrument.contract.primary_exchange or book.instrument.contract.exchange,
            liquidity=NO_LIQUIDITY,
        )  # fmt: skip
        charged = CommissionCharged(
            exec_id=executed.exec_id, client_id=order.client_id, account=account, amount=fee,
            currency=book.instrument.contract.currency, realized_pnl=profit,
        )  # fmt: skip
        core.archive.add_execution(ExecutionReport(executed=executed, commission=charged))
        core.out += (executed, charged)
        tell_books(core, account, book)
