"""Combos of three and four legs, prices for single legs, and the types that only combos have."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import AccountSetup, Exchange, Executed, Leg, Listing, OrderTicket
from tws.exchange.special import Special
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import Side

D = Decimal
STRIKES = (1, 2, 3, 4)
BUTTERFLY = (
    Leg(con_id=1, ratio=1, side=Side.BUY), Leg(con_id=2, ratio=2, side=Side.SELL),
    Leg(con_id=3, ratio=1, side=Side.BUY),
)  # fmt: skip
CONDOR = (
    Leg(con_id=1, ratio=1, side=Side.BUY), Leg(con_id=2, ratio=1, side=Side.SELL),
    Leg(con_id=3, ratio=1, side=Side.SELL), Leg(con_id=4, ratio=1, side=Side.BUY),
)  # fmt: skip


class Pit:
    """Four options at 8.00, 6.00, 4.00 and 2.00 to a cent more, 20 contracts each."""

    def __init__(self) -> None:
        contracts = [
            Contract(con_id=con_id, symbol="X", sec_type="OPT", multiplier="100") for con_id in STRIKES
        ]
        listings = [Listing(instrument=Instrument(contract=contract)) for contract in contracts]
        self.exchange = Exchange(listings, [AccountSetup(account="DU1", cash=D(10**9))])
        self.now = self.order_id = 0
        for con_id in STRIKES:
            self.quote(con_id, 1000 - 200 * con_id)

    def quote(self, con_id: int, bid: int, lots: int = 20) -> list[tuple[str, Decimal, Decimal]]:
        self.now += 1
        return fills(self.exchange.quote(con_id, bid, lots, bid + 1, lots, self.now))

    def place(self, legs: tuple[Leg, ...], side: str, kind: str, **more: Any) -> list[Any]:
        self.order_id, self.now = self.order_id + 1, self.now + 1
        wanted: dict[str, Any] = {"quantity": D(10)} | more
        ticket = OrderTicket(
            client_id=1, order_id=self.order_id, account="DU1", con_id=0, side=Side(side), order_type=kind,
            legs=legs, **wanted,
        )  # fmt: skip
        return list(self.exchange.place(ticket, self.now))

    def limit(self) -> int:
        (order,) = self.exchange._core.live.values()
        return order.limit

    def held(self) -> dict[int, Decimal]:
        return {row.con_id: row.quantity for row in self.exchange.positions()}


def fills(events: Any) -> list[tuple[str, Decimal, Decimal]]:
    return [(event.side, event.quantity, event.price) for event in events if isinstance(event, Executed)]


def test_three_legs_trade_as_one_at_the_sum_of_their_prices() -> None:
    pit = Pit()
    assert fills(pit.place(BUTTERFLY, "BUY", "MKT")) == [
        ("BOT", 10, D("0.02")), ("BOT", 10, D("8.01")), ("SLD", 20, D("6.00")), ("BOT", 10, D("4.01")),
    ]  # fmt: skip
    assert pit.held() == {1: 10, 2: -20, 3: 10}


def test_four_legs_wait_for_the_thinnest() -> None:
    pit = Pit()
    assert fills(pit.place(CONDOR, "SELL", "LMT", limit_price=D("-0.03"), quantity=D(30)))[0] == (
        "SLD", 20, D("-0.02")
    )  # fmt: skip
    for con_id, lots in ((4, 7), (1, 20), (2, 20)):
        assert pit.quote(con_id, 1000 - 200 * con_id, lots) == []
    assert pit.quote(3, 400)[0][1] == 7 and pit.held() == {1: -27, 2: 27, 3: 27, 4: -27}


def test_each_leg_may_have_a_price_of_its_own() -> None:
    pit = Pit()
    prices = (D("7.90"), D("6.05"), D("4.01"))
    placed = pit.place(BUTTERFLY, "BUY", "LMT", special=Special(leg_prices=prices))
    assert fills(placed) == [] and pit.limit() == -19, "7.90 less two times 6.05 and 4.01"
    assert pit.quote(1, 789) == []
    assert pit.quote(3, 380) == [], "the whole is cheap enough, the middle leg brings too little"
    assert pit.quote(2, 605)[0] == ("BOT", 10, D("-0.39"))


def test_a_leg_without_a_price_leaves_it_to_the_limit_of_the_whole() -> None:
    pit = Pit()
    special = Special(leg_prices=(D("8.00"), None, None))
    assert fills(pit.place(BUTTERFLY, "BUY", "LMT", limit_price=D("0.02"), special=special)) == []
    assert pit.quote(1, 799)[0] == ("BOT", 10, D("0.01"))


@pytest.mark.parametrize(("code", "prices"), [(312, (D(8), D(6))), (313, (D("8.001"), D(6), D(4)))])
def test_prices_that_do_not_fit_the_legs_are_refused(code: int, prices: Any) -> None:
    events = Pit().place(BUTTERFLY, "BUY", "LMT", limit_price=D(1), special=Special(leg_prices=prices))
    assert [event.code for event in events] == [code]


def test_a_relative_combo_follows_what_its_legs_bring() -> None:
    pit = Pit()
    pit.place(BUTTERFLY, "BUY", "REL + LMT", stop_price=D("0.01"), limit_price=D("0.03"))
    assert pit.limit() == -1, "the whole is bid at -0.02"
    pit.quote(3, 403)
    assert pit.limit() == 2
    pit.quote(3, 410)
    assert pit.limit() == 3, "its limit is the worst"


def test_a_limit_and_market_combo_trades_at_the_limit_of_the_whole() -> None:
    pit = Pit()
    assert fills(pit.place(BUTTERFLY, "BUY", "LMT + MKT", limit_price=D("0.01"))) == []
    assert pit.quote(1, 799)[0] == ("BOT", 10, D("0.01"))
    pit.quote(2, 600)
    assert fills(pit.place(BUTTERFLY, "BUY", "REL + MKT", stop_price=D("0.05")))[0][1] == 10, "-0.03 and 0.05"


@given(
    legs=st.sampled_from([BUTTERFLY, CONDOR]),
    side=st.sampled_from(["BUY", "SELL"]),
    size=st.integers(1, 40),
    prices=st.lists(st.integers(100, 900), min_size=4, max_size=4),
    market=st.lists(
        st.tuples(st.sampled_from(STRIKES), st.integers(100, 900), st.integers(0, 30)), max_size=15
    ),
)
@settings(max_examples=60, deadline=None)
def test_no_leg_goes_without_the_others_nor_beyond_its_price(
    legs: Any, side: str, size: int, prices: Any, market: Any
) -> None:
    pit = Pit()
    stated = tuple(D(price) / 100 for price in prices[: len(legs)])
    said = fills(pit.place(legs, side, "LMT", quantity=D(size), special=Special(leg_prices=stated)))
    for quote in market:
        said += pit.quote(*quote)
    held, sign = pit.held(), 1 if side == "BUY" else -1
    whole = {held.get(leg.con_id, D(0)) / (leg.ratio * leg.side.sign * sign) for leg in legs}
    assert len(whole) == 1 and 0 <= whole.pop() <= size
    step = len(legs) + 1
    for at in range(0, len(said), step):
        for (told, _, price), limit in zip(said[at + 1 : at + step], stated, strict=True):
            assert price <= limit if told == "BOT" else price >= limit
