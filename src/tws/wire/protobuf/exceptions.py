"""Where a message of ours and its official protobuf class differ in shape: the whole list.

Everything else is paired by name (`mapping`). Sources: the official client's own conversions (10.46).
"""

from __future__ import annotations

from msgspec import Struct

from tws.wire import messages as m

__all__ = [
    "ABSENT",
    "BITS",
    "CLASSES",
    "INLINE",
    "LEG_PRICES",
    "RENAMED",
    "STATED",
    "UNSTATED",
    "Bits",
    "Inner",
    "inner_of",
]

CLASSES: dict[type[Struct], str] = {m.BondContractData: "ContractData"}
"""Messages whose official class has another name than theirs."""

UNSTATED: dict[type[Struct], frozenset[str]] = {
    m.WireOrder: frozenset((
        "fa_profile", "auction_strategy", "basis_points", "basis_points_type", "shares_allocation",
        "order_combo_leg_prices",  # they travel inside the contract's legs: LEG_PRICES
    )),
    m.HistoricalData: frozenset(("start_date_str", "end_date_str")),  # HistoricalDataEnd states them
}
"""Attributes that the official class has no field for."""

RENAMED: dict[tuple[type[Struct], str], str] = {
    (m.WireExecution, "liquidation"): "isLiquidation",
}

ABSENT: dict[tuple[type[Struct], str], object] = {
    (m.WireOrder, "transmit"): False,  # the official client states it only when it is true
}
"""What an absent field means, where that is neither the attribute's default nor empty, 0 or -1 for req_id."""

STATED = {(m.WireOrderCondition, "is_more")}
"""Truth values that are written when false too: the official reader knows no default for them."""

INLINE = {(m.WireContractDetails, "fund")}
"""Inner structs whose attributes stand in the outer class's own fields; None when none of them is stated."""


class Inner(Struct, frozen=True):
    """Attributes of a message that the official class keeps one message deeper.

    `when` are the tick types for which this one is written (empty: always); `names` are the attributes,
    with the inner field's name where it differs.
    """

    field: str
    names: dict[str, str]
    when: tuple[int, ...] = ()


_DEPTH = ("position", "operation", "side", "price", "size")
_INNER: dict[type[Struct], tuple[Inner, ...]] = {
    m.MarketDepth: (Inner("marketDepthData", {name: name for name in _DEPTH}),),
    m.MarketDepthL2: (
        Inner("marketDepthData", {name: name for name in (*_DEPTH, "market_maker", "is_smart_depth")}),
    ),
    m.TickByTickData: (
        Inner(
            "historicalTickLast",
            {name: name for name in ("time", "price", "size", "attr_mask", "exchange", "special_conditions")},
            (1, 2),
        ),
        Inner(
            "historicalTickBidAsk",
            {"time": "time", "bid_price": "price_bid", "ask_price": "price_ask", "bid_size": "size_bid",
             "ask_size": "size_ask", "attr_mask": "attr_mask"},
            (3,),
        ),
        Inner("historicalTickMidPoint", {"time": "time", "mid_point": "price"}, (4,)),
    ),
}


def inner_of(struct: type[Struct]) -> tuple[Inner, ...]:
    """The inner messages of a class, if it is one of the deeper ones."""
    return _INNER.get(struct, ())


class Bits(Struct, frozen=True):
    """A mask of ours that is a message of truth values there; the first name is bit 0."""

    field: str
    names: tuple[str, ...]


_LAST = Bits("tickAttribLast", ("pastLimit", "unreported"))
BITS: dict[tuple[type[Struct], str], Bits] = {
    (m.HistoricalTickLast, "HistoricalTickLast"): _LAST,
    (m.TickByTickData, "HistoricalTickLast"): _LAST,
    (m.HistoricalTickBidAsk, "HistoricalTickBidAsk"): Bits("tickAttribBidAsk", ("askPastHigh", "bidPastLow")),
    (m.TickByTickData, "HistoricalTickBidAsk"): Bits("tickAttribBidAsk", ("bidPastLow", "askPastHigh")),
}
"""By struct and official class: how the attribute `attr_mask` travels. The masks of the text differ (F6)."""

LEG_PRICES = frozenset((m.PlaceOrderRequest, m.OpenOrder, m.CompletedOrder))
"""Messages whose `order.order_combo_leg_prices` travel in the legs of the contract."""
