"""The hours of what is held reach the desk, are asked for when they run out, and nonsense is no hours."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.runtime.scene import SPY, Scene, at_market, until

from tws.desk import StateHours
from tws.model.session import Session


async def test_the_desk_knows_the_hours_of_what_it_trades(scene: Scene) -> None:
    trader = await scene.started()
    con_id = scene.sim.con_id("SPY")
    await until(lambda: con_id in trader.desk.state.hours, "the hours")
    known = trader.desk.state.hours[con_id]
    assert any(session.holds(trader.clock.now_ns()) for session in known.liquid)


async def test_hours_that_run_out_are_asked_for_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tws.runtime.hours.LOOK_S", 0.05)
    trader = await scene.started()
    await (await trader.submit(at_market(10))).entry_filled()
    con_id = scene.sim.con_id("SPY")
    old = (Session(1, 2),)
    await trader.ask(StateHours(con_id=con_id, symbol="SPY", liquid=old))
    await until(lambda: trader.desk.state.hours[con_id].liquid != old, "the broker's word of today")


async def test_so_are_those_of_what_is_followed_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who trades nothing for a week would have no session in the next one, and so no bars."""
    monkeypatch.setattr("tws.runtime.hours.LOOK_S", 0.05)
    trader = await scene.started()
    con_id, old = scene.sim.con_id("SPY"), (Session(1, 2),)
    await trader.ask(StateHours(con_id=con_id, symbol="SPY", liquid=old))
    await until(lambda: trader.desk.state.hours[con_id].liquid != old, "the broker's word of today")


async def test_old_hours_are_asked_for_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exchange may close early on short notice."""
    monkeypatch.setattr("tws.runtime.hours.LOOK_S", 0.05)
    monkeypatch.setattr("tws.runtime.hours.AGAIN_S", 0.0)
    trader = await scene.started()
    await (await trader.submit(at_market(10))).entry_filled()
    told: list[str] = []
    trader.watchlist.on_details(lambda details: told.append(details.contract.symbol))
    await asyncio.sleep(0.2)
    assert told == [], "they are of today"
    monkeypatch.setattr("tws.runtime.hours.STALE_S", 0.05)
    await until(lambda: told, "the broker's word once more")


async def test_hours_that_can_t_be_read_count_as_not_stated(scene: Scene) -> None:
    trader = await scene.started()
    details = await trader.details(SPY)
    con_id = details.contract.con_id
    await until(lambda: con_id in trader.desk.state.hours, "the hours")
    wrong = msgspec.structs.replace(details, liquid_hours="20260105:0930-nonsense", trading_hours="")
    trader._life.hours.learn(wrong)
    await until(lambda: not trader.desk.state.hours[con_id].liquid, "no hours")
    assert trader.failure is None
