"""The only writer of frames that move money.

Place, exercise, replaceFA and updateConfig reach the socket through `Outbound` alone, whoever asks:
the desk, `connection.place_order` or a call on `connection.official`. Each needs a one-use permit,
which an `Authority` burns right before the bytes leave; it also reads latch and epoch there. Calls of one
order id leave in the order in which they were made; a cancel for an order whose bytes have not left
withdraws it, and neither is sent. Cancels need no permit.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.order import Order

__all__ = ["Authority", "MoneyCall", "MoneyKind", "Outbound", "Sending", "SendState"]


class MoneyKind(StrEnum):
    """The calls that can move money or change what moves it."""

    PLACE = "place"
    EXERCISE = "exercise"
    REPLACE_FA = "replaceFA"
    UPDATE_CONFIG = "updateConfig"


class MoneyCall(Struct, frozen=True, kw_only=True):
    """What a frame asks for, in neutral words, so that a guard can judge it and a permit can be matched.

    `order_id` is -1 for calls that are about no order. `quantity` in shares or contracts, `price` in
    currency (the limit, else the stop, else None), `multiplier` 1 for a stock.
    """

    kind: MoneyKind
    order_id: int = -1
    symbol: str = ""
    con_id: int = 0
    sec_type: str = ""
    account: str = ""
    side: str = ""
    order_type: str = ""
    quantity: Decimal | None = None
    price: Decimal | None = None
    multiplier: Decimal = Decimal(1)
    order_ref: str = ""
    what_if: bool = False


class Authority(Protocol):
    """Who may let money move: the desk's gate, adapted by the runtime, or the built-in guard."""

    def spend(self, permit: object, call: MoneyCall) -> None:
        """Burn `permit` for `call`, reading latch and epoch now.

        Called once for each frame, on the loop's thread, directly before its bytes are written.
        Raises OrderDeniedError when the permit is not one of ours, was used, is for something else,
        or the latch is set or the epoch is not ours.
        """
        ...


class SendState(StrEnum):
    """QUEUED: not yet written. WRITTEN: handed to the socket. WITHDRAWN: a cancel overtook it, no byte left.
    REFUSED: denied at the last gate, or the link went first; no byte left."""

    QUEUED = "queued"
    WRITTEN = "written"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


class Sending:
    """One frame on its way. `state` and, when REFUSED, `failure` say what became of it.

    Awaiting it waits until it is decided and raises `failure`; it may be dropped without a warning.
    """

    order_id: int
    state: SendState
    failure: Exception | None


class Outbound:
    """See the module. `connection.outbound` is the one instance of a connection."""

    def place(self, order_id: int, contract: Contract, order: Order, permit: object) -> Sending:
        """Encode and queue an order; it is written at once unless something holds it.

        Raises NotSentError when it can't be encoded or there is no session; OrderDeniedError when the
        authority refuses the permit. In both cases no byte left.
        """
        raise NotImplementedError

    def cancel(self, order_id: int) -> Sending:
        """Cancel an order: withdraws it when its bytes have not left, else writes the cancel.

        The returned `Sending` is the cancel's: WITHDRAWN when it took the order with it.
        """
        raise NotImplementedError

    def global_cancel(self) -> Sending:
        """reqGlobalCancel: every order of the account, those of TWS's own window included. Needs no permit."""
        raise NotImplementedError

    def hold(self) -> None:
        """Write nothing that needs a permit until `release`: calls queue up (used while the link is in doubt)."""
        raise NotImplementedError

    def release(self) -> None:
        """Write what `hold` kept back, oldest first."""
        raise NotImplementedError

    def on_sent(self, listener: Callable[[Sending], None]) -> Callable[[], None]:
        """Tell `listener` whenever a sending is decided. Returns the call that ends it."""
        raise NotImplementedError
