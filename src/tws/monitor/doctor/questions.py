"""What the doctor asks every TWS: the time, the accounts, the open orders. Each is a stage with its bound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from tws.clock import NS_PER_S, to_ns
from tws.config import TWSConfig, is_paper_account, mask_account
from tws.errors import RequestError, RequestTimeoutError
from tws.monitor.doctor.heard import READ_ONLY, Heard
from tws.monitor.doctor.notes import Notes
from tws.monitor.doctor.report import Outcome
from tws.monitor.doctor.session import Session

__all__ = ["Questions", "offset_of", "offset_text"]

_MISUNDERSTOOD = (320, 321, 322, 323)
"""TWS could not read, accept or handle a request (TWS-BEHAVIOUR.md A7)."""

_SKEW_S = 5
"""TWS tells whole seconds; a clock that is off by more dates orders and signals wrongly."""

_SLOW_MS = 1000
"""TWS answers this out of its own memory, in a few milliseconds as a rule; a second is beyond any network."""

_OLD = 163
"""Below this version TWS refuses fractional sizes (10285, TWS-BEHAVIOUR.md A8)."""

_WIDEST = timedelta(hours=14, minutes=30)
"""No zone is further from UTC than 14 hours; beyond it the handshake's time is not this TWS's clock."""


class Questions:
    """The stages of one session. Each raises LinkLostError when the link goes."""

    def __init__(self, session: Session, heard: Heard, notes: Notes, config: TWSConfig) -> None:
        self._session = session
        self._heard = heard
        self._notes = notes
        self._config = config

    async def clock(self, now_ns: Callable[[], int], own_offset_s: Callable[[int], int]) -> bool:
        """Does TWS answer, how fast, how far are the clocks apart, and in which zone does it date?"""
        notes, loop = self._notes, asyncio.get_running_loop()
        version, began = self._session.server_version, loop.time()
        if version < _OLD:
            notes.found("tws_old", "connection", version=version)
        try:
            told = await asyncio.wait_for(self._session.request_current_time(), self._config.request_timeout)
        except RequestError as wrong:
            notes.found("question_refused", "clock", detail=str(wrong))
            return False
        except (TimeoutError, RequestTimeoutError) as wrong:
            # an error about a question without an id has no id either: nobody could tell it to us
            said = self._heard.last(*_MISUNDERSTOOD)
            if said is not None:
                notes.found("question_refused", "clock", detail=f"code {said.code}: {said.text}")
            else:
                notes.found("no_answer", "clock", detail=str(wrong) or "the current time")
            return False
        answer_ms, now = round((loop.time() - began) * 1000), now_ns()
        skew_s = (now - to_ns(told)) / NS_PER_S
        notes.saw(time_skew_s=round(skew_s, 1), answer_ms=answer_ms)
        if abs(skew_s) > _SKEW_S:
            side = "ahead of" if skew_s > 0 else "behind"
            notes.found("clock_skew", "clock", seconds=f"{abs(skew_s):.0f}", side=side)
        else:
            notes.step("clock", Outcome.OK, f"TWS says {told:%H:%M:%S} UTC, as this machine does")
        if answer_ms > _SLOW_MS:
            notes.found("answers_slow", "clock", answer_ms=answer_ms)
        self._zone(told, own_offset_s(now))
        return True

    def _zone(self, told: datetime, own_offset_s: int) -> None:
        from tws.connection.hearing.tws_time import zone_named

        notes, said = self._notes, self._session.connection_time
        name, offset = said[17:].strip(), offset_of(said, told)
        notes.saw(zone=name, utc_offset_min=None if offset is None else int(offset.total_seconds() // 60))
        if offset is None:
            notes.found("zone_unknown", "time zone", detail=f"its handshake says {said!r}")
            return
        zone, notes.zone = zone_named(name), timezone(offset)
        if zone is None:
            notes.found("zone_unknown", "time zone", detail=f"{name!r} is a name that nobody here knows")
            return
        if abs((told.astimezone(zone).utcoffset() or timedelta()) - offset) > timedelta(minutes=15):
            detail = f"it calls itself {name!r}, but its clock is at UTC{offset_text(offset)}"
            notes.found("zone_unknown", "time zone", detail=detail)
            return
        notes.zone = zone
        if int(offset.total_seconds()) != own_offset_s:
            tws, own = offset_text(offset), offset_text(timedelta(seconds=own_offset_s))
            notes.found("zone_differs", "time zone", zone=name, tws_offset=tws, own_offset=own)
        else:
            notes.step("time zone", Outcome.OK, f"{name}, as this machine's")

    async def accounts(self) -> None:
        """Is the account among those of this login, and does the login fit the mode?"""
        config, notes = self._config, self._notes
        accounts = self._session.accounts
        if not accounts:
            try:
                asked = self._session.request_managed_accounts()
                accounts = tuple(await asyncio.wait_for(asked, config.request_timeout))
            except (TimeoutError, RequestTimeoutError, RequestError):
                accounts = ()
        if not accounts:
            notes.found("no_accounts", "account")
            return
        masked = tuple(mask_account(account) for account in accounts)
        notes.saw(accounts=masked)
        shown = ", ".join(masked)
        if config.account_id and config.account_id not in accounts:
            own = mask_account(config.account_id)
            notes.found("account_mismatch", "account", account=own, accounts=shown)
            return
        login = "paper" if all(is_paper_account(account) for account in accounts) else "live"
        if login != config.trading_mode:
            notes.found("mode_mismatch", "account", login=login, accounts=shown, mode=config.trading_mode)
            return
        notes.step("account", Outcome.OK, f"{shown} ({login})")

    async def orders(self) -> None:
        """Would orders be refused? A Read-Only API refuses to list the open ones."""
        notes = self._notes
        if notes.session is not None and notes.session.client_id == 0:
            # For id 0 this question would bind the manual orders of TWS (A4): the doctor changes nothing.
            notes.step("orders", Outcome.SKIPPED, "not asked as client id 0, which would bind manual orders")
            return
        asked = asyncio.ensure_future(self._session.request_open_orders())
        # 321 may come without the request's id (A3)
        refused = asyncio.ensure_future(self._heard.read_only.wait())
        await asyncio.wait(
            {asked, refused}, timeout=self._config.request_timeout, return_when=asyncio.FIRST_COMPLETED
        )
        refused.cancel()
        answered = asked.done() and not asked.cancelled()
        wrong = asked.exception() if answered else TimeoutError("the open orders")
        asked.cancel()
        if self._heard.read_only.is_set() or (isinstance(wrong, RequestError) and wrong.code == READ_ONLY):
            notes.saw(read_only=True)
            notes.found("read_only", "orders")
        elif isinstance(wrong, RequestError):
            notes.found("question_refused", "orders", detail=str(wrong))
        elif wrong is not None:
            notes.found("no_answer", "orders", detail=str(wrong))
        else:
            notes.saw(read_only=False)
            notes.step("orders", Outcome.OK, "open orders are told: the API is not read-only")


def offset_of(said: str, told: datetime) -> timedelta | None:
    """How far TWS's local clock is ahead of UTC, by the handshake's time and the current time just after it.

    To the quarter of an hour, as zones are. None when the text is no time or both can't be one clock's.
    """
    try:
        local = datetime.strptime(f"{said[:17]} +0000", "%Y%m%d %H:%M:%S %z")
    except ValueError:
        return None
    ahead = local - told
    return timedelta(minutes=15) * round(ahead / timedelta(minutes=15)) if abs(ahead) <= _WIDEST else None


def offset_text(offset: timedelta) -> str:
    """+00:00, -05:00."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
