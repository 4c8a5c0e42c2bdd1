"""Orders whose price follows something: the quote, its middle, a stock, a benchmark, a volatility. `offset`
is how far from it, `cap` the worst price at which they may trade.
"""

from __future__ import annotations

from typing import Any, Unpack

from tws.model.attributes import Benchmark, DeltaNeutral, PegOffsets, Reference, Volatility
from tws.model.fullorder import FullOrder
from tws.model.instrument import Number, decimal
from tws.model.order import Side
from tws.ordertypes.build import Common, build

__all__ = [
    "ats_limit",
    "auction_limit",
    "auction_pegged_to_stock",
    "auction_relative",
    "limit_market_combo",
    "midprice",
    "passive_relative",
    "pegged_to_benchmark",
    "pegged_to_best",
    "pegged_to_market",
    "pegged_to_midpoint",
    "pegged_to_primary",
    "pegged_to_stock",
    "relative",
    "relative_limit_combo",
    "relative_market_combo",
    "snap_to_market",
    "snap_to_midpoint",
    "snap_to_primary",
    "volatility",
]


def relative(
    side: Side | str,
    quantity: Number,
    *,
    offset: Number | None = None,
    percent_offset: Number | None = None,
    cap: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """REL: at the best bid (a buy) or ask, more aggressive by `offset` or by `percent_offset`."""
    return build("REL", side, quantity, common, {"percent_offset": percent_offset}, aux_price=offset,
                 limit_price=cap)


def passive_relative(
    side: Side | str, quantity: Number, *, offset: Number, cap: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """PASSV REL: at the best bid (a buy) or ask, less aggressive by `offset`."""
    return build("PASSV REL", side, quantity, common, aux_price=offset, limit_price=cap)


def pegged_to_primary(
    side: Side | str, quantity: Number, *, offset: Number | None = None, cap: Number | None = None,
    up_to_cap: bool = False, **common: Unpack[Common],
) -> FullOrder:
    """PEG PRIM: at its own side of the quote. `up_to_cap`: with discretion up to the cap (D-Peg)."""
    return build("PEG PRIM", side, quantity, common, {"discretionary_up_to_limit_price": up_to_cap},
                 aux_price=offset, limit_price=cap)


def pegged_to_market(
    side: Side | str, quantity: Number, *, offset: Number, cap: Number | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """PEG MKT: at the other side of the quote, less aggressive by `offset`."""
    return build("PEG MKT", side, quantity, common, aux_price=offset, limit_price=cap)


def pegged_to_midpoint(
    side: Side | str, quantity: Number, *, offset: Number | None = None, cap: Number | None = None,
    at_ats: PegOffsets | None = None, **common: Unpack[Common],
) -> FullOrder:
    """PEG MID: at the middle of the quote. `at_ats`: its offsets at IBKRATS, where the order is not held."""
    return build("PEG MID", side, quantity, common, _ats(at_ats), aux_price=offset, limit_price=cap)


def pegged_to_best(
    side: Side | str, quantity: Number, limit_price: Number, offsets: PegOffsets, **common: Unpack[Common]
) -> FullOrder:
    """PEG BEST, at IBKRATS: competes with the best price by `offsets`."""
    return build("PEG BEST", side, quantity, common, _ats(offsets), limit_price=limit_price)


def ats_limit(
    side: Side | str, quantity: Number, limit_price: Number, *, min_trade_quantity: int | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """LMT for the exchange IBKRATS: not held, in IB's own book."""
    found = None if min_trade_quantity is None else PegOffsets(min_trade_quantity=min_trade_quantity)
    return build("LMT", side, quantity, common, {"not_held": True, "peg_offsets": found},
                 limit_price=limit_price)


def _ats(offsets: PegOffsets | None) -> dict[str, Any]:
    return {} if offsets is None else {"not_held": True, "peg_offsets": offsets}


def midprice(
    side: Side | str, quantity: Number, *, cap: Number | None = None, **common: Unpack[Common]
) -> FullOrder:
    """MIDPRICE, US stocks through SMART: at the middle of the quote or better."""
    return build("MIDPRICE", side, quantity, common, limit_price=cap)


def snap_to_primary(
    side: Side | str, quantity: Number, *, offset: Number | None = None, **common: Unpack[Common]
) -> FullOrder:
    """SNAP PRIM: a limit at its own side of the quote as it is on arrival."""
    return build("SNAP PRIM", side, quantity, common, aux_price=offset)


def snap_to_market(
    side: Side | str, quantity: Number, *, offset: Number | None = None, **common: Unpack[Common]
) -> FullOrder:
    """SNAP MKT: a limit at the other side of the quote as it is on arrival."""
    return build("SNAP MKT", side, quantity, common, aux_price=offset)


def snap_to_midpoint(
    side: Side | str, quantity: Number, *, offset: Number | None = None, **common: Unpack[Common]
) -> FullOrder:
    """SNAP MID: a limit at the middle of the quote as it is on arrival."""
    return build("SNAP MID", side, quantity, common, aux_price=offset)


def pegged_to_stock(
    side: Side | str,
    quantity: Number,
    *,
    delta: Number,
    starting_price: Number,
    reference_price: Number | None = None,
    stock_range: tuple[Number | None, Number | None] = (None, None),
    **common: Unpack[Common],
) -> FullOrder:
    """PEG STK, options: moves by `delta` (1 to 100) for each step of the stock from `reference_price` (its
    middle when unset); cancelled when the stock leaves the range.
    """
    found = _reference(stock_range, starting_price=starting_price, reference_price=reference_price,
                       delta=delta)
    return build("PEG STK", side, quantity, common, {"reference": found})


def pegged_to_benchmark(
    side: Side | str,
    quantity: Number,
    benchmark: Benchmark,
    *,
    starting_price: Number,
    reference_price: Number | None = None,
    reference_range: tuple[Number | None, Number | None] = (None, None),
    **common: Unpack[Common],
) -> FullOrder:
    """PEG BENCH: moves with another contract, as `benchmark` says, while that trades within the range."""
    found = _reference(reference_range, starting_price=starting_price, reference_price=reference_price)
    return build("PEG BENCH", side, quantity, common, {"benchmark": benchmark, "reference": found})


def volatility(
    side: Side | str,
    quantity: Number,
    percent: Number,
    *,
    daily: bool = False,
    follow: bool = False,
    reference: str = "middle",
    stock_range: tuple[Number | None, Number | None] = (None, None),
    hedge: DeltaNeutral | None = None,
    **common: Unpack[Common],
) -> FullOrder:
    """VOL, US options: the price by a volatility of `percent`, annual unless `daily`.

    follow     with the stock, whose price is its "middle" or its "bid or ask" (`reference`)
    hedge      the stock order that makes each fill delta neutral
    """
    if reference not in ("middle", "bid or ask"):
        raise ValueError(f'reference is {reference!r}: "middle" or "bid or ask"')
    price = Volatility(volatility=decimal(percent, "percent"), type=1 if daily else 2,
                       continuous_update=follow,
                       reference_price_type=(1 if reference == "middle" else 2) if follow else None)
    found = _reference(stock_range) if any(bound is not None for bound in stock_range) else None
    return build("VOL", side, quantity, common,
                 {"volatility": price, "reference": found, "delta_neutral": hedge})


def auction_limit(
    side: Side | str, quantity: Number, limit_price: Number, strategy: int, **common: Unpack[Common]
) -> FullOrder:
    """LMT in BOX's price improvement auction: strategy 1 match, 2 improvement, 3 transparent. Below server
    version 203 alone: protobuf has no field for it.
    """
    return build("LMT", side, quantity, common, {"auction_strategy": strategy}, limit_price=limit_price)


def auction_pegged_to_stock(
    side: Side | str, quantity: Number, *, delta: Number, starting_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """PEG STK in BOX's price improvement auction."""
    return pegged_to_stock(side, quantity, delta=delta, starting_price=starting_price, **common)


def auction_relative(
    side: Side | str, quantity: Number, *, offset: Number, **common: Unpack[Common]
) -> FullOrder:
    """REL in BOX's price improvement auction."""
    return build("REL", side, quantity, common, aux_price=offset)


def relative_limit_combo(
    side: Side | str, quantity: Number, limit_price: Number, **common: Unpack[Common]
) -> FullOrder:
    """REL + LMT, combinations: the first leg relative, the second at a limit."""
    return build("REL + LMT", side, quantity, common, limit_price=limit_price)


def relative_market_combo(side: Side | str, quantity: Number, **common: Unpack[Common]) -> FullOrder:
    """REL + MKT, combinations: the first leg relative, the second at the market."""
    return build("REL + MKT", side, quantity, common)


def limit_market_combo(
    side: Side | str, quantity: Number, limit_price: Number | None = None, **common: Unpack[Common]
) -> FullOrder:
    """LMT + MKT, combinations: the first leg at a limit, the second at the market."""
    return build("LMT + MKT", side, quantity, common, limit_price=limit_price)


def _reference(bounds: tuple[Number | None, Number | None], **prices: Number | None) -> Reference:
    lower, upper = bounds
    given = {"range_lower": lower, "range_upper": upper, **prices}
    return Reference(**{
        name: None if price is None else decimal(price, name) for name, price in given.items()
    })  # fmt: skip
