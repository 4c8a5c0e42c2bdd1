"""Orders at the market, at a limit, behind a stop or a touch, and in the auctions. Prices in the contract's
currency. What each does is IB's (basic_orders); how the simulator works it: docs/design/order-types.md.
"""

from __future__ import annotations

from typing import Unpack

from tws.model.fullorder import FullOrder
from tws.model.instrument import Number
from tws.model.order import Side
from tws.ordertypes.build import Common, build

__all__ = [
    "at_auction",
    "box_top",
    "limit",
    "limit_if_touched",
    "limit_on_close",
    "limit_on_open",
    "market",
    "market_if_touched",
    "market_on_close",
    "market_on_open",
    "market_to_limit",
    "market_with_protection",
    "stop",
    "stop_limit",
    "stop_with_protection",
    "trailing_if_touched",
    "trailing_limit_if_touched",
    "trailing_stop",
    "trailing_stop_limit",
]


def market(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """MKT: at the market, whatever it costs."""
    return build("MKT", side, quantity, common)


def limit(side: Side | str, quantity: Number, limit_price: Number, **common: Unpack[Common]) -> FullOrder:
    """LMT: at `limit_price` or better."""
    return build("LMT", side, quantity, common, limit_price=limit_price)


def stop(side: Side | str, quantity: Number, stop_price: Number, **common: Unpack[Common]) -> FullOrder:
    """STP: at the market once `stop_price` is reached; a sell's lies below the market, a buy's above."""
    return build("STP", side, quantity, common, aux_price=stop_price)


def stop_limit(
    side: Side | str, quantity: Number, stop_price: Number, limit_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """STP LMT: at `limit_price` or better once `stop_price` is reached."""
    return build("STP LMT", side, quantity, common, aux_price=stop_price, limit_price=limit_price)


def stop_with_protection(
    side: Side | str, quantity: Number, stop_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """STP PRT, futures: once `stop_price` is reached, within the exchange's protection points."""
    return build("STP PRT", side, quantity, common, aux_price=stop_price)


def market_if_touched(
    side: Side | str, quantity: Number, touch_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """MIT: at the market once `touch_price` is touched; a buy's lies below the market, a sell's above."""
    return build("MIT", side, quantity, common, aux_price=touch_price)


def limit_if_touched(
    side: Side | str, quantity: Number, touch_price: Number, limit_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """LIT: at `limit_price` or better once `touch_price` is touched."""
    return build("LIT", side, quantity, common, aux_price=touch_price, limit_price=limit_price)


def trailing_stop(
    side: Side | str,
    quantity: Number,
    *,
    amount: Number | None = None,
    percent: Number | None = None,
    stop_price: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """TRAIL: a stop that follows the market by `amount` or by `percent`; `stop_price` is where it begins."""
    return build("TRAIL", side, quantity, common, aux_price=amount, trailing_percent=percent,
                 trail_stop_price=stop_price)


def trailing_stop_limit(
    side: Side | str,
    quantity: Number,
    *,
    limit_offset: Number,
    amount: Number | None = None,
    percent: Number | None = None,
    stop_price: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """TRAIL LIMIT: the same, and then at a limit that lies `limit_offset` beyond the stop."""
    return build("TRAIL LIMIT", side, quantity, common, {"limit_price_offset": limit_offset},
                 aux_price=amount, trailing_percent=percent, trail_stop_price=stop_price)


def trailing_if_touched(
    side: Side | str,
    quantity: Number,
    *,
    amount: Number | None = None,
    percent: Number | None = None,
    stop_price: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """TRAIL MIT: a touch price that follows the market; then at the market."""
    return build("TRAIL MIT", side, quantity, common, aux_price=amount, trailing_percent=percent,
                 trail_stop_price=stop_price)


def trailing_limit_if_touched(
    side: Side | str,
    quantity: Number,
    *,
    limit_offset: Number,
    amount: Number | None = None,
    percent: Number | None = None,
    stop_price: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """TRAIL LIT: a touch price that follows the market; then at a limit `limit_offset` from it."""
    return build("TRAIL LIT", side, quantity, common, {"limit_price_offset": limit_offset},
                 aux_price=amount, trailing_percent=percent, trail_stop_price=stop_price)


def market_to_limit(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """MTL: at the market, and what is left at a limit where the first part filled."""
    return build("MTL", side, quantity, common)


def market_with_protection(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """MKT PRT, futures: at the market, and what is left at a limit of the exchange's near it."""
    return build("MKT PRT", side, quantity, common)


def box_top(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """BOX TOP, options at BOX: at the best price, and what is left at a limit there."""
    return build("BOX TOP", side, quantity, common)


def market_on_close(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """MOC: in the closing auction."""
    return build("MOC", side, quantity, common)


def limit_on_close(
    side: Side | str, quantity: Number, limit_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """LOC: in the closing auction, at `limit_price` or better."""
    return build("LOC", side, quantity, common, limit_price=limit_price)


def market_on_open(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """MKT with OPG: in the opening auction."""
    return build("MKT", side, quantity, {**common, "tif": "OPG"})


def limit_on_open(
    side: Side | str, quantity: Number, limit_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """LMT with OPG: in the opening auction, at `limit_price` or better."""
    return build("LMT", side, quantity, {**common, "tif": "OPG"}, limit_price=limit_price)


def at_auction(
    side: Side | str, quantity: Number, limit_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """MTL with AUC: at the calculated opening price, and what is left at a limit there."""
    return build("MTL", side, quantity, {**common, "tif": "AUC"}, limit_price=limit_price)
