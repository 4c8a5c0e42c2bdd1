"""Linked orders: on the right side, on the grid, never within the spread; each refusal with its reason."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.model.contract import stock
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Bracket, Side
from tws.model.signal import Signal, Wish
from tws.rules import atr, percent
from tws.strategy import Allocation, Reason, Refusal, RiskFraction, Shares, TradePlan, bracket_for

SPY = Instrument(contract=stock("SPY"))


def signal(wish: Wish = Wish.BUY) -> Signal:
    return Signal(signal_id="s1", symbol="SPY", wish=wish, time_ns=5, confidence=0.8, model="orb")


def quote(bid: float | None, ask: float | None) -> Quote:
    return Quote(symbol="SPY", bid=bid, ask=ask)


def plan(**changes: object) -> TradePlan:
    return TradePlan(**{"instrument": SPY, "sizing": Shares(Decimal(100)), **changes})  # type: ignore[arg-type]


def made(answer: Bracket | Refusal) -> Bracket:
    assert isinstance(answer, Bracket), answer
    return answer


def reason(answer: Bracket | Refusal) -> Reason:
    assert isinstance(answer, Refusal), answer
    assert answer.text and answer.signal_id == "s1" and answer.symbol == "SPY" and answer.time_ns == 5
    return answer.reason


def test_a_long_enters_at_the_ask_with_stop_six_and_target_three_ranges_away() -> None:
    bracket = made(bracket_for(signal(), quote(99.98, 100.00), 0.5, plan()))
    assert (bracket.side, bracket.quantity, bracket.limit_price) == (Side.BUY, 100, None)
    assert (bracket.stop_price, bracket.target_price) == (Decimal("97.00"), Decimal("101.50"))
    assert (bracket.strategy, bracket.signal_id) == ("orb", "s1")


def test_a_short_enters_at_the_bid_the_other_way_round() -> None:
    bracket = made(bracket_for(signal(Wish.SHORT), quote(99.98, 100.00), 0.5, plan()))
    assert bracket.side is Side.SELL
    assert (bracket.stop_price, bracket.target_price) == (Decimal("102.98"), Decimal("98.48"))


@given(
    bid=st.integers(50, 100_000),
    spread=st.integers(0, 50),
    atr=st.floats(0.001, 50, allow_nan=False),
    wish=st.sampled_from([Wish.BUY, Wish.SHORT]),
    tick=st.sampled_from(["0.01", "0.05", "0.25"]),
    limit=st.booleans(),
)
def test_whatever_the_market_a_bracket_is_sound_or_refused(
    bid: int, spread: int, atr: float, wish: Wish, tick: str, limit: bool
) -> None:
    instrument = Instrument(contract=stock("SPY"), tick=Decimal(tick))
    market = quote(float(Decimal(tick) * bid), float(Decimal(tick) * (bid + spread)))
    answer = bracket_for(signal(wish), market, atr, plan(instrument=instrument, limit_entry=limit))
    if isinstance(answer, Refusal):
        assert answer.reason in (Reason.SPREAD, Reason.PRICE)
        return
    prices = [answer.stop_price, answer.target_price, *([answer.limit_price] if answer.limit_price else [])]
    for price in prices:
        assert price > 0
        instrument.ticks(price)  # raises off the grid
    sign = answer.side.sign
    entry = Decimal(tick) * (bid + spread if wish is Wish.BUY else bid)
    other = Decimal(tick) * (bid if wish is Wish.BUY else bid + spread)
    assert (entry - answer.stop_price) * sign >= Decimal(repr(atr)) * 6  # never tighter than the plan
    assert (answer.target_price - entry) * sign >= Decimal(repr(atr)) * 3
    assert (other - answer.stop_price) * sign > 0


@pytest.mark.parametrize(
    ("wish", "bid", "ask", "atr", "changes", "expected"),
    [
        (Wish.NEUTRAL, 99.0, 100.0, 0.5, {}, Reason.NO_ENTRY),
        (Wish.SELL, 99.0, 100.0, 0.5, {}, Reason.NO_ENTRY),
        (Wish.BUY, None, 100.0, 0.5, {}, Reason.NO_QUOTE),
        (Wish.SHORT, 99.0, None, 0.5, {}, Reason.NO_QUOTE),
        (Wish.BUY, -1.0, 100.0, 0.5, {}, Reason.NO_QUOTE),
        (Wish.BUY, 99.0, float("nan"), 0.5, {}, Reason.NO_QUOTE),
        (Wish.BUY, 100.01, 100.0, 0.5, {}, Reason.CROSSED),
        (Wish.BUY, 99.99, 100.0, None, {}, Reason.NO_ATR),
        (Wish.BUY, 99.99, 100.0, 0.0, {}, Reason.NO_ATR),
        (Wish.BUY, 99.99, 100.0, float("inf"), {}, Reason.NO_ATR),
        (Wish.BUY, 90.00, 100.0, 0.5, {}, Reason.SPREAD),
        (Wish.BUY, 1.00, 1.01, 0.5, {}, Reason.PRICE),
        (Wish.SHORT, 1.00, 1.01, 0.5, {}, Reason.PRICE),
        (Wish.BUY, 99.99, 100.0, 0.5, {"sizing": Allocation(Decimal(99))}, Reason.SIZE),
        (Wish.BUY, 99.99, 100.0, 0.5, {"sizing": RiskFraction(Decimal("0.01"))}, Reason.SIZE),
    ],
)
def test_each_refusal_names_its_reason(
    wish: Wish, bid: float, ask: float, atr: float, changes: dict[str, object], expected: Reason
) -> None:
    assert reason(bracket_for(signal(wish), quote(bid, ask), atr, plan(**changes))) is expected


def test_fractions_of_the_price_need_no_atr() -> None:
    answer = bracket_for(signal(), quote(99.99, 100.0), None, plan(stop_fraction=0.02, target_fraction=0.01))
    assert (made(answer).stop_price, made(answer).target_price) == (Decimal(98), Decimal(101))


@pytest.mark.parametrize(
    ("changes", "moves"),
    [
        ({"trail": atr(2)}, {"trail": Decimal(1)}),
        ({"trail": percent(1.5)}, {"trail_percent": Decimal("1.5")}),
        ({"break_even": atr(1)}, {"break_even": Decimal("0.5")}),
        ({"break_even": percent(1), "break_even_offset": atr(0.1)},
         {"break_even": Decimal(1), "break_even_offset": Decimal("0.05")}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("wish", [Wish.BUY, Wish.SHORT])
def test_the_broker_is_told_how_the_stop_moves(
    wish: Wish, changes: dict[str, object], moves: dict[str, Decimal]
) -> None:
    bracket = made(bracket_for(signal(wish), quote(100.0, 100.0), 0.5, plan(**changes)))
    stays = {"trail": None, "trail_percent": None, "break_even": None, "break_even_offset": 0}
    assert {name: getattr(bracket, name) for name in stays} == stays | moves
    assert abs(bracket.stop_price - 100) == 3, "it begins where it would stand"


@pytest.mark.parametrize(
    ("changes", "atr_now", "expected"),
    [
        ({"trail": atr(2), "stop_fraction": 0.02, "target_fraction": 0.02}, None, Reason.NO_ATR),
        ({"break_even": percent(0.1), "break_even_offset": atr(1)}, 0.5, Reason.PRICE),
    ],
)
def test_a_stop_that_can_not_move_as_planned_is_a_refusal(
    changes: dict[str, object], atr_now: float | None, expected: Reason
) -> None:
    assert reason(bracket_for(signal(), quote(99.99, 100.0), atr_now, plan(**changes))) is expected


def test_an_allocation_never_spends_more_than_it_has() -> None:
    bracket = made(bracket_for(signal(), quote(29.99, 30.0), 0.1, plan(sizing=Allocation(Decimal(10_000)))))
    assert bracket.quantity == 333
    lots = Instrument(contract=stock("SPY"), lot=Decimal(100))
    bracket = made(
        bracket_for(
            signal(), quote(29.99, 30.0), 0.1, plan(instrument=lots, sizing=Allocation(Decimal(10_000)))
        )
    )
    assert bracket.quantity == 300


def test_a_risk_fraction_loses_at_most_its_part_of_the_equity_at_the_stop() -> None:
    sizing = RiskFraction(Decimal("0.01"))
    bracket = made(
        bracket_for(signal(), quote(99.99, 100.0), 0.07, plan(sizing=sizing, equity=Decimal(50_000)))
    )
    loss = (Decimal(100) - bracket.stop_price) * bracket.quantity
    assert loss <= 500 < loss + (Decimal(100) - bracket.stop_price)


@pytest.mark.parametrize("name", ["stop_atr", "target_atr", "stop_fraction", "target_fraction"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_plan_with_no_distance_is_no_plan(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        plan(**{name: value})
