"""Messages at random for protobuf, by the types of their attributes, and what of them protobuf carries.

Independent of `tws.wire.protobuf`: the strategies come from the annotations, and what does not survive is
told here once more, by hand.
"""

from __future__ import annotations

import types
import typing
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace
from tests.wire.generators import DECIMAL, FLOAT, TEXT, struct_fields

from tws.wire import messages as m
from tws.wire import thresholds
from tws.wire.layout import Layout
from tws.wire.layouts import REQUESTS

VERSIONS = (201, 203, 206, 208, 213, 214, 220, 225)

NEVER = 999
"""What has no mark is text at every version."""

WIDE = {"perm_id", "parent_perm_id", "time", "error_time", "current_time", "current_time_in_millis"}
"""Numbers of 64 bits; the others have 32."""
GREEKS = {"implied_vol", "delta", "opt_price", "pv_dividend", "gamma", "vega", "theta", "und_price"}
SHORT = st.integers(-(2**31), 2**31 - 2)
LONG = st.integers(-(2**62), 2**62)
WHOLE = st.integers(-(10**6), 10**6)

Draws = dict[str, st.SearchStrategy[Any]]

CHOICES: Draws = {
    "multiplier": st.sampled_from(["", "1", "50", "100", "0.5", "0.00000001"]),
    "liquidation": st.integers(0, 1),
    "tick_type": st.integers(0, 4),
    "attr_mask": st.integers(0, 3),
    "percent": st.none() | WHOLE.map(float),
    "ev_multiplier": WHOLE,
    "yield_redemption_date": WHOLE,
    "strike": st.none() | FLOAT.filter(bool),
    "type": st.sampled_from([1, 3, 4, 5, 6, 7]),
}
"""By attribute: values that have a form in both worlds."""


def since(layout: Layout) -> int:
    """The version from which this message travels as protobuf."""
    return (thresholds.REQUESTS if layout in REQUESTS else thresholds.ANSWERS).get(layout.id, NEVER)


def binary_messages(kind: type[Struct], special: Draws | None = None) -> st.SearchStrategy[Any]:
    """Any message of this class; `special` replaces how attributes are drawn, by name or "Class.name"."""
    draws = {**CHOICES, **(special or {})}
    parts = {}
    for spec in struct_fields(kind):
        own = f"{kind.__name__}.{spec.name}"
        if own in draws:
            parts[spec.name] = draws[own]
        elif spec.name in draws:
            parts[spec.name] = _fitting(kind, spec.name, spec.type, draws)
        else:
            parts[spec.name] = _by_type(kind, spec.name, spec.type, draws)
    return st.fixed_dictionaries(parts).map(lambda values: kind(**values))


def _fitting(kind: type[Struct], name: str, hint: Any, draws: Draws) -> st.SearchStrategy[Any]:
    """Some names mean other things elsewhere: a text, a mask, a multiplier that may be unset."""
    if name == "tick_type" and hint is str:
        return draws.get("text", TEXT)
    if name == "tick_type" and kind is not m.TickByTickData:
        return SHORT
    if name == "ev_multiplier" and hint is not int:
        return st.none() | FLOAT
    if name == "attr_mask" and kind is m.TickPrice:
        return st.integers(0, 7)
    return draws[name]


def _by_type(kind: type[Struct], name: str, hint: Any, draws: Draws) -> st.SearchStrategy[Any]:
    if isinstance(hint, types.UnionType):
        (inside,) = (part for part in typing.get_args(hint) if part is not types.NoneType)
        if inside is float and name not in GREEKS:
            return st.none() | FLOAT | st.just(float("inf"))
        return st.none() | _by_type(kind, name, inside, draws)
    if hint == m.Tag:
        return st.tuples(draws.get("text", TEXT), draws.get("text", TEXT))
    if typing.get_origin(hint) is tuple:
        return st.lists(_by_type(kind, name, typing.get_args(hint)[0], draws), max_size=3).map(tuple)
    if isinstance(hint, type) and issubclass(hint, Struct):
        return binary_messages(hint, draws)
    if hint is float and name in GREEKS:
        return FLOAT.map(abs)
    if hint is int:
        return LONG if name in WIDE else SHORT
    return {str: draws.get("text", TEXT), bool: st.booleans(), float: FLOAT, Decimal: DECIMAL}[hint]


LOST: dict[type[Struct], dict[str, Any]] = {
    m.WireOrder: {
        "fa_profile": "",
        "auction_strategy": 0,
        "basis_points": None,
        "basis_points_type": None,
        "shares_allocation": "",
        "order_combo_leg_prices": (),
    },
    m.HistoricalData: {"start_date_str": "", "end_date_str": ""},
}
TICK_FIELDS = {
    1: {"price", "size", "exchange", "special_conditions", "time", "attr_mask"},
    2: {"price", "size", "exchange", "special_conditions", "time", "attr_mask"},
    3: {"bid_price", "ask_price", "bid_size", "ask_size", "time", "attr_mask"},
    4: {"mid_point", "time"},
}


def carried(message: Any) -> Any:
    """The message as protobuf carries it."""
    made = _carried(message)
    if isinstance(message, m.TickByTickData):
        stated = {"req_id", "tick_type", *TICK_FIELDS.get(message.tick_type, ())}
        kept = {name: getattr(made, name) for name in stated}
        return m.TickByTickData(**{"time": 0, **kept})
    if isinstance(message, m.PlaceOrderRequest | m.OpenOrder | m.CompletedOrder):
        legs, prices = message.contract.combo_legs, message.order.order_combo_leg_prices
        fitted = (*prices, *[None] * len(legs))[: len(legs)]
        if any(price is not None for price in fitted):
            return replace(made, order=replace(made.order, order_combo_leg_prices=fitted))
    return made


def _carried(value: Any) -> Any:
    if isinstance(value, tuple):
        if value and isinstance(value[0], tuple):  # tags are a map: each once, in no order
            return tuple(sorted(dict(value).items()))
        return tuple(_carried(one) for one in value)
    if not isinstance(value, Struct):
        return value
    changed = {name: _carried(getattr(value, name)) for name in value.__struct_fields__}
    changed.update(LOST.get(type(value), {}))
    if isinstance(value, m.WireContractDetails) and value.fund == m.FundDetails():
        changed["fund"] = None
    return type(value)(**changed)
