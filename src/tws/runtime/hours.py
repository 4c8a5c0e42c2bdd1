"""Sees to it that the desk knows the hours of what it holds, orders or follows, as the broker states them.

A flatten keeps the stops where the market is shut, so it must know when that is (`tws.desk.market`), and what
is followed has no bars outside of its sessions (`market`). TWS states the hours with a contract's details,
for some days ahead: they are told to the desk whenever details come, and asked for anew when they run out,
when half a day has passed, and after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tws.clock import NS_PER_S, Clock
from tws.desk import DeskState, Event, StateHours
from tws.errors import TWSError
from tws.log import get_logger
from tws.model.contract import Contract, ContractDetails
from tws.model.session import Session, parse_hours
from tws.runtime.watch import Watchlist

__all__ = ["Hours"]

LOOK_S = 10.0
"""How often it looks. Three turns at most pass between a restart and the answer, less than a phase of a
flatten takes until it alarms.
"""
AHEAD_NS = 24 * 3600 * NS_PER_S
"""Hours that end within a day are asked for anew."""
STALE_S = 12 * 3600.0
"""Hours are asked for anew so often: an exchange may say in the evening that it closes early the next day."""
AGAIN_S = 600.0
"""A contract whose hours TWS does not state is asked about no more often than that."""
MOST = 10
"""Contracts that are asked about between two looks: five hundred that are followed take minutes, and what is
held meanwhile does not wait for them."""

log = get_logger("tws.runtime")


class Hours:
    """`state` is the desk's, `post` takes the hours to it."""

    def __init__(
        self,
        watchlist: Watchlist,
        state: Callable[[], DeskState],
        post: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._watchlist = watchlist
        self._state = state
        self._post = post
        self._clock = clock
        self._asked_s: dict[int, float] = {}
        self._told_s: dict[int, float] = {}
        watchlist.on_details(self.learn)

    def learn(self, details: ContractDetails) -> None:
        """TWS spoke of a contract. Hours that can't be read are told of and count as not stated."""
        zone, symbol = details.time_zone_id, details.contract.symbol
        self._told_s[details.contract.con_id] = asyncio.get_running_loop().time()
        self._post(
            StateHours(
                con_id=details.contract.con_id,
                symbol=symbol,
                liquid=_read(details.liquid_hours, zone, symbol),
                trading=_read(details.trading_hours, zone, symbol),
            )
        )

    async def run(self) -> None:
        """Look, ask for what is missing, wait; until cancelled."""
        while True:
            for contract in self._wanted():
                self._asked_s[contract.con_id] = asyncio.get_running_loop().time()
                try:
                    await self._watchlist.refresh(contract)
                except TWSError as error:
                    log.warning("hours not told", symbol=contract.symbol, reason=str(error))
            await asyncio.sleep(LOOK_S)

    def _wanted(self) -> list[Contract]:
        """What has no hours for the next day, or old ones; what is held or ordered before what is followed.
        """
        state = self._state()
        if not state.link_up:
            return []
        contracts = [order.contract for order in state.book.exposed()]
        contracts += [holding.contract for holding in state.ours.exposed()]
        contracts += self._watchlist.followed
        found = {contract.con_id: contract for contract in contracts if self._lacks(state, contract.con_id)}
        now_s = asyncio.get_running_loop().time()
        asked = self._asked_s
        wanted = [each for key, each in found.items() if key not in asked or now_s - asked[key] >= AGAIN_S]
        return wanted[:MOST]

    def _lacks(self, state: DeskState, con_id: int) -> bool:
        known = state.hours.get(con_id)
        last = known.liquid[-1].close_ns if known is not None and known.liquid else 0
        told_s, now_s = self._told_s.get(con_id), asyncio.get_running_loop().time()
        is_old = told_s is None or now_s - told_s >= STALE_S
        return is_old or last < self._clock.now_ns() + AHEAD_NS


def _read(text: str, zone: str, symbol: str) -> tuple[Session, ...]:
    try:
        return parse_hours(text, zone)
    except ValueError as error:
        log.warning("hours not readable", symbol=symbol, reason=str(error))
        return ()
