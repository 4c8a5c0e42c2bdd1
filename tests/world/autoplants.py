"""Bugs to plant into the automation: each breaks the way from a signal to a trade in the one way that its
name says. `tests/world/test_automation.py` switches each on alone and demands that the checks see it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.world.automix import TICKERS
from tests.world.plants import Plant

from tws.desk import submit as desk_submit
from tws.model.order import Bracket
from tws.model.signal import Signal
from tws.rules.engine import OTHER, Engine
from tws.runtime import pilot as pilot_module
from tws.runtime import reloading as reloading_module
from tws.runtime.closing import DayClose
from tws.runtime.pilot import Pilot
from tws.runtime.stances import Stances
from tws.runtime.strand import Strand
from tws.runtime.strategies import Hosted
from tws.signals import Sources, Taken
from tws.signals.pace import Bucket, Pace
from tws.signals.source import Heard, Outbox
from tws.signals.webhook import Receiver
from tws.strategy import FateBook, Refusal, SignalGate
from tws.strategy import manage as manage_module
from tws.strategy.manage import Enter, Move, Stance

__all__ = ["AUTO_PLANTS"]


def lose_a_signal(patch: pytest.MonkeyPatch) -> None:
    """What comes in a look with another one is overlooked."""
    take = Sources.take

    def first(sources: Sources, now_ns: int) -> list[Taken]:
        return take(sources, now_ns)[:1]

    patch.setattr(Sources, "take", first)


def lose_a_fate(patch: pytest.MonkeyPatch) -> None:
    """What a limit denies is never written into the book."""
    patch.setattr(FateBook, "denied", lambda book, *said: None)


def count_a_fate_twice(patch: pytest.MonkeyPatch) -> None:
    passed = FateBook.passed

    def twice(book: FateBook, source: str, signal: Signal, now_ns: int) -> None:
        passed(book, source, signal, now_ns)
        book.heard += 1

    patch.setattr(FateBook, "passed", twice)


def forget_the_journal(patch: pytest.MonkeyPatch) -> None:
    """One judgement in four is not journalled."""
    take = FateBook.take_records

    def fewer(book: FateBook, now_ns: int) -> Any:
        return [each for number, each in enumerate(take(book, now_ns)) if number % 4]

    patch.setattr(FateBook, "take_records", fewer)


def act_twice(patch: pytest.MonkeyPatch) -> None:
    """A wish is put to a desk again that does not know which signals have acted; by a share more, for it
    knows doubles.
    """
    situation, perform = desk_submit.situation, Pilot.perform

    def blind(*args: Any, **more: Any) -> Any:
        return msgspec.structs.replace(situation(*args, **more), signal_used=False)

    async def twice(pilot: Pilot, signal: Signal, answer: Move | Refusal, now_ns: int) -> str:
        why = await perform(pilot, signal, answer, now_ns)
        if isinstance(answer, Enter) and not why:
            wish = msgspec.structs.replace(answer.bracket, quantity=answer.bracket.quantity + 1)
            await pilot_module.act(pilot._trader, signal.symbol, Enter(wish))
        return why

    patch.setattr(desk_submit, "situation", blind)
    patch.setattr(Pilot, "perform", twice)


def judge_again_after_a_restart(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Strand, "recall", lambda strand, *known: None)


def trade_what_the_gate_refused(patch: pytest.MonkeyPatch) -> None:
    """A doubtful signal is refused, and traded."""
    judge = Pilot._judge

    async def judged(pilot: Pilot, strand: Strand, signal: Signal, now_ns: int) -> None:
        await judge(pilot, strand, signal, now_ns)
        if signal.symbol not in strand.section.symbols or pilot.stances.stance(signal.symbol).working:
            return
        sure = msgspec.structs.replace(signal, model=signal.model or strand.name)
        market, plan = pilot.market(signal.symbol), pilot.plan(signal.symbol)
        answer = pilot_module.manage(sure, Stance(), market, plan, strand.conduct)
        if isinstance(answer, Enter):
            await pilot_module.act(pilot._trader, signal.symbol, answer)

    patch.setattr(Pilot, "_judge", judged)


def forget_the_cooldown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SignalGate, "entered", lambda gate, symbol, now_ns: None)


def enter_over_what_is_held(patch: pytest.MonkeyPatch) -> None:
    """What is held is not seen: each signal opens."""
    stance = Stances.stance

    def blind(stances: Stances, symbol: str) -> Stance:
        seen = stance(stances, symbol)
        return seen if seen.busy else Stance()

    patch.setattr(Stances, "stance", blind)


def trade_for_another_section(patch: pytest.MonkeyPatch) -> None:
    """A section's symbols are looked at by nobody."""
    objection = SignalGate._objection

    def open_gate(gate: SignalGate, *said: Any) -> Refusal | None:
        gate.rules = msgspec.structs.replace(gate.rules, symbols=TICKERS)
        return objection(gate, *said)

    patch.setattr(SignalGate, "_objection", open_gate)


def ask_too_fast(patch: pytest.MonkeyPatch) -> None:
    """Twice as often as it may."""

    def hasty(pace: Pace, per_minute: float) -> None:
        pace._interval_s = 30.0 / per_minute

    patch.setattr(Pace, "no_more_than", hasty)


def swallow_an_error(patch: pytest.MonkeyPatch) -> None:
    """What is wrong with an answer is told to nobody."""
    put = Outbox.put

    def quietly(outbox: Outbox, value: Heard) -> bool:
        return put(outbox, value) if isinstance(value, Signal) else True

    patch.setattr(Outbox, "put", quietly)


def keep_a_fill_from_its_strategy(patch: pytest.MonkeyPatch) -> None:
    """Exits are told to nobody."""
    tell = Hosted._tell_fill

    def told(hosted: Hosted, symbol: str, name: str, move: Any, now_ns: int) -> None:
        if symbol not in TICKERS or not hosted._trader.position(symbol):
            return
        tell(hosted, symbol, name, move, now_ns)

    patch.setattr(Hosted, "_tell_fill", told)


def turn_stop_and_target(patch: pytest.MonkeyPatch) -> None:
    """Stop and target change places, and nobody on the way looks at sides."""
    right = manage_module.bracket_for

    def turned(*said: Any) -> Bracket | Refusal:
        wish = right(*said)
        if isinstance(wish, Refusal):
            return wish
        return msgspec.structs.replace(wish, stop_price=wish.target_price, target_price=wish.stop_price)

    patch.setattr(manage_module, "bracket_for", turned)
    patch.setattr(desk_submit, "_wrong_sides", lambda *said: None)


def double_again(patch: pytest.MonkeyPatch) -> None:
    """A double down that has filled is wished for once more, as if its rest were to wait again; at a price
    that is there to be had.
    """
    stance = Stances.stance

    def forgetful(stances: Stances, symbol: str) -> Stance:
        seen = stance(stances, symbol)
        if not seen.doubled or seen.entering or seen.entry_price is None or seen.target_price is None:
            return seen
        price = ((seen.entry_price + seen.target_price) / 2).quantize(Decimal("0.01"))
        return msgspec.structs.replace(seen, rest=abs(seen.quantity), rest_price=price)

    patch.setattr(Stances, "stance", forgetful)


def miss_the_close(patch: pytest.MonkeyPatch) -> None:
    async def asleep(closing: DayClose, now_ns: int) -> None:
        """Nothing is closed."""

    patch.setattr(DayClose, "look", asleep)


def let_strangers_in(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Receiver, "_right", lambda receiver, given: True)


def take_what_comes(patch: pytest.MonkeyPatch) -> None:
    """The webhook's rate is nobody's."""
    patch.setattr(Bucket, "wait_s", lambda bucket: 0.0)


def lose_a_post(patch: pytest.MonkeyPatch) -> None:
    """What is posted as an alert is thanked for, and forgotten."""
    take = Receiver._take

    def took(receiver: Receiver, raw: dict[str, Any], path: str) -> Any:
        outbox = receiver._outbox
        try:
            if path == "/alert":
                receiver._outbox = Outbox("nowhere", "webhook")
            return take(receiver, raw, path)
        finally:
            receiver._outbox = outbox

    patch.setattr(Receiver, "_take", took)


def judge_by_the_first_limits(patch: pytest.MonkeyPatch) -> None:
    """The gate goes on with the limits that the run began with."""
    patch.setattr(desk_submit, "limits_in_force", lambda turn: turn.gate.limits)


def take_up_anything(patch: pytest.MonkeyPatch) -> None:
    """A file that differs in what only a start takes up is taken up."""
    patch.setattr(reloading_module, "_restart_wanted", lambda old, new: iter(()))


def switch_in_vain(patch: pytest.MonkeyPatch) -> None:
    """A rule that is switched off fires on."""

    def every(engine: Engine, sort: str, symbol: str) -> Any:
        key = symbol if symbol in engine._index.symbols else OTHER
        return [engine._entries[number] for number in engine._index.find(sort, key)]

    patch.setattr(Engine, "_rules_of", every)


AUTO_PLANTS: dict[str, tuple[Plant, str, int]] = {
    plant.__name__: (plant, words, seed)
    for plant, words, seed in (
        (lose_a_signal, "has no fate|have a fate", 0),
        (lose_a_fate, "has no end", 1),
        (count_a_fate_twice, "fates, .* rows", 0),
        (forget_the_journal, "the journal has", 0),
        (act_twice, "has [2-9] trades", 0),
        (judge_again_after_a_restart, "was judged [2-9] times", 0),
        (trade_what_the_gate_refused, "on a signal that was none", 0),
        (forget_the_cooldown, "s after an entry", 1),
        (enter_over_what_is_held, "with .* held", 13),
        (trade_for_another_section, "owns", 20),
        (ask_too_fast, "the API was asked more than", 0),
        (swallow_an_error, "answers are told of", 0),
        (keep_a_fill_from_its_strategy, "steady was not told", 46),
        (turn_stop_and_target, "with stop .*, target", 0),
        (double_again, "was doubled by", 30),
        (let_strangers_in, "answered 202 to a call with 'wrong token'", 0),
        (take_what_comes, "the hook took more than", 14),
        (lose_a_post, "has no fate", 0),
        (judge_by_the_first_limits, "was approved by", 0),
        (take_up_anything, "after no reload", 0),
        (switch_in_vain, "its rule was switched off", 18),
        (miss_the_close, "held at the close, and no flatten", 3),
    )
}
"""Each bug, words of the complaint by which it is to be seen (a pattern), and a seed that saw it once."""
