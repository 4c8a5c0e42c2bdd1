"""`tws kill` when the trader is silent or gone: end its process, take its lease, and act in its place.

The safety file is latched already. Only the process whose pid and start are those of the lease is ended. Its
client id is free as soon as TWS sees the link close, so the same id is dialled; the journal names our orders,
and they are cancelled one by one as soon as there is a link, whatever TWS is still to tell. To close, all of
it has to be told; where it is not told in `COME_UP_S` the stops stay.

Every order of the account is cancelled at once (reqGlobalCancel), manual ones and our stops too, where one by
one fails: the journal can't be read, the client id is not to be had (another id is dialled for it), or a
cancel has no effect on a link that is up. That is said, with what TWS still names afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path

from msgspec.structs import replace

from tws.config import TWSConfig
from tws.connection import Keep, TWSConnection
from tws.errors import SafetyError, TWSError
from tws.model.account import Position
from tws.model.facts import BrokerOrder
from tws.risk import Limits
from tws.runtime.parts import TraderParts
from tws.runtime.place import Note
from tws.runtime.stopping import StopAnswer, StopWish, stop_now
from tws.runtime.trader import Trader
from tws.runtime.windup import MANUAL_WAY, bare, until
from tws.safety import SafetyFile, end_process, is_alive

__all__ = ["ALL_S", "COME_UP_S", "END_PROCESS_S", "end_holder", "take_over"]

END_PROCESS_S = 3.0
"""A killed process is gone within milliseconds; one in an uninterruptible wait of the kernel is not."""

COME_UP_S = 7.0
"""A link comes within the 5 s of its dial; what TWS does not tell soon after, it does not tell."""

ALL_S = 3.0
"""What the global cancel gets until its effect shows."""

_ANEW_S = 4.5
"""What it gets until our stops are back, too: the desk waits 2 s for a fill that may be on its way, and looks
each second. With 5 s of silence, 3 to end the process, `COME_UP_S` and 5 for the first answer the whole takes
24.5 of the 25 s that RISK.md gives a hung trader.
"""

_FAR_ID = 9000
"""Added to the trader's client id where that one is not to be had: no program of ours uses it, and TWS takes
a global cancel from any client (official: TWS-BEHAVIOUR.md C4).
"""

_LOOK_S = 0.1


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
    """Stop in place of a trader that is gone. Answers within about `COME_UP_S` + `answer_s` + `ALL_S`."""
    trader = Trader(
        _hurried(note),
        limits=Limits(),
        parts=replace(parts or TraderParts(), safety=safety, journal=Path(note.journal), reconnect=False),
    )
    start = asyncio.ensure_future(trader.start())
    try:
        failed = await _up(trader, start, told=wish.flatten)
        if not trader.turning:
            return await _cancel_everything(note, f"order by order was not possible: {failed}")
        return await _stop(trader, wish, answer_s, failed)
    finally:
        await trader.stop()
        await asyncio.gather(start, return_exceptions=True)


def _hurried(note: Note, client_id: int | None = None, dial_s: float = 5.0) -> TWSConfig:
    """The trader's session, with a dial short enough for an emergency. What TWS tells late is heard late."""
    given = note.client_id if client_id is None else client_id
    return dataclasses.replace(note.to_config(), client_id=given, connection_timeout=dial_s)


async def _up(trader: Trader, start: asyncio.Future[None], told: bool) -> str:
    """Wait for a link, or until TWS has `told` all of it; what is missing of that after `COME_UP_S`."""
    until = asyncio.get_running_loop().time() + COME_UP_S
    while not start.done() and (told or not trader.turning):
        if asyncio.get_running_loop().time() >= until:
            return f"TWS has not told all of it within {COME_UP_S:g} s"
        await asyncio.wait({start}, timeout=_LOOK_S)
    error = start.exception() if start.done() else None
    return "" if error is None else str(error) or repr(error)


async def _stop(trader: Trader, wish: StopWish, answer_s: float, untold: str) -> StopAnswer:
    """Order by order; where a cancel has no effect, all of the account's at once."""
    notes = []
    if wish.flatten and untold:
        wish = replace(wish, flatten=False)
        notes.append(f"nothing is closed, the stops stay: {untold}")
    answer = await stop_now(trader, wish, answer_s)
    stuck = _stuck(trader, wish)
    if stuck:
        notes.append(
            f"not cancelled order by order: {', '.join(stuck)}; so every order of the account was told to "
            "cancel, manual ones too"
        )
        whole = replace(wish, account=trader.desk.state.account)
        began_s = asyncio.get_running_loop().time()
        answer = await stop_now(trader, whole, ALL_S)
        left_s = began_s + _ANEW_S - asyncio.get_running_loop().time()
        await until(lambda: not bare(trader.desk.state), left_s)  # the desk places our stops anew
        answer = replace(answer, unprotected=tuple(bare(trader.desk.state)))
    return replace(answer, sentences=(answer.sentences[0], *notes, *answer.sentences[1:]))


def _stuck(trader: Trader, wish: StopWish) -> list[str]:
    """Orders whose cancel has had no effect on a link that is up. A stop of one symbol or strategy never
    reaches for the whole account; what a lost line (1100) keeps back is no failure of a cancel.
    """
    state = trader.desk.state
    if not wish.scope.whole or not state.link_up:
        return []
    return [order.intent_id for order in state.book.exposed() if order.live and order.cancel_wanted]


async def _cancel_everything(note: Note, why: str) -> StopAnswer:
    connection = TWSConnection(
        _hurried(note, note.client_id + _FAR_ID, ALL_S), keep=Keep(reconnect=False, sync=False)
    )
    notes = [why]
    bare_now: list[str] = []
    try:
        if await connection.connect():
            connection.outbound.global_cancel()
            notes.append(
                "every order of the account was told to cancel, manual ones and our stops too; no share was "
                "closed"
            )
            seen, bare_now = await _what_is_left(connection)
            notes.append(seen)
        else:
            notes.append(f"TWS was not reached: {connection.failure}")
    except TWSError as wrong:
        notes.append(f"the global cancel did not leave: {wrong}")
    finally:
        connection.disconnect()
        await connection.wait_closed()
    sentences = ("NOT FLAT", *notes, MANUAL_WAY)
    return StopAnswer(flat=False, settled=False, sentences=sentences, unprotected=tuple(bare_now))


async def _what_is_left(connection: TWSConnection) -> tuple[str, list[str]]:
    """What TWS names after the global cancel: a sentence on open orders, and all that is held."""
    held: list[Position] = []
    orders: list[BrokerOrder] | None = None
    with contextlib.suppress(TWSError, TimeoutError):
        async with asyncio.timeout(ALL_S):
            held = [row for row in await connection.request_positions() if row.quantity]
            while orders := await connection.request_all_open_orders():  # noqa: ASYNC110 - it is a question
                await asyncio.sleep(_LOOK_S)
    if orders is None:
        said = "TWS does not say which orders are open"
    elif orders:
        said = f"open all the same: {', '.join(_words(order) for order in orders)}"
    else:
        said = "TWS names no open order any more"
    return said, [f"{row.contract.symbol}: {row.quantity} held" for row in held]


def _words(order: BrokerOrder) -> str:
    return f"{order.side} {order.quantity} {order.contract.symbol} {order.order_type} ({order.status})"
