"""Folding changes no digit: a book that folds anywhere on its way equals one that keeps every move."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.desk import DeskState
from tws.desk.standing import opening_of
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.order import Side
from tws.positions import Move, MoveKind, PositionBook
from tws.positions.cash import cash_moved
from tws.runtime.earnings import earned

STOCK = Contract(con_id=1, symbol="SPY", currency="USD")
FUTURE = Contract(con_id=2, symbol="ES", sec_type="FUT", multiplier="50", currency="USD")
PAIR = Contract(con_id=3, symbol="EUR", sec_type="CASH", currency="USD")
STRATEGIES = ("", "one", "two")

contracts = st.sampled_from([STOCK, FUTURE, PAIR])
prices = st.decimals("0.01", "999", places=2) | st.just(Decimal(100) / 3)
steps = st.one_of(
    st.tuples(st.just("fill"), contracts, st.sampled_from(Side), st.integers(1, 40), prices,
              st.sampled_from(STRATEGIES)),
    st.tuples(st.just("late fill"), contracts, st.sampled_from(Side), st.integers(1, 40), prices,
              st.sampled_from(STRATEGIES)),
    st.tuples(st.just("fee"), st.integers(1, 3), st.decimals("-1", "5", places=4),
              st.sampled_from(["USD", "CHF"])),
    st.tuples(st.just("correct"), st.integers(1, 3), st.integers(0, 40), prices),
    st.tuples(st.just("bust"), st.integers(1, 3)),
    st.tuples(st.just("infer"), contracts, st.integers(-9, 9).filter(bool), prices),
    st.tuples(st.just("adjust"), contracts, st.integers(-9, 9), prices, st.booleans()),
    st.tuples(st.just("split"), contracts, st.sampled_from([Decimal(4), 1 / Decimal(3)])),
    st.tuples(st.just("fold"), st.integers(0, 3)),
)  # fmt: skip


class Two:
    """The same history in two books; one of them folds. Nothing is told of what is older than a fold."""

    def __init__(self) -> None:
        self.whole, self.folding = PositionBook(), PositionBook()
        self.now = 10
        self.fills: list[Execution] = []
        self.folded_at = 0
        for contract in (STOCK, FUTURE):
            self.both("open_with", "DU1", contract, Decimal(7), Decimal("33.30"))

    def both(self, name: str, *args: Any) -> None:
        for book in (self.whole, self.folding):
            getattr(book, name)(*args)

    def play(self, kind: str, *args: Any) -> None:
        self.now += 10
        match kind, args:
            case ("fill" | "late fill"), (contract, side, quantity, price, strategy):
                time_ns = self.now if kind == "fill" else max(self.now - 25, self.folded_at)
                fact = Execution(
                    exec_id=f"a.{len(self.fills):04d}.01", order_id=1, perm_id=1, client_id=1, account="DU1",
                    contract=contract, side=side, quantity=Decimal(quantity), price=price, time_ns=time_ns,
                    cumulative=Decimal(0), average_price=Decimal(0),
                )  # fmt: skip
                self.fills.append(fact)
                self.both("book", fact, "", f"intent {len(self.fills)}", strategy)
            case "infer", (contract, quantity, price):
                name = f"inferred/{self.now}"
                for book in (self.whole, self.folding):
                    move = Move(kind=MoveKind.INFERRED, exec_id=name, strategy="two", time_ns=self.now,
                                quantity=Decimal(quantity), price=price)  # fmt: skip
                    book.infer(name, "DU1", contract, move)
            case "adjust", (contract, quantity, price, paid):
                move = Move(kind=MoveKind.ADJUSTMENT, time_ns=self.now, quantity=Decimal(quantity),
                            price=price, paid=paid)  # fmt: skip
                self.both("adjust", "DU1", contract, move)
            case "split", (contract, ratio):
                self.both("adjust", "DU1", contract, Move(kind=MoveKind.SPLIT, time_ns=self.now, ratio=ratio))
            case "fold", (back,):
                self.folded_at = max(self.folded_at, self.now - 20 * back)
                self.folding.fold(self.folded_at)
            case _ if len(self.fills) >= args[0] and self.fills[-args[0]].time_ns >= self.folded_at:
                self.about(self.fills[-args[0]], kind, args[1:])

    def about(self, fact: Execution, kind: str, args: tuple[Any, ...]) -> None:
        match kind, args:
            case "fee", (amount, currency):
                self.both("charge", Commission(exec_id=fact.exec_id, amount=amount, currency=currency))
            case "correct", (quantity, price):
                later = replace(fact, exec_id=f"{fact.base_id}.02", quantity=Decimal(quantity), price=price)
                self.both("book", later, "", "intent", "one")
            case "bust", _:
                self.both("bust", fact.exec_id)


def figures(book: PositionBook) -> object:
    """All that anybody asks of a book, as digits."""
    return [
        str((key, held.balance, held.fees, held.other_fees, held.average_cost, held.realized_net,
             book.net_pnl(held), held.counted, opening_of(held),
             held.carried.inferred or any(move.kind is MoveKind.INFERRED for move in held.moves)))
        for key, held in book.holdings.items()
    ]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(script=st.lists(steps, min_size=5, max_size=40))
def test_a_book_that_folds_anywhere_equals_one_that_keeps_all(script: list[tuple[Any, ...]]) -> None:
    two = Two()
    for each in [*script, ("fold", 1)]:
        two.play(*each)
        assert figures(two.folding) == figures(two.whole)
    assert str(cash_moved(two.folding, "DU1")) == str(cash_moved(two.whole, "DU1"))
    for strategy in STRATEGIES:
        parts = [earned(DeskState(ours=book), strategy) for book in (two.folding, two.whole)]
        assert str(parts[0]) == str(parts[1])
    kept = [move.time_ns for held in two.folding.holdings.values() for move in held.moves]
    assert not kept or min(kept) >= two.folded_at
    assert len(two.folding.where) == sum(len(held.fills) for held in two.folding.holdings.values())
    assert set(two.folding.fees) <= set(two.folding.where)


def test_of_fees_without_a_fill_the_latest_are_kept() -> None:
    book = PositionBook()
    for number in range(1200):
        book.charge(Commission(exec_id=f"a.{number}.01", amount=Decimal(1), currency="USD"))
    assert len(book.early) == 1000 and "a.1199" in book.early and not book.fees
