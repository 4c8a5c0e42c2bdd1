"""Hedges: children whose size follows from what their parent fills.

The floor stands at 100.00 / 100.01 (300 x 60), last 100.00.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import Listing
from tws.exchange.special import Hedge, Peg, Special
from tws.model.contract import Contract
from tws.model.instrument import Instrument

D = Decimal
OPTION, PAIR, DAX = 9001, 9002, 9003


class Half:
    """Every option is on SPY and has half a delta."""

    def underlying(self, con_id: int) -> int | None:
        return 756733 if con_id == OPTION else None

    def price(self, con_id: int, volatility: float, under_price: float, now_ns: int) -> float | None:
        return 10 * volatility + 1

    def delta(self, con_id: int, under_price: float, now_ns: int) -> float | None:
        return -0.5


@pytest.fixture
def market(floor: Any) -> Any:
    """The floor with an option on SPY at 3.00, EUR.USD at 1.25, and a stock in euros at 50."""
    floor = type(floor)(cash="1000000000")
    floor.exchange._core.options = Half()
    rows = (
        Contract(con_id=OPTION, symbol="SPY", sec_type="OPT", right="P", multiplier="100"),
        Contract(con_id=PAIR, symbol="EUR", sec_type="CASH", currency="USD"),
        Contract(con_id=DAX, symbol="DAX", currency="EUR"),
    )
    for contract, price in zip(rows, (300, 125, 5000), strict=True):
        floor.exchange.add(Listing(instrument=Instrument(contract=contract)))
        floor.quote(price, 10_000, price + 1, 10_000, con_id=contract.con_id)
        floor.trade(price, con_id=contract.con_id)
    for con_id in (floor.SPY, floor.IBM):
        floor.quote(10000, 10_000, 10001, 10_000, con_id=con_id)
    return floor


def hedge(kind: str, param: str = "", **more: Any) -> dict[str, Any]:
    return {"special": Special(hedge=Hedge(kind=kind, param=param, **more)), "parent_id": 1}


def test_a_pair_follows_each_fill_of_its_parent_by_the_ratio(market: Any) -> None:
    assert market.place(1, "BUY", 100, "LMT", limit=99, transmit=False) == []
    assert "3 PreSubmitted #2 0/0" in market.place(2, "SELL", 0, con_id=market.IBM, **hedge("P", "ratio=1.5"))
    told = market.quote(9890, 50, 9900, 40)
    assert told.index("11 BOT #1 40@99.00") < told.index("11 SLD #2 60@100.00")
    assert "3 PreSubmitted #2 60/60" in told, "it waits for more"
    told = market.quote(9890, 50, 9900, 60)
    assert "11 SLD #2 90@100.00" in told and "3 Filled #2 150/150" in told


def test_a_delta_hedge_trades_the_underlying_by_the_options_delta(market: Any) -> None:
    market.place(1, "BUY", 7, "LMT", limit=3, con_id=OPTION, transmit=False)
    market.place(2, "BUY", 0, **hedge("D"))
    assert "11 BOT #2 350@100.01" in market.quote(290, 50, 300, 50, con_id=OPTION)


def test_a_pegged_option_hedges_by_its_own_delta(market: Any) -> None:
    peg = Special(peg=Peg(delta=D(20)))
    market.place(1, "BUY", 5, "PEG STK", starting_price=D(4), con_id=OPTION, special=peg, transmit=False)
    assert "11 BOT #2 100@100.01" in market.place(2, "BUY", 0, **hedge("D"))


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        ({"neutral": "MKT"}, "11 BOT #2147483647 350@100.01"),
        ({"neutral": "LMT", "neutral_price": D("99.50")}, "3 Submitted #0 0/350"),
    ],
)
def test_a_volatility_order_may_hedge_its_delta_by_itself(market: Any, terms: Any, told: str) -> None:
    special = Special(peg=Peg(volatility=D(30)), **terms)
    said = market.place(1, "BUY", 7, "VOL", con_id=OPTION, special=special)
    assert "11 BOT #1 7@3.01" in said and told in said, "a put bought: half a delta of stock is bought"


def test_a_beta_hedge_sells_value_times_beta(market: Any) -> None:
    market.place(1, "BUY", 100, "LMT", limit=50, con_id=market.IBM, transmit=False)
    market.place(2, "SELL", 0, **hedge("B", "1.2"))
    assert "11 SLD #2 60@100.00" in market.quote(4990, 100, 5000, 100, con_id=market.IBM)


def test_an_fx_hedge_buys_the_currency_that_the_parent_costs(market: Any) -> None:
    """IB's sample: a stock abroad, and a market order of quantity 0 in the pair."""
    market.place(1, "BUY", 100, con_id=DAX, transmit=False)
    assert "11 BOT #2 5001@1.26" in market.place(2, "BUY", 0, con_id=PAIR, **hedge("F"))
    market.place(3, "BUY", 100, transmit=False)
    more = hedge("F") | {"parent_id": 3}
    told = market.place(4, "SELL", 0, con_id=PAIR, **more)
    assert "11 SLD #4 8001@1.25" in told, "10001 dollars at 1.25"


def test_a_hedge_has_a_most(market: Any) -> None:
    market.place(1, "BUY", 100, transmit=False)
    told = market.place(2, "SELL", 0, con_id=market.IBM, **hedge("P", "1", most=D(30)))
    assert "11 SLD #2 30@100.00" in told


@pytest.mark.parametrize(
    ("code", "con_id", "terms"),
    [
        (10007, 8314, hedge("X")), (10008, 8314, hedge("B", "beta=much")), (10008, 8314, hedge("B")),
        (10009, 8314, hedge("P", "ratio=-1")), (10010, 8314, hedge("D")), (10063, 8314, hedge("F")),
        (10006, 8314, hedge("P", "1") | {"parent_id": 0}), (10006, 8314, hedge("P", "1") | {"parent_id": 9}),
    ],
)  # fmt: skip
def test_a_hedge_that_makes_no_sense_is_refused(market: Any, code: int, con_id: int, terms: Any) -> None:
    market.place(1, "BUY", 100, "LMT", limit=90)
    assert market.place(2, "SELL", 0, con_id=con_id, **terms) == [f"4 {code} #2"]


def test_a_hedge_ends_with_its_parent(market: Any) -> None:
    market.place(1, "BUY", 100, "LMT", limit=99, transmit=False)
    market.place(2, "SELL", 0, con_id=market.IBM, **hedge("P", "1"))
    told = market.cancel(1)
    assert "3 Cancelled #2 0/0" in told and market.open_ids() == []
    market.place(3, "BUY", 100, "LMT", limit=99, transmit=False)
    market.place(4, "SELL", 0, con_id=market.IBM, **hedge("P", "1") | {"parent_id": 3})
    market.quote(9890, 50, 9900, 40)
    told = market.cancel(3)
    assert "3 Filled #4 40/40" in told, "what it was to have it has"


def test_a_hedge_placed_after_the_fill_catches_up(market: Any) -> None:
    market.place(1, "BUY", 100)
    told = market.place(2, "SELL", 0, con_id=market.IBM, **hedge("P", "0.5"))
    assert "11 SLD #2 50@100.00" in told and "3 Filled #2 50/50" in told


@given(
    size=st.integers(1, 60),
    ratio=st.integers(1, 30),
    asks=st.lists(st.integers(0, 20), max_size=12),
    bids=st.lists(st.integers(0, 20), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_a_pair_is_never_hedged_beyond_its_ratio(
    Floor_: Any, size: int, ratio: int, asks: Any, bids: Any
) -> None:
    floor = Floor_(check_margin=False)
    floor.quote(10000, 0, 10001, 0, con_id=floor.IBM)
    floor.place(1, "BUY", size, "LMT", limit=99, transmit=False)
    floor.place(2, "SELL", 0, con_id=floor.IBM, **hedge("P", f"ratio={ratio / 10}"))
    for at in range(max(len(asks), len(bids))):
        floor.quote(9890, 1, 9900, asks[at] if at < len(asks) else 0)
        floor.quote(10000, bids[at] if at < len(bids) else 0, 10001, 1, con_id=floor.IBM)
        assert -floor.position(floor.IBM) <= floor.position() * ratio / 10 + D("0.5")
    floor.quote(10000, 10_000, 10001, 1, con_id=floor.IBM)
    assert abs(floor.position(floor.IBM) + floor.position() * D(ratio) / 10) <= D("0.5"), "in the end it is"
    if floor.position() == size:
        assert floor.open_ids() == []
