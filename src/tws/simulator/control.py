"""The control channel of a running simulator: lines of JSON over loopback, for `tws sim ctl` and scripts.

    {"token": "...", "do": "play", "name": "cut", "args": {"how": "close"}}
    {"ok": true, "result": ...}
    {"ok": false, "error": {"kind": "ConfigError", "text": "..."}}

The simulator listens on a free port of 127.0.0.1 and never beyond; who knows the token may command
(`tws.cli.sim_note` keeps it where its owner alone can read it). A line has a bound, so has the number of
callers, and a caller that says nothing is shown out. What goes wrong here is an answer to this caller;
sessions of clients are never touched by it.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from tws.clock import to_datetime
from tws.errors import ConfigError, TWSError
from tws.log import get_logger
from tws.simulator.faults import REGISTRY, about, scenarios
from tws.simulator.server import SimulatedTWS

__all__ = ["COMMANDS", "MAX_LINE", "Control", "catalogue"]

log = get_logger("tws.simulator")

HOST = "127.0.0.1"
MAX_LINE = 65536
"""The longest line in bytes, both ways in; a longer one is an error and the end of that caller."""
MAX_CALLERS = 16
PATIENCE_S = 30.0
"""How long a caller may be silent."""


class Control:
    """The channel's server. `end` is called when somebody says stop."""

    def __init__(self, simulator: SimulatedTWS, token: str, end: Callable[[], None]) -> None:
        self._sim = simulator
        self._token = token
        self._end = end
        self._server: asyncio.Server | None = None
        self._callers: dict[asyncio.Task[None], None] = {}
        self._skips: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        """Listen on loopback; returns the port."""
        self._server = await asyncio.start_server(self._serve, HOST, 0, limit=MAX_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the channel; safe twice."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for caller in list(self._callers):
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers[task] = None
        try:
            if len(self._callers) > MAX_CALLERS:
                await _say(writer, _wrong("Busy", f"more than {MAX_CALLERS} callers at once"))
                return
            while await self._one(reader, writer):
                pass
        except (OSError, asyncio.CancelledError):
            pass  # the caller left, or we end
        finally:
            del self._callers[task]
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One line and its answer; False when this caller is done."""
        try:
            line = await asyncio.wait_for(reader.readline(), PATIENCE_S)
        except TimeoutError:
            return False
        except ValueError:  # no end of line within the limit
            await _say(writer, _wrong("TooLong", f"a line has at most {MAX_LINE} bytes"))
            return False
        if not line:
            return False
        answer, goes_on = self.answer(line)
        await _say(writer, answer)
        return goes_on

    def answer(self, line: bytes) -> tuple[dict[str, Any], bool]:
        """What is said to one line, and whether the caller may go on."""
        try:
            request = json.loads(line)
        except (ValueError, RecursionError) as error:
            return _wrong("BadJSON", f"the line is no JSON: {error}"), False
        if not isinstance(request, dict):
            return _wrong("BadJSON", "the line is no JSON object"), False
        if not hmac.compare_digest(str(request.pop("token", "")).encode(), self._token.encode()):
            log.warning("control: wrong token")
            return _wrong("Denied", "the token is wrong"), False
        do = request.pop("do", None)
        command = COMMANDS.get(do) if isinstance(do, str) else None
        if command is None:
            return _wrong("Unknown", f"{do!r} is no command: use {', '.join(COMMANDS)}"), True
        try:
            return {"ok": True, "result": command(self, request)}, True
        except TWSError as error:
            return _wrong(type(error).__name__, str(error)), True
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return _wrong("BadRequest", f"{do} can't be done: {type(error).__name__} {error}"), True
        except Exception as error:
            log.exception("control: a bug", command=do)
            return _wrong("Bug", f"{type(error).__name__}: {error}"), True

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


def _wrong(kind: str, text: str) -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "text": text}}


async def _say(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()
