"""Limits of a whole trader against a simulated TWS: what the account can pay, and what a human changes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.runtime.scene import Scene, SimLimits, at_market, until

from tws.desk import ChangeLimits
from tws.risk import Limits
from tws.simulator import SimulatedTWS, SimulatorOptions


async def test_the_accounts_buying_power_is_heard_and_bounds_entries(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    options = SimulatorOptions(market=scene.market(), limits=SimLimits.off(), cash=Decimal(10_000))
    scene.sim = SimulatedTWS(options)
    await scene.open()
    try:
        trader = await scene.started()
        account = trader.desk.state.account

        def stated() -> Decimal | None:
            return trader.desk.look(trader.clock.now_ns()).reckoned.stated("BuyingPower", account)

        await until(lambda: stated() is not None, "TWS states the buying power")
        power = stated()
        assert power is not None and 10_000 <= power <= 50_000
        too_much = await trader.submit(at_market(int(power / 100) + 1))
        assert too_much.denial is not None and too_much.denial.limit == "buying_power"
        fits = await trader.submit(at_market(int(power / 101)))
        assert fits.denial is None
    finally:
        await scene.close()


async def test_what_a_human_changes_holds_after_a_restart(scene: Scene) -> None:
    trader = await scene.started()
    await trader.ask(ChangeLimits(operator="ann", reason="a small day", changes={"max_order_quantity": "5"}))
    await trader.stop()
    again = await scene.started()
    trade = await again.submit(at_market(6))
    assert trade.denial is not None
    assert (trade.denial.limit, trade.denial.bound) == ("max_order_quantity", "5")
    await again.stop()
    other = await scene.started(limits=Limits(stale_quote_s=3600, max_order_quantity=7))
    assert (await other.submit(at_market(7))).denial is None, "another configuration is the newer word"
