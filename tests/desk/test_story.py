"""An order's life in sentences, from the records that a desk really makes."""

from __future__ import annotations

import typing
from decimal import Decimal

import pytest
from tests.desk.conftest import AAPL

from tws.desk import CancelIntent
from tws.model import records as r
from tws.model.execution import Commission
from tws.model.records import Record
from tws.orders.search import Found, search
from tws.orders.story import _WORDS, Sentence, Teller
from tws.risk import Limits


def tell(bench, word: str, **options: bool) -> tuple[list[Sentence], list[str]]:  # type: ignore[no-untyped-def]
    found = search(bench.all_records, word, **options)
    teller = Teller(found)
    said = [teller.hear(row, record) for row, record in enumerate(bench.all_records, 1)]
    return [each for each in said if each is not None], teller.ends()


def text(bench, word: str, **options: bool) -> str:  # type: ignore[no-untyped-def]
    sentences, ends = tell(bench, word, **options)
    return "\n".join([*(each.text for each in sentences), *ends])


@pytest.fixture
def trade(bench):  # type: ignore[no-untyped-def]
    """A bracket that filled in two parts and reached its target."""
    trade = bench.enter(signal="s1")
    bench.work(trade)
    bench.fill(trade.entry, 60, "100.01")
    bench.fill(trade.entry, 40, "100.05")
    bench.fill(trade.target, 100, "104.00")
    bench.status(trade.stop, "Cancelled")
    bench.pair(trade.stop, "Cancelled")
    return trade


def test_a_life_from_the_wish_to_the_end(bench, trade) -> None:
    sentences, ends = tell(bench, trade.entry.intent_id)
    story = [each.text for each in sentences]
    assert story[0].startswith("A trade was accepted: BUY 100 SPY, stop 98.00 and target 104.00, signal s1")
    assert story[1].startswith(f"We meant to place {trade.entry.intent_id}, the entry of trade")
    assert "BUY 100 MKT DAY SPY as order id 1" in story[1]
    order = ["The gate approved", "Its bytes left", "permanent id", "Submitted", "60 at 100.01", "1.00 USD",
             "40 at 100.05", "it is filled."]  # fmt: skip
    places = [next(at for at, line in enumerate(story) if mark in line) for mark in order]
    assert places == sorted(places)
    assert ends == [
        f"{trade.entry.intent_id} ended filled, 100 of 100 filled at 100.026 on average, fees 2.00 USD."
    ]
    assert [each.row for each in sentences] == sorted(each.row for each in sentences)
    assert all(bench.all_records[each.row - 1].at_ns == each.at_ns for each in sentences)


def test_one_order_alone_or_its_whole_trade(bench, trade) -> None:
    alone, ends = tell(bench, trade.stop.intent_id)
    assert len(ends) == 1
    assert "ended cancelled, 0 of 100 filled" in ends[0]
    assert not any("100.01" in each.text for each in alone)
    whole, ends = tell(bench, trade.stop.intent_id, whole_trade=True)
    assert len(ends) == 3
    assert {each.about for each in whole} >= {
        trade.entry.intent_id,
        trade.target.intent_id,
        trade.stop.intent_id,
    }
    assert whole == tell(bench, "s1")[0]


@pytest.mark.parametrize("by", ["intent_id", "order_id", "perm_id"])
def test_an_order_is_found_by_each_of_its_names(bench, trade, by: str) -> None:
    perm = str(next(iter(trade.target.perms)))
    word = {"intent_id": trade.target.intent_id, "order_id": str(trade.target.order_id), "perm_id": perm}[by]
    assert list(search(bench.all_records, word).intents) == [trade.target.intent_id]


@pytest.mark.parametrize("word", ["", "0", "nonsense", "t-999", "-1", "9" * 40, "SPY"])
def test_what_nobody_bears_finds_nothing(bench, trade, word: str) -> None:
    assert not search(bench.all_records, word)
    assert Teller(Found()).ends() == []


def test_a_denied_signal_names_its_limit_and_the_figures(new_bench) -> None:
    bench = new_bench(Limits(max_order_quantity=Decimal(50)))
    bench.begin()
    bench.enter(100, signal="too much")
    story = text(bench, "too much")
    (denied,) = bench.denials()
    assert f"limit {denied.limit}, asked {denied.figure}, allowed {denied.bound}" in story
    assert denied.reason in story
    assert "No order came of it" in story


def test_a_lost_link_an_unknown_order_and_its_absence_are_told(bench) -> None:
    trade = bench.enter()
    bench.work(trade)
    bench.drop()
    bench.connect(orders=(bench.row(trade.target, "PreSubmitted"), bench.row(trade.stop, "PreSubmitted")))
    for _ in range(6):
        bench.wait(11)
        bench.answer(orders=(bench.row(trade.target, "PreSubmitted"), bench.row(trade.stop, "PreSubmitted")))
    story = text(bench, trade.entry.intent_id)
    assert "Program or link was lost: it was working, it is unknown" in story
    assert "did not name it" in story
    assert "ended absent" in story or "it is unknown" in story


def test_a_cancel_and_a_late_fill_are_told_with_the_alarm(bench) -> None:
    trade = bench.enter(limit=99.0)
    bench.work(trade)
    bench.tell(CancelIntent(intent_id=trade.entry.intent_id, reason="a human wants it gone"))
    bench.pair(trade.entry, "Cancelled")
    bench.tell(bench.execution(trade.entry, 10))
    story = text(bench, trade.entry.intent_id)
    assert "We asked for its cancel: a human wants it gone." in story
    assert "TWS says Cancelled: it was pending cancel, it is cancelled." in story
    assert "ALARM: " in story
    assert "10 of 100 filled" in story


def test_a_fee_that_comes_before_its_fill_is_counted(bench) -> None:
    trade = bench.enter()
    execution = bench.execution(trade.entry, 100)
    bench.tell(Commission(exec_id=execution.exec_id, amount=Decimal("1.25"), currency="USD"), execution)
    assert "fees 1.25 USD" in text(bench, trade.entry.intent_id)


def test_a_corrected_fill_counts_once(bench) -> None:
    trade = bench.enter()
    bench.tell(bench.execution(trade.entry, 60, exec_id="a.1.01.01"))
    bench.tell(bench.execution(trade.entry, 50, exec_id="a.1.01.02"))
    story = text(bench, trade.entry.intent_id)
    assert "A fill was corrected: 50 at 100.01" in story
    assert "50 of 100 filled" in story


def test_an_inferred_fill_and_one_that_was_taken_back_are_told(bench, trade) -> None:
    entry = trade.entry
    teller = Teller(search(bench.all_records, entry.intent_id))
    for row, record in enumerate(bench.all_records, 1):
        teller.hear(row, record)
    booked = next(each for each in bench.all_records if isinstance(each, r.Booked))
    whose = {"account": "DU1", "contract": entry.contract, "intent_id": entry.intent_id}
    exec_id = booked.execution.exec_id
    busted = r.Busted(at_ns=1, exec_id=exec_id, quantity=Decimal(60), **whose)
    guess = {"name": "i1", "basis": "his position", "priced": "a guess"}
    inferred = r.Inferred(at_ns=2, quantity=Decimal(10), price=Decimal("100.5"), **guess, **whose)
    first, second = teller.hear(98, busted), teller.hear(99, inferred)
    assert first is not None and first.text.startswith("The broker took a fill back: 60")
    assert second is not None and "10 at 100.5 (his position; the price is a guess)" in second.text
    assert "50 of 100 filled" in teller.ends()[0]


def test_every_kind_about_an_order_has_words_or_its_fields_are_told(bench, trade) -> None:
    """A kind that joins later is told field by field, until it gets words of its own."""
    assert set(_WORDS) <= set(typing.get_args(Record))

    class Novel(r._Record, frozen=True, kw_only=True):
        intent_id: str
        figure: Decimal

    teller = Teller(search(bench.all_records, trade.entry.intent_id))
    novel = Novel(at_ns=1, intent_id=trade.entry.intent_id, figure=Decimal("1.50"))
    said = teller.hear(1, novel)  # type: ignore[arg-type]
    assert said is not None
    assert said.text == f"Novel: intent_id {trade.entry.intent_id}, figure 1.50."


def approvals(bench, word: str) -> list[str]:  # type: ignore[no-untyped-def]
    return [line for line in text(bench, word).splitlines() if line.startswith("The gate approved")]


def test_an_approval_names_every_limit_that_was_on_and_how_near_it_was(bench) -> None:
    """The figures are those of the judgement: the second entry counts the first one's shares."""
    bench.enter(signal="one", limit=99.0)
    second = bench.enter(30, signal="two", limit=99.0)
    (told,) = approvals(bench, second.entry.intent_id)
    limits = bench.desk.gate.limits
    assert f"max_order_quantity 30 of {limits.max_order_quantity:f}" in told
    assert f"max_position 130 of {limits.max_position:f}" in told, "working orders count"
    assert f"max_order_notional 2970 of {limits.max_order_notional:f}" in told
    (stop,) = approvals(bench, second.stop.intent_id)
    assert stop == "The gate approved the order: children 30 of 30; its bytes may leave from here on."


def test_what_goes_on_around_an_order_is_told_while_it_may_act(bench) -> None:
    ended, living = bench.enter(limit=99.0), bench.enter(5, contract=AAPL, limit=99.0)
    bench.work(ended)
    bench.work(living)
    bench.pair(ended.entry, "Cancelled")
    bench.drop()
    assert "The link to TWS is down" in text(bench, living.entry.intent_id)
    story = text(bench, ended.entry.intent_id)
    assert "ended cancelled" in story and "The link" not in story
