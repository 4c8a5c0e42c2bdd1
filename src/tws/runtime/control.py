"""What a running trader answers on its control channel (`tws.channel`): status, stop, kill, reset, unlock,
adjust, risk, limits, rules, reload.

Each command is bounded, and none of them waits for TWS without end. `kill` latches the safety file first,
then the desk; its answer is FLAT, or NOT FLAT with each remainder. The port is any free one of 127.0.0.1; it
and the token stand in the trader's note, which its owner alone can read.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from typing import TYPE_CHECKING, Any

import msgspec

from tws.channel import Channel
from tws.desk import DeclareGone
from tws.errors import ConfigError
from tws.model.records import OrderState
from tws.runtime.adjusting import Wish, adjust_now, plain
from tws.runtime.limiting import LimitWish, change, refuse_loosened, shown
from tws.runtime.reloading import ReloadWish, reload, reread
from tws.runtime.rulecontrol import RuleWish, answered
from tws.runtime.status import status_of
from tws.runtime.stopping import ANSWER_S, StopWish, named, reset_stops, stop_now
from tws.runtime.unlocking import Ground, UnlockWish, unlock

if TYPE_CHECKING:
    from tws.runtime.run import Run

__all__ = ["Control"]

_SOFT_S = 2.0  # the last answers are a line each


class Control:
    """The channel of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._token = secrets.token_hex(32)
        self._busy = 0
        self._channel = Channel(
            self._token,
            {
                "ping": self._ping,
                "status": self._status,
                "stop": self._stop,
                "kill": self._kill,
                "reset": self._reset,
                "unlock": self._unlock,
                "adjust": self._adjust,
                "declare": self._declare,
                "risk": self._risk,
                "limits": self._limits,
                "reload": self._reload,
                "rules": self._rules,
            },
        )

    async def start(self) -> tuple[int, str]:
        """Listen; the port and the token."""
        return await self._channel.start(), self._token

    async def stop(self) -> None:
        """Close; safe twice, and before `start`."""
        await self._channel.stop()

    async def close_softly(self) -> None:
        """Let those who wait for the end have their answer."""
        for _ in range(round(_SOFT_S / 0.02)):
            if not self._busy:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.02)

    async def _ping(self, request: dict[str, Any]) -> object:
        return os.getpid()

    async def _status(self, request: dict[str, Any]) -> object:
        return status_of(self._run)

    async def _stop(self, request: dict[str, Any]) -> object:
        """End the run; the answer is its report."""
        how = str(request["how"])
        if how not in ("protected", "flatten"):
            raise ConfigError("how", how, "is no end", "Use protected or flatten")
        self._busy += 1
        try:
            self._run.end("tws stop", how)
            report = await self._run.finished()
            return msgspec.to_builtins(report) | {"good": report.good, "flat": report.flat}
        finally:
            self._busy -= 1

    async def _kill(self, request: dict[str, Any]) -> object:
        wish = msgspec.convert(request, StopWish)
        return msgspec.to_builtins(await stop_now(self._run.trader, wish, ANSWER_S))

    async def _reset(self, request: dict[str, Any]) -> object:
        """A named human's reset: flat by the broker's word, or what is left accepted."""
        operator, reason = named(str(request["operator"]), str(request["reason"]))
        accept = bool(request.get("accept"))
        return await reset_stops(self._run.trader, self._run.safety, operator, reason, accept)

    async def _unlock(self, request: dict[str, Any]) -> object:
        wish = msgspec.convert(request, UnlockWish)
        # The file may have changed: what loosens it is unlocked, then reloaded. Long ones take seconds.
        plan = await asyncio.to_thread(reread, self._run.plan)
        ground = Ground(place=plan.place, settings=plan.settings, desk=self._run.trader.desk.state)
        given = unlock(self._run.safety, ground, wish, self._run.clock.now_ns())
        return msgspec.to_builtins(given)

    async def _declare(self, request: dict[str, Any]) -> object:
        """A human looked into TWS: an order of unknown outcome, or a fill that is claimed, is gone."""
        operator, reason = named(str(request["operator"]), str(request["reason"]))
        order = self._run.trader.desk.state.book.get(str(request["order"]))
        if order is None or not (order.state is OrderState.UNKNOWN or (order.missing and not order.live)):
            why = "is no order of unknown outcome, and owes no fill"
            raise ConfigError("order", request["order"], why, "See: tws status")
        command = DeclareGone(intent_id=order.intent_id, operator=operator, reason=reason)
        return [type(record).__name__ for record in await self._run.trader.ask(command)]

    async def _adjust(self, request: dict[str, Any]) -> object:
        """What only a human knows of positions and cash."""
        wish: Wish = msgspec.convert(request, Wish)
        return plain(await adjust_now(self._run.trader, wish))

    async def _risk(self, request: dict[str, Any]) -> object:
        return shown(self._run.trader.desk, self._run.clock.now_ns())

    async def _rules(self, request: dict[str, Any]) -> object:
        """How the rules stand, a named human's switch of one, or why one did not fire."""
        return await answered(self._run, msgspec.convert(request, RuleWish))

    async def _limits(self, request: dict[str, Any]) -> object:
        """A named human changes limits, or releases one that has latched."""
        wish = msgspec.convert(request, LimitWish)
        refuse_loosened(wish, self._run.trader.desk.state)
        return await change(self._run.trader, wish)

    async def _reload(self, request: dict[str, Any]) -> object:
        """Limits and rules of the file, as it stands now."""
        return await reload(self._run, msgspec.convert(request, ReloadWish))
