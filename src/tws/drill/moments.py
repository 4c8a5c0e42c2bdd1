"""The ten awkward moments. Each sets up, stops, and judges by the broker's books; what is wrong is noted.

Some must end NOT FLAT: a closed market and a halted symbol, where the stops stay and the close is armed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from tws.clock import NS_PER_S
from tws.connection import Sending, SendState
from tws.desk import Verdict
from tws.drill.frozen import frozen_trader
from tws.drill.stage import OPERATOR, BadDisk, Stage, the_day
from tws.drill.waking import second_trader
from tws.model.contract import stock
from tws.model.order import bracket
from tws.model.stop import KillState

__all__ = ["MOMENTS", "Moment"]

Moment = Callable[[Path], Awaitable[Stage]]


async def mid_bracket(folder: Path) -> Stage:
    """The first order of a bracket has left, its two children have not."""
    async with Stage(folder) as stage:
        trader = await stage.start()
        await trader.quote(stock("SPY"))
        outbound = trader.connection.outbound

        def hold_the_children(sending: Sending) -> None:
            if sending.state is SendState.WRITTEN:
                listening()
                outbound.hold()

        listening = outbound.on_sent(hold_the_children)
        wish = bracket(stock("SPY"), "BUY", 100, limit=98.0, stop=95.0, target=103.0)
        trade = await trader.submit(wish)
        stage.check(len(outbound) == 2, f"{len(outbound)} orders of the bracket wait, not its two children")
        report = await trader.kill(reason="mid-bracket", operator=OPERATOR, flatten=True)
        outbound.release()
        stage.flat(report)
        stage.check(trade.over, "an order of the bracket may still act")
    return stage


async def mid_partial_fill(folder: Path) -> Stage:
    """Forty of an entry's hundred shares are bought, the rest works."""
    async with Stage(folder) as stage:
        trader = await stage.start()
        stage.quote("SPY", ask_size=40)
        await trader.quote(stock("SPY"))
        await trader.submit(bracket(stock("SPY"), "BUY", 100, limit=100.01, stop=97.0, target=103.0))
        await stage.until(lambda: stage.held() == 40, "forty shares")
        report = await trader.kill(reason="mid-partial-fill", operator=OPERATOR, flatten=True)
        stage.flat(report)
    return stage


async def during_1100(folder: Path) -> Stage:
    """TWS has lost IB: nothing can be closed now, and all is as soon as the line is back."""
    async with Stage(folder) as stage:
        trader = await stage.start()
        await stage.hold()
        await stage.wait_entry()
        stage.tws.faults.play("connectivity-lost", lasts="")
        await stage.until(lambda: not trader.desk.state.link_up, "1100")
        report = await trader.kill(reason="1100", operator=OPERATOR, flatten=True, answer_s=2.0)
        stage.answered(report)
        stage.check(report.verdict is Verdict.NOT_FLAT, f"without a line it answered {report.verdict}")
        stage.check("broker lost" in report.sentences()[1], "the answer does not name the lost line")
        stage.protected("SPY", 100)
        stage.tws.faults.stop("connectivity-lost")
        await stage.until(lambda: trader.desk.state.kill.state is KillState.LATCHED, "the end of the stop")
        stage.is_flat()
    return stage


async def disk_full(folder: Path) -> Stage:
    """No record can be committed: the stop rests on the safety file."""
    async with Stage(folder) as stage:
        disk = BadDisk(folder / "journal.sqlite3")
        trader = await stage.start(store=disk)
        await stage.hold()
        await stage.wait_entry()
        disk.full = True
        report = await trader.kill(reason="disk full", operator=OPERATOR, flatten=True)
        stage.flat(report)
        stage.check(stage.safety.emergency_read(), "what left is remembered nowhere")
        await _merges(stage)
    return stage


async def journal_locked(folder: Path) -> Stage:
    """A commit hangs, since somebody holds the database: the stop does not wait for it."""
    async with Stage(folder) as stage:
        disk = BadDisk(folder / "journal.sqlite3")
        trader = await stage.start(store=disk)
        await stage.hold()
        await stage.wait_entry()
        disk.locked = True
        report = await trader.kill(reason="journal locked", operator=OPERATOR, flatten=True)
        stage.flat(report)
        stage.check(stage.safety.emergency_read(), "what left is remembered nowhere")
        disk.locked = False
        await _merges(stage)
    return stage


async def _merges(stage: Stage) -> None:
    """The next trader finds what the emergency did, latched, with nothing sent twice."""
    await stage.trader.stop()
    seen = len(stage.tws.exchange.completed_orders())
    again = await stage.start()
    stage.check(again.desk.state.kill.state is not KillState.ACTIVE, "the next trader is not latched")
    stage.check(not stage.safety.emergency_read(), "emergency records were not merged into the journal")
    stage.check(again.flat(), "the next trader believes that something is held or open")
    stage.check(len(stage.tws.exchange.completed_orders()) == seen, "the next trader sent an order")


async def market_closed(folder: Path) -> Stage:
    """After the close: the stop at the broker stays, the close is armed, and goes at the open."""
    day = the_day()
    async with Stage(folder, start_ns=day.close_ns - 3600 * NS_PER_S) as stage:
        trader = await stage.start()
        await stage.hold()
        await stage.tws.set_clock(day.close_ns + 60 * NS_PER_S)
        report = await trader.kill(reason="closed", operator=OPERATOR, flatten=True)
        stage.answered(report)
        stage.check(report.verdict is Verdict.HALTED_NOT_FLAT, f"it answered {report.verdict}")
        stage.check(report.remainders and "closed until" in report.remainders[0].reason, "no reason is given")
        stage.protected("SPY", 100)
        await stage.tws.set_clock(day.open_ns + 24 * 3600 * NS_PER_S + 1)
        stage.quote("SPY")
        await stage.until(lambda: trader.desk.state.kill.state is KillState.LATCHED, "flat after the open")
        stage.is_flat()
    return stage


async def halted_symbol(folder: Path) -> Stage:
    """One symbol is halted, the other trades: the one keeps its stop, the other is closed."""
    async with Stage(folder) as stage:
        trader = await stage.start()
        await stage.hold("SPY")
        await stage.hold("QQQ", 50)
        stage.tws.halt("SPY")
        con_id = stage.tws.con_id("SPY")
        await stage.until(lambda: trader.desk.quotes[con_id].halted == 1, "tick type 49")
        report = await trader.kill(reason="halted", operator=OPERATOR, flatten=True)
        stage.answered(report)
        stage.check(report.verdict is Verdict.HALTED_NOT_FLAT, f"it answered {report.verdict}")
        stage.check([each.symbol for each in report.remainders] == ["SPY"], "SPY alone should be left")
        stage.protected("SPY", 100)
        stage.check(stage.held("QQQ") == 0, f"{stage.held('QQQ')} QQQ are left")
        stage.tws.halt("SPY", 0)
        await stage.until(lambda: trader.desk.state.kill.state is KillState.LATCHED, "flat after the halt")
        stage.is_flat()
    return stage


async def manual_holdings(folder: Path) -> Stage:
    """Three hundred shares were bought by hand beside ours, and a manual order works."""
    async with Stage(folder) as stage:
        stage.tws.faults.play("manual-order", symbol="SPY", quantity=300)
        await stage.until(lambda: stage.held() == 300, "the shares bought by hand")
        trader = await stage.start()
        await stage.hold()
        stage.tws.faults.play("manual-order", symbol="QQQ", quantity=7, price=40.0)
        report = await trader.kill(reason="beside others", operator=OPERATOR, flatten=True)
        stage.flat(report, symbols=("QQQ",))
        stage.check(stage.held() == 300, f"{stage.held()} SPY are left of the 300 bought by hand")
        foreign = [view for view in stage.tws.exchange.open_orders() if not view.ticket.order_ref]
        stage.check(len(foreign) == 1, "the manual order was touched")
        stage.check("300 SPY" in report.foreign_holdings, "the answer does not list what was left alone")
    return stage


async def trader_frozen(folder: Path) -> Stage:
    """The trader's process hangs: a second process ends it, takes its client id, and closes."""
    return await frozen_trader(folder)


async def second_waking(folder: Path) -> Stage:
    """A trader that slept through the stop wakes when another has its lease: it sends nothing."""
    return await second_trader(folder)


MOMENTS: dict[str, Moment] = {
    "mid-bracket": mid_bracket,
    "mid-partial-fill": mid_partial_fill,
    "during-1100": during_1100,
    "trader-frozen": trader_frozen,
    "disk-full": disk_full,
    "market-closed": market_closed,
    "halted-symbol": halted_symbol,
    "manual-holdings": manual_holdings,
    "journal-locked": journal_locked,
    "second-waking": second_waking,
}
"""In the order in which they are played."""
