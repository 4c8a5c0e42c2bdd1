"""Nothing is placed where it must not be, and nothing is left, however a certification ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Literal

import pytest
from tests.certify.conftest import Play, Start

from tws.certify.run import CertifyOptions, certify
from tws.config import TWSConfig
from tws.connection import TWSConnection
from tws.errors import ConfigError
from tws.model.contract import stock
from tws.model.order import Order, OrderType, Side
from tws.recording import Frame, read
from tws.simulator import SimulatedTWS

RESTS = "a limit order rests and is cancelled"
MARKET = "a market order is filled, and its share sold"


async def owner(
    tws: SimulatedTWS, tmp_path: Path, price: int, until: Literal["acknowledged", "ended"]
) -> None:
    """Somebody else's client places an order of SPY and goes."""
    config = TWSConfig(port=tws.port, client_id=5)
    async with TWSConnection(config, journal=tmp_path / "other.sqlite3") as connection:
        spy = await connection.request_contract(stock("SPY"))
        buy = Order(
            side=Side.BUY, quantity=Decimal(3), order_type=OrderType.LIMIT, limit_price=Decimal(price)
        )
        sending = await connection.place_order(spy.contract, buy)
        await connection.wait_order(sending, until=until)


@pytest.mark.parametrize("port", [7496, 4001])
async def test_a_live_port_is_not_dialled(tmp_path: Path, port: int) -> None:
    with pytest.raises(ConfigError, match=f"port {port} is one of live trading"):
        await certify(CertifyOptions(folder=tmp_path / "p", port=port), lambda: None, lambda *t: None)  # type: ignore[arg-type, return-value]


async def test_a_live_account_is_neither_read_nor_traded(start: Start, play: Play, tmp_path: Path) -> None:
    tws = await start(accounts=("DU1234567", "U7654321"))
    with pytest.raises(ConfigError, match=r"U7\*\*\*\*21 is no paper account"):
        await play(tws, orders=False, folder=tmp_path / "pack")
    assert not tws.exchange.completed_orders()
    assert not (tmp_path / "pack").exists()


async def test_what_somebody_holds_is_not_touched(start: Start, play: Play, tmp_path: Path) -> None:
    tws = await start()
    await owner(tws, tmp_path, 9999, "ended")
    with pytest.raises(ConfigError, match=r"3 of it are held in DU\*\*\*\*\*67"):
        await play(tws, RESTS)
    assert len(tws.exchange.executions()) == 1


async def test_orders_of_others_are_not_traded_beside(start: Start, play: Play, tmp_path: Path) -> None:
    tws = await start()
    await owner(tws, tmp_path, 1, "acknowledged")
    with pytest.raises(ConfigError, match="1 orders that are not ours work in it"):
        await play(tws, RESTS)
    assert len(tws.exchange.open_orders()) == 1


async def test_a_read_only_api_is_said(start: Start, play: Play) -> None:
    tws = await start(read_only=True)
    with pytest.raises(ConfigError, match="read-only"):
        await play(tws, RESTS)


async def test_without_a_word_nothing_is_placed(start: Start, play: Play) -> None:
    tws = await start()
    report = await play(tws, RESTS, "the clock", orders=False)
    assert report["verdict"] == "same"
    assert [row["why"] for row in report["scenarios"] if row["family"] == "orders"] == [
        "orders were not allowed (--orders)"
    ]
    assert not tws.exchange.completed_orders()


# -- the end


async def test_an_interruption_takes_back_what_stands_and_is_resumed(
    start: Start, play: Play, tmp_path: Path
) -> None:
    tws = await start()
    names = ("session: the clock", RESTS, "orders: a stop rests and is cancelled")
    tws.faults.play("swallow", request="CancelOrderRequest")  # the scenario waits for its cancel, in vain
    task = asyncio.ensure_future(play(tws, *names, folder=tmp_path / "pack"))
    while not tws.exchange.open_orders():  # noqa: ASYNC110  the exchange tells nobody
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not tws.exchange.open_orders()
    assert not (tmp_path / "pack.zip").exists()

    report = await play(tws, *names, folder=tmp_path / "pack", resume=True)
    assert report["verdict"] == "same"
    assert report["counts"] == {"played": len(report["scenarios"]), "differ": 0, "not_played": 0}


async def test_a_share_that_a_broken_scenario_bought_is_sold(start: Start, play: Play) -> None:
    tws = await start()
    tws.faults.play("late-commission", delay=0, count=1)
    report = await play(tws, MARKET, patience_s=0.5)
    assert report["verdict"] == "differs"
    assert [row for row in tws.exchange.positions() if row.quantity] == []
    assert len(tws.exchange.executions()) == 2


async def test_a_cut_in_the_middle_leaves_nothing(start: Start, play: Play) -> None:
    tws = await start()
    tws.faults.play("cut", on="order placed")
    report = await play(tws, RESTS, "the clock", patience_s=0.5)
    assert not tws.exchange.open_orders()
    assert report["verdict"] == "differs"
    assert [row["verdict"] for row in report["scenarios"] if row["name"] == "the clock"] == ["same"]


async def test_what_can_not_be_taken_back_is_named(
    start: Start, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.certify.trader.WAIT_S", 0.3)
    tws = await start()
    tws.faults.play("swallow", request="CancelOrderRequest", count=1000)
    report = await play(tws, RESTS, patience_s=0.3)
    assert len(tws.exchange.open_orders()) == 1
    assert "LEFT BEHIND, still working: orders" in report["left_behind"][0]


async def test_a_closed_market_is_said_and_played_another_day(
    start: Start, play: Play, tmp_path: Path
) -> None:
    saturday = int(datetime(2026, 3, 14, 16, tzinfo=UTC).timestamp()) * 10**9
    names = ("session: the clock", RESTS)
    closed = await start(hours="exchange", start_ns=saturday)
    report = await play(closed, *names, folder=tmp_path / "pack")
    assert [(row["verdict"], row["why"]) for row in report["scenarios"] if row["family"] == "orders"] == [
        ("not played", "the market of SPY is closed until 2026-03-16 13:30 UTC")
    ]
    report = await play(await start(), *names, folder=tmp_path / "pack", resume=True)
    assert report["counts"]["not_played"] == 0
    assert report["verdict"] == "same"


async def test_an_order_behind_a_dialog_is_named_where_no_cancel_helps(
    start: Start, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tws.certify.trader.WAIT_S", 0.3)
    tws = await start()
    tws.faults.play("popup", count=1000)
    tws.faults.play("swallow", request="CancelOrderRequest", count=1000)
    report = await play(tws, "orders: ", patience_s=0.2)
    said = {row["why"] for row in report["scenarios"] if row["verdict"] == "not played"}
    assert any("LEFT BEHIND, perhaps: TWS has said nothing of orders" in why for why in said), said
    assert report["left_behind"]
    assert tws.faults.answer_dialog(False)
    assert not tws.exchange.executions()


async def test_a_tws_that_answers_no_order_is_not_asked_a_hundred_times(start: Start, play: Play) -> None:
    tws = await start()
    tws.faults.play("silent-order", count=1000)  # they work, and nothing is said of them unless one asks
    report = await play(tws, "orders: ", patience_s=0.2)
    said = [row["why"] for row in report["scenarios"] if row["verdict"] == "not played"]
    assert len(said) == len(report["scenarios"]) - 3
    assert all("came to no end: does TWS show a dialog?" in why for why in said)
    assert not tws.exchange.open_orders()


async def test_what_tws_says_is_redacted_in_the_report_too(start: Start, play: Play, tmp_path: Path) -> None:
    tws = await start(accounts=("DU7123456",), trusted=("127.0.0.1", "192.168.77.5"))
    text = "No market data permissions for DU7123456, Ann Trader"
    tws.faults.play("answer-error", request="MarketDataRequest", code=354, text=text)
    report = await play(tws, "a snapshot", words=("Ann Trader",), folder=tmp_path / "pack")
    (row,) = report["scenarios"]
    assert row["why"] == "TWS says 354: No market data permissions for DU0000001, xxxxxxxxxx"
    for each in (tmp_path / "pack").iterdir():
        told = each.read_bytes()
        if each.suffix == ".jsonl":
            told += b"".join(one.payload for one in read(each).entries if isinstance(one, Frame))
        assert not [word for word in (b"7123456", b"Ann", b"192.168.77.5") if word in told], each


async def test_a_limit_that_is_reached_is_no_difference(start: Start, play: Play) -> None:
    tws = await start()
    text = "Max number of tick-by-tick requests has been reached"
    tws.faults.play("answer-error", request="TickByTickRequest", code=10190, text=text)
    report = await play(tws, "tick by tick: trades")
    assert [row["why"] for row in report["scenarios"]] == [f"TWS says 10190: {text}"]


async def test_what_a_login_may_not_see_is_no_difference(start: Start, play: Play) -> None:
    tws = await start(unsubscribed=("STK",), delayed_data=False)
    report = await play(tws, "market data: a line", "market data: a snapshot")
    assert {row["verdict"] for row in report["scenarios"]} == {"not played"}
    assert all("TWS says" in row["why"] for row in report["scenarios"])
