"""Orders whose size is an amount of money (cashQty): currency pairs and crypto currencies.

A pair's order may state it in the pair's second currency, a purchase of coins at the market must, and no
other order of coins does (official); without it 10289, with a size too 10293 (both quoted word for word by
users). TWS reckons the size; how it states it in openOrder no source shows. Here it is what the money buys at
the limit, or at the side of the quote that the order meets, rounded down to the lot (assumed).
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from msgspec.structs import replace

from tws.simulator.tape import Tape
from tws.simulator.tickets import Refused
from tws.simulator.universe import Security
from tws.wire.messages import WireOrder

__all__ = ["KINDS", "sized"]

KINDS = ("CASH", "CRYPTO")
"""Types whose orders may be stated in money."""
MONEY_MISSING = Refused(10289, "You must set Cash Quantity for this order")
SIZE_TOO = Refused(10293, "Cryptocurrency Cash Quantity order cannot specify size")
NO_PRICE = Refused(201, "Order rejected - reason:No price is known for this contract.")


def sized(order: WireOrder, security: Security, tape: Tape) -> WireOrder | Refused:
    """The order with a size, if it is stated in money; or what TWS says against it. For `KINDS` alone."""
    coins, buys = security.sec_type == "CRYPTO", order.action == "BUY"
    money, size = order.cash_qty or 0.0, order.total_quantity or Decimal(0)
    in_money = not coins or (buys and order.order_type == "MKT")
    if coins and in_money and money <= 0:
        return MONEY_MISSING
    if coins and money > 0 and size:
        return SIZE_TOO
    if size or money <= 0 or not in_money:
        return order
    quote = tape.ask if buys else tape.bid
    price = order.lmt_price or (tape.grid.price(quote) if quote else 0.0)
    if price <= 0:
        return NO_PRICE
    lots = (Decimal(repr(money)) / Decimal(repr(price)) / security.lot).to_integral_value(ROUND_DOWN)
    return replace(order, total_quantity=lots * security.lot)
