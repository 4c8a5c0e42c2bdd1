"""`tws kill` when the trader is silent or gone: end its process, take its lease, and act in its place.

The safety file is latched already. Only the process whose pid and start are those of the lease is ended. Its
client id is free as soon as TWS sees the link close, so the same id is dialled; the journal names our orders,
and they are cancelled one by one (or closed). When that can't be begun within `ONE_BY_ONE_S`, because the
journal is unreadable or TWS does not tell what it has, every order of the account is cancelled at once
(reqGlobalCancel), manual ones too, and that is said.
"""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from msgspec.structs import replace

from tws.config import TWSConfig
from tws.connection import Keep, TWSConnection
from tws.errors import SafetyError, TWSError
from tws.log import get_logger
from tws.risk import Limits
from tws.runtime.parts import TraderParts
from tws.runtime.place import Note
from tws.runtime.stopping import StopAnswer, StopWish, stop_now
from tws.runtime.trader import Trader
from tws.runtime.windup import MANUAL_WAY
from tws.safety import SafetyFile, end_process, is_alive

__all__ = ["END_PROCESS_S", "ONE_BY_ONE_S", "end_holder", "take_over"]

END_PROCESS_S = 3.0
"""A killed process is gone within milliseconds; one in an uninterruptible wait of the kernel is not."""

ONE_BY_ONE_S = 10.0
"""RISK.md: global cancel only when cancelling order by order fails within 10 s."""

log = get_logger("tws.runtime")


def end_holder(safety: SafetyFile) -> str:
    """End the process that holds the lease; a sentence that says what was done.

    Raises SafetyError when it can't be ended: another host's, another user's, or it would not go.
    """
    lease = safety.state.lease
    if lease is None or is_alive(lease.process) is False:
        return "no trader runs"
    holder = lease.process
    cure = f"End process {holder.pid} by hand, then: tws kill"
    if is_alive(holder) is None:
        cure = f"Run tws kill on {holder.host}; if it is off: tws reset --lease {holder.host}, then tws kill"
        cause = f"it is latched, and no more: {lease} can't be seen from here"
        raise SafetyError(safety.path, "held", cause, cure)
    try:
        gone = end_process(holder, END_PROCESS_S)
    except PermissionError as error:
        raise SafetyError(safety.path, "held", str(error), cure) from error
    if not gone:
        raise SafetyError(safety.path, "held", f"{holder} did not end within {END_PROCESS_S:g} s", cure)
    return f"{holder} was silent and was ended"


async def take_over(
    note: Note, safety: SafetyFile, wish: StopWish, answer_s: float, parts: TraderParts | None = None
) -> StopAnswer:
    """Stop in place of a trader that is gone. Answers within about `ONE_BY_ONE_S` + `answer_s`."""
    config = _hurried(note)
    trader = Trader(
        config,
        limits=Limits(),
        parts=replace(parts or TraderParts(), safety=safety, journal=Path(note.journal), reconnect=False),
    )
    try:
        try:
            async with asyncio.timeout(ONE_BY_ONE_S):
                await trader.start()
        except (TWSError, TimeoutError) as wrong:
            await trader.stop()
            return await _cancel_everything(
                note, f"order by order was not possible: {str(wrong) or 'no answer in time'}"
            )
        return await stop_now(trader, wish, answer_s)
    finally:
        await trader.stop()


def _hurried(note: Note) -> TWSConfig:
    """The trader's session, with waits short enough for an emergency."""
    return dataclasses.replace(note.to_config(), connection_timeout=5.0, request_timeout=ONE_BY_ONE_S)


async def _cancel_everything(note: Note, why: str) -> StopAnswer:
    connection = TWSConnection(_hurried(note), keep=Keep(reconnect=False, sync=False))
    notes = [why]
    try:
        if await connection.connect():
            await connection.outbound.global_cancel()
            notes.append(
                "every order of the account was told to cancel, manual ones too; shares were not closed"
            )
        else:
            notes.append(f"TWS was not reached: {connection.failure}")
    except TWSError as wrong:
        notes.append(f"the global cancel did not leave: {wrong}")
    finally:
        connection.disconnect()
        await connection.wait_closed()
    return StopAnswer(flat=False, settled=False, sentences=("NOT FLAT", *notes, MANUAL_WAY))
