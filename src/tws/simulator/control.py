"""What a running simulator can be told over its command channel (`tws.channel`): `tws sim ctl` and scripts.

    {"token": "...", "do": "play", "name": "cut", "args": {"how": "close"}}

`tws.cli.sim_note` keeps port and token where their owner alone can read them. What goes wrong here is an
answer to this caller; sessions of clients are never touched by it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from tws.channel import MAX_LINE, Channel
from tws.clock import to_datetime
from tws.errors import ConfigError
from tws.simulator.faults import REGISTRY, about, scenarios
from tws.simulator.server import SimulatedTWS

__all__ = ["COMMANDS", "MAX_LINE", "Control", "catalogue"]


class Control:
    """The commands of one simulator. `end` is called when somebody says stop."""

    def __init__(self, simulator: SimulatedTWS, token: str, end: Callable[[], None]) -> None:
        self._sim = simulator
        self._end = end
        self._skips: set[asyncio.Task[None]] = set()
        self._channel = Channel(token, {do: partial(self._carry_out, do) for do in COMMANDS})

    async def start(self) -> int:
        """Listen on loopback; returns the port."""
        return await self._channel.start()

    async def stop(self) -> None:
        """Close the channel; safe twice."""
        await self._channel.stop()

    async def _carry_out(self, do: str, request: dict[str, Any]) -> object:
        return COMMANDS[do](self, request)

    # -- commands ---------------------------------------------------------------------------------

    def _list(self, request: dict[str, Any]) -> object:
        return catalogue()

    def _play(self, request: dict[str, Any]) -> object:
        name, values = str(request["name"]), request.get("args") or {}
        if not isinstance(values, Mapping):
            raise ConfigError("args", values, "is no object", 'Write {"lasts": "30s"} and the like')
        if values:
            self._sim.faults.play(name, **{str(key): value for key, value in values.items()})
        else:
            self._sim.faults.load(name)
        return self._sim.faults.status()

    def _clear(self, request: dict[str, Any]) -> object:
        name = request.get("name")
        if name:
            return self._sim.faults.stop(str(name))
        self._sim.faults.clear()
        return 0

    def _status(self, request: dict[str, Any]) -> object:
        sim = self._sim
        return {
            "pid": os.getpid(),
            "port": sim.port,
            "listening": sim.is_listening,
            "time": to_datetime(sim.now_ns()).isoformat(),
            "speed": sim.pace,
            "sessions": [
                {"client_id": one.client_id, "version": one.version, "peer": one.peer} for one in sim.sessions
            ],
            "faults": sim.faults.status(),
        }

    def _quote(self, request: dict[str, Any]) -> object:
        sizes = {name: int(request[name]) for name in ("bid_size", "ask_size") if name in request}
        self._sim.quote(
            str(request["symbol"]), bid=float(request["bid"]), ask=float(request["ask"]), **sizes
        )
        return None

    def _trade(self, request: dict[str, Any]) -> object:
        self._sim.trade(str(request["symbol"]), float(request["price"]), int(request.get("size", 100)))
        return None

    def _news(self, request: dict[str, Any]) -> object:
        texts = {name: str(request[name]) for name in ("provider", "body") if request.get(name)}
        return self._sim.publish_news(str(request["headline"]), str(request.get("symbol") or ""), **texts)

    def _bulletin(self, request: dict[str, Any]) -> object:
        exchange, kind = str(request.get("exchange") or "NYSE"), int(request.get("kind", 1))
        self._sim.post_bulletin(str(request["text"]), exchange=exchange, kind=kind)
        return None

    def _orders(self, request: dict[str, Any]) -> object:
        return [
            {
                "client_id": view.client_id,
                "order_id": view.order_id,
                "perm_id": view.perm_id,
                "symbol": self._sim.core.echo(view.con_id).symbol,
                "side": view.ticket.side.value,
                "type": str(view.ticket.order_type),
                "status": view.status,
                "filled": str(view.filled),
                "remaining": str(view.remaining),
            }
            for view in self._sim.exchange.open_orders()
        ]

    def _release(self, request: dict[str, Any]) -> object:
        return self._sim.faults.release()

    def _answer(self, request: dict[str, Any]) -> object:
        return self._sim.answer_dialog(bool(request.get("accept", True)))

    def _clock(self, request: dict[str, Any]) -> object:
        now_ns = self._sim.now_ns()
        if request.get("to_ns") is not None:
            now_ns, before_ns = int(request["to_ns"]), now_ns
            if now_ns < before_ns:
                reason = f"is past: it is {to_datetime(before_ns).isoformat()}"
                raise ConfigError("clock", to_datetime(now_ns).isoformat(), reason, "Name a later moment")
            self._skips.add(task := asyncio.ensure_future(self._sim.set_clock(now_ns)))
            task.add_done_callback(self._skips.discard)
        if request.get("run") is not None:
            (self._sim.resume if request["run"] else self._sim.pause)()
        return to_datetime(now_ns).isoformat()

    def _stop(self, request: dict[str, Any]) -> object:
        asyncio.get_running_loop().call_soon(self._end)
        return None


COMMANDS: dict[str, Callable[[Control, dict[str, Any]], object]] = {
    "list": Control._list,
    "play": Control._play,
    "clear": Control._clear,
    "status": Control._status,
    "quote": Control._quote,
    "trade": Control._trade,
    "news": Control._news,
    "bulletin": Control._bulletin,
    "orders": Control._orders,
    "release": Control._release,
    "answer": Control._answer,
    "clock": Control._clock,
    "stop": Control._stop,
}
"""What a caller may ask for, by the word behind "do"."""


def catalogue() -> dict[str, dict[str, Any]]:
    """Every fault and scenario that can be played, by name."""
    return {
        "faults": {name: catalogue_row(name) for name in sorted(REGISTRY)},
        "scenarios": {name: about(name) for name in scenarios()},
    }


def catalogue_row(name: str) -> dict[str, str]:
    """A fault in a line: what it does, and its fields with their defaults."""
    kind = REGISTRY[name]
    does = (kind.__doc__ or "").partition("\n\n")[0].strip()
    fields = msgspec.structs.fields(kind)
    return {"does": " ".join(does.split()), "fields": " ".join(f"{one.name}={one.default}" for one in fields)}
