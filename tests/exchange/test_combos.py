"""Combos of three and four legs, legs that fill apart, prices for single legs, and types of combos alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import AccountSetup, CommissionCharged, Exchange, Executed, Leg, Listing, OrderTicket
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
PAIR = (Leg(con_id=1, ratio=1, side=Side.BUY), Leg(con_id=2, ratio=1, side=Side.SELL))
DOUBLE = (Leg(con_id=1, ratio=1, side=Side.BUY), Leg(con_id=2, ratio=2, side=Side.SELL))
APART = Special(apart=True)
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


# -- legs that fill apart -----------------------------------------------------------------------


def test_a_leg_fills_alone_and_the_other_works_on() -> None:
    pit = Pit()
    pit.quote(2, 600, 4)
    said = pit.place(PAIR, "BUY", "LMT", limit_price=D("2.01"), special=APART)
    assert fills(said) == [("BOT", 4, D("2.01")), ("BOT", 10, D("8.01")), ("SLD", 4, D("6.00"))]
    assert pit.held() == {1: 10, 2: -4}, "six contracts are bare"
    assert pit.quote(2, 599) == [], "the rest is beyond the limit: it stays bare"
    assert pit.quote(2, 600, 5) == [("BOT", 5, D("2.01")), ("SLD", 5, D("6.00"))]
    (view,) = pit.exchange.open_orders()
    assert (view.status, view.filled, view.remaining) == ("Submitted", 9, 1)
    pit.now += 1
    assert pit.exchange.cancel(1, 1, pit.now) and pit.held() == {1: 10, 2: -9}, "what filled is the client's"


def test_no_unit_costs_more_than_the_limit_because_another_costs_less() -> None:
    pit = Pit()
    pit.quote(1, 800, 5)
    pit.quote(2, 600, 1)
    pit.place(PAIR, "BUY", "LMT", limit_price=D("2.01"), special=APART)
    assert pit.quote(1, 790, 5) == [("BOT", 5, D("7.91"))], "beside four at 8.01"
    assert pit.quote(2, 595) == [], "8.01 less 5.95 is too much, 7.91 would not be"
    assert pit.quote(2, 601)[0] == ("BOT", 9, (4 * D("2.00") + 5 * D("1.90")) / 9 // D("1E-8") * D("1E-8"))


def test_a_leg_alone_makes_no_execution_of_the_whole() -> None:
    pit = Pit()
    pit.quote(2, 600, 0)
    said = pit.place(PAIR, "BUY", "MKT", special=APART)
    assert fills(said) == [("BOT", 10, D("8.01"))] and pit.exchange.open_orders()[0].filled == 0
    (leg,) = [event for event in said if isinstance(event, Executed)]
    charged = [event.exec_id for event in said if isinstance(event, CommissionCharged)]
    assert charged == [leg.exec_id] and leg.exec_id.count(".") == 4 and leg.con_id == 1
    assert pit.quote(2, 590)[0] == ("BOT", 10, D("2.11")), "the whole at what its legs cost"
    assert pit.exchange.open_orders() == ()


def test_legs_that_follow_trade_at_the_market_once_the_first_did() -> None:
    pit = Pit()
    pit.quote(2, 600, 4)
    pit.place(PAIR, "BUY", "LMT + MKT", limit_price=D("2.01"), special=APART)
    assert pit.quote(2, 500) == [("BOT", 6, D("3.01")), ("SLD", 6, D("5.00"))]


def test_each_leg_may_have_a_price_of_its_own() -> None:
    pit = Pit()
    special = Special(leg_prices=(D("7.90"), D("6.05")), apart=True)
    assert fills(pit.place(PAIR, "BUY", "LMT", special=special)) == [] and pit.limit() == 185
    assert pit.quote(1, 789) == [("BOT", 10, D("7.90"))]
    assert pit.quote(2, 604) == []
    assert pit.quote(2, 605) == [("BOT", 10, D("1.85")), ("SLD", 10, D("6.05"))]


def test_who_wants_all_at_once_gets_both_legs_or_none() -> None:
    pit = Pit()
    pit.quote(2, 600, 4)
    assert fills(pit.place(PAIR, "BUY", "MKT", all_or_none=True, special=APART)) == []
    assert pit.quote(2, 600, 10)[0] == ("BOT", 10, D("2.01"))


def test_an_order_in_pieces_fills_its_legs_together() -> None:
    pit = Pit()
    pit.quote(2, 600, 4)
    shown = Special(apart=True, shown=D(3))
    assert fills(pit.place(PAIR, "BUY", "LMT", limit_price=D("2.01"), special=shown)) == [
        ("BOT", 4, D("2.01")), ("BOT", 4, D("8.01")), ("SLD", 4, D("6.00")),
    ]  # fmt: skip
    assert pit.quote(2, 600, 4)[0] == ("BOT", 3, D("2.01")), "what it shows"


@pytest.mark.parametrize(("code", "legs", "kind", "special"), [
    (312, 2, "LMT", Special(leg_prices=(D(8),), apart=True)),
    (313, 2, "LMT", Special(leg_prices=(D("8.001"), D(6)), apart=True)),
    (10058, 2, "LMT", Special(leg_prices=(D(8), D(6)))),
    (10058, 3, "LMT", Special(leg_prices=(D(8), D(6), D(4)))),
    (10002, 3, "LMT", APART),
    (10043, 2, "REL + LMT", None),
])  # fmt: skip
def test_what_is_asked_of_legs_in_vain_is_refused(code: int, legs: int, kind: str, special: Any) -> None:
    events = Pit().place((PAIR, BUTTERFLY)[legs - 2], "BUY", kind, limit_price=D(1), special=special)
    assert [event.code for event in events] == [code]


def test_whether_it_is_guaranteed_can_not_be_changed() -> None:
    pit = Pit()
    pit.place(PAIR, "BUY", "LMT", limit_price=D(1), special=APART)
    pit.order_id -= 1
    assert [event.code for event in pit.place(PAIR, "BUY", "LMT", limit_price=D(1))] == [105]


def test_a_relative_combo_follows_what_its_legs_bring() -> None:
    pit = Pit()
    pit.place(BUTTERFLY, "BUY", "REL + LMT", stop_price=D("0.01"), limit_price=D("0.03"))
    assert pit.limit() == -1, "the whole is bid at -0.02"
    pit.quote(3, 403)
    assert pit.limit() == 2
    pit.quote(3, 410)
    assert pit.limit() == 3, "its limit is the worst"


def test_a_stop_of_a_combo_goes_by_its_quote() -> None:
    pit = Pit()
    pit.place(PAIR, "SELL", "STP", stop_price=D("1.80"))
    assert pit.quote(2, 620) == [] and pit.exchange.open_orders()[0].status == "PreSubmitted"
    assert pit.quote(2, 621)[0] == ("SLD", 10, D("1.78")), "bought at 6.22, sold at 8.00"


def test_a_limit_and_market_combo_trades_at_the_limit_of_the_whole() -> None:
    pit = Pit()
    assert fills(pit.place(BUTTERFLY, "BUY", "LMT + MKT", limit_price=D("0.01"))) == []
    assert pit.quote(1, 799)[0] == ("BOT", 10, D("0.01"))
    pit.quote(2, 600)
    assert fills(pit.place(BUTTERFLY, "BUY", "REL + MKT", stop_price=D("0.05")))[0][1] == 10, "-0.03 and 0.05"


@given(
    legs=st.sampled_from([BUTTERFLY, CONDOR, DOUBLE]),
    side=st.sampled_from(["BUY", "SELL"]),
    size=st.integers(1, 40),
    limit=st.integers(-300, 300),
    market=st.lists(
        st.tuples(st.sampled_from(STRIKES), st.integers(100, 900), st.integers(0, 30)), max_size=15
    ),
)
@settings(max_examples=80, deadline=None)
def test_no_unit_beyond_the_limit_and_no_guaranteed_leg_without_the_others(
    legs: Any, side: str, size: int, limit: int, market: Any
) -> None:
    pit, apart = Pit(), legs is DOUBLE
    special = APART if apart else None
    pit.place(legs, side, "LMT", quantity=D(size), limit_price=D(limit) / 100, special=special)
    for quote in market:
        pit.quote(*quote)
    held, sign = pit.held(), 1 if side == "BUY" else -1
    whole = [held.get(leg.con_id, D(0)) / (leg.ratio * leg.side.sign * sign) for leg in legs]
    assert min(whole) >= 0 and max(whole) <= size and (apart or len(set(whole)) == 1)
    done = pit.exchange.completed_orders() or pit.exchange.open_orders()
    view = getattr(done[0], "order", done[0])
    assert view.filled == int(min(whole))
    units = [row.executed for row in pit.exchange.executions() if row.executed.con_id < 0]
    assert sum(unit.quantity for unit in units) == view.filled
    assert all((unit.price - D(limit) / 100) * sign <= 0 for unit in units)
