"""The session of one examination: opened (on a free client id, if need be), questioned, and closed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from tws.config import LIVE_PORTS, TWSConfig
from tws.errors import ConnectError, LinkLostError, NotSentError, TWSError
from tws.model.contract import Contract
from tws.monitor.doctor import causes
from tws.monitor.doctor.data import DataStage
from tws.monitor.doctor.heard import Heard
from tws.monitor.doctor.listeners import holders
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.place import Place
from tws.monitor.doctor.questions import Questions
from tws.monitor.doctor.report import Outcome, SessionSeen, Step
from tws.monitor.doctor.session import Session, close
from tws.monitor.doctor.settings import examine_settings
from tws.monitor.doctor.tools import Tools

__all__ = ["Dialogue", "Wanted"]

_FREE_ID_TRIES = 3
"""Ids tried when the own one is in use: each costs a handshake, and more would look like a scan."""

_IN_USE = 326


class Wanted(NamedTuple):
    """What is asked besides: data of these symbols (with what each means), and what `also` asks of the
    session, which raises LinkLostError alone.
    """

    symbols: Mapping[str, Contract] = MappingProxyType({})
    also: Callable[[Session], Awaitable[None]] | None = None


class Dialogue:
    """`connect` first; with a session, `converse`."""

    def __init__(self, config: TWSConfig, notes: Notes, tools: Tools, wanted: Wanted) -> None:
        self._config = config
        self._notes = notes
        self._tools = tools
        self._symbols, self._also = wanted
        self._heard = Heard()

    async def connect(self, place: Place) -> tuple[Session | None, ConnectError | None]:
        """A session that is ready, on the own client id or on a free one beside it; else why there is none.

        A client id in use is noted here, with a free one as its cure; the caller names other failures.
        """
        session, failure = await self._dial(self._config.client_id)
        if failure is not None and failure.code == _IN_USE:
            return await self._free_id(place), None
        return session, failure

    async def converse(self, session: Session) -> None:
        """Ask all that is to be asked, then close."""
        try:
            await self._ask(session)
        except (LinkLostError, NotSentError) as wrong:
            self._heard.name_end(self._notes, str(wrong))
        finally:
            await close(session, self._config.connection_timeout)
        self._heard.judge(self._notes)

    async def _ask(self, session: Session) -> None:
        questions = Questions(session, self._heard, self._notes, self._config)
        if not await questions.clock(self._tools.now_ns, self._tools.own_offset_s):
            return  # who does not tell the time answers nothing else
        await questions.accounts()
        await questions.orders()
        if self._asks_as_zero():
            # What is asked as id 0 may bind what a person has in TWS (A4): the doctor changes nothing.
            self._notes.step("data", Outcome.SKIPPED, "not asked as client id 0; say another --client-id")
        else:
            bound_s = self._config.request_timeout
            await DataStage(session, self._heard, self._notes, self._symbols, bound_s).run()
        await examine_settings(session, self._notes, self._config.request_timeout)
        if self._also is not None:
            await self._also(session)

    def _asks_as_zero(self) -> bool:
        return self._notes.session is not None and self._notes.session.client_id == 0

    # -- the way in

    async def _dial(self, client_id: int) -> tuple[Session | None, ConnectError | None]:
        # The mode that fits the port, and no account: a misfit was told already, and nothing is traded.
        mode = "live" if self._config.port in LIVE_PORTS else "paper"
        config = replace(self._config, client_id=client_id, account_id="", trading_mode=mode)
        try:
            session = self._tools.open_session(config)
        except (TWSError, ImportError) as wrong:
            return None, ConnectError("open", str(wrong), "Mend that, then run tws doctor again")
        session.set_callbacks(on_error=self._heard.hear)
        if await session.connect():
            version = session.server_version
            self._notes.session = SessionSeen(server_version=version, client_id=client_id)
            self._notes.step("connection", Outcome.OK, f"server version {version}, client id {client_id}")
            return session, None
        failure = session.failure or ConnectError("connection", "it failed without a reason", "Try again")
        if failure.stage != "dial":  # a dial that failed opened no socket: there is none to wait for
            await close(session, config.connection_timeout)
        return None, failure

    async def _free_id(self, place: Place) -> Session | None:
        own, session, suggestion = self._config.client_id, None, "Give this program another --client-id. "
        for step in range(1, _FREE_ID_TRIES + 1):
            free = (own + step) % 2**31 or 1  # never 0 unasked: that id also takes the manual orders
            session, failure = await self._dial(free)
            if session is not None:
                suggestion = f"Use --client-id {free}, which is free (tried just now). "
            if failure is None or failure.code != _IN_USE:
                break
        stage = "connection: start"
        key, facts = _who_has_it(place, self._config.port)
        finding = causes.finding(key, stage, client_id=own, suggestion=suggestion, **facts)
        self._notes.findings.append(finding)
        # The cause came first, the free id after it: the steps say so in this order.
        at = len(self._notes.steps) - (session is not None)
        self._notes.steps.insert(at, Step(stage, Outcome.PROBLEM, finding.cause))
        return session


def _who_has_it(place: Place, port: int) -> tuple[str, dict[str, str]]:
    """A zombie, where the table shows TWS itself and nobody at its port; else who may have the id."""
    if place.table.whole and place.listeners and not place.served:
        return "client_id_zombie", {}
    names = holders(place.table, port) if place.local else ()
    return "client_id_in_use", {"holders": f"; connected now: {', '.join(names)}" if names else ""}
