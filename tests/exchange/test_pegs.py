"""Orders that follow the quote or something else: with the numbers of IB's own pages where they have any.

The floor stands at 100.00 / 100.01 (300 x 60), last 100.00.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import Exchange, Listing
from tws.exchange.kinds import KINDS, TIFS, Anchor
from tws.exchange.special import Peg, Special
from tws.model.contract import Contract
from tws.model.instrument import Instrument

D = Decimal
OPTION, INDEX, PUT = 9001, 9002, 9003


class Linear:
    """Option pricing that can be reckoned in the head: a tenth of the volatility in percent, half a delta."""

    def underlying(self, con_id: int) -> int | None:
        return 756733 if con_id in (OPTION, PUT) else None

    def price(self, con_id: int, volatility: float, under_price: float, now_ns: int) -> float | None:
        return round(volatility * 10 + (under_price - 100) / 2, 6)

    def delta(self, con_id: int, under_price: float, now_ns: int) -> float | None:
        return 0.5


def option(floor: Any) -> Any:
    """The floor with a call and a put on SPY at 30.00 / 30.10, and an index at 4000."""
    floor.exchange._core.options = Linear()
    exchange: Exchange = floor.exchange
    for con_id, right in ((OPTION, "C"), (PUT, "P"), (INDEX, "")):
        kind = "OPT" if right else "IND"
        times = "100" if right else ""
        contract = Contract(con_id=con_id, symbol="X", sec_type=kind, right=right, multiplier=times)
        exchange.add(Listing(instrument=Instrument(contract=contract)))
    for con_id in (OPTION, PUT):
        exchange.quote(con_id, 3000, 50, 3010, 50, floor.now)
    exchange.trade(INDEX, 400000, 1, floor.now)
    return floor


def limit(floor: Any, order_id: int = 1) -> Decimal:
    """Where an order stands now."""
    order = floor.exchange._core.orders[1, order_id]
    return D(order.limit) / 100


def peg(**terms: Any) -> Special:
    exact = {name: D(str(value)) for name, value in terms.items() if type(value) in (int, float)}
    return Special(peg=Peg(**terms | {name: value for name, value in exact.items() if name != "reference"}))


# -- beside the quote -----------------------------------------------------------------------------


def test_a_pegged_to_market_buy_stands_so_far_below_the_ask_and_follows_both_ways(floor: Any) -> None:
    """IB's example: 17.87 - 17.89, an offset of 0.01, so 17.88 (its limit too; here it has none)."""
    floor.quote(1787, 50, 1789, 50)
    floor.place(1, "BUY", 100, "PEG MKT", stop="0.01")
    assert limit(floor) == D("17.88")
    floor.quote(1790, 50, 1793, 50)
    assert limit(floor) == D("17.92")
    floor.quote(1784, 50, 1787, 50)
    assert limit(floor) == D("17.86")


def test_the_limit_of_a_pegged_order_is_the_worst_at_which_it_trades(floor: Any) -> None:
    floor.quote(1787, 50, 1789, 50)
    floor.place(1, "BUY", 100, "PEG MKT", stop="0.01", limit="17.88")
    floor.quote(1790, 50, 1793, 50)
    assert limit(floor) == D("17.88")


@pytest.mark.parametrize(
    ("kind", "side", "begins", "better", "worse"),
    [
        ("REL", "BUY", "10.11", "10.14", "10.14"), ("REL", "SELL", "10.18", "10.18", "10.16"),
        ("PEG PRIM", "BUY", "10.11", "10.14", "10.14"), ("PASSV REL", "BUY", "10.09", "10.12", "10.12"),
        ("PASSV REL", "SELL", "10.20", "10.20", "10.18"),
    ],
)  # fmt: skip
def test_a_relative_order_follows_to_the_better_and_never_back(
    floor: Any, kind: str, side: str, begins: str, better: str, worse: str
) -> None:
    """`better`: after the quote rose; `worse`: after it fell again (official: only to the better side)."""
    floor.quote(1010, 50, 1019, 50)
    floor.place(1, side, 10, kind, stop="0.01")
    assert limit(floor) == D(begins)
    floor.quote(1013, 50, 1022, 50)
    assert limit(floor) == D(better)
    floor.quote(1008, 50, 1017, 50)
    assert limit(floor) == D(worse)


def test_at_ibkr_ats_a_relative_order_stays_a_tick_before_the_other_side(floor: Any) -> None:
    """IB's example: 10.10 - 10.12 and an offset of 0.02 would be 10.12: it stands at 10.11."""
    floor.quote(1010, 50, 1012, 50)
    special = peg(directed=True, before_far=True)
    floor.place(1, "BUY", 10, "REL", stop="0.02", special=special)
    assert limit(floor) == D("10.11")
    floor.quote(1004, 50, 1012, 50)
    assert limit(floor) == D("10.06")


def test_a_relative_order_without_an_offset_matches_the_inside_quote_both_ways(floor: Any) -> None:
    floor.place(1, "BUY", 10, "REL", stop=0)
    floor.quote(10100, 50, 10110, 50)
    assert limit(floor) == D("101.00")
    floor.quote(9900, 50, 9910, 50)
    assert limit(floor) == D("99.00")


def test_the_larger_of_amount_and_percent_is_the_offset_rounded_away_from_the_market(floor: Any) -> None:
    floor.quote(10007, 50, 10200, 50)
    floor.place(1, "BUY", 10, "REL", stop="0.10", special=peg(percent_offset=1))
    assert limit(floor) == D("101.07"), "100.07 and its percent is 101.0707: buys are rounded down"
    floor.place(2, "SELL", 10, "REL", stop="0.10", special=peg(percent_offset=1))
    assert limit(floor, 2) == D("100.98")
    floor.place(3, "SELL", 10, "REL", stop="1.50", special=peg(percent_offset=1))
    assert limit(floor, 3) == D("100.50")


def test_a_pegged_middle_keeps_to_it_with_an_offset_for_whole_and_one_for_half_ticks(floor: Any) -> None:
    floor.quote(1010, 50, 1018, 50)
    floor.place(1, "BUY", 10, "PEG MID", special=peg(at_whole=0.02, at_half=0.015))
    assert limit(floor) == D("10.12")
    floor.quote(1010, 50, 1019, 50)
    assert limit(floor) == D("10.13"), "the middle is 10.145"
    floor.place(2, "SELL", 10, "PEGMID", stop="0.01")
    assert limit(floor, 2) == D("10.16"), "10.155, and sales are rounded up"


def test_a_midprice_order_is_capped_by_its_limit(floor: Any) -> None:
    floor.quote(10000, 50, 10010, 50)
    floor.place(1, "BUY", 10, "MIDPRICE", limit="100.07")
    assert limit(floor) == D("100.05")
    floor.quote(10006, 50, 10016, 50)
    assert limit(floor) == D("100.07")


def test_pegged_to_best_goes_one_tick_before_its_side_up_to_the_middle(floor: Any) -> None:
    floor.quote(1010, 200, 1018, 50)
    floor.place(1, "BUY", 10, "PEG BEST")
    assert limit(floor) == D("10.11")
    floor.quote(1010, 200, 1011, 50)
    assert limit(floor) == D("10.10"), "the middle is 10.105"
    floor.quote(1010, 99, 1018, 50)
    assert limit(floor) == D("10.10"), "too small a size to compete with"
    floor.place(2, "BUY", 10, "PEG BEST", special=peg(compete=0.03, compete_size=1))
    assert limit(floor, 2) == D("10.11"), "10.14 less 0.03"


@pytest.mark.parametrize(
    ("kind", "side", "stands"),
    [
        ("SNAP PRIM", "BUY", "10.12"), ("SNAP PRIM", "SELL", "10.18"), ("SNAP MKT", "BUY", "10.18"),
        ("SNAP MKT", "SELL", "10.12"), ("SNAP MID", "BUY", "10.13"), ("SNAP MID", "SELL", "10.17"),
    ],
)  # fmt: skip
def test_a_snap_takes_its_price_once(floor: Any, kind: str, side: str, stands: str) -> None:
    """IB's formulas: primary bid + offset and ask - offset, market ask - and bid +, the middle - and +."""
    floor.quote(1010, 50, 1020, 50)
    floor.place(1, side, 10, kind, stop="0.02")
    assert limit(floor) == D(stands)
    floor.quote(1005, 50, 1025, 50)
    assert limit(floor) == D(stands)


def test_an_order_without_a_quote_to_follow_waits_for_one(floor: Any) -> None:
    floor.quote(10000, 0, 10010, 50)
    assert floor.place(1, "BUY", 10, "REL")[-1] == "3 Submitted #1 0/10"
    floor.quote(9990, 50, 10010, 50)
    assert limit(floor) == D("99.90")
    assert floor.place(2, "BUY", 10, "VOL") == ["4 387 #2"], "of options alone"
    floor.quote(10000, 0, 10010, 50)
    assert "4 202 #3" in floor.place(3, "BUY", 10, "REL", tif="IOC")


def test_a_move_costs_its_place_in_the_queue(floor: Any) -> None:
    floor.place(1, "BUY", 50, "REL")
    floor.place(2, "BUY", 50, "LMT", limit="99.90")
    floor.quote(9990, 50, 10010, 50)
    assert limit(floor) == D("99.90")
    told = floor.quote(9980, 0, 9990, 50)
    assert "11 BOT #2 50@99.90" in told and not any("BOT #1" in line for line in told)


# -- after something else's price -----------------------------------------------------------------


def test_pegged_to_stock_moves_by_its_delta_rounded_in_its_favour(floor: Any) -> None:
    """IB's sample: a delta of 50, a reference of 33, a starting price of 30; here 100 and 20."""
    option(floor)
    floor.place(1, "BUY", 10, "PEG STK", con_id=OPTION, starting_price=D(20),
                special=peg(delta=50, reference_price=100))
    assert limit(floor) == D("20.00"), "the middle is 100.005: half of that is a quarter of a cent"
    floor.quote(10100, 50, 10103, 50)
    assert limit(floor) == D("20.50"), "20.5075, a buyer's penny"
    floor.place(2, "SELL", 10, "PEG STK", con_id=PUT, starting_price=D(40), special=peg(delta=50))
    assert limit(floor, 2) == D("40.00"), "the reference is the middle as it was"
    floor.quote(10200, 50, 10203, 50)
    assert limit(floor, 2) == D("39.50"), "a put falls when the stock rises"


def test_pegged_to_stock_is_cancelled_beyond_its_range(floor: Any) -> None:
    option(floor)
    special = peg(delta=50, range_upper=101)
    floor.place(1, "BUY", 10, "PEG STK", con_id=OPTION, starting_price=D(29), special=special)
    assert floor.quote(10090, 50, 10100, 50) == []
    assert floor.quote(10120, 50, 10130, 50) == ["3 Cancelled #1 0/10", "4 202 #1"]


def test_what_another_quote_moved_into_the_market_fills(floor: Any) -> None:
    option(floor)
    floor.place(1, "BUY", 10, "PEG STK", con_id=OPTION, starting_price=D("29.90"),
                special=peg(delta=50, reference_price=100))
    assert "11 BOT #1 10@30.10" in floor.quote(10100, 50, 10110, 50)


@pytest.mark.parametrize(("decreases", "rose"), [(False, "99.14"), (True, "99.06")])
def test_pegged_to_benchmark_moves_in_steps_of_its_reference(floor: Any, decreases: bool, rose: str) -> None:
    """By the bid for buys (official); IB's sample gives 0.02 for each 0.01 of the reference."""
    floor.quote(10000, 50, 10010, 50, con_id=floor.IBM)
    floor.place(1, "BUY", 10, "PEG BENCH", starting_price=D("99.10"),
                special=peg(reference=floor.IBM, per=0.01, change=0.02, decreases=decreases))
    assert limit(floor) == D("99.10")
    floor.quote(10002, 50, 10012, 50, con_id=floor.IBM)
    assert limit(floor) == D(rose)


def test_a_benchmark_index_is_read_at_its_last(floor: Any) -> None:
    option(floor)
    special = peg(reference=INDEX, per=10, change=1)
    floor.place(1, "SELL", 10, "PEGBENCH", starting_price=D("103"), special=special)
    floor.trade(399000, con_id=INDEX)
    assert limit(floor) == D("102.00")
    assert floor.place(2, "SELL", 10, "PEGBENCH", special=peg(reference=5, per=10)) == ["4 321 #2"]


@pytest.mark.parametrize(("updates", "after"), [(True, "4.5"), (False, "4.0")])
def test_a_volatility_order_stands_at_the_options_price(floor: Any, updates: bool, after: str) -> None:
    option(floor)
    floor.quote(9999, 50, 10001, 50)
    floor.place(1, "BUY", 10, "VOL", con_id=OPTION, special=peg(volatility=40, updates=updates))
    assert limit(floor) == D("4.0"), "IB's sample asks for 40 %"
    floor.quote(10099, 50, 10101, 50)
    assert limit(floor) == D(after)


def test_a_volatility_may_be_a_days_and_the_stock_be_read_at_one_side(floor: Any) -> None:
    option(floor)
    floor.quote(9900, 50, 10100, 50)
    floor.place(1, "BUY", 10, "VOL", con_id=OPTION, special=peg(volatility=40, by_quote=True))
    assert limit(floor) == D("3.5"), "a call is bought by the bid"
    floor.place(2, "BUY", 10, "VOL", con_id=OPTION, special=peg(volatility=1, daily=True))
    assert limit(floor, 2) == D("1.58"), "1 % a day are 15.87 % a year"


# -- the market, and then a limit -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["MTL", "BOX TOP"])
def test_what_a_market_to_limit_order_left_stands_at_the_price_it_paid(floor: Any, kind: str) -> None:
    told = floor.place(1, "BUY", 100, kind)
    assert "11 BOT #1 60@100.01" in told and limit(floor) == D("100.01")
    assert floor.quote(10000, 50, 10002, 50) == []
    assert "11 BOT #1 40@100.01" in floor.quote(10000, 50, 10001, 50)


def test_a_market_order_with_protection_takes_what_lies_within_it(floor: Any) -> None:
    floor.place(1, "BUY", 100, "MKT PRT")
    assert limit(floor) == D("100.13")
    assert "11 BOT #1 30@100.13" in floor.quote(10000, 50, 10013, 30)
    assert floor.quote(10000, 50, 10014, 30) == []


def test_a_stop_with_protection_is_limited_from_its_stop(floor: Any) -> None:
    """IB's example: a stop at 1206.75, a limit at 1209.75 in steps of 0.25, which are the twelve ticks."""
    contract = Contract(con_id=7, symbol="ES", sec_type="FUT", multiplier="50")
    floor.exchange.add(Listing(instrument=Instrument(contract=contract, tick=D("0.25"))))
    floor.quote(4824, 50, 4825, 50, con_id=7)
    floor.place(1, "BUY", 3, "STP PRT", stop="1206.75", con_id=7)
    floor.quote(4838, 50, 4840, 50, con_id=7)
    floor.trade(4827, con_id=7)
    assert floor.exchange._core.orders[1, 1].limit == 4839, "1209.75"
    assert "11 BOT #1 3@1209.75" in floor.quote(4838, 50, 4839, 50, con_id=7)


# -- what is shown --------------------------------------------------------------------------------


def test_discretion_reaches_beyond_the_limit_that_is_shown(floor: Any) -> None:
    """IB's example: 3.20 with 3 cents of discretion."""
    floor.quote(310, 50, 330, 50)
    floor.place(1, "BUY", 10, "LMT", limit="3.20", special=Special(discretion=D("0.03")))
    assert floor.quote(310, 50, 324, 50) == []
    assert "11 BOT #1 10@3.23" in floor.quote(310, 50, 323, 50)


def test_an_iceberg_shows_so_much_and_goes_to_the_end_of_the_queue_with_each_refill(floor: Any) -> None:
    """IB's example: 5000 shares, 200 of them shown."""
    floor.place(1, "BUY", 5000, "LMT", limit="99.90", special=Special(shown=D(200)))
    floor.place(2, "BUY", 100, "LMT", limit="99.90")
    told = [line for line in floor.quote(9980, 50, 9990, 450) if line.startswith("11")]
    assert told == ["11 BOT #1 200@99.90", "11 BOT #2 100@99.90", "11 BOT #1 150@99.90"]


def test_a_marketable_iceberg_takes_all_it_can_on_arrival(floor: Any) -> None:
    floor.quote(10000, 50, 10001, 3000)
    assert "11 BOT #1 3000@100.01" in floor.place(1, "BUY", 5000, "LMT", limit="100.01",
                                                  special=Special(shown=D(200)))


def test_hidden_orders_stand_behind_the_shown_ones_at_their_price(floor: Any) -> None:
    floor.place(1, "BUY", 50, "LMT", limit="99.90", special=Special(hidden=True))
    floor.place(2, "BUY", 50, "LMT", limit="99.90")
    assert "11 BOT #2 50@99.90" in floor.quote(9980, 50, 9990, 50)


@pytest.mark.parametrize(
    ("code", "kind", "special"),
    [
        (157, "LMT", Special(shown=D(5), discretion=D("0.01"))), (10020, "LMT", Special(shown=D(10))),
        (325, "MKT", Special(discretion=D("0.01"))), (168, "LMT", Special(discretion=D("0.001"))),
        (159, "REL", peg(percent_offset=101)),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(floor: Any, code: int, kind: str, special: Special) -> None:
    assert floor.place(1, "BUY", 10, kind, limit="99", special=special) == [f"4 {code} #1"]


def test_a_block_of_options_has_fifty_contracts_and_a_least_trade_holds_for_each_fill(floor: Any) -> None:
    option(floor)
    more: dict[str, Any] = {"con_id": OPTION, "limit": 30}
    assert floor.place(1, "BUY", 49, "LMT", special=Special(block=True), **more) == ["4 117 #1"]
    floor.place(2, "BUY", 60, "LMT", special=Special(min_trade=D(20)), **more)
    assert floor.quote(2990, 50, 3000, 19, con_id=OPTION) == []
    assert "11 BOT #2 30@30.00" in floor.quote(2990, 50, 3000, 30, con_id=OPTION)
    assert floor.quote(2990, 50, 3000, 19, con_id=OPTION) == []


# -- the whole table ------------------------------------------------------------------------------


PLAYED = {
    "MTL": ("10.20", "10.20"), "BOX TOP": ("10.20", "10.20"), "MKT PRT": ("10.32", "10.32"),
    "REL + MKT": ("10.11", "10.15"), "REL + LMT": ("10.11", "10.15"), "REL": ("10.11", "10.15"),
    "PASSV REL": ("10.09", "10.13"), "PEG PRIM": ("10.11", "10.15"), "PEG BEST": ("10.11", "10.15"),
    "PEGBEST": ("10.11", "10.15"), "PEG MKT": ("10.19", "10.23"), "PEG MID": ("10.14", "10.18"),
    "PEGMID": ("10.14", "10.18"), "MIDPRICE": ("10.15", "10.19"), "PEG BENCH": ("9.00", "9.04"),
    "PEGBENCH": ("9.00", "9.04"), "SNAP PRIM": ("10.11", "10.11"), "SNAP MKT": ("10.19", "10.19"),
    "SNAP MID": ("10.14", "10.14"), "PEG STK": ("9.00", "9.02"), "VOL": ("2.00", "2.02"),
}  # fmt: skip
"""Where a buy of each type stands at 10.10 - 10.20 with an offset of 0.01, and after both rose by 0.04."""


@pytest.mark.parametrize("text", PLAYED)
def test_each_row_of_the_table_is_played(floor: Any, text: str) -> None:
    begins, after = PLAYED[text]
    of_option = KINDS[text].anchor in (Anchor.STOCK, Anchor.VOLATILITY)
    own, reference, first = (OPTION, floor.SPY, 9995) if of_option else (floor.SPY, floor.IBM, 1010)
    option(floor)

    def quotes(rise: int) -> None:
        floor.quote(1010 + rise, 500, 1020 + rise, 5, con_id=own)
        floor.quote(first + rise, 500, first + rise + 10, 5, con_id=reference)

    quotes(0)
    terms = peg(reference=floor.IBM, per=0.01, change=0.01, delta=50, volatility=20, updates=True)
    floor.place(1, "BUY", 100, text, con_id=own, stop="0.01", starting_price=D(9), special=terms)
    assert limit(floor) == D(begins)
    quotes(4)
    assert limit(floor) == D(after)


def test_no_row_says_that_it_is_worked_as_something_nearer() -> None:
    assert all(row.rests_on and "nearest" not in row.rests_on for row in (*KINDS.values(), *TIFS.values()))
    pegged = {kind.text for kind in KINDS.values() if kind.anchor is not Anchor.STATED and not kind.waits}
    assert pegged == set(PLAYED)


def test_a_relative_order_may_have_discretion_up_to_its_limit(floor: Any) -> None:
    floor.quote(1010, 50, 1030, 50)
    floor.place(1, "BUY", 10, "REL", stop="0.01", limit="10.20", special=Special(to_limit=True))
    assert limit(floor) == D("10.11")
    assert floor.quote(1010, 50, 1021, 50) == []
    assert "11 BOT #1 10@10.20" in floor.quote(1010, 50, 1020, 50)


# -- in general -----------------------------------------------------------------------------------


def test_an_auction_order_that_the_opening_missed_works_on_at_its_limit(floor: Any) -> None:
    floor.place(1, "BUY", 10, "MTL", tif="AUC", limit="99.95")
    told = floor.advance(60_000_000_000)
    assert told == ["5 Submitted #1 0/10", "3 Submitted #1 0/10"] and limit(floor) == D("99.95")
    assert "11 BOT #1 10@99.95" in floor.quote(9990, 50, 9995, 50)


def test_a_changed_order_follows_its_new_terms(floor: Any) -> None:
    floor.quote(10000, 50, 10010, 50)
    floor.place(1, "BUY", 10, "REL", stop="0.01")
    floor.place(1, "BUY", 10, "REL", stop="0.03")
    assert limit(floor) == D("100.03")
    floor.cancel(1)
    assert not floor.exchange._core.books[floor.SPY].watchers


PEGGED = [kind.text for kind in KINDS.values() if kind.anchor not in (
    Anchor.STATED, Anchor.REFERENCE, Anchor.STOCK, Anchor.VOLATILITY) and not kind.waits]  # fmt: skip


@given(
    kind=st.sampled_from(PEGGED),
    side=st.sampled_from(["BUY", "SELL"]),
    offset=st.integers(0, 5),
    worst=st.integers(9990, 10010),
    market=st.lists(
        st.tuples(st.integers(9985, 10015), st.integers(1, 9), st.integers(0, 40), st.integers(0, 40)),
        max_size=20,
    ),
)
@settings(max_examples=80, deadline=None)
def test_no_pegged_order_trades_beyond_its_limit_or_its_size(
    Floor_: Any, kind: str, side: str, offset: int, worst: int, market: Any
) -> None:
    floor = Floor_()
    special = Special(shown=D(7)) if offset % 2 else None
    floor.place(1, side, 100, kind, stop=D(offset) / 100, limit=D(worst) / 100, special=special)
    for bid, width, bids, asks in market:
        floor.quote(bid, bids, bid + width, asks)
    fills = [report.executed for report in floor.exchange.executions()]
    assert sum(fill.quantity for fill in fills) <= 100
    sign = 1 if side == "BUY" else -1
    if KINDS[kind].caps:
        assert all((fill.price - D(worst) / 100) * sign <= 0 for fill in fills)
