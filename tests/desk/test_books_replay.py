"""Whatever the broker and a human say of positions, in whatever order: the books are the sum of the records.

The sequences are random and mostly absurd on purpose. A second sum over the records, which knows nothing of
the books' own arithmetic, must come to the same; the journal must rebuild the state; what is shown must show.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tws.desk import Adjust, ConfirmOpening
from tws.desk.standing import discrepancies, holdings
from tws.model.contract import Contract
from tws.model.execution import Execution
from tws.model.facts import Answer, AnswerKind
from tws.model.instrument import Instrument
from tws.model.order import Side
from tws.model.records import Adjusted, Booked, Busted, Inferred, OpeningSet
from tws.positions import split_exec_id

SPY = Contract(con_id=756733, symbol="SPY")
ACCOUNT = "DU1234567"

sides = st.sampled_from(list(Side))
shares = st.integers(1, 120)
events = st.one_of(
    st.tuples(st.just("enter"), sides, st.sampled_from([50, 100])),
    st.tuples(st.just("ours"), st.integers(0, 5), shares, st.integers(1, 8), st.integers(1, 3)),
    st.tuples(st.just("theirs"), sides, shares, st.integers(11, 18), st.integers(1, 3)),
    st.tuples(st.just("stated"), st.integers(-200, 200)),
    st.tuples(st.just("nonsense"), st.sampled_from(["price", "quantity"]), st.sampled_from(["NaN", "-7"])),
    st.tuples(st.just("adjust"), st.integers(-100, 100), st.booleans(), st.booleans()),
    st.tuples(st.just("split"), st.sampled_from(["4", "0.5", "0", "NaN"]), st.booleans()),
    st.tuples(st.just("confirm")),
    st.tuples(st.just("claimed"), st.integers(0, 5), shares),
    st.tuples(st.just("answer"), st.integers(-200, 200), st.booleans()),
    st.tuples(st.just("dark"), st.integers(-200, 200)),
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.just("restart")),
)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(script=st.lists(events, max_size=40))
def test_the_books_are_the_sum_of_what_was_recorded(new_bench: Any, script: list[tuple[Any, ...]]) -> None:
    bench = new_bench()
    bench.begin(positions=(bench.position(30),))
    for step in script:
        _play(bench, *step)
        state = bench.desk.state
        discrepancies(state, bench.now, bench.desk.timing)
        holdings(state)
        for group in state.groups.values():
            assert state.in_account(group) <= max(state.held(group), 0) or state.held(group) < 0
        for key, missing in state.shortfall.items():
            assert 0 < missing <= abs(state.ours.holdings[key].quantity)
    bench.check()
    ours, account = _sums(bench.all_records)
    assert bench.net() == ours
    assert bench.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == account


def _play(bench: Any, kind: str, *args: Any) -> None:
    orders = list(bench.desk.state.book.orders.values())
    match kind, args:
        case "enter", (side, quantity):
            bench.enter(quantity, side)
        case "ours", (which, quantity, number, revision) if orders:
            order = orders[which % len(orders)]
            bench.tell(bench.execution(order, quantity, exec_id=f"x.{number}.0{revision}"))
        case "theirs", (side, quantity, number, revision):
            bench.tell(_by_hand(bench, side, quantity, f"x.{number}.0{revision}"))
        case "stated", (quantity,):
            bench.tell(bench.position(quantity))
        case "nonsense", (name, value):
            bench.tell(replace(_by_hand(bench, Side.BUY, 5, "x.99.01"), **{name: Decimal(value)}))
        case "adjust", (quantity, ours, account_too):
            bench.tell(_adjust(quantity=Decimal(quantity), ours=ours, account_too=account_too))
        case "split", (ratio, ours):
            bench.tell(_adjust(ratio=Decimal(ratio), ours=ours))
        case "confirm", ():
            bench.tell(ConfirmOpening(account=ACCOUNT, operator="ann", reason="test"))
        case "claimed", (which, quantity) if orders:
            order = orders[which % len(orders)]
            bench.pair(order, "Submitted", filled=min(quantity, int(order.order.quantity)))
        case "answer", (quantity, complete):
            rows = (_by_hand(bench, Side.BUY, 1, "x.10.01"),) if complete else ()
            bench.tell(Answer(kind=AnswerKind.EXECUTIONS, session=bench.session, executions=rows))
            bench.tell(Answer(kind=AnswerKind.POSITIONS, session=bench.session,
                              positions=(bench.position(quantity),)))  # fmt: skip
        case "dark", (quantity,):
            bench.drop()
            bench.connect(positions=(bench.position(quantity),))
            for _ in range(3):
                bench.wait(11)
                bench.answer(positions=(bench.position(quantity),))
        case "wait", (seconds,):
            bench.wait(seconds)
        case "restart", ():
            bench.restart()


def _by_hand(bench: Any, side: Side, quantity: int, exec_id: str) -> Execution:
    return Execution(exec_id=exec_id, order_id=2**31 - 1, perm_id=777, client_id=0, account=ACCOUNT,
                     contract=SPY, side=side, quantity=Decimal(quantity), price=Decimal(101),
                     time_ns=bench.now, cumulative=Decimal(quantity), average_price=Decimal(101))  # fmt: skip


def _adjust(**fields: Any) -> Adjust:
    spy = Instrument(contract=SPY)
    return Adjust(account=ACCOUNT, instrument=spy, operator="ann", reason="test", **fields)


def _sums(records: list[Any]) -> tuple[Decimal, Decimal]:
    """Both positions by the records alone: each split multiplies what was recorded before it, and a fill that
    is corrected, busted or made true later counts in the shares of its own time.
    """
    ours: dict[str, tuple[int, Decimal]] = {}
    account: dict[str, tuple[int, Decimal]] = {}
    splits: list[tuple[int, Decimal, bool, bool]] = []
    for number, record in enumerate(records):
        match record:
            case Booked():
                base, _ = split_exec_id(record.execution.exec_id)
                for book in (ours, account) if record.intent_id else (account,):
                    book[base] = (book[base][0] if base in book else number, record.execution.signed_quantity)
                    if record.replaces in book:
                        at, left = book[record.replaces]
                        given = min(abs(left), abs(record.execution.quantity)).copy_sign(left)
                        book[record.replaces] = (at, left - given)
            case Inferred():
                ours[record.name] = account[record.name] = (number, record.quantity)
            case Busted():
                base, _ = split_exec_id(record.exec_id)
                account.pop(base)
                ours.pop(base, None)
            case OpeningSet():
                account[f"opening {number}"] = (-1, record.quantity)
            case Adjusted() if record.ratio is not None:
                splits.append((number, record.ratio, record.ours, record.account_too))
            case Adjusted():
                for book, moves in ((ours, record.ours), (account, record.account_too)):
                    if moves:
                        book[f"adjusted {number}"] = (number, record.quantity)
            case _:
                pass
    return _held(ours, [split[:2] for split in splits if split[2]]), _held(
        account, [split[:2] for split in splits if split[3]])  # fmt: skip


def _held(book: dict[str, tuple[int, Decimal]], splits: list[tuple[int, Decimal]]) -> Decimal:
    total = Decimal(0)
    for number, quantity in book.values():
        for at, ratio in splits:
            quantity *= ratio if at > number else 1
        total += quantity
    return total
