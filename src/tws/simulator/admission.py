"""Who may come in, under which client id, and who may not write: a TWS's API settings at work.

A socket is judged by its peer's address (`judge`): admitted, closed at once, or left open and silent
until a person answers TWS's dialog, which here is `answer`. A session's client id is judged at startApi:
an id is in use while its session lives and, as long as a TWS has not noticed that a socket is dead, also
after it (`haunt`, `zombie_s`). In read-only mode `refuses` answers every request that writes or asks for
open orders. TWS-BEHAVIOUR.md A3, A4, "Not confirmed" 1, 3, 6.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from tws.simulator.options import SimulatorOptions
from tws.wire.codec import Unknown

if TYPE_CHECKING:
    from tws.simulator.session import Session

__all__ = ["Admission", "Entry"]

IN_USE = "Unable to connect as the client id is already in use. Retry with a unique client id."
READ_ONLY = "-'bX' : cause - The API interface is currently in Read-Only mode."
WRITES = {
    "PlaceOrderRequest": "order_id",
    "CancelOrderRequest": "order_id",
    "ExerciseOptionsRequest": "order_id",
    "GlobalCancelRequest": "",
    "OpenOrdersRequest": "",
    "AllOpenOrdersRequest": "",
    "AutoOpenOrdersRequest": "",
    "FAReplace": "req_id",
    "ConfigRequest": "req_id",
    "UpdateConfigRequest": "req_id",
}
"""What read-only mode refuses, by the request's name, and the attribute that holds its id, "" for none."""
UNKNOWN_WRITES = frozenset({3, 4, 5, 15, 16, 19, 21, 58, 109})
"""The same by message id, for requests that the codec has no class for."""


class Entry(Enum):
    """What becomes of a socket."""

    ADMIT = "let in"
    DENY = "accept and close at once"
    ASK = "leave open and silent until the dialog is answered"


class Admission:
    """The door. `now` is the loop's time in seconds."""

    def __init__(self, options: SimulatorOptions, now: Callable[[], float]) -> None:
        self.options = options
        """As they stand: TWS's settings can be changed while it runs (`Core.change_options`)."""
        self._now = now
        self._zombies: dict[int, float | None] = {}
        self.waiting: list[Session] = []

    # -- addresses --------------------------------------------------------------------------------

    def judge(self, peer: object) -> Entry:
        """By the transport's peername; a link without addresses is from here."""
        trusted = self.options.trusted
        if trusted is None or not isinstance(peer, tuple) or peer[0] in trusted:
            return Entry.ADMIT
        return Entry.DENY if self.options.localhost_only else Entry.ASK

    def answer(self, accept: bool) -> int:
        """Answer the dialog for all who wait; how many there were. A denied socket is closed."""
        waiting, self.waiting = self.waiting, []
        for session in waiting:
            if accept:
                session.let_in()
            else:
                session.close("the person at TWS denied the connection")
        return len(waiting)

    # -- client ids -------------------------------------------------------------------------------

    def haunt(self, client_id: int, seconds: float | None) -> None:
        """The id stays in use without a session, for so long or (None) until `release`."""
        self._zombies[client_id] = None if seconds is None else self._now() + seconds

    def release(self, client_id: int | None = None) -> None:
        """This id, or every id that nobody holds, is free again."""
        if client_id is None:
            self._zombies.clear()
        else:
            self._zombies.pop(client_id, None)

    def is_haunted(self, client_id: int) -> bool:
        """Whether a dead session still holds this id."""
        if client_id not in self._zombies:
            return False
        until = self._zombies[client_id]
        if until is not None and until <= self._now():
            del self._zombies[client_id]
            return False
        return True

    def died(self, client_id: int) -> None:
        """A session ended without a farewell: TWS may need a while to notice."""
        if self.options.zombie_s:
            self.haunt(client_id, self.options.zombie_s)

    # -- read-only --------------------------------------------------------------------------------

    def refuses(self, session: Session, request: object) -> bool:
        """Whether read-only mode refused this request; the session was told with 321."""
        if not self.options.read_only:
            return False
        if isinstance(request, Unknown):
            if request.message_id not in UNKNOWN_WRITES:
                return False
            attribute = ""
        else:
            found = WRITES.get(type(request).__name__)
            if found is None:
                return False
            attribute = found
        request_id = getattr(request, attribute, -1) if attribute else self.options.read_only_id
        session.error(request_id, 321, f"Error validating request{self.options.read_only_mark}{READ_ONLY}")
        return True
