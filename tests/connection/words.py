"""Orders in our words and in the official client's, and a desk's gate that approves by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ibapi.contract import Contract as IbContract
from ibapi.order import Order as IbOrder

from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Order, OrderType, Side
from tws.risk import Denial, Limits, StandaloneGate

SPY = Contract(con_id=756733, symbol="SPY")
LIMIT = Order(side=Side.BUY, quantity=Decimal(10), order_type=OrderType.LIMIT, limit_price=Decimal("100.25"))


def ib_contract() -> IbContract:
    contract = IbContract()
    contract.conId, contract.symbol, contract.secType = 756733, "SPY", "STK"
    contract.exchange, contract.currency = "SMART", "USD"
    return contract


def ib_order(quantity: int = 10, price: float = 100.25) -> IbOrder:
    order = IbOrder()
    order.action, order.orderType, order.tif = "BUY", "LMT", "DAY"
    order.totalQuantity, order.lmtPrice = Decimal(quantity), price
    return order


class Desk:
    """A gate that approves by hand, and counts what was asked of it."""

    def __init__(self) -> None:
        self.gate = StandaloneGate(Limits(), port=7400, account="DU1234567")

    def permit(self, order_id: int, order: Order = LIMIT, *, changes: bool = False) -> Any:
        if changes:
            mint, cap = self.gate._mint, order.quantity
            return mint.issue(order_id, SPY, order, intent_id="", cap=cap, modifies=True)
        permit = self.gate.permit(order_id, Instrument(contract=SPY), order)
        assert not isinstance(permit, Denial)
        return permit
