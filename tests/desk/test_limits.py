"""Limits in force: the configuration's, a human's, latches and their release; a journal rebuilds them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tws.clock import NS_PER_S
from tws.desk import CancelIntent, ChangeLimits, Desk, ReleaseLimit, StateHours, SubmitBracket, SubmitOrder
from tws.model.account import AccountValue
from tws.model.contract import Contract
from tws.model.instrument import Instrument
from tws.model.order import OrderType, Role, Side, bracket
from tws.model.records import LimitLatched, LimitReleased, LimitsChanged
from tws.model.session import Session
from tws.risk import Gate, Limits

SPY = Contract(con_id=756733, symbol="SPY")
AAPL = Contract(con_id=265598, symbol="AAPL")


def made(bench, **limits):  # type: ignore[no-untyped-def]
    scene = bench(Limits(**{"duplicate_window_s": None, **limits}))
    scene.begin()
    return scene


def of(bench, kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in bench.all_records if isinstance(record, kind)]


def buy(bench, quantity: int = 1) -> str | None:
    """Enter at the market by a plain order; the limit that denied it, or None."""
    before = len(bench.denials())
    bench.quote()
    bench.tell(SubmitOrder(instrument=Instrument(contract=SPY), side=Side.BUY, quantity=Decimal(quantity)))
    denied = bench.denials()[before:]
    return denied[0].limit if denied else None


# -- the configuration and a human


def test_a_run_takes_its_configuration_once(new_bench) -> None:
    bench = made(new_bench, max_order_quantity=10)
    (first,) = of(bench, LimitsChanged)
    assert first.configured and Limits.from_plain(first.limits) == bench.limits == bench.desk.state.limits
    bench.restart()
    assert of(bench, LimitsChanged) == [first], "the same configuration says nothing new"
    bench.check()


def test_a_change_holds_at_once_and_over_a_restart(new_bench) -> None:
    bench = made(new_bench, max_order_quantity=10)
    assert buy(bench, 11) == "max_order_quantity"
    bench.tell(ChangeLimits(operator="ann", reason="a larger day", changes={"max_order_quantity": "11"}))
    record = of(bench, LimitsChanged)[-1]
    assert (record.operator, record.reason, record.changes) == (
        "ann",
        "a larger day",
        {"max_order_quantity": "11"},
    )
    assert buy(bench, 11) is None
    bench.restart()
    bench.connect(next_id=10)
    assert bench.desk.state.limits.max_order_quantity == 11
    bench.check()


def test_a_new_configuration_is_the_newer_word(new_bench) -> None:
    bench = made(new_bench, max_order_quantity=10)
    bench.tell(ChangeLimits(operator="ann", reason="a larger day", changes={"max_order_quantity": "11"}))
    bench.limits = Limits(max_order_quantity=7)
    bench.restart()
    assert bench.desk.state.limits == Limits(max_order_quantity=7)
    bench.check()


def test_a_journal_alone_rebuilds_the_limits(new_bench) -> None:
    bench = made(new_bench, symbols={"SPY": {"max_position": 5}})
    bench.tell(ChangeLimits(operator="ann", reason="less", changes={"symbols.SPY.max_position": "4"}))
    other = Desk(Gate(Limits()))
    other.recover(bench.all_records)
    assert other.state.limits == bench.desk.state.limits
    assert other.state.limits.symbols == {"SPY": {"max_position": 4}}


@pytest.mark.parametrize(
    ("operator", "reason", "changes", "said"),
    [
        ("", "x", {"max_position": "1"}, "operator"),
        ("ann", " ", {"max_position": "1"}, "reason"),
        ("ann", "x", {}, "what to change"),
        ("ann", "x", {"max_position": "1", "max_positon": "2"}, "max_positon is 2: no such limit"),
        ("ann", "x", {"max_position": "1", "max_drawdown": "NaN"}, "max_drawdown"),
        ("ann", "x", {"max_position": "1", "max_orders_per_side": "21"}, "IB refuses more"),
    ],
)
def test_a_change_is_whole_or_none(
    new_bench, operator: str, reason: str, changes: dict[str, str], said: str
) -> None:
    bench = made(new_bench)
    before = bench.desk.state.limits
    bench.tell(ChangeLimits(operator=operator, reason=reason, changes=changes))
    assert bench.desk.state.limits == before
    assert said in bench.alarms()[-1]


def test_a_change_reaches_an_override(new_bench) -> None:
    bench = made(new_bench)
    bench.tell(ChangeLimits(operator="ann", reason="x", changes={"symbols.SPY.max_order_quantity": "1"}))
    assert buy(bench, 2) == "max_order_quantity"
    assert bench.enter(2, contract=AAPL).entry is not None


# -- the throttle


def test_one_entry_too_many_latches_the_symbol_until_a_human_says_so(new_bench) -> None:
    bench = made(new_bench, max_entries=2, entry_window_s=60)
    assert [buy(bench) for _ in range(3)] == [None, None, "max_entries"]
    assert [(each.limit, each.scope) for each in of(bench, LimitLatched)] == [("max_entries", "SPY")]
    bench.now += 3600 * NS_PER_S
    assert buy(bench) == "max_entries", "time alone does not release it"
    assert bench.enter(1, contract=AAPL).entry is not None, "another symbol is free"
    bench.restart()
    bench.connect(next_id=20)
    assert "max_entries/SPY" in bench.desk.state.latches
    bench.tell(ReleaseLimit(limit="max_entries", scope="SPY", operator="", reason="x"))
    bench.tell(ReleaseLimit(limit="max_entries", scope="AAPL", operator="ann", reason="x"))
    assert of(bench, LimitReleased) == []
    bench.tell(ReleaseLimit(limit="max_entries", scope="SPY", operator="ann", reason="looked at it"))
    assert (of(bench, LimitReleased)[0].operator, bench.desk.state.latches) == ("ann", {})
    bench.check()


def test_the_window_moves_on(new_bench) -> None:
    bench = made(new_bench, max_entries=2, entry_window_s=60)
    assert [buy(bench), buy(bench)] == [None, None]
    bench.now += 60 * NS_PER_S
    assert buy(bench) is None
    assert of(bench, LimitLatched) == []


def test_a_clock_that_jumps_back_forgives_no_entry(new_bench) -> None:
    bench = made(new_bench, max_entries=2, entry_window_s=60)
    assert [buy(bench), buy(bench)] == [None, None]
    bench.now -= 3600 * NS_PER_S
    assert buy(bench) == "max_entries"


def test_what_seems_to_lie_in_the_future_counts_as_just_now(new_bench) -> None:
    bench = made(new_bench, max_entries=3, entry_window_s=60)
    assert [buy(bench), buy(bench)] == [None, None]
    bench.now -= 3600 * NS_PER_S
    assert buy(bench) is None
    bench.now += 61 * NS_PER_S
    assert [buy(bench), buy(bench), buy(bench)] == [None, None, None]


# -- what is counted


def test_messages_of_all_kinds_count_and_cancels_pass(new_bench) -> None:
    bench = made(new_bench, max_messages_per_s=5, message_reserve=1)
    trade = bench.enter(10, limit=99.5)
    assert trade.entry is not None, "three messages of four"
    assert buy(bench) is None, "the fourth"
    assert buy(bench) == "max_messages_per_s"
    bench.tell(CancelIntent(intent_id=trade.entry.intent_id, reason="test"))
    assert bench.cancels() == [trade.entry.order_id], "the reserve, and beyond it, is for cancels"
    bench.now += NS_PER_S
    assert buy(bench) is None
    bench.check()


def test_a_bracket_counts_its_children(new_bench) -> None:
    bench = made(new_bench, max_messages_per_s=3, message_reserve=1)
    assert bench.enter(1).entry is None
    assert bench.denials()[-1].limit == "max_messages_per_s"


def test_the_same_wish_at_once_again(new_bench) -> None:
    bench = made(new_bench, duplicate_window_s=1.0)
    assert bench.enter(10, signal="a").entry is not None
    assert bench.enter(10, signal="b").entry is None
    assert bench.denials()[-1].limit == "duplicate"
    assert bench.enter(11, signal="c").entry is not None
    bench.now += NS_PER_S
    assert bench.enter(10, signal="d").entry is not None
    bench.restart()
    bench.check()


def test_the_same_wish_at_once_after_the_trade_is_over(new_bench) -> None:
    """Stopped out, and in again by the next signal within the second."""
    bench = made(new_bench, duplicate_window_s=1.0)
    trade = bench.enter(10, signal="a")
    bench.work(trade)
    bench.fill(trade.entry, 10)
    assert bench.enter(10, signal="b").entry is None
    bench.fill(trade.stop, 10, "98")
    bench.pair(trade.target, "Cancelled")
    assert bench.enter(10, signal="c").entry is not None
    bench.check()


def test_our_own_orders_are_not_met(new_bench) -> None:
    bench = made(new_bench)
    sale = SubmitOrder(
        instrument=Instrument(contract=SPY),
        side=Side.SELL,
        quantity=Decimal(5),
        order_type=OrderType.LIMIT,
        limit_price=Decimal("100.01"),
    )
    bench.quote()
    bench.tell(sale)
    (place,) = bench.written()
    assert buy(bench) == "self_trade"
    bench.pair(bench.order(place.intent_id), "Cancelled")
    assert buy(bench) is None


def test_entries_may_not_walk_the_market(new_bench) -> None:
    bench = made(new_bench, price_drift=Decimal("0.1"))
    bench.quote(99.99, 100.01)
    bench.tell(SubmitOrder(instrument=Instrument(contract=SPY), side=Side.BUY, quantity=Decimal(1)))
    bench.quote(109.99, 110.01)
    bench.tell(SubmitOrder(instrument=Instrument(contract=SPY), side=Side.BUY, quantity=Decimal(1)))
    assert bench.denials()[-1].limit == "price_drift"
    bench.now += 300 * NS_PER_S
    bench.quote(109.99, 110.01)
    bench.tell(SubmitOrder(instrument=Instrument(contract=SPY), side=Side.BUY, quantity=Decimal(1)))
    assert len(bench.denials()) == 1


def test_account_values_are_heard(new_bench) -> None:
    bench = made(new_bench)
    account = bench.desk.state.account
    bench.tell(
        AccountValue(account=account, key="BuyingPower", value="100.00"),
        AccountValue(account=account, key="NetLiquidation", value="1"),
    )
    assert buy(bench) == "buying_power"
    bench.tell(AccountValue(account=account, key="BuyingPower", value="100.01"))
    assert buy(bench) is None
    assert buy(bench) == "buying_power", "the first one works, and costs"
    bench.tell(
        AccountValue(account=account, key="BuyingPower", value="1000"),
        AccountValue(account=account, key="DayTradesRemaining", value="0"),
    )
    assert buy(bench) == "day_trades"
    bench.tell(AccountValue(account="DU7", key="DayTradesRemaining", value="3"))
    assert buy(bench) == "day_trades", "another account's word"


def test_a_closed_session_denies_entries_and_lets_the_exit_out(new_bench) -> None:
    bench = made(new_bench)
    today = Session(bench.now, bench.now + NS_PER_S)
    tomorrow = Session(bench.now + 90_000 * NS_PER_S, bench.now + 99_000 * NS_PER_S)
    bench.tell(
        StateHours(con_id=SPY.con_id, symbol="SPY", liquid=(today, tomorrow), trading=(today, tomorrow))
    )
    instrument = Instrument(contract=SPY)
    assert buy(bench, 5) is None
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), 5)
    bench.now += NS_PER_S
    assert buy(bench, 5) == "session_hours"
    bench.tell(SubmitOrder(instrument=instrument, side=Side.SELL, quantity=Decimal(5), role=Role.CLOSE))
    (close,) = bench.written()
    bench.fill(bench.order(close.intent_id), 5)
    wish = bracket(SPY, "BUY", 1, stop="98", target="104")
    bench.tell(SubmitBracket(bracket=wish, instrument=instrument))
    assert bench.denials()[-1].limit == "session_hours"
