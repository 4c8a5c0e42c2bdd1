"""What a wish means given what is held: the table of AUTOMATION.md, and what is added or moved."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.model.contract import stock
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Side
from tws.model.signal import Signal, Wish
from tws.strategy import Reason, Refusal, Shares, TradePlan
from tws.strategy.manage import (
    Add,
    Close,
    Conduct,
    Enter,
    Market,
    Reverse,
    Stance,
    double_down,
    manage,
    tighter_stop,
)

D = Decimal
SPY = Instrument(contract=stock("SPY"))
PLAN = TradePlan(instrument=SPY, sizing=Shares(D(100)), stop_fraction=0.02, target_fraction=0.04)
AT_100 = Market(quote=Quote(symbol="SPY", bid=99.99, ask=100.01), atr=0.5)
LONG = Stance(
    quantity=D(100), side=Side.BUY, trade="t1", strategy="api", entry_price=D("100.01"), entered=True,
    stop_price=D("98.00"), target_price=D("104.02"), working=True,
)  # fmt: skip
SHORT = Stance(
    quantity=D(-100), side=Side.SELL, trade="t2", strategy="api", entry_price=D("99.99"), entered=True,
    stop_price=D("102.00"), target_price=D("95.98"), working=True,
)  # fmt: skip


def signal(wish: Wish, model: str = "api") -> Signal:
    return Signal(signal_id="s1", symbol="SPY", wish=wish, time_ns=5, confidence=0.8, model=model)


@pytest.mark.parametrize(
    ("wish", "stance", "conduct", "kind"),
    [
        (Wish.BUY, Stance(), Conduct(), Enter),
        (Wish.SHORT, Stance(), Conduct(), Enter),
        (Wish.SELL, Stance(), Conduct(), Reason.NO_ENTRY),
        (Wish.SELL, SHORT, Conduct(), Reason.NO_ENTRY),
        (Wish.SELL, LONG, Conduct(), Close),
        (Wish.CLOSE, Stance(), Conduct(), Reason.NO_ENTRY),
        (Wish.CLOSE, SHORT, Conduct(opposite="ignore"), Close),
        (Wish.CLOSE, LONG, Conduct(), Close),
        (Wish.BUY, LONG, Conduct(), Reason.IN_POSITION),
        (Wish.SHORT, SHORT, Conduct(), Reason.IN_POSITION),
        (Wish.SHORT, LONG, Conduct(), Reverse),
        (Wish.BUY, SHORT, Conduct(), Reverse),
        (Wish.SHORT, LONG, Conduct(opposite="close"), Close),
        (Wish.SHORT, LONG, Conduct(opposite="ignore"), Reason.IN_POSITION),
        (Wish.BUY, replace(LONG, busy="it is being reversed"), Conduct(), Reason.BUSY),
        (Wish.BUY, Stance(working=True), Conduct(), Reason.BUSY),
        (Wish.SHORT, Stance(side=Side.BUY, trade="t3", entering=True, working=True), Conduct(), Reverse),
        (Wish.SELL, Stance(side=Side.BUY, trade="t3", entering=True, working=True), Conduct(), Close),
        (Wish.NEUTRAL, LONG, Conduct(), Reason.NO_ENTRY),
    ],
)
def test_the_table(wish: Wish, stance: Stance, conduct: Conduct, kind: object) -> None:
    answer = manage(signal(wish), stance, AT_100, PLAN, conduct)
    if isinstance(kind, Reason):
        assert isinstance(answer, Refusal) and answer.reason is kind and answer.text
    else:
        assert type(answer) is kind


def test_a_reversal_ends_the_trade_of_another_model_of_its_section() -> None:
    """The desk closes what the wish's strategy holds; the signal stays told apart."""
    answer = manage(signal(Wish.SHORT, "second"), LONG, AT_100, PLAN, Conduct())
    assert isinstance(answer, Reverse)
    assert (answer.bracket.strategy, answer.bracket.signal_id) == ("api", "second/s1")
    own = manage(signal(Wish.SHORT), LONG, AT_100, PLAN, Conduct())
    assert isinstance(own, Reverse) and (own.bracket.strategy, own.bracket.signal_id) == ("api", "s1")
    assert own.bracket.side is Side.SELL and own.bracket.stop_price > 99 > own.bracket.target_price


AT_101 = Market(quote=Quote(symbol="SPY", bid=101.00, ask=101.02), atr=0.5)


@pytest.mark.parametrize(
    ("conduct", "market", "added"),
    [
        (Conduct(scale_in_atr=1.0), AT_101, True),
        (Conduct(scale_in_atr=2.0), AT_101, False),
        (Conduct(scale_in_fraction=0.009), AT_101, True),
        (Conduct(scale_in_fraction=0.01), AT_101, False),
        (Conduct(scale_in_atr=1.0), replace(AT_101, atr=None), False),
        (Conduct(scale_in_atr=1.0), Market(quote=None, atr=0.5), False),
        (Conduct(), AT_101, False),
    ],
)
def test_scaling_in_wants_profit(conduct: Conduct, market: Market, added: bool) -> None:
    answer = manage(signal(Wish.BUY), LONG, market, PLAN, conduct)
    assert isinstance(answer, Add) == added
    if isinstance(answer, Add):
        assert answer.joins == "t1" and answer.bracket.quantity == 100
        assert (answer.bracket.stop_price, answer.bracket.target_price) == (D("98.00"), D("104.02"))


@pytest.mark.parametrize(
    "stance",
    [replace(LONG, adds=1), replace(LONG, entering=True), replace(LONG, stop_price=None),
     replace(LONG, entry_price=D(102))],
    ids=["as often as it may", "an entry works", "no stop", "a loss"],
)  # fmt: skip
def test_what_keeps_from_scaling_in(stance: Stance) -> None:
    assert isinstance(manage(signal(Wish.BUY), stance, AT_101, PLAN, Conduct(scale_in_atr=1.0)), Refusal)


def test_a_short_scales_in_lower() -> None:
    falling = Market(quote=Quote(symbol="SPY", bid=98.98, ask=99.0), atr=0.5)
    answer = manage(signal(Wish.SHORT), SHORT, falling, PLAN, Conduct(scale_in_atr=1.0))
    assert isinstance(answer, Add) and answer.bracket.side is Side.SELL


def test_a_double_down_waits_half_way_to_the_stop() -> None:
    long, short = double_down(LONG, SPY), double_down(SHORT, SPY)
    assert isinstance(long, Add) and isinstance(short, Add)
    assert (long.bracket.limit_price, long.bracket.quantity, long.joins) == (D("99.00"), 100, "t1")
    assert (long.bracket.stop_price, long.bracket.target_price) == (D("98.00"), D("104.02"))
    assert (short.bracket.limit_price, short.bracket.side) == (D("101.00"), Side.SELL)


@pytest.mark.parametrize(
    "stance",
    [Stance(), replace(LONG, doubled=True), replace(LONG, entering=True), replace(LONG, entry_price=None),
     replace(LONG, stop_price=None), replace(LONG, busy="it is being flattened")],
)  # fmt: skip
def test_no_double_down_without_a_trade_of_its_own(stance: Stance) -> None:
    answer = double_down(stance, SPY)
    assert isinstance(answer, Refusal) and answer.text


@given(wished=st.decimals(-5, 200, places=4), long=st.booleans())
def test_a_stop_moves_only_towards_profit(wished: Decimal, long: bool) -> None:
    stance = LONG if long else SHORT
    found = tighter_stop(stance, SPY, wished)
    assert stance.side is not None and stance.stop_price is not None
    sign = stance.side.sign
    if found is None:
        assert wished <= 0 or (wished - stance.stop_price) * sign < SPY.tick
    else:
        assert (found - stance.stop_price) * sign > 0 and SPY.is_on(found)
        assert (wished - found) * sign >= 0, "never tighter than wished"
