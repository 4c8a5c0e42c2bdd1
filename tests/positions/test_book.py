"""Positions from fills: exact, each fill once, corrections replace, two books beside the broker."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.order import Side
from tws.positions import Move, MoveKind, PositionBook, compare, multiplier, new_and_old, split_exec_id

SPY = Contract(con_id=756733, symbol="SPY")


def fill(
    number: int, side: str, quantity: int, price: str, revision: int = 1, contract: Contract = SPY
) -> Execution:
    return Execution(
        exec_id=f"00025b46.63f8f39c.{number:02d}.{revision:02d}",
        order_id=1,
        perm_id=1,
        client_id=1,
        account="DU1",
        contract=contract,
        side=Side(side),
        quantity=Decimal(quantity),
        price=Decimal(price),
        time_ns=number,
        cumulative=Decimal(0),
        average_price=Decimal(0),
    )


def book_of(*fills: Execution) -> PositionBook:
    book = PositionBook()
    for each in fills:
        book.book(each)
    return book


@pytest.mark.parametrize(
    ("fills", "quantity", "average", "realized"),
    [
        ([("BUY", 100, "10.00")], 100, "10", "0"),
        ([("BUY", 100, "10.00"), ("BUY", 100, "11.00")], 200, "10.5", "0"),
        ([("BUY", 100, "10.00"), ("SELL", 40, "12.00")], 60, "10", "80"),
        ([("BUY", 100, "10.00"), ("SELL", 100, "9.50")], 0, "0", "-50"),
        ([("SELL", 100, "10.00")], -100, "10", "0"),
        ([("SELL", 100, "10.00"), ("BUY", 60, "9.00")], -40, "10", "60"),
        ([("BUY", 100, "10.00"), ("SELL", 150, "11.00")], -50, "11", "100"),
        ([("SELL", 50, "10.00"), ("BUY", 80, "12.00")], 30, "12", "-100"),
    ],
)
def test_quantity_average_and_realised_profit(
    fills: list[tuple[str, int, str]], quantity: int, average: str, realized: str
) -> None:
    book = book_of(*(fill(number, *each) for number, each in enumerate(fills)))
    holding = book.holding("DU1", SPY)
    assert (holding.quantity, holding.average_price) == (quantity, Decimal(average))
    assert holding.realized_pnl == Decimal(realized)


@given(
    st.lists(
        st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 997), st.integers(1, 99_999)), max_size=30
    )
)
def test_a_round_trip_is_exact_to_the_last_digit(fills: list[tuple[str, int, int]]) -> None:
    """However it was filled: once flat, the profit is what came in less what went out."""
    book = PositionBook()
    cash = Decimal(0)
    net = 0
    for number, (side, quantity, cents) in enumerate(fills):
        execution = fill(number, side, quantity, str(Decimal(cents) / 100))
        book.book(execution)
        cash -= execution.signed_quantity * execution.price
        net += quantity if side == "BUY" else -quantity
    if net:
        last = fill(99, "SELL" if net > 0 else "BUY", abs(net), "33.33")
        book.book(last)
        cash -= last.signed_quantity * last.price
    holding = book.holding("DU1", SPY)
    assert holding.quantity == 0
    assert holding.cost == 0
    assert abs(holding.realized_pnl - cash) < Decimal("1e-15")


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(1, 50)), max_size=25))
def test_the_position_is_the_sum_of_the_latest_version_of_each_fill(rows: list[tuple[int, int, int]]) -> None:
    book = PositionBook()
    latest: dict[int, tuple[int, int]] = {}
    for number, revision, quantity in rows:
        book.book(fill(number, "BUY", quantity, "10.00", revision))
        if number not in latest or latest[number][0] < revision:
            latest[number] = (revision, quantity)
    assert book.quantity("DU1", 756733) == sum(quantity for _, quantity in latest.values())


def test_the_change_that_a_booking_makes() -> None:
    book = PositionBook()
    assert book.book(fill(1, "SELL", 40, "10.00")) == -40
    assert book.book(fill(1, "SELL", 40, "10.00")) == 0
    assert book.book(fill(1, "SELL", 30, "10.00", revision=2)) == 10
    assert book.book(fill(1, "SELL", 40, "10.00", revision=1)) == 0


def test_a_correction_reckons_the_profit_anew() -> None:
    book = book_of(
        fill(1, "BUY", 100, "10.00"), fill(2, "SELL", 100, "12.00"), fill(1, "BUY", 100, "11.00", 2)
    )
    assert book.holding("DU1", SPY).realized_pnl == 100


@pytest.mark.parametrize(
    ("exec_id", "parts"),
    [
        ("00025b46.63f8f39c.01.01", ("00025b46.63f8f39c.01", 1)),
        ("00025b46.63f8f39c.01.02", ("00025b46.63f8f39c.01", 2)),
        ("00025b46.63f8f39c.01.01.07", ("00025b46.63f8f39c.01.01", 7)),
        ("plain", ("plain", 0)),
        ("odd.part.x", ("odd.part.x", 0)),
        (".7", (".7", 0)),
    ],
)
def test_what_an_exec_id_says(exec_id: str, parts: tuple[str, int]) -> None:
    assert split_exec_id(exec_id) == parts


def test_fees_come_once_before_or_after_their_fill_and_a_correction_replaces_them() -> None:
    book = PositionBook()
    fee = Commission(exec_id="00025b46.63f8f39c.01.01", amount=Decimal("1.00"), currency="USD")
    book.charge(fee)
    book.book(fill(1, "BUY", 100, "10.00"))
    book.charge(fee)
    holding = book.holding("DU1", SPY)
    assert holding.fees == 1
    book.charge(Commission(exec_id="00025b46.63f8f39c.01.02", amount=Decimal("0.50"), currency="USD"))
    book.charge(fee)
    assert holding.fees == Decimal("0.50")
    book.book(fill(2, "SELL", 100, "11.00"))
    assert book.net_pnl(holding) == Decimal("99.50")


def test_an_opening_balance_lies_under_the_fills() -> None:
    book = book_of(fill(1, "SELL", 30, "12.00"))
    book.open_with("DU1", SPY, Decimal(100), Decimal("10.00"))
    holding = book.holding("DU1", SPY)
    assert (holding.quantity, holding.average_price, holding.realized_pnl) == (70, 10, 60)


@given(
    new=st.integers(1, 1000),
    old=st.integers(1, 1000),
    lots=st.integers(-1000, 1000),
    price=st.integers(1, 10**6),
)
def test_a_split_of_any_ratio_leaves_whole_shares_whole(new: int, old: int, lots: int, price: int) -> None:
    """1:3 is no decimal: multiplied by 0.333… of 28 digits, 300 shares would be short in the 26th."""
    ratio = Decimal(new) / Decimal(old)
    assert Decimal(new) / old == new_and_old(ratio)[0] / new_and_old(ratio)[1]
    book = PositionBook()
    book.open_with("DU1", SPY, Decimal(lots * old), Decimal(price) / 100)
    before = book.holding("DU1", SPY).cost
    book.adjust("DU1", SPY, Move(kind=MoveKind.SPLIT, time_ns=1, ratio=ratio))
    assert book.quantity("DU1", SPY.con_id) == lots * new
    assert book.holding("DU1", SPY).cost == before


@pytest.mark.parametrize("ratio", ["0.3333", "1.0297", "12", "1E+30", "1E-30", "0.33333333333333333333"])
def test_a_ratio_that_no_division_makes_is_taken_as_it_is(ratio: str) -> None:
    new, old = new_and_old(Decimal(ratio))
    assert new / old == Decimal(ratio)


def test_a_multiplier_counts_in_money_and_not_in_shares() -> None:
    option = Contract(con_id=5, symbol="SPY", sec_type="OPT", multiplier="100")
    book = book_of(fill(1, "BUY", 2, "1.50", contract=option), fill(2, "SELL", 2, "2.00", contract=option))
    assert multiplier(option) == 100
    assert book.holding("DU1", option).realized_pnl == 100
    assert multiplier(SPY) == 1


def test_unrealised_profit_of_a_short() -> None:
    holding = book_of(fill(1, "SELL", 100, "10.00")).holding("DU1", SPY)
    assert holding.unrealized_pnl(Decimal("9.00")) == 100


def _stated(quantity: int, con_id: int = 756733, account: str = "DU1") -> Position:
    return Position(
        account=account,
        contract=Contract(con_id=con_id, symbol="X"),
        quantity=Decimal(quantity),
        average_cost=Decimal(10),
    )


def test_the_comparison_finds_what_either_side_lacks() -> None:
    book = book_of(fill(1, "BUY", 100, "10.00"))
    assert compare(book, [_stated(100)], ["DU1"]) == []
    assert [(each.reckoned, each.stated) for each in compare(book, [_stated(90)], ["DU1"])] == [(100, 90)]
    assert [(each.reckoned, each.stated) for each in compare(book, [], ["DU1"])] == [(100, 0)]
    other = compare(book, [_stated(100), _stated(7, con_id=2)], ["DU1"])
    assert [(each.contract.con_id, each.reckoned, each.stated) for each in other] == [(2, 0, 7)]
    assert compare(book, [_stated(100), _stated(7, account="DU2")], ["DU1"]) == []
