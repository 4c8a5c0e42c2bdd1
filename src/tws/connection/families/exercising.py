"""Options that are held: exercised, or let lapse. Guarded as an order is.

The call takes an order id, since TWS answers with one: it shows what it took as an order of that id, LMT at
0.0, PreSubmitted (recorded from a paper Gateway), or refuses with an error of that id (322 for an exercise
out of the money, recorded). Positions tell what became of it: an exercise makes no execution that we know.
"""

from __future__ import annotations

from msgspec.structs import replace

from tws.connection.families.base import first
from tws.connection.families.whatif import WhatIfQuestions
from tws.connection.hearing.replies import Reply
from tws.model.contract import Contract
from tws.model.exercise import Exercise, ExerciseAction
from tws.model.facts import BrokerOrder

__all__ = ["ExerciseCalls"]


class ExerciseCalls(WhatIfQuestions):
    """What the holder of options can tell TWS to do."""

    def exercise_options(self, contract: Contract, wish: Exercise) -> Reply[BrokerOrder]:
        """Exercise options that an account holds (or let them lapse, as `wish` says).

        The answer is the order as which TWS shows what it took: `cancel_order` takes it back as long as TWS
        has it so. OrderDeniedError when the gate refuses (limits, live lock, a desk that owns the orders);
        no byte left then. RequestError when TWS refuses: 322 against the natural action without
        `override`, 201, 321. RequestTimeoutError and LinkLostError say nothing about what TWS did: look at
        the positions.
        """
        self._must_be_ready()
        engine = self._engine
        number = engine.order_ids.take()
        assert number is not None  # a ready session has one
        named = replace(wish, account=self._account_or_first(wish.account))

        def send() -> None:
            frame, call = engine.encoder.exercise(number, contract, named)
            self._until_written(number, engine.outbound.submit(frame, call))

        name = f"{named.action.name.lower()} under order id {number}"
        return engine.answers.requests.ask(number, name, first, send)

    def lapse_options(self, contract: Contract, wish: Exercise) -> Reply[BrokerOrder]:
        """The same with `ExerciseAction.LAPSE`: give the options up when they expire."""
        return self.exercise_options(contract, replace(wish, action=ExerciseAction.LAPSE))

