"""Misbehaviour on demand, for tests: each does what a real TWS is known to do (TWS-BEHAVIOUR.md A).

    sim.faults.cut()                  every socket is reset, as by a restart
    sim.faults.mute = True            sockets stay open, nothing is answered (a hung gateway)
    sim.faults.silent_accept = True   new sockets are accepted and never spoken to
    sim.faults.refuse = True          dials are refused until it is False again
    sim.faults.hold_next_order()      the next order placed is taken and never spoken of until `release()`
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Faults"]


class Faults:
    """The switches. The server binds its actions; sessions read the flags."""

    def __init__(self) -> None:
        self.mute = False
        self.silent_accept = False
        self.holds = 0
        self._refuse = False
        self._cut: Callable[[], None] = lambda: None
        self._listen: Callable[[bool], None] = lambda _: None
        self._release: Callable[[], None] = lambda: None

    def bind(
        self, cut: Callable[[], None], listen: Callable[[bool], None], release: Callable[[], None]
    ) -> None:
        """Called once by the server: what cutting, listening and releasing mean there."""
        self._cut, self._listen, self._release = cut, listen, release

    def cut(self) -> None:
        """Abort every session's transport, without a farewell."""
        self._cut()

    @property
    def refuse(self) -> bool:
        """Whether dials are refused: the listening socket is closed, its port kept for later."""
        return self._refuse

    @refuse.setter
    def refuse(self, value: bool) -> None:
        self._refuse = value
        self._listen(not value)

    def hold_next_order(self, count: int = 1) -> None:
        """The next `count` orders reach the exchange, but nothing is said of them until `release()`."""
        self.holds += count

    def release(self) -> None:
        """Say all that was held, in its order."""
        self.holds = 0
        self._release()
