"""IB's algos: what TWS refuses of their parameters, and the slices in which they trade.

The floor stands at 100.00 / 100.01 (300 x 60), last 100.00, and never closes unless a test says so.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tws.exchange import Notice, Session
from tws.exchange.algos import ALGOS, Algo, read_algo
from tws.exchange.refusals import Refusal
from tws.exchange.special import Special

D = Decimal
S = 1_000_000_000


def at(text: str) -> int:
    return int(text) * S  # seconds, so that tests can be read


def algo(strategy: str, sec_type: str = "STK", **params: object) -> Special:
    found = read_algo(strategy, [(name, str(value)) for name, value in params.items()], sec_type, at)
    assert isinstance(found, Algo), found
    return Special(algo=found)


def filled(floor: Any, order_id: int = 1) -> int:
    done = (report.executed for report in floor.exchange.executions())
    return sum(int(fill.quantity) for fill in done if fill.order_id == order_id)


def second(floor: Any, now: int, lots: int = 1000) -> int:
    """A second's quote and what has filled by then."""
    floor.advance(now * S)
    floor.quote(10000, lots, 10001, lots)
    return filled(floor)


# -- what TWS says of parameters ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "params", "code", "text"),
    [
        ("Inline", {}, 439, "Order processing failed. Algorithm definition not found"),
        ("JefAD", {}, 439, ""), ("MinImpact", {"maxPctVol": 0.1}, 439, ""), ("twap", {}, 439, ""),
        ("BalanceImpactRisk", {"maxPctVol": 0.1}, 439, ""),
        ("Twap", {"maxPctVol": "0.1"}, 443, "Order processing failed. Unknown algo attribute:maxPctVol"),
        ("Adaptive", {"adaptivePriority": "Soon"}, 145, "Error in validating entry fields -Soon"),
        ("Vwap", {"maxPctVol": "a lot"}, 441, "Algo attributes validation failed:maxPctVol=a lot"),
        ("Vwap", {"maxPctVol": 51}, 441, "Algo attributes validation failed: 'Max Percentage' is invalid: "
                                         "Value is greater than maximum value 50.0.. "),
        ("Vwap", {"maxPctVol": 0}, 441, "Algo attributes validation failed: 'Max Percentage' is invalid: "
                                        "Value is less than minimum value 0.01.. "),
        ("PctVol", {}, 441, "Algo attributes validation failed:\n'Target Percentage' is invalid: "
                            "value is required.\n"),
        ("Vwap", {"startTime": "soon"}, 10314, ""), ("AD", {"componentSize": 1.5}, 441, ""),
        ("Vwap", {"noTakeLiq": 2}, 441, ""), ("AD", {"componentSize": "1e99999"}, 441, ""),
        ("AD", {"componentSize": 0, "timeBetweenOrders": 1}, 441, ""),
    ],
)  # fmt: skip
def test_tws_refuses_what_it_does_not_know_in_its_own_words(
    strategy: str, params: dict[str, object], code: int, text: str
) -> None:
    """Recorded of a paper Gateway, but the last row's codes, which follow from the same rules."""
    found = read_algo(strategy, [(name, str(value)) for name, value in params.items()], "STK", at)
    assert isinstance(found, Refusal) and found.code == code
    assert found.text == text or not text


def test_a_display_size_does_not_go_with_an_algo_and_options_have_their_own() -> None:
    assert read_algo("DarkIce", (), "STK", at, shows=True) == Refusal(
        10255, "The 'Display Size' order attribute may not be specified for this order."
    )
    assert algo("MinImpact", "OPT", maxPctVol=0.1) and algo("BalanceImpactRisk", "OPT")


def test_a_twap_may_stand_at_the_middle_if_tws_knows_its_strategy_type(floor: Any) -> None:
    """The parameter is documented, and a Gateway was recorded to refuse it."""
    midpoint = algo("Twap", strategyType="Midpoint", endTime=100)
    assert floor.place(1, "BUY", 20, "MKT", special=midpoint) == ["4 443 #1"]
    floor = type(floor)(twap_strategy=True)
    floor.quote(10000, 50, 10010, 50)
    floor.place(1, "BUY", 20, "MKT", special=midpoint)
    assert filled(floor) == 0 and floor.exchange._core.orders[1, 1].limit == 10005


def test_algos_want_limit_or_market_orders_and_cannot_be_changed(floor: Any) -> None:
    twap = algo("Twap", endTime=100)
    assert floor.place(1, "BUY", 10, "STP", stop=101, special=twap) == ["4 442 #1"]
    assert floor.place(2, "BUY", 10, "MKT", tif="OVERNIGHT", special=twap) == ["4 442 #2"]
    floor.place(3, "BUY", 10, "LMT", limit=99, special=twap)
    assert floor.place(3, "BUY", 10, "LMT", limit=99) == ["4 440 #3"]
    assert floor.place(3, "BUY", 20, "LMT", limit=98, special=twap)[0] == "5 Submitted #3 0/20"


@given(
    strategy=st.text(max_size=8) | st.sampled_from(sorted(ALGOS)),
    params=st.lists(
        st.tuples(
            st.text(max_size=6) | st.sampled_from(["maxPctVol", "startTime", "componentSize"]),
            st.text(max_size=6) | st.sampled_from(["NaN", "1e999", "-1", "0.1"]),
        ),
        max_size=3,
    ),
)
@settings(max_examples=80, deadline=None)
def test_no_text_makes_reading_fail(strategy: str, params: Any) -> None:
    found = read_algo(strategy, params, "STK", at)
    assert isinstance(found, Algo) or found.text


# -- slices in time -------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["Twap", "Vwap"])
def test_an_even_pace_trades_a_twentieth_at_a_time(floor: Any, strategy: str) -> None:
    assert floor.place(1, "BUY", 200, "MKT", special=algo(strategy, startTime=100, endTime=300))[-1] == (
        "3 Submitted #1 0/200"
    )
    assert second(floor, 99) == 0
    assert [second(floor, now) for now in (100, 109, 110, 200, 290)] == [10, 10, 20, 110, 200]


def test_an_arrival_price_hurries_and_a_close_price_hesitates(floor: Any) -> None:
    shape = {"startTime": 100, "endTime": 300}
    floor.place(1, "BUY", 200, "MKT", special=algo("ArrivalPx", riskAversion="Aggressive", **shape))
    session = Session(regular=((0, 300 * S),))
    late = type(floor)(session)
    late.place(1, "BUY", 200, "MKT", special=algo("ClosePx", startTime=100))
    assert [second(floor, now) for now in (100, 190)] == [29, 175]
    assert [second(late, now) for now in (100, 190, 290)] == [1, 50, 200]


def test_what_is_not_done_at_the_end_is_cancelled_unless_it_may_go_on(floor: Any) -> None:
    floor.quote(10000, 50, 10001, 0)
    floor.place(1, "BUY", 40, "MKT", special=algo("Twap", startTime=10, endTime=20))
    floor.place(2, "BUY", 40, "MKT", special=algo("Twap", startTime=10, endTime=20, allowPastEndTime=1))
    told = floor.advance(20 * S)
    assert "3 Cancelled #1 0/40" in told and floor.open_ids() == [2]
    second(floor, 21)
    assert filled(floor, 2) == 40


def test_a_start_after_the_close_is_cancelled_with_its_reason(floor: Any) -> None:
    """Recorded: PreSubmitted, Submitted, Cancelled, and 202 says why."""
    floor = type(floor)(Session(regular=((0, 100 * S),)))
    vwap = algo("Vwap", maxPctVol=0.1, startTime=200, endTime=300)
    events = floor.raw(1, "BUY", 1, "LMT", limit=15, special=vwap)
    texts = [event.text for event in events if isinstance(event, Notice)]
    assert texts == ["Order Canceled - reason:Vwap: start time is after close time"]


def test_no_more_fills_than_its_share_of_the_volume(floor: Any) -> None:
    floor.place(1, "BUY", 200, "MKT", special=algo("Vwap", maxPctVol=0.1, startTime=100, endTime=120))
    assert [second(floor, now) for now in (100, 110)] == [0, 0]
    for _ in range(200):
        floor.trade(10001)
    floor.quote(10000, 300, 10001, 300)
    assert filled(floor) == 20


def test_a_percentage_of_volume_follows_the_tape(floor: Any) -> None:
    floor.place(1, "BUY", 50, "MKT", special=algo("PctVol", pctVol=0.2))
    for _ in range(24):
        floor.trade(10001)
    assert filled(floor) == 4, "every fifth"
    floor.place(2, "BUY", 50, "MKT", special=algo("PctVolTm", startPctVol=0.1, endPctVol=0.5, endTime=100))
    floor.advance(50 * S)
    floor.exchange.trade(floor.SPY, 10001, 100, floor.now)
    assert filled(floor, 2) == 29, "a little less than 0.3 of a hundred"


def test_a_share_may_depend_on_price_and_on_what_is_done(floor: Any) -> None:
    by_price = algo("PctVolPx", pctVol=0.1, deltaPctVol=0.1, maxPctVol4Px=0.15)
    floor.place(1, "BUY", 100, "MKT", special=by_price)
    floor.quote(9900, 300, 9901, 300)
    floor.exchange.trade(floor.SPY, 9901, 100, floor.now)
    assert filled(floor) == 15, "the price is one percent better: 0.2, bounded"
    floor.place(2, "BUY", 100, "MKT", special=algo("PctVolSz", startPctVol=0.1, endPctVol=1))
    floor.exchange.trade(floor.SPY, 9901, 100, floor.now)
    floor.exchange.trade(floor.SPY, 9901, 100, floor.now)
    assert filled(floor, 2) == 29, "a tenth of a hundred, then 0.19 of another"


def test_who_takes_no_liquidity_stands_at_his_own_side(floor: Any) -> None:
    floor.place(1, "BUY", 20, "MKT", special=algo("Vwap", noTakeLiq=1, startTime=0, endTime=10))
    assert second(floor, 20) == 0 and floor.open_ids() == []
    floor.place(2, "BUY", 20, "MKT", special=algo("PctVol", pctVol=0.5, noTakeLiq=1))
    floor.exchange.trade(floor.SPY, 10000, 20, floor.now)
    floor.quote(10000, 50, 10010, 50)
    assert "11 BOT #2 10@100.00" in floor.quote(9990, 50, 10000, 50) or filled(floor, 2) == 0


def test_adaptive_looks_for_the_middle_for_a_while_and_then_takes_what_it_can(floor: Any) -> None:
    floor.quote(10000, 50, 10010, 50)
    floor.place(1, "BUY", 10, "MKT", special=algo("Adaptive", adaptivePriority="Urgent"))
    floor.place(2, "BUY", 10, "LMT", limit="100.03", special=algo("Adaptive", adaptivePriority="Patient"))
    order = floor.exchange._core.orders[1, 1]
    assert order.limit == 10005 and floor.exchange._core.orders[1, 2].limit == 10003, "never beyond its limit"
    floor.quote(10002, 50, 10012, 50)
    assert order.limit == 10007
    floor.advance(floor.now + 2 * S)
    assert filled(floor) == 10 and floor.open_ids() == [2]


def test_accumulate_distribute_sends_a_component_every_so_often(floor: Any) -> None:
    floor.place(1, "BUY", 30, "MKT", special=algo("AD", componentSize=10, timeBetweenOrders=60))
    assert [second(floor, now) for now in (1, 59, 61, 119, 121)] == [10, 10, 20, 20, 30]


@pytest.mark.parametrize(("catches_up", "after"), [(0, 20), (1, 30)])
def test_a_component_may_wait_for_the_one_before_and_catch_up(
    floor: Any, catches_up: int, after: int
) -> None:
    floor.quote(10000, 50, 10001, 0)
    terms = {"componentSize": 10, "timeBetweenOrders": 60, "waitForFill": 1, "catchUp": catches_up}
    floor.place(1, "BUY", 30, "MKT", special=algo("AD", **terms))
    assert second(floor, 130) == 10, "two were due, and waited for the first"
    assert second(floor, 181) == after


def test_dark_ice_shows_its_size_more_or_less_by_half(floor: Any) -> None:
    floor.place(1, "BUY", 300, "LMT", limit="99.90", special=algo("DarkIce", displaySize=20))
    floor.quote(9980, 50, 9990, 1000)
    sizes = [int(report.executed.quantity) for report in floor.exchange.executions()]
    assert sum(sizes) == 300 and all(10 <= size <= 30 for size in sizes[:-1]) and len(set(sizes)) > 3


PACED = [name for name in ALGOS if name not in ("MinImpact", "BalanceImpactRisk")]
NEEDS: dict[str, dict[str, object]] = {
    "PctVol": {"pctVol": 0.3}, "PctVolPx": {"pctVol": 0.3, "deltaPctVol": 0.1},
    "PctVolSz": {"startPctVol": 0.1, "endPctVol": 0.5}, "PctVolTm": {"startPctVol": 0.1, "endPctVol": 0.5},
    "AD": {"componentSize": 7, "timeBetweenOrders": 3, "randomizeTime20": 1, "randomizeSize55": 1},
}  # fmt: skip


@pytest.mark.parametrize("strategy", PACED)
def test_where_there_is_market_enough_the_slices_add_up_to_the_order(floor: Any, strategy: str) -> None:
    floor = type(floor)(Session(regular=((0, 100 * S),)))
    floor.place(1, "BUY", 100, "MKT", special=algo(strategy, **NEEDS.get(strategy, {})))
    for now in range(1, 100):
        second(floor, now)
        floor.exchange.trade(floor.SPY, 10001, 10, floor.now)
    assert filled(floor) == 100 and floor.open_ids() == []


@given(
    strategy=st.sampled_from(PACED),
    size=st.integers(1, 100),
    side=st.sampled_from(["BUY", "SELL"]),
    kind=st.sampled_from(["MKT", "LMT"]),
    market=st.lists(
        st.tuples(st.integers(0, 8), st.integers(9995, 10005), st.integers(0, 30), st.integers(0, 30)),
        max_size=25,
    ),
)
@settings(max_examples=100, deadline=None)
def test_the_slices_never_add_up_to_more_than_the_order_nor_trade_beyond_its_limit(
    Floor_: Any, strategy: str, size: int, side: str, kind: str, market: Any
) -> None:
    floor = Floor_()
    window = {"startTime": 5, "endTime": 60} if "endTime" in ALGOS[strategy].params else {}
    most = {"maxPctVol": 0.5} if "maxPctVol" in ALGOS[strategy].params else {}
    special = algo(strategy, **NEEDS.get(strategy, {}), **window, **most)
    floor.place(1, side, size, kind, limit=100, special=special)
    now = traded = 0
    for step, price, lots, printed in market:
        now += step
        floor.advance(max(floor.now, now * S))
        floor.quote(price, lots, price + 1, lots)
        floor.exchange.trade(floor.SPY, price, printed, floor.now)
        traded += printed
        assert filled(floor) <= size
        assert not most or filled(floor) <= traded / 2
    sign = 1 if side == "BUY" else -1
    fills = [report.executed for report in floor.exchange.executions()]
    assert kind == "MKT" or all((fill.price - 100) * sign <= 0 for fill in fills)
    if window:
        floor.advance(61 * S)
        assert floor.open_ids() == []
