"""Faults of the socket between client and TWS, and of who may come in.

TWS-BEHAVIOUR.md A3, A5; INCIDENTS.md 1, 12 and the pains 4, 8 and 19.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tws.simulator.faults.base import Effect, Fault, Span, fault, span_ns
from tws.wire.messages import Answer, ManagedAccounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tws.simulator.faults.engine import Faults
    from tws.simulator.session import Session

__all__ = ["Cut", "HalfOpen", "Mute"]


@fault("cut", "reported (A6: Lean#3297)")
class Cut(Fault, frozen=True, kw_only=True):
    """Sockets end: reset, so that what was under way is lost, or closed in an orderly way.

    client  this client id alone
    how     "reset" or "close"
    """

    client: int | None = None
    how: Literal["reset", "close"] = "reset"

    def begin(self, faults: Faults) -> None:
        for session in faults.sessions(self.client, started=self.client is not None):
            if self.how == "reset":
                session.cut()
            else:
                session.close("the fault cut", expected=True)


@fault("mute", "reported (A5: OpenAlice#294)")
class Mute(Fault, frozen=True, kw_only=True):
    """Sockets stay open, nothing is read or answered; afterwards it is, and ticks of meanwhile are lost.

    client  this client id alone; else all, new sockets too
    lasts   "" is until cleared
    """

    client: int | None = None
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Mute(self.client)


class _Mute(Effect):
    def __init__(self, client: int | None) -> None:
        self._client = client

    def hears(self, session: Session) -> bool:
        return self._client is not None and session.client_id != self._client

    def speaks(self, session: Session) -> bool:
        return self.hears(session)


@fault("half-open", "reported (A5: OpenAlice#294, A3: ASY#152)")
class HalfOpen(Fault, frozen=True, kw_only=True):
    """TWS forgets a client whose socket stays open: no FIN, no word ever again. New dials are served.

    client  this client id alone; else all of now
    zombie  its client id stays in use for so long (326)
    """

    client: int | None = None
    zombie: Span = ""

    def begin(self, faults: Faults) -> None:
        for session in faults.sessions(self.client):
            client_id = session.client_id
            session.abandon()
            if span_ns(self.zombie):
                faults.play("zombie-id", client=client_id, lasts=self.zombie)


@fault("accept-dialog", "reported (A3: IBC, INS#386)")
class AcceptDialog(Fault, frozen=True, kw_only=True):
    """New sockets are accepted and not spoken to until somebody answers TWS's dialog.

    lasts  "" is until answered or cleared
    """

    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Dialog(faults)


class _Dialog(Effect):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def hears(self, session: Session) -> bool:
        return session.client_id is not None

    def answer(self, accept: bool) -> bool:
        waiting = [one for one in self._faults.sessions(started=False) if one.client_id is None]
        if not accept:
            for session in waiting:
                session.close("the dialog was answered with no", expected=True)
        self._faults.finish(self)
        return bool(waiting)


@fault("silent-start", "reported (pain 4; NAU#4193)")
class SilentStart(Fault, frozen=True, kw_only=True):
    """The handshake is answered, startApi is not: no ids, no accounts, no word.

    lasts  "" is until cleared; then what waited is answered
    """

    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _SilentStart()


class _SilentStart(Effect):
    def hears(self, session: Session) -> bool:
        return session.client_id is not None or not session.greeted


@fault("refuse-dials", "official (A3: API off), reported (A6)", 12)
class RefuseDials(Fault, frozen=True, kw_only=True):
    """Nothing listens: dials are refused, as while TWS restarts or waits for a login.

    lasts  "" is until cleared
    """

    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Refuse(faults)


class _Refuse(Effect):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        if faults.actions is not None:
            faults.actions.listen(False)

    def end(self) -> None:
        others = [one for one in self._faults.running if isinstance(one.effect, _Refuse)]
        if self._faults.actions is not None and not others:
            self._faults.actions.listen(True)


@fault("zombie-id", "reported (A3: ASY#152, NAU#4193)")
class ZombieId(Fault, frozen=True, kw_only=True):
    """A client id counts as in use (326) though nobody has it: its dead socket has not been noticed.

    client  the id; without one, every id whose socket ends while this runs
    lasts   "" is until cleared
    """

    client: int | None = None
    lasts: Span = "30s"

    def begin(self, faults: Faults) -> Effect:
        return _Zombie(self.client)


class _Zombie(Effect):
    def __init__(self, client: int | None) -> None:
        self._all = client is None
        self._dead = {client}

    def refuses(self, client_id: int) -> bool:
        return client_id in self._dead

    def lost(self, session: Session) -> None:
        if self._all:
            self._dead.add(session.client_id)


@fault("probe-wedge", "reported (A5: NAU#4796, INS#386)")
class ProbeWedge(Fault, frozen=True, kw_only=True):
    """After a socket that ended before startApi nobody is read any more, until a restart clears it.

    lasts  "" is until cleared
    """

    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Wedge(faults)


class _Wedge(Effect):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._stuck = False

    def lost(self, session: Session) -> None:
        if session.client_id is None:
            self._stuck = True

    def hears(self, session: Session) -> bool:
        return not self._stuck


@fault("port-changed", "official (A3)")
class PortChanged(Fault, frozen=True, kw_only=True):
    """1300: TWS listens on another port from now on, says so, and drops every connection.

    port  the new one; 0 takes any free one
    """

    port: int = 0

    def begin(self, faults: Faults) -> None:
        def moved(port: int) -> None:
            faults.say(
                1300,
                "TWS socket port has been reset and this connection is being dropped. "
                f"Please reconnect on the new port - {port}",
            )
            for session in faults.sessions(started=False):
                session.close("the port changed", expected=True)

        if faults.actions is not None:
            faults.actions.move(self.port, moved)


@fault("pacing-disconnect", "official (B); the suffix is reported")
class PacingDisconnect(Fault, frozen=True, kw_only=True):
    """Error 100 three times, then the socket closes, as after too many messages in a second.

    client  this client id alone
    """

    client: int | None = None

    def begin(self, faults: Faults) -> None:
        for session in faults.sessions(self.client):
            for count in (51, 52, 53):
                text = f"Max rate of messages per second has been exceeded:max=50 rec={count} ({count - 50})"
                session.error(-1, 100, text)
            session.close("the fault pacing-disconnect", expected=True)


@fault("wrong-account", "official form (A2); the situation is assumed")
class WrongAccount(Fault, frozen=True, kw_only=True):
    """The login has other accounts than expected: message 15 names these.

    accounts  separated by commas
    lasts     "" is until cleared
    """

    accounts: str = "U7654321"
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _OtherAccounts(self.accounts)


class _OtherAccounts(Effect):
    def __init__(self, accounts: str) -> None:
        self._accounts = accounts

    def outgoing(self, session: Session, message: Answer) -> Sequence[Answer]:
        return (ManagedAccounts(self._accounts),) if isinstance(message, ManagedAccounts) else (message,)


@fault("clock-skew", "assumed; clocks that differ are common (pain 10)")
class ClockSkew(Fault, frozen=True, kw_only=True):
    """TWS's clock is wrong: reqCurrentTime, error times and connection time are off, fills and bars are not.

    by     how far it is ahead; negative is behind
    lasts  "" is until cleared: then it jumps back
    """

    by: Span = "90s"
    lasts: Span = ""

    def begin(self, faults: Faults) -> Effect:
        return _Skew(faults, span_ns(self.by))


class _Skew(Effect):
    def __init__(self, faults: Faults, by_ns: int) -> None:
        self._faults, self._by_ns = faults, by_ns
        faults.skew_ns += by_ns

    def end(self) -> None:
        self._faults.skew_ns -= self._by_ns
