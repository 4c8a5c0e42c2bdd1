"""The checkers can see: each of these broken traders is caught within a few seeds, the whole one is not.

Every variant breaks one line of production code in the way its name says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.world.house import play

from tws.connection.lane import FactLane
from tws.desk import Place
from tws.errors import SimulationError
from tws.model.execution import Commission, Execution
from tws.model.facts import Answer, AnswerKind
from tws.model.records import Record, encode_record
from tws.positions import PositionBook
from tws.runtime.engine import Engine
from tws.runtime.hands import Hands

SEEDS = range(6)
Plant = Callable[[pytest.MonkeyPatch], None]


def _facts(patch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    """Change each fact on its way into the lane; None drops it."""
    put = FactLane.put

    def changed(lane: FactLane, fact: Any) -> None:
        fact = change(fact)
        if fact is not None:
            put(lane, fact)

    patch.setattr(FactLane, "put", changed)


def _answers_changed(fact: Any, change: Callable[[Execution], Execution | None]) -> Any:
    """The same change of fills that come with an answer."""
    if isinstance(fact, Answer) and fact.kind is AnswerKind.EXECUTIONS:
        rows = tuple(row for row in map(change, fact.executions) if row is not None)
        return msgspec.structs.replace(fact, executions=rows)
    return change(fact) if isinstance(fact, Execution) else fact


def drop_a_fill(patch: pytest.MonkeyPatch) -> None:
    def lose(fill: Execution) -> Execution | None:
        return None if "00000003." in fill.exec_id else fill

    _facts(patch, lambda fact: _answers_changed(fact, lose))


def count_a_fill_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PositionBook, "knows", lambda book, execution: False)


def book_a_wrong_price(patch: pytest.MonkeyPatch) -> None:
    def dearer(fill: Execution) -> Execution:
        return msgspec.structs.replace(fill, price=fill.price + Decimal("0.01"))

    _facts(patch, lambda fact: _answers_changed(fact, dearer))


def forget_the_fees(patch: pytest.MonkeyPatch) -> None:
    _facts(patch, lambda fact: None if isinstance(fact, Commission) else fact)


def send_an_order_twice(patch: pytest.MonkeyPatch) -> None:
    """As a trader would that gives an order of unknown outcome a new id and sends it again."""
    place = Hands._place

    def twice(hands: Hands, effect: Place) -> None:
        place(hands, effect)
        outbound = hands._connection.outbound
        frame, _ = outbound._encoder.order(effect.order_id + 1000, effect.contract, effect.order)
        if outbound._wire.is_open():
            outbound._wire.write(frame)

    patch.setattr(Hands, "_place", twice)


def send_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    async def hasty(engine: Engine, records: Sequence[Record]) -> None:
        if records:
            assert engine._store is not None
            engine._store.append([encode_record(record) for record in records])
            asyncio.ensure_future(engine._store.commit())  # noqa: RUF006 - the bug: nobody awaits it

    patch.setattr(Engine, "_remember", hasty)


def complaints(seeds: range) -> list[str]:
    """Of the first seed that has any; a run that fails outright complains too."""
    for seed in seeds:
        try:
            found = play(seed).complaints
        except SimulationError as error:
            found = [str(error)]
        if found:
            return found
    return []


@pytest.mark.parametrize(
    ("plant", "words"),
    [
        (drop_a_fill, "is in the journal 0 times"),
        (count_a_fill_twice, " times|book holds"),
        (book_a_wrong_price, "the market says"),
        (forget_the_fees, "fee of"),
        (send_an_order_twice, "arrived as order"),
        (send_before_the_commit, "arrived before its intent was on disk"),
    ],
)
def test_a_planted_bug_is_seen(plant: Plant, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    found = complaints(SEEDS)
    assert any(word in complaint for complaint in found for word in words.split("|")), found


def test_without_a_planted_bug_nothing_is_seen() -> None:
    assert complaints(SEEDS) == []
