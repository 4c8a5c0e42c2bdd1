"""What no broker speaks of any more is folded: days of fills are kept, however long a journal lasts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.desk.conftest import ACCOUNT, SPY, Bench
from tests.desk.test_tidy import DAY_NS, finished, later

from tws.desk import Adjust, DeskState, SubmitBracket
from tws.desk import state as state_module
from tws.desk.apply import replay
from tws.desk.standing import DiscrepancyKind, discrepancies, holdings
from tws.journal.chain import Head
from tws.journal.snapshot import read_snapshot, write_snapshot
from tws.model.execution import Commission
from tws.model.instrument import Instrument
from tws.model.order import bracket
from tws.model.records import Booked, Charged, Folded, decode_record
from tws.positions import PositionBook
from tws.positions.cash import cash_moved
from tws.runtime.earnings import earned


def unfolded(bench: Any) -> DeskState:
    """The state that the same journal makes without a fold."""
    state = DeskState()
    replay(state, (record for row in bench.rows if not isinstance(record := decode_record(row), Folded)))
    return state


def figures(book: PositionBook) -> str:
    return str([(key, held.balance, held.fees, held.counted, book.net_pnl(held))
                for key, held in book.holdings.items()])  # fmt: skip


def days_of_fills(bench: Any, days: int) -> list[Any]:
    """A trade a day; the execution of each entry."""
    for _ in range(days):
        bench.quote()
        finished(bench)
        later(bench, 1)
    return [record.execution for record in bench.all_records if isinstance(record, Booked)][::2]


@pytest.fixture
def folded(bench: Any) -> Any:
    """Twelve days with a trade each, the first ones folded; flat."""
    bench.first = days_of_fills(bench, 12)[0]
    assert bench.desk.state.folded_ns > bench.first.time_ns
    bench.answer(positions=())
    bench.effects.clear()
    return bench


def test_memory_does_not_grow_with_the_fills(new_bench: Any, tmp_path: Path) -> None:
    bench = new_bench()
    bench.begin(positions=(bench.position(300),))
    sizes = []
    for _ in range(25):
        days_of_fills(bench, 1)
        books = (bench.desk.state.ours, bench.desk.state.account_book)
        sizes.append([
            (sum(len(held.moves) for held in book.holdings.values()), len(book.where), len(book.fees))
            for book in books
        ])  # fmt: skip
    assert sizes[9:] == [sizes[9]] * 16, "a steady week is all that is kept"
    state, whole = bench.desk.state, unfolded(bench)
    assert sum(len(held.moves) for held in whole.ours.holdings.values()) == 50 > 2 * sizes[-1][0][0]
    assert figures(state.ours) == figures(whole.ours)
    assert figures(state.account_book) == figures(whole.account_book)
    assert cash_moved(state.account_book, ACCOUNT) == cash_moved(whole.account_book, ACCOUNT)
    assert earned(state, "") == earned(whole, "")
    assert holdings(state) == holdings(whole)
    bench.check()
    write_snapshot(tmp_path / "snapshot", Head.parse(f"1:{'0' * 64}"), state)
    again = read_snapshot(tmp_path / "snapshot")
    assert not isinstance(again, str) and again is not None and again.state == state


def test_a_folded_fill_that_comes_again_counts_nowhere_and_blocks_until_the_position_agrees(
    folded: Any,
) -> None:
    before = figures(folded.desk.state.account_book)
    folded.tell(folded.first)
    assert figures(folded.desk.state.account_book) == before
    assert any("is folded: the journal alone knows" in text for text in folded.alarms())
    assert kinds(folded) == [DiscrepancyKind.REFUSED]
    folded.enter()
    assert "was refused" in folded.denials()[-1].reason
    folded.wait(61)
    folded.answer(positions=())
    assert kinds(folded) == []
    folded.check()


def test_a_correction_of_a_folded_fill_is_refused_though_it_is_of_today(folded: Any) -> None:
    before = figures(folded.desk.state.ours)
    base = folded.first.exec_id.rpartition(".")[0]
    folded.tell(replace(folded.first, exec_id=f"{base}.02", quantity=Decimal(40), time_ns=folded.now))
    assert figures(folded.desk.state.ours) == before
    assert any("a later word on a fill that is folded" in text for text in folded.alarms())
    assert kinds(folded) == [DiscrepancyKind.REFUSED]
    folded.check()


@pytest.fixture
def forgetful(new_bench: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same, and of the folded fills only the last three are known by name."""
    monkeypatch.setattr(state_module, "_KEPT", 3)
    made = new_bench()
    made.begin()
    made.first = days_of_fills(made, 12)[0]
    made.answer(positions=())
    made.effects.clear()
    base = made.first.exec_id.rpartition(".")[0]
    assert len(made.desk.state.folded) == 3 and base not in made.desk.state.folded
    made.correction = replace(made.first, exec_id=f"{base}.02", quantity=Decimal(40), time_ns=made.now)
    yield made
    made.check()


def test_a_correction_of_today_of_a_fill_that_no_name_is_left_of_is_not_booked_twice(forgetful: Any) -> None:
    before = figures(forgetful.desk.state.account_book)
    forgetful.tell(forgetful.correction)
    assert figures(forgetful.desk.state.account_book) == before
    base = forgetful.first.exec_id.rpartition(".")[0]
    assert any(f"corrects {base}" in text and "may have folded" in text for text in forgetful.alarms())
    assert kinds(forgetful) == [DiscrepancyKind.REFUSED]
    forgetful.wait(61)
    forgetful.answer(positions=())
    assert kinds(forgetful) == [], "his position agrees without it"


def test_a_correction_whose_first_word_was_missed_is_booked_where_its_order_is_young(forgetful: Any) -> None:
    forgetful.quote()
    trade = forgetful.enter()
    forgetful.work(trade)
    fill = forgetful.execution(trade.entry, 100)
    corrected = fill.exec_id.rpartition(".")[0] + ".02"
    forgetful.tell(replace(fill, exec_id=corrected, price=Decimal("99.90")))
    assert forgetful.net() == 100 and not any("may have folded" in text for text in forgetful.alarms())
    forgetful.tell(replace(fill, exec_id=corrected.replace(".02", ".03"), price=Decimal("99.80")))
    assert forgetful.net() == 100, "and the next one takes its place"


def test_while_all_names_are_known_an_unknown_correction_is_a_fill(folded: Any) -> None:
    by_hand = replace(folded.first, exec_id="h.1.02", order_ref="", perm_id=5, order_id=2**31 - 1,
                      client_id=0, time_ns=folded.now)  # fmt: skip
    folded.tell(by_hand)
    assert folded.desk.state.account_book.quantity(ACCOUNT, SPY.con_id) == 100


def test_another_fee_of_a_folded_fill_is_refused_and_said(folded: Any) -> None:
    records = folded.tell(Commission(exec_id=folded.first.exec_id, amount=Decimal(9), currency="USD"))
    assert not any(isinstance(record, Charged) for record in records)
    assert any("folded with the fee that it had" in text for text in folded.alarms())


def test_an_adjustment_of_folded_days_is_refused(folded: Any) -> None:
    before = figures(folded.desk.state.ours)
    folded.tell(Adjust(account=ACCOUNT, instrument=Instrument(contract=SPY), quantity=Decimal(5),
                       price=Decimal(1), operator="ann", reason="looked",
                       effective_ns=folded.first.time_ns))  # fmt: skip
    assert figures(folded.desk.state.ours) == before
    assert any("is folded: record it at a later time" in text for text in folded.alarms())


def test_a_clock_that_leaps_ahead_folds_nothing_that_the_broker_may_repeat(bench: Any) -> None:
    fills = days_of_fills(bench, 3)
    later(bench, 400)
    assert not any(isinstance(record, Folded) for record in bench.all_records)
    assert not any(isinstance(record, Booked) for record in bench.tell(*fills))
    bench.check()


def test_a_trade_that_was_entered_before_the_fold_still_knows_what_it_paid(bench: Bench) -> None:
    """Its target follows the average of what is added weeks later, from what the folded fill had cost."""
    base = bench.enter(100, limit=100.0, target_follows=True)
    bench.work(base)
    bench.fill(base.entry, 100, "100.00")
    other = replace(bench.execution(base.entry, 1, order_ref="", perm_id=5), order_id=2**31 - 1, client_id=0)
    for day in range(12):  # others' fills move the broker's time on
        bench.now += DAY_NS
        bench.wait(1)
        bench.tell(replace(other, exec_id=f"b.{day}.01", time_ns=bench.now))
    bench.wait(2)
    assert not bench.desk.state.ours.holdings[f"{ACCOUNT}/{SPY.con_id}"].fills
    bench.quote()
    more = bracket(SPY, "BUY", 100, limit=98, stop=96, target=104)
    bench.tell(SubmitBracket(bracket=more, instrument=Instrument(contract=SPY), joins=base.entry.group_id))
    added = bench.order(bench.written()[0].intent_id)
    bench.fill(added, 100, "98.00")
    assert bench.desk.state.groups[base.entry.group_id].target_price == Decimal("103.00")
    bench.check()


def kinds(bench: Any) -> list[DiscrepancyKind]:
    return [each.kind for each in discrepancies(bench.desk.state, bench.now, bench.desk.timing)]
