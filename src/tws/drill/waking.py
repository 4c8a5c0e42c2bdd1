"""A second trader, waking: one that slept through the stop finds that its lease has gone to another.

Both live in this process, with safety files of their own on the same path. The sleeper's names a process that
is no more, as that of a suspended machine would to whoever looks from another; its link is cut, so that its
client id is free for the one that stops in its place, from a copy of its journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from tws.drill.stage import OPERATOR, Stage
from tws.errors import SafetyError, TWSError
from tws.journal import SQLiteStore
from tws.model.contract import stock
from tws.model.order import bracket
from tws.safety import SafetyFile, this_process

__all__ = ["second_trader"]

SETTLE_S = 4.0
"""Longer than the desk waits before it places a stop anew (`Timing.bare_ns`): what it would send, it has. And
longer than the second after which it looks for its lease."""


class _Sleep:
    """How a trader dials that may sleep: what it dials meanwhile comes about when it wakes."""

    def __init__(self) -> None:
        self.awake = asyncio.Event()
        self.awake.set()

    async def dial(
        self, protocol: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        await self.awake.wait()
        return await asyncio.get_running_loop().create_connection(protocol, host, port)


async def second_trader(folder: Path) -> Stage:
    """Play it."""
    async with Stage(folder) as stage:
        gone = replace(this_process(), started="before the machine slept")
        with SafetyFile(stage.safety.path, me=gone) as its_own:
            store = SQLiteStore(folder / "journal.sqlite3")
            sleep = _Sleep()
            sleeper = await stage.start(safety=its_own, store=store, dial=sleep.dial)
            await stage.hold()
            copy = SQLiteStore(folder / "copy.sqlite3")
            copy.append(list(store.read()))
            await copy.commit()
            sleep.awake.clear()
            stage.tws.faults.play("cut")
            other = await stage.start("other", store=copy)
            report = await other.kill(reason="a second trader wakes", operator=OPERATOR, flatten=True)
            stage.flat(report)
            await other.stop()
            placed = _placed(stage)
            sleep.awake.set()
            state = sleeper.desk.state
            await stage.until(lambda: sleeper.failure or (
                sleeper.connection.is_connected() and state.link_up and state.reconciled_epoch == state.epoch
            ), "its end, or its desk")
            try:
                await sleeper.quote(stock("QQQ"))
                trade = await sleeper.submit(bracket(stock("QQQ"), "BUY", 10, stop=48.0, target=52.0))
                stage.check(trade.denial is None, f"its desk, not its lease, held it back: {trade.denial}")
            except TWSError as refused:
                stage.notes.append(f"the trader that woke hears: {refused}")
            await asyncio.sleep(SETTLE_S)
            stage.check(isinstance(sleeper.failure, SafetyError), "the trader that woke trades on")
            stage.check(_placed(stage) == placed, "the trader that woke sent an order")
            stage.check(not stage.tws.sessions, "the trader that woke keeps the client id of the other one")
            stage.is_flat()
            await sleeper.stop()
    return stage


def _placed(stage: Stage) -> int:
    """How many orders ever reached the broker."""
    exchange = stage.tws.exchange
    return len(exchange.open_orders()) + len(exchange.completed_orders())
