"""What an exit may take, case by case: that of a trade what the trade has, another what is held in all.

docs/design/risk.md tells why.
"""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

from tests.desk.conftest import ACCOUNT
from tests.desk.killing import close, end_exits, hold

from tws.desk import Kill, SubmitOrder
from tws.desk.submit import place_exit
from tws.model.contract import Contract
from tws.model.execution import Execution
from tws.model.instrument import Instrument
from tws.model.order import Order, Role, Side
from tws.model.records import Denied
from tws.model.stop import Scope, ScopeKind
from tws.risk import Limits

SPY = Contract(con_id=756733, symbol="SPY")


def trade(bench, side: str, quantity: int):  # type: ignore[no-untyped-def]
    """A filled bracket whose stop and target work."""
    made = bench.enter(quantity, side)
    bench.work(made)
    bench.fill(made.entry, quantity, "100.00")
    bench.pair(made.target, "Submitted")
    bench.pair(made.stop, "PreSubmitted")
    return made


def plain(bench, side: Side, quantity: int, role: Role = Role.ENTRY) -> str:  # type: ignore[no-untyped-def]
    """An order at the market outside any bracket; which limit denied it, or nothing."""
    before = len(bench.denials())
    bench.quote()
    instrument = Instrument(contract=SPY)
    bench.tell(SubmitOrder(instrument=instrument, side=side, quantity=Decimal(quantity), role=role))
    return "".join(each.limit for each in bench.denials()[before:])


def entered(bench, side: Side, quantity: int) -> None:  # type: ignore[no-untyped-def]
    """A trade without protection, filled."""
    assert plain(bench, side, quantity) == ""
    (place,) = bench.written()
    bench.fill(bench.order(place.intent_id), quantity, "100.00")


def by_hand(bench, side: Side, quantity: int) -> None:  # type: ignore[no-untyped-def]
    """A human trades in TWS: the account's, and not ours."""
    bench.tell(Execution(exec_id=f"h{bench.now}.1", order_id=0, perm_id=9, client_id=0, account=ACCOUNT,
                         contract=SPY, side=side, quantity=Decimal(quantity), price=Decimal(100),
                         time_ns=bench.now, cumulative=Decimal(quantity), average_price=Decimal(100),
                         order_ref=""))  # fmt: skip


def stops_of(bench) -> list[tuple[Side, int]]:  # type: ignore[no-untyped-def]
    """The live stops: side and what each may still take."""
    return [(order.order.side, int(order.open_quantity)) for order in bench.desk.state.book.living()
            if order.role is Role.STOP]  # fmt: skip


# -- own trades long and short on one symbol


def test_of_two_opposed_trades_each_keeps_a_stop_of_its_own_size(bench) -> None:
    long, _ = trade(bench, "BUY", 100), trade(bench, "SELL", 40)
    assert bench.net() == 60
    bench.pair(long.stop, "Cancelled")
    bench.pair(long.target, "Cancelled")
    bench.wait(4)
    bench.written()
    assert sorted(stops_of(bench)) == [(Side.BUY, 40), (Side.SELL, 100)], "not cut to the net of 60"
    assert bench.denials() == []


def test_with_a_net_of_zero_a_stop_that_ended_is_placed_anew(bench) -> None:
    long, short = trade(bench, "BUY", 100), trade(bench, "SELL", 100)
    assert bench.net() == 0
    bench.pair(short.stop, "Cancelled")
    bench.pair(short.target, "Cancelled")
    bench.wait(4)
    bench.written()
    assert sorted(stops_of(bench)) == [(Side.BUY, 100), (Side.SELL, 100)]
    bench.fill(long.stop, 100, "98.00")
    assert bench.net() == -100, "what the other trade holds, and its stop covers it"


def test_with_a_net_of_zero_an_exit_of_no_trade_has_nothing_to_take(bench) -> None:
    trade(bench, "BUY", 100)
    trade(bench, "SELL", 100)
    for side in Side:
        assert plain(bench, side, 1, Role.CLOSE) == "reduce_only"


def test_a_position_at_its_worst_counts_the_exits_of_opposed_trades(new_bench) -> None:
    bench = new_bench(Limits(duplicate_window_s=None, max_position=150))
    bench.begin()
    trade(bench, "BUY", 100)
    trade(bench, "SELL", 100)
    assert plain(bench, Side.BUY, 51) == "max_position", "the short trade's stop may buy a hundred first"
    assert plain(bench, Side.SELL, 51) == "max_position"
    assert plain(bench, Side.BUY, 50) == ""


# -- a manual sale of half of ours


def test_after_a_manual_sale_of_half_an_exit_takes_no_more_than_the_account_has(bench) -> None:
    entered(bench, Side.BUY, 100)
    by_hand(bench, Side.SELL, 50)
    assert bench.net() == 100
    assert plain(bench, Side.SELL, 51, Role.CLOSE) == "reduce_only", "the account would be short"
    assert plain(bench, Side.SELL, 50, Role.CLOSE) == ""


def test_after_a_manual_sale_of_half_a_trades_stop_is_of_the_other_half(bench) -> None:
    made = trade(bench, "BUY", 100)
    by_hand(bench, Side.SELL, 50)
    bench.wait(4)
    end_exits(bench, SimpleNamespace(target=made.target, stop=made.stop))
    bench.wait(4)
    bench.written()
    assert stops_of(bench) == [(Side.SELL, 50)]


def test_the_gate_holds_a_trades_exit_to_what_the_account_has_of_it(bench) -> None:
    made = trade(bench, "BUY", 100)
    by_hand(bench, Side.SELL, 50)
    group = bench.desk.state.groups[made.entry.group_id]
    for quantity, denied in ((51, ["children"]), (50, [])):
        order = Order(side=Side.SELL, quantity=Decimal(quantity))
        turn = bench.desk.look(bench.now)
        assert (place_exit(turn, group, group.instrument, Role.CLOSE, order) is None) is bool(denied)
        assert [each.limit for each in turn.records if isinstance(each, Denied)] == denied


# -- a reversal while a stop fills


def test_a_reversal_while_the_stop_fills_counts_what_the_stop_may_still_sell(new_bench) -> None:
    bench = new_bench(Limits(duplicate_window_s=None, max_position=120))
    bench.begin()
    made = trade(bench, "BUY", 100)
    bench.fill(made.stop, 60, "98.00")
    assert bench.net() == 40
    assert plain(bench, Side.SELL, 121) == "max_position", "40 held, 40 may go: short by all of it"
    assert plain(bench, Side.SELL, 120) == ""
    (place,) = bench.written()
    bench.fill(made.stop, 40, "98.00")
    bench.fill(bench.order(place.intent_id), 120, "98.00")
    assert bench.net() == -120, "at the bound, not beyond"


def test_a_reversal_while_the_stop_fills_leaves_the_stop_to_its_own_trade(bench) -> None:
    made = trade(bench, "BUY", 100)
    bench.fill(made.stop, 60, "98.00")
    entered(bench, Side.SELL, 70)
    assert bench.net() == -30
    bench.wait(4)
    assert made.stop.live and made.stop.open_quantity == 40
    assert plain(bench, Side.BUY, 31, Role.CLOSE) == "reduce_only"


# -- other exits count


def test_exits_of_no_trade_add_up(bench) -> None:
    entered(bench, Side.BUY, 100)
    assert plain(bench, Side.SELL, 60, Role.CLOSE) == ""
    assert plain(bench, Side.SELL, 41, Role.CLOSE) == "reduce_only"
    assert plain(bench, Side.SELL, 40, Role.CLOSE) == ""


def test_an_exit_beside_a_trades_stop_has_only_what_the_stop_leaves(bench) -> None:
    trade(bench, "BUY", 100)
    assert plain(bench, Side.SELL, 1, Role.CLOSE) == "reduce_only", "flatten closes what a stop guards"
    entered(bench, Side.BUY, 30)
    assert plain(bench, Side.SELL, 30, Role.CLOSE) == ""


# -- a flatten of one strategy


def test_two_trades_of_a_strategy_are_closed_whole(bench) -> None:
    one, two = hold(bench, 50, strategy="momentum"), hold(bench, 30, strategy="momentum")
    bench.tell(Kill(operator="ann", reason="enough", scope=Scope(kind=ScopeKind.STRATEGY, name="momentum"),
                    flatten=True))  # fmt: skip
    end_exits(bench, one, two)
    placed = close(bench, bench.position(80))
    assert sum(each.order.quantity for each in placed) == 80
    assert bench.denials() == []


def test_a_strategy_whose_shares_are_half_gone_closes_what_the_account_has(bench) -> None:
    one, two = hold(bench, 50, strategy="momentum"), hold(bench, 30, strategy="momentum")
    by_hand(bench, Side.SELL, 40)
    bench.wait(4)
    bench.tell(Kill(operator="ann", reason="enough", scope=Scope(kind=ScopeKind.STRATEGY, name="momentum"),
                    flatten=True))  # fmt: skip
    end_exits(bench, one, two)
    placed = close(bench, bench.position(40))
    assert sum(each.order.quantity for each in placed) == 40
    assert bench.denials() == []
