"""Limits in the account's own currency: a simulated TWS states its rates over a socket, as TWS does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.runtime.scene import Scene, at_market, until

from tws.clock import SystemClock
from tws.model.contract import stock
from tws.model.order import Bracket, bracket
from tws.risk import Limits
from tws.runtime import Trader
from tws.simulator.market import ManualMarket
from tws.simulator.universe import Universe

SAP_ID = 14204  # SAP SE at XETRA, in euros
SAP = stock("SAP", currency="EUR")


class Abroad(Scene):
    """SPY beside a share in euros, and an account in dollars."""

    def market(self) -> ManualMarket:
        universe = Universe()
        abroad = universe.get(SAP_ID)
        assert abroad is not None
        return ManualMarket([universe.add("SPY"), abroad], SystemClock().now_ns())

    async def open(self) -> None:
        _, self.port = await self.sim.start()
        self.sim.quote("SPY", bid=99.99, ask=100.01)
        self.sim.quote(SAP_ID, bid=99.98, ask=100.02)

    async def started(self, **parts: object) -> Trader:
        trader = await super().started(**parts)
        await trader.quote(SAP)
        await until(lambda: base_of(trader), "TWS states the account's base currency")
        return trader

    def deposit(self, euros: int) -> None:
        """From then on TWS states a rate: it does so of each currency of which an account has a ledger."""
        sim = self.sim
        account = sim.options.accounts[0]
        sim.core.tell(sim.exchange.corporate.deposit(account, "EUR", Decimal(euros), sim.now_ns()))


@pytest.fixture
async def abroad(tmp_path: Path) -> AsyncIterator[Abroad]:
    scene = Abroad(tmp_path)
    await scene.open()
    yield scene
    await scene.close()


def euros(quantity: int) -> Bracket:
    return bracket(SAP, "BUY", quantity, target=103, stop=97)


def money(trader: Trader):  # type: ignore[no-untyped-def]
    return trader.desk.look(trader.clock.now_ns()).reckoned.rates.of(trader.desk.state.account)


def base_of(trader: Trader) -> str:
    return money(trader).base


async def test_an_order_in_euros_is_judged_in_the_accounts_dollars(abroad: Abroad) -> None:
    abroad.deposit(500)
    trader = await abroad.started(limits=Limits(stale_quote_s=3600, max_order_notional=10_100))
    await until(lambda: money(trader).rate("EUR"), "TWS states the rate of the euro")
    rate = money(trader).rate("EUR")
    assert base_of(trader) == "USD" and Decimal("1.05") < rate < Decimal("1.15")
    denied = await trader.submit(euros(100))
    assert denied.denial is not None and denied.denial.limit == "max_order_notional"
    assert Decimal(denied.denial.figure) == Decimal("100.02") * 100 * rate
    assert (await trader.submit(at_market(100))).denial is None, "as many dollars do pass"
    assert (await trader.submit(euros(90))).denial is None


async def test_no_entry_in_euros_leaves_before_their_rate_is_stated(abroad: Abroad) -> None:
    trader = await abroad.started()
    denied = await trader.submit(euros(1))
    assert denied.denial is not None
    assert (denied.denial.limit, denied.denial.figure) == ("max_order_notional", "no exchange rate of EUR")
    abroad.deposit(500)
    await until(lambda: money(trader).rate("EUR"), "TWS states the rate of the euro")
    assert (await trader.submit(euros(10))).denial is None
