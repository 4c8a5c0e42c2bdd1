"""What the runtime does for the desk, once the records behind it are on disk; in order."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from tws.model.contract import Contract
from tws.model.exercise import Instruction
from tws.model.facts import AnswerKind
from tws.model.records import Severity
from tws.risk.permit import Permit

__all__ = ["Alert", "Ask", "AskCash", "Cancel", "CancelEverything", "Effect", "Place"]


class Place(Struct, frozen=True, kw_only=True):
    """Send this order, or exercise, under this id. `permit` is for exactly that; `modifies` changes a working
    order.

    `urgent`: an exit that waits for no parent, for which TWS's message rate has places kept free.
    """

    order_id: int
    intent_id: str
    contract: Contract
    order: Instruction
    permit: Permit
    modifies: bool = False
    urgent: bool = False


class Cancel(Struct, frozen=True, kw_only=True):
    """Send a cancel, or withdraw the order when its bytes have not left (then answer `Withdrawn`)."""

    order_id: int
    intent_id: str


class Ask(Struct, frozen=True, kw_only=True):
    """Ask the broker for a complete answer; it comes back as `tws.model.facts.Answer`.

    `urgent` while something is being flattened: the close waits for the answer, and goes with the exits.
    """

    kind: AnswerKind
    urgent: bool = False


class CancelEverything(Struct, frozen=True, kw_only=True):
    """Send the global cancel: every order of the account goes, those of TWS's own window too."""


class AskCash(Struct, frozen=True, kw_only=True):
    """Ask the broker for the accounts' cash ledger; it comes back as `tws.desk.CashStated`."""


class Alert(Struct, frozen=True, kw_only=True):
    """Tell a human. `head` is the journal's head at that time (`tws verify --head`); the runtime adds it."""

    severity: Severity
    subject: str
    text: str
    head: str = ""


Effect: TypeAlias = Place | Cancel | CancelEverything | Ask | AskCash | Alert
