"""Misbehaviour on demand, for tests: each does what a real TWS is known to do (TWS-BEHAVIOUR.md A).

sim.faults.cut()                  every socket is reset, as by a restart
sim.faults.mute = True            sockets stay open, nothing is answered (a hung gateway)
sim.faults.silent_accept = True   new sockets are accepted and never spoken to
sim.faults.refuse = True          dials are refused until it is False again
sim.faults.hold_next_order()      the next order placed is taken and never spoken of until `release()`
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["FaultActions", "Faults"]


class FaultActions(Protocol):
    """What the server does when a switch is thrown."""

    def cut(self) -> None: ...
    def listen(self, on: bool) -> None: ...
    def release(self) -> None: ...
    def set_mute(self, on: bool) -> None: ...


class Faults:
    """The switches. The server binds what they do; sessions read the flags."""

    def __init__(self) -> None:
        self.silent_accept = False
        self.holds = 0
        self._mute = False
        self._refuse = False
        self._actions: FaultActions | None = None

    def bind(self, actions: FaultActions) -> None:
        """Called once by the server."""
        self._actions = actions

    def cut(self) -> None:
        """Abort every session's transport, without a farewell."""
        if self._actions is not None:
            self._actions.cut()

    @property
    def mute(self) -> bool:
        """Whether nothing is read or answered. What came meanwhile is read when it is False again; ticks
        are lost.
        """
        return self._mute

    @mute.setter
    def mute(self, value: bool) -> None:
        self._mute = value
        if self._actions is not None:
            self._actions.set_mute(value)

    @property
    def refuse(self) -> bool:
        """Whether dials are refused: the listening socket is closed, its port kept for later."""
        return self._refuse

    @refuse.setter
    def refuse(self, value: bool) -> None:
        self._refuse = value
        if self._actions is not None:
            self._actions.listen(not value)

    def hold_next_order(self, count: int = 1) -> None:
        """The next `count` orders reach the exchange, but nothing is said of them until `release()`."""
        self.holds += count

    def release(self) -> None:
        """Say all that was held, in its order."""
        self.holds = 0
        if self._actions is not None:
            self._actions.release()
