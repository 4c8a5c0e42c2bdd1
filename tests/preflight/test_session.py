"""The pre-flight on real sockets: a healthy TWS, and each thing that would keep a run from being one."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.doctor.scene import simulated
from tests.preflight.scene import TOOLS, about, blockers, connected, one, plan_of, written
from tests.runtime.scene import MarketClock, Scene, at_market, until, working

from tws.clock import to_ns
from tws.model.contract import stock
from tws.model.facts import BrokerOrder
from tws.preflight.found import of_orders
from tws.preflight.line import Weight
from tws.preflight.session import check_session
from tws.risk import Limits
from tws.runtime.parts import TraderParts
from tws.runtime.run import Run


async def test_a_tws_that_is_ready_has_no_blocker(tmp_path: Path) -> None:
    async with simulated() as (simulator, port):
        lines = await connected(written(tmp_path, port))
        assert not blockers(lines)
        assert one(lines, "data").text == "SPY: live"
        assert one(lines, "market SPY").text.startswith("open, closes in")
        assert "used 1" in one(lines, "client id").text
        assert one(lines, "open orders").text == "none is open"
        assert one(lines, "positions").text == "none is held"
        assert "paper" in one(lines, "account").text
        assert about(lines, "calendar") and about(lines, "lease") and about(lines, "day trades")
        await until(lambda: not simulator.sessions, "a clean end of the session")
        assert not simulator.exchange.open_orders()
    assert not (tmp_path / "state").exists(), "a check leaves no state"


@pytest.mark.parametrize("code", [354, 10089])
async def test_data_that_are_not_live_are_a_blocker_with_their_code(tmp_path: Path, code: int) -> None:
    async with simulated(unsubscribed=(f"SPY={code}",)) as (_, port):
        line = one(blockers(await connected(written(tmp_path, port))), "data")
        assert f"code {code}" in line.text and "denied as stale" in line.text


async def test_delayed_data_are_a_warning_where_paper_lets_them_pass(tmp_path: Path) -> None:
    async with simulated(unsubscribed=("SPY",)) as (_, port):
        denied = one(blockers(await connected(written(tmp_path, port))), "data")
        assert "allow_delayed" in denied.cure
        lines = await connected(written(tmp_path, port, more="[paper]\nallow_delayed = true"))
        assert not blockers(lines)
        assert one(lines, "data").weight is Weight.WARNING and "delayed" in one(lines, "data").text


async def test_a_read_only_api_is_a_blocker(tmp_path: Path) -> None:
    async with simulated(read_only=True) as (_, port):
        assert "Read-Only" in one(blockers(await connected(written(tmp_path, port))), "orders").cure


async def test_a_symbol_that_tws_does_not_know_is_a_blocker(tmp_path: Path) -> None:
    async with simulated() as (_, port):
        lines = blockers(await connected(written(tmp_path, port, symbols=("SPY", "NOSUCH"))))
        assert {line.about for line in lines} == {"market NOSUCH", "data"}


async def test_a_live_login_behind_a_paper_configuration_is_a_blocker(tmp_path: Path) -> None:
    async with simulated(accounts=("U7654321",)) as (_, port):
        found = blockers(await connected(written(tmp_path, port)))
        assert {"account", "unlock"} <= {line.about for line in found}
        assert not any("U7654321" in line.text for line in found)


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    lines = await connected(written(tmp_path, port))
    assert blockers(lines)
    assert not about(lines, "positions")


async def test_a_closed_market_says_when_it_opens(tmp_path: Path) -> None:
    """The Sunday before Thanksgiving; the next session is Monday's. Both clocks differ by that, a warning."""
    sunday = to_ns(datetime(2026, 11, 22, 15, 0, tzinfo=UTC))
    async with simulated(hours="exchange", start_ns=sunday) as (_, port):
        lines = await connected(written(tmp_path, port))
        assert one(lines, "market SPY").text == "closed, opens in 23 h 30 min, 2026-11-23 14:30 UTC"
        assert one(lines, "data").weight is not Weight.BLOCKER
        assert one(lines, "clock").weight is Weight.WARNING


async def test_a_future_that_ends_in_days_is_said(tmp_path: Path) -> None:
    """The Monday before the third Friday of December."""
    monday = to_ns(datetime(2026, 12, 14, 15, 0, tzinfo=UTC))
    more = '[contracts]\nES = "FUT 202612 CME"\nNQ = "FUT 202703 CME"'
    async with simulated(start_ns=monday) as (_, port):
        lines = await connected(written(tmp_path, port, symbols=("ES", "NQ"), more=more))
    line = one(lines, "last day")
    assert line.text.startswith("ESZ6: its last trading day 2026-12-18 is in 4 days")
    assert line.weight is Weight.WARNING and "next month" in line.cure


async def test_the_check_of_a_trader_that_runs_disturbs_it_in_nothing(scene: Scene, tmp_path: Path) -> None:
    path = written(tmp_path, scene.port, more="[risk]\nstale_quote_s = 3600")
    plan = plan_of(path)
    run = Run(plan, parts=TraderParts(clock=MarketClock(scene.sim)))
    ready = asyncio.Event()
    going = asyncio.ensure_future(run.go(None, lambda _: ready.set()))
    await ready.wait()
    await (await run.trader.submit(at_market(10))).entry_filled()
    await until(lambda: len(scene.open_refs()) == 2, "stop and target")
    before = scene.all_refs()

    lines = await connected(path)
    assert not blockers(lines)
    lease = one(lines, "lease")
    assert lease.weight is Weight.WARNING and "tws stop" in lease.cure
    assert "used 2" in one(lines, "client id").text
    assert any(line.text.startswith("2 ours: ") for line in about(lines, "open orders"))
    assert one(lines, "positions").text == "SPY: 10 in the account, ours 10"

    assert scene.all_refs() == before and going.done() is False
    run.end("the test is over")
    report = await going
    assert report.good and not report.failure


async def test_what_others_have_at_the_broker_is_told_apart(scene: Scene, tmp_path: Path) -> None:
    other = await scene.started(client_id=9)
    await (await other.submit(at_market(10))).entry_filled()
    await other.quote(stock("QQQ"))
    await other.submit(working(5, "QQQ", 49.0))
    await until(lambda: len(scene.open_refs()) == 5, "an exit pair and a bracket")
    lines = await connected(written(tmp_path, scene.port))
    assert not blockers(lines)
    [theirs] = [line for line in about(lines, "open orders") if "of client id 9" in line.text]
    assert theirs.weight is Weight.WARNING and theirs.text.startswith("5 ")
    held = one(lines, "positions")
    assert held.weight is Weight.WARNING and held.text == "SPY: 10 in the account, ours 0, others' 10"


@pytest.mark.slow
async def test_a_trader_s_id_that_a_stranger_has_is_a_blocker(scene: Scene, tmp_path: Path) -> None:
    await scene.started(client_id=1)  # without a lease: no trader of this configuration
    path = written(tmp_path, scene.port)
    # For so long it is tried again, as somebody's id is free once TWS has noticed that he has gone.
    text = path.read_text(encoding="utf-8").replace("connection_timeout = 20", "connection_timeout = 3")
    path.write_text(text, encoding="utf-8")
    lines = await connected(path)
    assert any("326" in line.text for line in blockers(lines))
    assert "used 2" in one(lines, "client id").text


async def test_it_is_bounded_in_time(tmp_path: Path) -> None:
    async with simulated() as (simulator, port):
        simulator.faults.play("swallow", request="CurrentTimeRequest", count=100)
        lines = await check_session(plan_of(written(tmp_path, port)), 0.5, TOOLS)
        assert "not done within 0.5 s" in one(blockers(lines), "time").text
        await until(lambda: not simulator.sessions, "a clean end of the session")


def broker_order(order_id: int, client_id: int, ref: str = "", symbol: str = "SPY") -> BrokerOrder:
    return BrokerOrder(
        order_id=order_id, perm_id=7, client_id=client_id, account="DU1", contract=stock(symbol), side="BUY",
        quantity=Decimal(5), order_type="LMT", limit_price=Decimal("99.5"), stop_price=None, tif="DAY",
        order_ref=ref, parent_id=0, status="Submitted",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "owner", "weight"),
    [
        (broker_order(0, 0), "1 placed by hand: BUY 5 SPY LMT at 99.5", Weight.WARNING),
        (broker_order(-3, 0), "1 placed by hand", Weight.WARNING),
        (broker_order(4, 1, "t-9"), "1 of this client id, unknown to the journal", Weight.WARNING),
        (broker_order(4, 8), "1 of client id 8", Weight.WARNING),
        (broker_order(4, 8, symbol="GLD"), "1 of client id 8", Weight.OK),
    ],
)
def test_whose_an_order_is(order: BrokerOrder, owner: str, weight: Weight) -> None:
    [line] = of_orders([order], None, 1, ["SPY"])
    assert line.text.startswith(owner) and line.weight is weight
    assert bool(line.cure) is (weight is Weight.WARNING)


async def test_each_question_of_a_trader_has_its_line_and_what_is_wrong_its_cure(tmp_path: Path) -> None:
    """The list of what a pre-flight has to tell, on a TWS that is well."""
    async with simulated() as (_, port):
        lines = await connected(written(tmp_path, port))
        told = {
            "account": "(paper)",
            "orders": "not read-only",
            "settings": "precautions",
            "data": "SPY: live",
            "market SPY": "open, closes in",
            "clock": "TWS says",
            "open orders": "none is open",
            "positions": "none is held",
            "day trades": "any number",
            "limits": "none has latched; an order 10000 shares, 100000 of money, the day's loss 10000",
            "restart": "daily restart of TWS, ",
            "calendar": "next: ",
            "client id": "used 1",
        }
        for name, text in told.items():
            assert text in one(lines, name).text, name
        assert all(line.cure for line in lines if line.weight in (Weight.BLOCKER, Weight.WARNING))
        assert all("\n" not in f"{line.text}{line.cure}" for line in lines), "one line each"


async def test_what_rules_look_at_is_asked_for_too(tmp_path: Path) -> None:
    """Nobody trades it: without its data the rule sees no price, and without it no run comes up."""
    rule = '[[rules]]\nname = "with"\nwhen = "price of {} > 1"\nthen = "ignore"'
    async with simulated(unsubscribed=("QQQ=354",)) as (_, port):
        lines = await connected(written(tmp_path, port, more=rule.format("QQQ")))
        assert not blockers(lines) and about(lines, "market QQQ")
        [line] = [each for each in about(lines, "data") if each.text.startswith("QQQ")]
        assert line.weight is Weight.WARNING and "rules that look at it" in line.text and line.cure
        lines = await connected(written(tmp_path, port, more=rule.format("NOSUCH")))
        assert [each.about for each in blockers(lines)] == ["market NOSUCH"]


async def test_a_limit_that_has_latched_is_a_blocker_with_its_release(scene: Scene, tmp_path: Path) -> None:
    trader = await scene.started(limits=Limits(stale_quote_s=3600, max_entries=1, duplicate_window_s=0.001))
    for _ in range(2):
        trade = await trader.submit(at_market(1))
    assert trade.denial is not None and trade.denial.limit == "max_entries"
    await trader.stop()
    path = written(tmp_path, scene.port, more=f'[journal]\nfile = "{scene.journal.name}"')
    line = one(blockers(await connected(path)), "limits")
    assert "max_entries/SPY" in line.text and "tws risk --release max_entries/SPY" in line.cure


async def test_the_next_restart_is_the_file_s_where_tws_does_not_tell(tmp_path: Path) -> None:
    async with simulated(server_version=200) as (_, port):
        silent = one(await connected(written(tmp_path, port)), "restart")
        assert silent.weight is Weight.SKIPPED and "auto_restart" in silent.cure
        more = '[connection.maintenance]\nauto_restart = "23:45"\nauto_restart_zone = "Europe/Berlin"'
        told = one(await connected(written(tmp_path, port, more=more)), "restart")
        assert told.weight is Weight.OK and told.text.endswith(":45 UTC")
