"""An exercise in virtual time: the link goes, or the trader is killed, at any of its steps around it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from tests.world.mix import End
from tests.world.scenario import Scenario

from tws.desk import SubmitOrder
from tws.model.contract import Contract
from tws.model.exercise import Exercise
from tws.model.order import Side
from tws.model.records import Exercised, Intended
from tws.risk import Limits
from tws.runtime import Trader
from tws.simulator import ToldSettings

AT_S = 30.0
TAKEN = 2
"""Of three options that are held."""


class Options(Scenario):
    """Buys three calls, and at `AT_S` exercises two of them; then `after`."""

    symbols = ("SPY", "SLV")
    limits = Limits(max_order_quantity=1000, max_position=1000, max_order_notional=1_000_000,
                    max_position_notional=None, max_symbol_notional=None, max_net_notional=None,
                    max_gross_notional=None, price_collar=None, stale_quote_s=3600)  # fmt: skip
    exercise = "final"

    def __init__(self, *ends: End) -> None:
        super().__init__(1, *ends)
        self.mix.options["settings"] = ToldSettings(exercise=self.exercise)  # type: ignore[arg-type]
        self.wished = False
        self.carried = 0
        """How many contracts the broker has carried out."""

    async def _open_tws(self) -> None:
        await super()._open_tws()
        corporate = self.simulator.exchange.corporate
        carry_out = corporate.exercise

        def counted(account: str, con_id: int, contracts: Decimal, under_con_id: int, now_ns: int) -> Any:
            self.carried += int(contracts)
            self.human._added[under_con_id] += 100 * int(contracts)  # nobody takes these shares back
            return carry_out(account, con_id, contracts, under_con_id, now_ns)

        corporate.exercise = counted  # type: ignore[method-assign]

    async def play(self, trader: Trader) -> None:
        if self.starts > 1:
            return  # a later life: what the first one has begun comes out by itself
        contract = Contract(symbol="SPY")
        quote = await trader.quote(contract)
        chains = await trader.connection.request_option_chain(contract)
        chain = next(each for each in chains if each.exchange == "SMART")
        assert quote.bid is not None
        inside = max(strike for strike in chain.strikes if strike < quote.bid * 0.9)
        call = Contract(symbol="SPY", sec_type="OPT", last_trade_date=max(chain.expirations), strike=inside,
                        right="C", exchange="SMART", currency="USD")  # fmt: skip
        await trader.quote(call)
        instrument = await trader.instrument(call)
        await trader.ask(SubmitOrder(instrument=instrument, side=Side.BUY, quantity=Decimal(3)))
        while trader.desk.state.net(instrument.contract) != 3:  # noqa: ASYNC110 - the market says when
            await asyncio.sleep(0.5)
        await asyncio.sleep(AT_S - self.world.loop.time())
        self.wished = True
        answer = await trader.exercise(call, Exercise(quantity=TAKEN))
        assert answer.denial is None, answer.denial
        await self.after(trader)

    async def after(self, trader: Trader) -> None:
        """What happens when its bytes were handed to the socket."""

    def _unknowns(self, trader: Trader) -> list[str]:
        """What is guarded is not the question: what an exercise brings has no stop."""
        state = trader.desk.state
        unbooked = [each for each in state.book.exercises if state.book.orders[each].live]
        return self._out_of_step(trader) + unbooked + [f"{each} owes" for each in state.book.owing]

    def judged(self) -> list[str]:
        """Complaints; and whether what the broker carried out was booked once, and all else not at all."""
        outcome = self.run()
        records = self.witness.records
        booked = sum(int(each.quantity) for each in records if isinstance(each, Exercised))
        intents = [each for each in records if isinstance(each, Intended) and each.exercise]
        # The third reckoning of `tests.world.money` knows what has no multiplier alone.
        found = [each for each in outcome.complaints if "by whole numbers" not in each]
        if booked != self.carried:
            found.append(f"{booked} are booked, {self.carried} were carried out")
        if len(intents) > 1 or self.carried > TAKEN:
            found.append(f"exercised more than once: {len(intents)} intents, {self.carried} contracts")
        return found


def test_an_exercise_is_booked_and_what_it_brings_is_flattened() -> None:
    house = Options()
    assert house.judged() == []
    assert house.carried == TAKEN


def test_bytes_that_were_lost_on_the_way_exercise_nothing() -> None:
    class LostOnTheWay(Options):
        async def after(self, trader: Trader) -> None:
            self.world.network.cut_all()

    house = LostOnTheWay()
    assert house.judged() == []
    assert house.carried == 0


def test_the_link_goes_when_tws_has_it() -> None:
    """The answer, and the positions, come in another session."""

    class CutBehindIt(Options):
        async def after(self, trader: Trader) -> None:
            while not self.carried:  # noqa: ASYNC110 - the broker says when
                await asyncio.sleep(0.001)
            self.world.network.cut_all()

    house = CutBehindIt()
    assert house.judged() == []
    assert house.carried == TAKEN


def test_a_kill_at_any_step_doubles_and_loses_nothing() -> None:
    """So many callbacks about the wish: before the commit, between that and the bytes, behind them."""
    met = set()
    for steps in range(12):
        house = Options(End(at_s=AT_S, steps=steps, down_s=3.0))
        assert (house.judged(), house.wished, house.lives) == ([], True, 2), steps
        known = any(isinstance(each, Intended) and each.exercise for each in house.witness.records)
        met.add((known, house.carried))
    assert met == {(False, 0), (True, 0), (True, TAKEN)}, "each of the three is tried"
