"""What the safety file says, as frozen values. A file that can't be read says that everything is latched."""

from __future__ import annotations

import time

from msgspec import Struct
from msgspec.structs import replace

from tws.model.stop import EVERYTHING, KillState, Scope
from tws.safety.process import Process

__all__ = ["MAX_LATCHES", "Latch", "Lease", "SafetyState", "Unlock", "damaged"]

MAX_LATCHES = 16
"""Latches of different scopes; one more becomes a latch on everything, so that none is forgotten."""


class Latch(Struct, frozen=True, kw_only=True):
    """One stop: how far it goes, what it covers, who pulled it and why. `at_ns` is the machine's UTC."""

    state: KillState
    scope: Scope = EVERYTHING
    reason: str = ""
    operator: str = ""
    at_ns: int = 0


class Lease(Struct, frozen=True, kw_only=True):
    """Who trades: a process, and the session that it trades in. `account` is empty until TWS has named it."""

    process: Process
    epoch: int
    client_id: int
    account: str = ""
    since_ns: int = 0

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.since_ns // 10**9))
        return f"{self.process} (client id {self.client_id}, since {since})"


class Unlock(Struct, frozen=True, kw_only=True):
    """A human's leave to trade one live account until `until_ns`, with the evidence that was shown for it.

    It speaks for the `code` and the `settings` (their fingerprints) on which the evidence was earned.
    """

    account: str
    until_ns: int
    operator: str
    at_ns: int = 0
    evidence: tuple[str, ...] = ()
    code: str = ""
    settings: str = ""


class SafetyState(Struct, frozen=True, kw_only=True):
    """All of it. `epoch` counts the leases ever given; `merged` is the last emergency record in the journal.

    `readable` is False when neither slot is whole: `latches` then holds one on everything.
    """

    epoch: int = 0
    lease: Lease | None = None
    latches: tuple[Latch, ...] = ()
    unlocks: tuple[Unlock, ...] = ()
    merged: int = 0
    readable: bool = True

    @property
    def kill(self) -> KillState:
        """How far the latch on everything goes; ACTIVE without one."""
        return self.latch_on("", "").state

    def latch_on(self, symbol: str, strategy: str) -> Latch:
        """The latch that goes furthest for an order; one that is ACTIVE when none covers it."""
        found = [each for each in self.latches if each.scope.covers(symbol, strategy)]
        return max(found, key=lambda each: tuple(KillState).index(each.state), default=_NONE)

    def latched(self, latch: Latch) -> SafetyState:
        """With one latch more. The same scope twice keeps the later, but a flatten stays a flatten: it is
        carried out by whoever trades next. Too many become one on everything.
        """
        others = tuple(each for each in self.latches if each.scope != latch.scope)
        before = [each.state for each in self.latches if each.scope == latch.scope]
        if before == [KillState.FLATTENING]:
            latch = replace(latch, state=KillState.FLATTENING)
        if len(others) >= MAX_LATCHES:
            whole = Latch(
                state=KillState.LATCHED,
                operator=latch.operator,
                at_ns=latch.at_ns,
                reason=f"more than {MAX_LATCHES} latches; the last: {latch.reason}",
            )
            return replace(self, latches=(whole,))
        return replace(self, latches=(*others, latch))

    def unlocked(self, account: str, now_ns: int) -> Unlock | None:
        """The unlock under which a live account may be traded at `now_ns`.

        One that was given in the future of `now_ns` is none: the clock went back, so nobody knows its age.
        """
        for unlock in self.unlocks:
            if unlock.account == account and unlock.at_ns <= now_ns < unlock.until_ns:
                return unlock
        return None


_NONE = Latch(state=KillState.ACTIVE)


def damaged(reason: str) -> SafetyState:
    """What stands when nothing can be read: everything is latched, and no epoch is the right one."""
    latch = Latch(state=KillState.LATCHED, reason=reason, operator="the safety file itself")
    return SafetyState(epoch=-1, latches=(latch,), readable=False)
