"""The levels of tests/integration, as somebody with a TWS runs them: what they say, refuse and leave behind.

A simulated TWS stands in for his, named by TWS_PORT, so that the levels take it for a real one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.docs.test_guide import free_port
from tests.integration.levels import Met
from tests.integration.trading import trading

from tws.clock import to_ns
from tws.config import TWSConfig
from tws.model.order import Side
from tws.simulator import SimulatedTWS, SimulatorOptions

LEVELS = ("-m", "pytest", "tests/integration", "-rs", "-p", "no:cacheprovider", "-m")
SATURDAY_NS = to_ns(datetime(2026, 3, 14, 16, tzinfo=UTC))


@contextlib.asynccontextmanager
async def played(**options: object) -> AsyncIterator[SimulatedTWS]:
    simulator = SimulatedTWS(SimulatorOptions(**{"speed": 10.0} | options))  # type: ignore[arg-type]
    await simulator.start()
    try:
        yield simulator
    finally:
        await simulator.stop()


async def test_reading_levels_say_whom_they_meet_and_place_nothing(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    async with played(unsubscribed=("SPY", "ES=10089")) as tws:
        ran = await run_in_checkout(
            *LEVELS, "basic or market_data", TWS_PORT=str(tws.port), TWS_ACCOUNT="DU1234567"
        )
        assert not tws.exchange.open_orders() and not tws.exchange.executions()
    assert ran.code == 0, ran.out + ran.err
    assert f"\nTWS: host 127.0.0.1, port {tws.port}, client id 1, account DU*****67, mode paper\n" in ran.out
    assert "DU1234567" not in ran.out
    assert "SPY: delayed" in ran.out, "what TWS said stands at the end"


async def test_orders_need_a_word_of_the_user(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    async with played() as tws:
        ran = await run_in_checkout(*LEVELS, "orders or e2e", TWS_PORT=str(tws.port))
        assert tws.bytes_received == 0, "it was not even dialled"
    assert ran.code == 0, ran.out + ran.err
    assert "4 skipped" in ran.out
    assert "TWS_ENABLE_ORDER_TESTS=true" in ran.out


async def test_with_it_they_trade_and_leave_nothing(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    async with played() as tws:
        ran = await run_in_checkout(
            *LEVELS, "orders or e2e", TWS_PORT=str(tws.port), TWS_ENABLE_ORDER_TESTS="true"
        )
        assert not tws.exchange.open_orders()
        assert [row.quantity for row in tws.exchange.positions() if row.quantity] == []
        assert len(tws.exchange.executions()) == 2
    assert ran.code == 0, ran.out + ran.err
    assert "4 passed" in ran.out


async def test_a_closed_market_is_no_failure(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    async with played(hours="exchange", start_ns=SATURDAY_NS, speed=1.0) as tws:
        ran = await run_in_checkout(*LEVELS, "e2e", TWS_PORT=str(tws.port), TWS_ENABLE_ORDER_TESTS="true")
        assert not tws.exchange.executions()
    assert ran.code == 0, ran.out + ran.err
    assert "closed until 2026-03-16 13:30 UTC" in ran.out


@pytest.mark.parametrize(
    ("options", "variables", "said"),
    [
        ({"accounts": ("U7654321",)}, {}, "U7****21 is no paper account"),
        ({"accounts": ("DU1", "U7654321")}, {}, "U7****21 is no paper account"),
        ({"read_only": True}, {}, "Read-Only API"),
        ({}, {"TWS_PORT": "7496", "TWS_TRADING_MODE": "live"}, "port 7496 is one of live trading"),
    ],
)
async def test_what_is_live_or_read_only_is_not_traded(run_in_checkout, options, variables, said) -> None:  # type: ignore[no-untyped-def]
    async with played(**options) as tws:
        named = {"TWS_PORT": str(tws.port), "TWS_ENABLE_ORDER_TESTS": "true"} | variables
        ran = await run_in_checkout(*LEVELS, "orders or e2e", **named)
        assert not tws.exchange.open_orders() and not tws.exchange.completed_orders()
    assert ran.code == 1, ran.out + ran.err
    assert said in ran.out
    assert "passed" not in ran.out


async def test_without_a_tws_the_doctor_says_why(run_in_checkout) -> None:  # type: ignore[no-untyped-def]
    ran = await run_in_checkout(*LEVELS, "basic", "-x", TWS_PORT=str(free_port()))
    assert ran.code == 1, ran.out + ran.err
    assert "listener: " in ran.out or "connection: " in ran.out, "a stage of the doctor"
    assert "Cure: " in ran.out


# -- nothing is left, however a test ends


class Broken(Exception):
    """What a test may fail with in the middle."""


def meeting(tws: SimulatedTWS, tmp_path: Path) -> Met:
    return Met(TWSConfig(port=tws.port, client_id=7), False, tmp_path / "guard.sqlite3", [])


@pytest.mark.parametrize("fault", ["", "cut"])
async def test_an_order_of_a_test_that_broke_is_cancelled(tmp_path: Path, fault: str) -> None:
    async with played() as tws:
        with pytest.raises(Broken):
            async with trading(meeting(tws, tmp_path)) as trader:
                order = await trader.far_buy()
                await trader.acknowledged(order, await trader.place(order))
                assert tws.exchange.open_orders()
                if fault:
                    tws.faults.play(fault)
                raise Broken
        assert not tws.exchange.open_orders()


async def test_a_share_of_a_test_that_broke_is_sold(tmp_path: Path) -> None:
    async with played() as tws:
        with pytest.raises(Broken):
            async with trading(meeting(tws, tmp_path)) as trader:
                order = await trader.marketable(Side.BUY)
                await trader.place(order)
                await trader.acknowledged(order, trader.connection.get_next_order_id() or 0)
                raise Broken
        assert [row.quantity for row in tws.exchange.positions() if row.quantity] == []
        assert len(tws.exchange.executions()) == 2


async def test_what_can_not_be_undone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tws.certify.trader.WAIT_S", 0.3)
    async with played() as tws:
        with pytest.raises(pytest.fail.Exception, match="LEFT BEHIND, still working: orders"):
            async with trading(meeting(tws, tmp_path)) as trader:
                order = await trader.far_buy()
                await trader.acknowledged(order, await trader.place(order))
                tws.faults.play("swallow", request="CancelOrderRequest", count=1000)
        assert len(tws.exchange.open_orders()) == 1
