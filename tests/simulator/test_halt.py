"""A halted instrument: tick type 49, no market, and orders that wait (TWS-BEHAVIOUR.md E)."""

from __future__ import annotations

from tests.runtime.scene import Scene, at_market, until

from tws.model.contract import stock


async def test_a_halt_is_told_and_nothing_fills_until_it_ends(tmp_path) -> None:  # type: ignore[no-untyped-def]
    scene = Scene(tmp_path)
    await scene.open()
    try:
        trader = await scene.started()
        quotes = await trader.stream(stock("SPY"))
        await until(lambda: quotes.halted == 0, "trading")
        trade = await trader.submit(at_market(10))
        assert await trade.entry_filled() == 10
        scene.sim.halt("SPY", 2)
        await until(lambda: quotes.halted == 2, "the halt")
        assert quotes.quote.halted == 2 and quotes.quote.bid is None
        scene.sim.quote("SPY", bid=104.0, ask=104.02)
        assert len(scene.open_refs()) == 2, "the target must not fill in a halted market"
        scene.sim.halt("SPY", 0)
        await until(lambda: quotes.halted == 0 and quotes.quote.bid is not None, "the end of the halt")
        scene.sim.quote("SPY", bid=104.0, ask=104.02)
        await until(lambda: scene.broker_position() == 0, "the target fills")
    finally:
        await scene.close()
