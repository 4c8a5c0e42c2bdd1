"""Short calls and the shares that cover them: what a further call finds, what a sale of shares must leave.

A short call is covered while the account holds the shares that it may have to deliver: as many as its
multiplier says, of the stock that bears its symbol, in its currency. What the gate is told is the worst:

* shares are ours that the account has, less what works to sell them: entries, and orders that close. The
  stop and the target of their trade are left out: they are what holds the shares safely, and a share whose
  stop works could else cover nothing. Should one of them fill, `naked` names the call that it leaves.
* calls are all that are short or on sale, those that others have sold in the account too.

An adjusted option (a digit in its trading class) delivers something else than its symbol's shares, so nothing
covers it; nor is anything covered where two stocks bear one symbol in one currency.

`Covers` stands beside the state, as `Worth` does: an index of the contracts that can be a call or its shares.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tws.desk.state import DeskState
from tws.desk.totals import Exposure
from tws.model.contract import Contract
from tws.model.execution import Execution
from tws.model.facts import BrokerOrder
from tws.model.order import Role, Side
from tws.model.records import FlattenPhase
from tws.positions.book import multiplier

__all__ = ["Covers", "is_call", "naked"]

_ZERO = Decimal(0)
_UNSTATED = Decimal(100)  # shares under an option whose multiplier nobody states: that of nearly all
_WAITS = ("STP", "TRAIL")  # order types that begin so sleep until their price is touched


def is_call(contract: Contract) -> bool:
    """Whether it is a call that a stock's shares may have to be delivered for."""
    return contract.sec_type == "OPT" and contract.right.upper().startswith("C")


class Covers:
    """The calls and shares of one state, by symbol and currency; for another state they are sought anew."""

    def __init__(self) -> None:
        self._state: DeskState | None = None
        self._sizes = (-1, -1, -1)
        self._families: dict[tuple[str, str], dict[int, Contract]] = {}

    def free(self, state: DeskState, call: Contract) -> Decimal:
        """The shares that cover `call` alone: those of its stock that no other call needs."""
        if not is_call(call) or not call.multiplier or any(sign.isdigit() for sign in call.trading_class):
            return _ZERO
        family = self._family(state, call)
        stocks = [each for each in family if each.sec_type == "STK"]
        if len(stocks) != 1:
            return _ZERO
        needed = sum((_needed(state, each) for each in family if each.con_id != call.con_id), _ZERO)
        offered = sum((each.quantity * _units(each.contract) for each in _foreign_sales(state, call)), _ZERO)
        return max(_for_sale(state, stocks[0]) - needed - offered, _ZERO)

    def owed(self, state: DeskState, stock: Contract) -> Decimal:
        """The shares of `stock` that short calls on it may have to deliver."""
        if stock.sec_type != "STK":
            return _ZERO
        return sum((_needed(state, each) for each in self._family(state, stock)), _ZERO)

    def _family(self, state: DeskState, contract: Contract) -> tuple[Contract, ...]:
        """The stocks and calls that bear a contract's symbol and currency, of which we have heard."""
        totals, ours, all_held = state.totals.contracts, state.ours.holdings, state.account_book.holdings
        sizes = (len(totals), len(ours), len(all_held))  # they only grow
        if state is not self._state or sizes != self._sizes:
            self._state, self._sizes, self._families = state, sizes, {}
            for each in _contracts(state):
                if each.sec_type == "STK" or is_call(each):
                    self._families.setdefault((each.symbol, each.currency), {})[each.con_id] = each
        return tuple(self._families.get((contract.symbol, contract.currency), {}).values())


def naked(state: DeskState, fact: Execution) -> str:
    """What a booked sale of shares has done, in words: which calls of ours it has left without their shares.

    Empty for any other fill, and while the symbol is flattened: that closes both, and says what it could not.
    """
    stock = fact.contract
    if fact.side is not Side.SELL or stock.sec_type != "STK" or fact.account != state.account:
        return ""
    job = state.flattens.get(stock.symbol)
    if job is not None and not job.strategy and job.phase not in (FlattenPhase.ARMED, FlattenPhase.NOT_FLAT):
        return ""
    short = [each for each in state.ours.exposed()
             if each.account == state.account and each.quantity < 0 and is_call(each.contract)
             and (each.contract.symbol, each.contract.currency) == (stock.symbol, stock.currency)]
    owed = sum((-each.quantity * _units(each.contract) for each in short), _ZERO)
    left = _there(state, stock)
    if left >= min(owed, left + fact.quantity):
        return ""
    names = ", ".join(f"{each.quantity} {each.contract.local_symbol or stock.symbol}" for each in short)
    return (f"{stock.symbol}: shares were sold from under short calls ({names}), which may have to deliver "
            f"{owed}; {left} are held. A naked call can lose without end: buy it back, or the shares")


def _contracts(state: DeskState) -> Iterator[Contract]:
    """All that was ever ordered or held in the account that we trade."""
    yield from (each.contract for each in state.totals.contracts.values())
    for book in (state.ours, state.account_book):
        yield from (each.contract for each in book.holdings.values() if each.account == state.account)


def _units(call: Contract) -> Decimal:
    return multiplier(call) if call.multiplier else _UNSTATED


def _there(state: DeskState, stock: Contract) -> Decimal:
    """The shares of ours that the account has."""
    missing = state.shortfall.get(state.ours.key(state.account, stock.con_id), _ZERO)
    return max(state.net(stock) - missing, _ZERO)


def _for_sale(state: DeskState, stock: Contract) -> Decimal:
    """The same less what works to sell them; a foreign sale takes what others hold first."""
    exposure = state.totals.on(stock)
    others = state.account_book.quantity(state.account, stock.con_id) - state.net(stock)
    foreign = sum((each.quantity for each in _foreign_sales(state, stock)), _ZERO)
    beyond = max(foreign - max(others, _ZERO), _ZERO)
    return _there(state, stock) - exposure.sells - _closing(state, exposure) - beyond


def _closing(state: DeskState, exposure: Exposure) -> Decimal:
    orders = [state.book.orders[intent_id] for intent_id in exposure.parts]
    return sum((order.open_quantity for order in orders
                if order.role is Role.CLOSE and order.order.side is Side.SELL), _ZERO)


def _needed(state: DeskState, call: Contract) -> Decimal:
    """The shares that one call may have to deliver once all that works to sell it has filled."""
    if not is_call(call):
        return _ZERO
    held = min(state.net(call), state.account_book.quantity(state.account, call.con_id))
    return max(state.totals.on(call).sells - held, _ZERO) * _units(call)


def _foreign_sales(state: DeskState, contract: Contract) -> Iterator[BrokerOrder]:
    """Working sales by others: of this stock, or of whatever call bears the symbol of this one."""
    for seen in state.foreign.values():
        order, what = seen.order, seen.order.contract
        same = is_call(what) and what.symbol == contract.symbol if is_call(contract) \
            else what.con_id == contract.con_id
        if same and order.side == Side.SELL and order.account == state.account \
                and not order.order_type.startswith(_WAITS):
            yield order
