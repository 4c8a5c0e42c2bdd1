"""What keeps an exercise back: what can't be, each limit for what it brings, stops, a link that is gone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from tests.desk.test_exercising import CALL, EASY, PUT, SPY, bench, denied, hold, said, sent, wish

from tws.desk import Kill, Place, ReduceOnly, SubmitExercise, SubmitOrder
from tws.model.instrument import Instrument
from tws.model.order import Role, Side
from tws.model.records import OrderState
from tws.risk import Limits

__all__ = ["bench"]


@pytest.mark.parametrize(
    ("command", "limit", "words"),
    [
        (wish(4), "exercise", ("more than is held", "bound 3")),
        (wish(1, replace(CALL, con_id=9)), "exercise", ("none of these is ours",)),
        (wish(1, replace(CALL, con_id=0)), "exercise", ("no option that the desk knows",)),
        (wish(1, replace(CALL, strike=None)), "exercise", ("no option that the desk knows",)),
        (wish(1, SPY), "exercise", ("no option that the desk knows",)),
        (wish(1, underlying=None), "exercise", ("nothing says what it is an option on",)),
        (wish(1, underlying=Instrument(contract=replace(SPY, sec_type="IND"))), "exercise", ("in cash",)),
        (wish(1, account="DU999"), "account", ("another account",)),
    ],
)
def test_what_can_not_be(bench: Any, command: SubmitExercise, limit: str, words: tuple[str, ...]) -> None:
    bench.quote()
    bench.tell(command)
    denied(bench, limit, *words)


LIMITS: dict[str, dict[str, Any]] = {
    "max_order_quantity": {"max_order_quantity": 199},
    "max_order_notional": {"max_order_notional": 17_999},
    "max_position": {"max_position": 199},
    "max_position_notional": {"max_position_notional": 17_999},
    "max_gross_notional": {"max_gross_notional": 18_000},
    "deny": {"deny": ("SPY",)},
    "price_collar": {"price_collar": Decimal("0.01")},
}


@pytest.mark.parametrize("limit", LIMITS)
def test_every_limit_of_an_entry_holds_for_what_it_brings(new_bench: Any, limit: str) -> None:
    """Two contracts bring 200 shares for 18,000; at a strike of 120 against a market of 100 they are dear."""
    bench = new_bench(Limits(**EASY))
    bench.begin()
    contract = replace(CALL, strike=120.0) if limit == "price_collar" else CALL
    hold(bench, 3, contract)
    bench.desk.state.limits = bench.desk.gate.limits = Limits(**{**EASY, **LIMITS[limit]})
    bench.quote()
    bench.tell(wish(2, contract, override=True))
    assert [each.limit for each in bench.denials()] == [limit]
    assert not bench.take(Place)


def test_a_put_may_not_sell_short_where_that_is_not_permitted(new_bench: Any) -> None:
    bench = new_bench(Limits(**EASY, short_sales=False))
    bench.begin()
    hold(bench, 1, PUT)
    bench.quote()
    bench.tell(wish(1, PUT))
    denied(bench, "short_sales")


def test_a_short_holding_is_assigned(new_bench: Any) -> None:
    bench = new_bench(Limits(**EASY))
    bench.begin()
    bench.quote(1.99, 2.01, CALL)
    bench.tell(SubmitOrder(instrument=Instrument(contract=CALL), side=Side.SELL, quantity=Decimal(1)))
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), 1, "2")
    bench.quote()
    bench.tell(wish(1))
    denied(bench, "exercise", "assigned, never exercised", "-1 held")


def test_an_old_market_values_nothing(bench: Any) -> None:
    bench.wait(60)
    bench.tell(wish())
    denied(bench, "stale_quote_s")


def test_what_others_may_take_is_not_free(bench: Any) -> None:
    """A first exercise, and a close that works."""
    sent(bench, 2)
    bench.tell(wish(2))
    denied(bench, "exercise", "cancel those first", "bound 1")
    bench.tell(SubmitOrder(instrument=Instrument(contract=CALL), side=Side.SELL, quantity=Decimal(2),
                           role=Role.CLOSE))  # fmt: skip
    assert bench.denials()[-1].limit == "reduce_only", "it would sell what is being exercised"


def test_what_is_on_its_way_counts_as_a_position(new_bench: Any) -> None:
    bench = new_bench(Limits(**{**EASY, "max_position": 250}))
    bench.begin()
    hold(bench)
    sent(bench, 2)
    assert bench.enter(60, limit=100.0).entry is None
    assert bench.denials()[-1].limit == "max_position"
    assert bench.enter(50, limit=100.0).entry is not None


def test_a_signal_acts_once(bench: Any) -> None:
    sent(bench, 1, signal_id="s1", strategy="wheel")
    bench.tell(wish(1, signal_id="s1", strategy="wheel"))
    denied(bench, "duplicate")


@pytest.mark.parametrize("stop", [Kill(reason="test"), ReduceOnly(reason="test")])
def test_no_exercise_passes_a_stop_and_a_lapse_does(bench: Any, stop: Any) -> None:
    """What gives options up reduces, and no safety device keeps a position from that."""
    bench.quote()
    bench.tell(stop)
    bench.tell(wish())
    denied(bench, "entries_blocked", "stopped")
    bench.tell(wish(1, lapses=True))
    assert len(bench.take(Place)) == 1


def test_a_stop_takes_back_what_is_on_its_way(bench: Any) -> None:
    order = sent(bench)
    said(bench, order, "PreSubmitted")
    bench.tell(Kill(reason="test"))
    assert bench.cancels() == [order.order_id]
    for code in (322, 202):
        if code == 202:
            said(bench, order, "Cancelled")
        bench.reply(order, code)
    assert order.state is OrderState.CANCELLED and bench.net(CALL) == 3
    bench.check()


def test_a_lost_link_lets_none_out(bench: Any) -> None:
    bench.drop()
    bench.tell(wish())
    denied(bench, "entries_blocked", "the link is")
