"""Two books beside the broker's word: what is confirmed, missing, refused, adjusted, and what blocks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from tws.desk import Adjust, ConfirmOpening, Place
from tws.desk.standing import DiscrepancyKind, discrepancies, holdings
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.instrument import Instrument
from tws.model.order import Side
from tws.model.records import Adjusted, Booked, OpeningConfirmed, OpeningSet
from tws.runtime.adjusting import AdjustWish

SPY = Contract(con_id=756733, symbol="SPY")
PUT = Contract(con_id=5, symbol="SPY", sec_type="OPT", multiplier="100", strike=100.0, right="P")
ACCOUNT = "DU1234567"
SPY_GRID = Instrument(contract=SPY)


def kinds(bench: Any) -> list[DiscrepancyKind]:
    return [each.kind for each in standing(bench)]


def standing(bench: Any) -> tuple[Any, ...]:
    return discrepancies(bench.desk.state, bench.now, bench.desk.timing)


def by_hand(bench: Any, side: str, quantity: int, **changes: Any) -> Execution:
    """The fill of an order that a human placed in TWS (TWS-BEHAVIOUR.md C4)."""
    bench.fills += 1
    fields: dict[str, Any] = {
        "exec_id": f"0000aaaa.{bench.fills:08x}.01.01", "order_id": 2**31 - 1, "perm_id": 777, "client_id": 0,
        "account": ACCOUNT, "contract": SPY, "side": Side(side), "quantity": Decimal(quantity),
        "price": Decimal("101.00"), "time_ns": bench.now, "cumulative": Decimal(quantity),
        "average_price": Decimal("101.00"),
    }  # fmt: skip
    return Execution(**fields | changes)


def held(bench: Any, quantity: int = 100) -> Any:
    """A bracket that is filled, its position told."""
    trade = bench.enter(quantity)
    bench.work(trade)
    bench.fill(trade.entry, quantity)
    bench.tell(bench.position(quantity))
    return trade


def adjust(bench: Any, quantity: int = 0, *, contract: Contract = SPY, **more: Any) -> None:
    fields: dict[str, Any] = {"price": Decimal(0), "operator": "ann", "reason": "looked"} | more
    bench.tell(
        Adjust(
            account=ACCOUNT, instrument=Instrument(contract=contract), quantity=Decimal(quantity), **fields
        )
    )


# -- the opening balance


def test_an_opening_balance_is_shown_unconfirmed_until_a_human_confirms_it(new_bench: Any) -> None:
    bench = new_bench()
    bench.begin(positions=(bench.position(300),))
    (row,) = standing(bench)
    assert (row.kind, row.theirs, row.blocks) == (DiscrepancyKind.UNCONFIRMED_OPENING, "300", False)
    for wrong in ({"operator": ""}, {"reason": " "}, {"account": "DU9"}):
        fields = {"account": ACCOUNT, "operator": "ann", "reason": "the statement says so"} | wrong
        assert not any(isinstance(r, OpeningConfirmed) for r in bench.tell(ConfirmOpening(**fields)))
    bench.tell(ConfirmOpening(account=ACCOUNT, operator="ann", reason="the statement says so"))
    assert standing(bench) == ()
    (row,) = holdings(bench.desk.state)
    assert (row.ours, row.others, row.opening, row.confirmed) == (0, 300, 300, True)
    bench.check()


def test_an_opening_balance_is_reckoned_under_the_fills_of_the_day(new_bench: Any) -> None:
    """80 held, 30 of them sold today: what is left has the cost that the broker states."""
    bench = new_bench()
    sold = by_hand(bench, "SELL", 30, price=Decimal("12.00"))
    rows = (replace(bench.position(50), average_cost=Decimal("10.00")),)
    bench.tell(*_begin(bench))
    bench.connect(positions=rows, executions=(sold,))
    holding = bench.desk.state.account_book.holding(ACCOUNT, SPY)
    assert (holding.quantity, holding.average_cost, holding.realized_net) == (50, Decimal("10.00"), 60)


def test_an_opening_balance_of_a_future_counts_its_multiplier_once(new_bench: Any) -> None:
    future = Contract(con_id=9, symbol="ES", sec_type="FUT", multiplier="50")
    bench = new_bench()
    row = Position(account=ACCOUNT, contract=future, quantity=Decimal(1), average_cost=Decimal("315114.75"))
    bench.begin(positions=(row,))
    holding = bench.desk.state.account_book.holding(ACCOUNT, future)
    assert (holding.average_cost, holding.average_price) == (Decimal("315114.75"), Decimal("6302.295"))


def test_an_opening_that_is_sold_out_by_now_counts_no_profit_and_says_so(new_bench: Any) -> None:
    bench = new_bench()
    bench.tell(*_begin(bench))
    bench.connect(executions=(by_hand(bench, "SELL", 30, price=Decimal("12.00")),))
    (opening,) = [record for record in bench.all_records if isinstance(record, OpeningSet)]
    assert (opening.quantity, opening.price, opening.proven) == (30, Decimal("12.00"), False)
    assert bench.desk.state.account_book.holding(ACCOUNT, SPY).realized_net == 0


def _begin(bench: Any) -> tuple[Any, ...]:
    from tws.desk import Begin

    return (Begin(prefix="t", client_id=1, account=ACCOUNT, port=7497),)


# -- others beside us


def test_300_shares_held_before_us_are_never_ours(new_bench: Any) -> None:
    bench = new_bench()
    bench.begin(positions=(bench.position(300),))
    trade = held(bench, 100)
    bench.tell(bench.position(400))
    (row,) = holdings(bench.desk.state)
    assert (row.ours, row.others, row.stated) == (100, 300, 400)
    assert trade.stop.order.quantity == 100
    bench.tell(by_hand(bench, "SELL", 250), bench.position(150))
    assert bench.desk.state.shortfall == {}, "they have sold of their own"
    assert bench.desk.state.in_account(bench.desk.state.groups[trade.entry.group_id]) == 100
    bench.tell(by_hand(bench, "SELL", 90), bench.position(60))
    assert list(bench.desk.state.shortfall.values()) == [40], "and now 40 of ours"
    bench.check()


def test_a_manual_sale_of_half_of_ours_shrinks_the_stop_and_blocks(bench: Any) -> None:
    trade = held(bench, 100)
    group = bench.desk.state.groups[trade.entry.group_id]
    bench.take(Place)
    bench.tell(by_hand(bench, "SELL", 50), bench.position(50))
    (row,) = standing(bench)
    assert (row.kind, row.ours, row.theirs, row.blocks) == (DiscrepancyKind.SHORTFALL, "100", "50", True)
    assert bench.desk.state.in_account(group) == 50
    assert bench.net() == 100, "our book moves by a human's word alone"
    assert bench.enter().entry is None
    assert "no longer in the account" in bench.denials()[-1].reason
    bench.wait(3)
    assert set(bench.cancels()) == {trade.stop.order_id, trade.target.order_id}, "they would sell too much"
    for order in (trade.stop, trade.target):
        bench.pair(order, "Cancelled", remaining=0)
    bench.wait(3)
    placed = [place.order for place in bench.written() if place.order.order_type == "STP"]
    assert [order.quantity for order in placed] == [50]
    adjust(bench, -50, ours=True, account_too=False, price=Decimal("101.00"))
    assert (bench.net(), bench.desk.state.shortfall, bench.desk.state.held(group)) == (50, {}, 50)
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == 50
    bench.check()


def test_a_shortfall_ends_when_what_is_left_of_ours_is_closed(bench: Any) -> None:
    trade = held(bench, 100)
    bench.tell(by_hand(bench, "SELL", 50), bench.position(50))
    bench.fill(trade.stop, 100, "98.00")
    assert (bench.net(), bench.desk.state.shortfall) == (0, {})
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == -50
    bench.check()


def test_shares_that_go_are_taken_from_the_newest_trade_first_and_from_none_more_than_it_holds(
    bench: Any,
) -> None:
    old, new = held(bench, 60), bench.enter(40)
    bench.work(new)
    bench.fill(new.entry, 40)
    bench.tell(bench.position(100), by_hand(bench, "SELL", 70), bench.position(30))
    groups = [bench.desk.state.groups[each.entry.group_id] for each in (old, new)]
    assert [bench.desk.state.in_account(group) for group in groups] == [30, 0]
    adjust(bench, -70, ours=True, account_too=False)
    assert [bench.desk.state.held(group) for group in groups] == [30, 0]
    assert bench.net() == 30
    bench.check()


def test_others_on_the_other_side_take_nothing_of_ours_by_being_there(new_bench: Any) -> None:
    bench = new_bench()
    bench.begin(positions=(bench.position(-300),))
    held(bench, 100)
    assert bench.desk.state.shortfall == {}
    bench.tell(by_hand(bench, "SELL", 20), bench.position(-220))
    assert list(bench.desk.state.shortfall.values()) == [20]
    bench.tell(by_hand(bench, "BUY", 20), bench.position(-200))
    assert bench.desk.state.shortfall == {}
    bench.check()


def test_a_fill_of_our_client_id_that_no_intent_owns_is_the_accounts_and_an_alarm(bench: Any) -> None:
    bench.tell(by_hand(bench, "BUY", 10, client_id=1, order_id=77, order_ref=""))
    bench.tell(by_hand(bench, "BUY", 10, client_id=1, order_id=78, order_ref="t-99"))
    assert bench.net() == 0
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == 20
    assert sum("unknown to our journal" in text for text in bench.alarms()) == 2


def test_each_account_of_the_login_has_its_own_holdings(new_bench: Any) -> None:
    bench = new_bench()
    bench.tell(*_begin(bench))
    other = replace(bench.position(70), account="DU2")
    bench.connect(accounts=(ACCOUNT, "DU2"), positions=(bench.position(30), other))
    bench.tell(by_hand(bench, "SELL", 20, account="DU2"))
    found = {row.account: row.others for row in holdings(bench.desk.state)}
    assert found == {ACCOUNT: 30, "DU2": 50}
    bench.tell(replace(other, quantity=Decimal(40)))
    bench.wait(11)
    (row,) = [each for each in standing(bench) if each.kind is DiscrepancyKind.POSITION]
    assert (row.account, row.ours, row.theirs, row.blocks) == ("DU2", "50", "40", False)
    assert bench.enter().entry is not None, "another account's trouble is not ours"


# -- moves without an execution


def test_a_split_keeps_the_cost_and_divides_the_prices_of_protection(bench: Any) -> None:
    trade = held(bench, 100)
    group = bench.desk.state.groups[trade.entry.group_id]
    cost = bench.desk.state.ours.holding(ACCOUNT, SPY).net_cost
    bench.pair(trade.stop, "Cancelled", remaining=0)
    bench.pair(trade.target, "Cancelled", remaining=0)
    bench.quote(bid=25.00, ask=25.02)
    bench.tell(bench.position(400))
    bench.wait(61)
    assert bench.take(Place) == [], "a stop at the old price would sell at once what it should protect"
    assert any("NOT PROTECTED" in text for text in bench.alarms())
    assert [each.kind for each in standing(bench) if each.blocks] == [DiscrepancyKind.POSITION]
    bench.quote(bid=25.00, ask=25.02)
    adjust(bench, ratio=Decimal(4), ours=True)
    for book in (bench.desk.state.ours, bench.desk.state.account_book):
        assert book.quantity(ACCOUNT, SPY.con_id) == 400
        assert book.holding(ACCOUNT, SPY).net_cost == cost
    assert (group.stop_price, group.target_price) == (Decimal("24.5"), Decimal(26))
    assert bench.desk.state.held(group) == 400
    assert standing(bench) == ()
    bench.wait(3)
    placed = [place.order for place in bench.written()]
    stop = next(order for order in placed if order.order_type == "STP")
    assert (stop.quantity, stop.stop_price) == (400, Decimal("24.5"))
    bench.check()


def test_a_reverse_split_and_one_of_a_short(new_bench: Any) -> None:
    for quantity, ratio, result in ((100, "0.1", 10), (-100, "4", -400)):
        bench = new_bench()
        bench.begin(positions=(bench.position(quantity),))
        before = bench.desk.state.account_book.holding(ACCOUNT, SPY).net_cost
        adjust(bench, ratio=Decimal(ratio))
        holding = bench.desk.state.account_book.holding(ACCOUNT, SPY)
        assert (holding.quantity, holding.net_cost, holding.realized_net) == (result, before, 0)


@pytest.mark.parametrize(("text", "after"), [("1:3", 100), ("2:3", 200), ("7:3", 700), ("1:30", 10)])
def test_a_split_as_a_human_writes_it_leaves_no_fraction(bench: Any, text: str, after: int) -> None:
    """`tws adjust SPY --split 1:3`: what is left of 300 is 100, and the next stop is for 100."""
    trade = held(bench, 300)
    group = bench.desk.state.groups[trade.entry.group_id]
    stop, cost = group.stop_price, bench.desk.state.ours.holding(ACCOUNT, SPY).net_cost
    for exit_ in (trade.stop, trade.target):
        bench.pair(exit_, "Cancelled", remaining=0)
    middle = 100 * 300 / after
    bench.quote(bid=middle - 0.01, ask=middle + 0.01)
    bench.tell(bench.position(after))
    wish = AdjustWish(symbol="SPY", split=text, operator="ann", reason="read")
    bench.tell(wish.to_command(ACCOUNT, Instrument(contract=SPY)))
    state = bench.desk.state
    for book in (state.ours, state.account_book):
        assert book.quantity(ACCOUNT, SPY.con_id) == after
        assert book.holding(ACCOUNT, SPY).net_cost == cost
    assert state.held(group) == after
    assert group.stop_price == SPY_GRID.snap(stop * 300 / after, up=True)
    assert standing(bench) == ()
    bench.wait(3)
    placed = [place.order for place in bench.written()]
    assert [order.quantity for order in placed if order.order_type == "STP"] == [after]
    bench.check()


def test_a_split_counts_from_its_own_time_and_not_from_when_it_was_recorded(bench: Any) -> None:
    bench.tell(by_hand(bench, "BUY", 100))
    at_ns = bench.now + 5 * 10**9
    bench.wait(10)
    bench.tell(by_hand(bench, "BUY", 40), bench.position(440))
    bench.wait(1)
    adjust(bench, ratio=Decimal(4), effective_ns=at_ns)
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == 440
    assert standing(bench) == ()
    bench.check()


def test_an_assignment_moves_option_and_share_and_both_block_until_recorded(new_bench: Any) -> None:
    bench = new_bench()
    short = Position(account=ACCOUNT, contract=PUT, quantity=Decimal(-1), average_cost=Decimal(150))
    bench.begin(positions=(short,))
    bench.tell(replace(short, quantity=Decimal(0)), bench.position(100))
    bench.wait(11)
    assert kinds(bench)[:2] == [DiscrepancyKind.POSITION] * 2
    assert bench.enter().entry is None
    adjust(bench, 100, price=Decimal(100))
    assert [each.contract for each in standing(bench) if each.blocks] == [PUT]
    assert bench.enter().entry is None, "the option is not explained yet, and it is one on this symbol"
    adjust(bench, 1, contract=PUT)
    assert DiscrepancyKind.POSITION not in kinds(bench)
    assert bench.enter().entry is not None
    book = bench.desk.state.account_book
    assert book.holding(ACCOUNT, PUT).realized_net == 150
    assert book.holding(ACCOUNT, SPY).average_cost == 100
    bench.check()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"operator": ""}, "a name and a reason"),
        ({"reason": ""}, "a name and a reason"),
        ({"quantity": Decimal("NaN")}, "its quantity is NaN"),
        ({"quantity": Decimal(0)}, "its quantity is 0"),
        ({"price": Decimal("Infinity")}, "its price is Infinity"),
        ({"ratio": Decimal(0)}, "its ratio is 0"),
        ({"ratio": Decimal("NaN")}, "its ratio is NaN"),
        ({"effective_ns": 2**62}, "in the future"),
        ({"account": "U1"}, "no account of this login"),
        ({"account_too": False}, "neither book"),
        ({"instrument": Instrument(contract=Contract(symbol="SPY"))}, "no con_id"),
    ],
)
def test_an_adjustment_of_nonsense_is_refused_with_a_reason(bench: Any, wrong: Any, words: str) -> None:
    fields: dict[str, Any] = {
        "account": ACCOUNT, "instrument": Instrument(contract=SPY), "quantity": Decimal(5),
        "price": Decimal(1), "operator": "ann", "reason": "test",
    }  # fmt: skip
    records = bench.tell(Adjust(**fields | wrong))
    assert not any(isinstance(record, Adjusted) for record in records)
    assert words in bench.alarms()[-1]


# -- what can't be


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"price": Decimal("-1.00")}, "below 0"),
        ({"price": Decimal("NaN")}, "price is NaN"),
        ({"quantity": Decimal("NaN")}, "quantity is NaN"),
        ({"quantity": Decimal("-5")}, "below 0"),
        ({"quantity": Decimal("1E20")}, "beyond"),
        ({"contract": Contract(symbol="SPY")}, "no con_id"),
    ],
)
def test_a_fill_that_can_not_be_is_booked_nowhere_and_blocks(bench: Any, wrong: Any, words: str) -> None:
    trade = bench.enter()
    bench.work(trade)
    good = bench.execution(trade.entry, 100)
    records = bench.tell(replace(good, **wrong))
    assert not any(isinstance(record, Booked) for record in records)
    assert any(words in text for text in bench.alarms())
    assert bench.net() == 0 and bench.desk.state.refused
    bench.check()
    bench.tell(good)
    assert bench.net() == 100 and bench.desk.state.refused == {}
    bench.check()


def test_a_negative_price_is_refused_for_a_share_and_taken_for_a_future(bench: Any) -> None:
    future = Contract(con_id=9, symbol="CL", sec_type="FUT", multiplier="1000")
    bench.tell(by_hand(bench, "BUY", 1, contract=future, price=Decimal("-37.63")))
    assert bench.desk.state.account_book.quantity(ACCOUNT, 9) == 1
    bench.tell(by_hand(bench, "BUY", 1, price=Decimal("-37.63")))
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == 0
    assert bench.enter().entry is None
    assert "was refused" in bench.denials()[-1].reason
    bench.tell(bench.position(0))
    bench.wait(61)
    bench.answer(positions=())
    assert bench.desk.state.refused == {}, "his position agrees without it"


def test_a_position_that_can_not_be_is_not_compared_and_a_good_one_makes_it_good(bench: Any) -> None:
    held(bench, 100)
    bench.tell(replace(bench.position(0), quantity=Decimal("NaN")))
    assert bench.desk.state.stated[f"{ACCOUNT}/{SPY.con_id}"].quantity == 100
    assert kinds(bench) == [DiscrepancyKind.REFUSED]
    assert bench.enter().entry is None
    bench.tell(bench.position(100))
    assert standing(bench) == ()
    bench.check()


def test_an_opening_balance_that_can_not_be_is_none(new_bench: Any) -> None:
    bench = new_bench()
    bench.begin(positions=(replace(bench.position(0), quantity=Decimal("NaN")),))
    assert bench.desk.state.opened and bench.desk.state.account_book.holdings == {}
    assert kinds(bench) == [DiscrepancyKind.REFUSED]
    bench.check()


def test_a_fee_that_is_none_leaves_its_fill(bench: Any) -> None:
    trade = held(bench, 100)
    name = bench.execution(trade.entry, 1).exec_id
    bench.tell(Commission(exec_id=name, amount=Decimal("NaN"), currency="USD"))
    assert name.rpartition(".")[0] not in bench.desk.state.ours.fees
    assert any("without a fee" in text for text in bench.alarms())


def test_a_fee_before_its_fill_and_a_fill_told_twice(bench: Any) -> None:
    trade = bench.enter()
    bench.work(trade)
    fill = bench.execution(trade.entry, 100)
    bench.tell(Commission(exec_id=fill.exec_id, amount=Decimal("1.25"), currency="USD"), fill, fill)
    holding = bench.desk.state.ours.holding(ACCOUNT, SPY)
    assert (holding.quantity, holding.fees) == (100, Decimal("1.25"))
    assert bench.order(trade.entry.intent_id).filled == 100


def test_a_position_that_the_broker_denies_is_an_alarm_and_blocks(bench: Any) -> None:
    """Our fills make 100; his complete list does not name the contract, and he never did."""
    trade = bench.enter()
    bench.work(trade)
    bench.fill(trade.entry, 100)
    bench.desk.state.questions.clear()
    bench.drop()
    bench.connect(orders=(bench.row(trade.target, "Submitted"), bench.row(trade.stop, "PreSubmitted")))
    bench.wait(11)
    (row,) = [each for each in standing(bench) if each.kind is DiscrepancyKind.POSITION]
    assert (row.ours, row.theirs, row.blocks) == ("100", "0", True)
    assert any("the broker states 0, its fills make 100" in text for text in bench.alarms())
    assert list(bench.desk.state.shortfall.values()) == [100]


def test_a_stop_that_the_broker_restated_on_a_split_is_not_divided_again(bench: Any) -> None:
    trade = bench.enter(100)
    bench.work(trade)
    bench.fill(trade.entry, 100)
    group = bench.desk.state.groups[trade.entry.group_id]
    before = group.stop_price, group.target_price
    stop = replace(bench.row(trade.stop, "PreSubmitted"), quantity=Decimal(200), stop_price=Decimal(49))
    bench.tell(bench.position(200), stop)
    assert (group.stop_price, group.target_price) == (49, before[1])
    adjust(bench, ratio=Decimal(2), ours=True)
    assert (group.stop_price, group.target_price) == (49, before[1] / 2), "the target was not restated"
    assert bench.desk.state.held(group) == 200 and bench.net() == 200
    bench.check()
