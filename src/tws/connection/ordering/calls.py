"""The calls that move money, as values: what a frame asks for, and what became of it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.exercise import Exercise
from tws.model.fullorder import FullOrder
from tws.model.order import Order

__all__ = ["MoneyCall", "MoneyKind", "SendState"]


class MoneyKind(StrEnum):
    """The calls that can move money or change what moves it."""

    PLACE = "place"
    EXERCISE = "exercise"
    REPLACE_FA = "replaceFA"
    UPDATE_CONFIG = "updateConfig"
    CANCEL = "cancel"
    """Moves no money; here so that a cancel on its way can be spoken of like the others. It needs no
    approval.
    """
    WHAT_IF = "what-if"
    """A question in an order's clothes: TWS reckons margin and fees, and places nothing. It needs no
    approval; the live lock and the brake judge it all the same.
    """


class MoneyCall(Struct, frozen=True, kw_only=True):
    """What a frame asks for, so that a guard can judge it. `order_id` is -1 for calls that are about no
    order.

    `contract` and `order` are set when they say all that the frame says, `contract` and `exercise` likewise;
    `beyond` names what they could not say. `says` are the words for a call about no contract. Of an
    order with attributes `full` says all, and `order` is the plain one that a guard may judge in its stead
    (`tws.risk.worst`), None when there is none.
    """

    kind: MoneyKind
    order_id: int = -1
    account: str = ""
    contract: Contract | None = None
    order: Order | None = None
    full: FullOrder | None = None
    exercise: Exercise | None = None
    says: str = ""
    beyond: str = ""


class SendState(StrEnum):
    """QUEUED: not yet written. WRITTEN: handed to the socket. WITHDRAWN: a cancel overtook it, no byte left.
    REFUSED: denied at the last gate, or the link went first; no byte left."""

    QUEUED = "queued"
    WRITTEN = "written"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
