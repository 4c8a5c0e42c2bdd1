"""Every attribute of an order comes back in openOrder as the client stated it, but for what TWS fills in
(TWS-BEHAVIOUR.md C5): orders of every type with every attribute at random, over real sessions.

What a version carries is read from the layouts: a request may state less than an answer can, and an
answer less than a request could. In protobuf all attributes travel both ways.
"""

from __future__ import annotations

import random
import typing
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import asdict, fields, replace
from tests.simulator.client import Connect, Start, stock
from tests.wire.generators import carried

from tws.exchange import Habits
from tws.exchange.kinds import KINDS, TIFS
from tws.simulator.market import ManualMarket
from tws.simulator.universe import UNIVERSE
from tws.wire.layouts.order import OPEN_ORDER, PLACE_ORDER
from tws.wire.messages import (
    ErrorMessage,
    OpenOrder,
    PlaceOrderRequest,
    WireContract,
    WireOrder,
    WireOrderState,
)
from tws.wire.messages.order import WireOrderCondition, WireSoftDollarTier

T0 = 1_767_623_400_000_000_000  # 2026-01-05 09:30 in New York
SPY, IBM = 756733, 8314
OF_OPTIONS = ("PEG STK", "VOL")
LAST_TEXT = 200
OPTION = WireContract(
    symbol="SPY", sec_type="OPT", exchange="SMART", currency="USD", right="C", strike=560.0,
    last_trade_date_or_contract_month="20261218",
)  # fmt: skip
CONDITIONS = (
    WireOrderCondition(type=1, con_id=SPY, exchange="SMART", price=5.25, is_more=True, trigger_method=4),
    WireOrderCondition(type=3, time="20270101 10:00:00 US/Eastern", is_conjunction_connection=False),
    WireOrderCondition(type=4, percent=30.0, is_more=True),
    WireOrderCondition(type=5, symbol="IBM", sec_type="STK", exchange="SMART"),
    WireOrderCondition(type=6, con_id=SPY, exchange="SMART", volume=10, is_more=True),
    WireOrderCondition(type=7, con_id=SPY, exchange="SMART", change_percent=1.5),
)
TWS_STATES = {
    "client_id", "perm_id", "filled_quantity", "parent_perm_id", "shareholder", "auto_cancel_date",
    "ref_futures_con_id", "route_marketable_to_bbo", "submitter", "shares_allocation",
}  # fmt: skip
"""Attributes that no client states; TWS alone does."""

NOT_IN_PROTOBUF: dict[str, Any] = {
    "auction_strategy": 0, "basis_points": None, "basis_points_type": None, "fa_profile": "",
}  # fmt: skip
"""Attributes that the official classes have no field for."""


def anything(rng: random.Random, kind: Any) -> Any:
    """A value of an attribute's type."""
    options = typing.get_args(kind)
    if type(None) in options:
        return (
            None
            if rng.random() < 0.3
            else anything(rng, next(one for one in options if one is not type(None)))
        )
    if kind is bool:
        return rng.random() < 0.5
    if kind is int:
        return rng.randrange(-(2**31) + 1, 2**31 - 2)
    if kind is float:
        return rng.randrange(-(10**6), 10**6) / 64
    if kind is Decimal:
        return Decimal(rng.randrange(1, 50))
    return "".join(rng.choices("abc XYZ-_.:1", k=rng.randrange(8))).strip()


def any_order(rng: random.Random, text: str) -> WireOrder:
    """An order of this type that the exchange takes: what it acts on is sound, all else is anything."""
    hints, values = typing.get_type_hints(WireOrder), {}
    for spec in fields(WireOrder):
        if spec.name not in TWS_STATES and not str(hints[spec.name]).startswith(("tuple", "<class 'tws")):
            values[spec.name] = anything(rng, hints[spec.name])
    kind = KINDS[text]
    terms = [row.text for row in TIFS.values() if not ((row.at_open and kind.waits) or row.minutes)]
    percent, adjusts = kind.trails and rng.random() < 0.5, kind.stop and rng.random() < 0.5

    def price() -> float:
        return rng.randrange(1, 9000) / 100

    return replace(
        WireOrder(**values),
        action=rng.choice(["BUY", "SELL"]), total_quantity=Decimal(rng.randrange(1, 50)), order_type=text,
        tif="DAY" if kind.at_close else rng.choice(terms), account="", parent_id=0,
        transmit=True, what_if=False, oca_type=rng.randrange(4),
        trigger_method=rng.choice([0, 1, 2, 3, 4, 7, 8]),
        lmt_price=price(), aux_price=None if percent else price(),
        trailing_percent=float(rng.randrange(1, 99)) if percent else None,
        trail_stop_price=price() if kind.trails else None,
        lmt_price_offset=price(), starting_price=price(), min_qty=rng.choice([None, 5]),
        good_after_time=rng.choice(["", "20270101 10:00:00", "20270101-10:00:00"]),
        good_till_date=rng.choice(["20270102 10:00:00 US/Eastern", "20270102"]),
        adjusted_order_type="TRAIL" if adjusts else "", adjusted_stop_price=price(), trigger_price=price(),
        adjusted_trailing_amount=price(), adjusted_stop_limit_price=price(), adjustable_trailing_unit=100,
        conditions=tuple(rng.sample(CONDITIONS, rng.randrange(3))),
        order_misc_options=(), soft_dollar_tier=WireSoftDollarTier(name="n", value="v"),
        delta_neutral_order_type=rng.choice(["", "MKT"]), hedge_type="",
        volatility=abs(values["volatility"] or 0.5), **_special(rng, text, price()),
    )  # fmt: skip


def _special(rng: random.Random, text: str, price: float) -> dict[str, Any]:
    """What the exchange acts on beyond types and prices, so that it makes sense."""
    return {
        "display_size": None, "min_trade_qty": rng.choice([None, 5]), "block_order": False,
        "discretionary_amt": 0.25 if text == "LMT" else 0.0, "percent_offset": rng.choice([None, 0.5]),
        "delta": 50.0, "stock_ref_price": price, "stock_range_lower": 0.0, "stock_range_upper": 9000.0,
        "mid_offset_at_whole": 0.25, "mid_offset_at_half": 0.125, "compete_against_best_offset": 0.25,
        "min_compete_size": rng.choice([None, 5]), "reference_contract_id": IBM,
        "pegged_change_amount": 0.25, "reference_change_amount": 0.5, "scale_price_increment": None,
        "algo_strategy": "", "algo_params": (),
    }  # fmt: skip


def filled_in(order: WireOrder, answer: WireOrder) -> WireOrder:
    """What TWS makes of it at once: the fill-ins of C5 and its own facts."""
    return replace(
        order,
        account="DU1234567", client_id=1, perm_id=answer.perm_id, filled_quantity=answer.filled_quantity,
        aux_price=order.aux_price or 0.0, lmt_price=order.lmt_price or 0.0,
        oca_type=order.oca_type or 3, clearing_intent=order.clearing_intent or "IB",
        adjusted_order_type=order.adjusted_order_type or "None",
        delta_neutral_order_type=order.delta_neutral_order_type or "None",
        delta_neutral_open_close=order.delta_neutral_open_close or "?",
        dont_use_auto_price_for_hedge=True, outside_rth=order.outside_rth and order.order_type != "MKT",
    )  # fmt: skip


@pytest.mark.parametrize("version", [157, 176, 200, 225])
async def test_an_order_of_any_type_comes_back_as_it_was_placed(
    start: Start, connect: Connect, version: int
) -> None:
    simulator = await start(
        market=ManualMarket(UNIVERSE, T0), server_version=version, habits=Habits(max_working=1000)
    )
    simulator.quote("SPY", bid=100.0, ask=100.02, bid_size=500, ask_size=500)
    client = await connect(simulator)
    await client.expect(ErrorMessage, lambda m: m.error_code == 2158)
    rng = random.Random(version)
    orders = {at: any_order(rng, text) for at, text in enumerate(KINDS, 1)}
    for order_id, order in orders.items():
        sent = PlaceOrderRequest(order_id, OPTION if order.order_type in OF_OPTIONS else stock("SPY"), order)
        client.send(sent)
        heard = len(client.heard)
        while not any(isinstance(m, OpenOrder | ErrorMessage) for m in client.heard[heard:]):
            await client.pump()
        answer = client.heard[heard]
        assert isinstance(answer, OpenOrder), (answer, order)
        answer = answer.order
        if version > LAST_TEXT:
            assert asdict(answer) == asdict(filled_in(replace(order, **NOT_IN_PROTOBUF), answer))
            continue
        stated = carried(sent, PLACE_ORDER, version).order
        wanted = OpenOrder(order_id, stock("SPY"), filled_in(stated, answer), WireOrderState())
        assert asdict(answer) == asdict(carried(wanted, OPEN_ORDER, version).order)
