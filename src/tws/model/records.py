"""What the journal keeps: each decision and each broker fact, as one frozen record.

A record holds the *result* of a judgement, never its inputs: `tws.desk.apply` puts it into the
state without thinking again, so a recovery that applies the recorded journal arrives at the
same state, with no quotes and no limits at hand. `at_ns` is market time.

On disk a record is `<version> <json>`, the JSON carrying its kind in the field `is`. A newer
version than ours is refused, since a guess at a trade is worse than a stop; an older one is
read by the reader that its version names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec
from msgspec import field

from tws.errors import DataError
from tws.model.contract import Contract
from tws.model.exercise import Exercising
from tws.model.facts import AnswerKind, BrokerOrder
from tws.model.linkedrecords import Aimed, ReversalMoved, ReversalPhase
from tws.model.oldrecords import Agreed, Resized
from tws.model.order import Order, Role, Side
from tws.model.phases import FlattenPhase, OrderState, Severity
from tws.model.positionrecords import (
    Adjusted,
    Annulled,
    Booked,
    Busted,
    CashAdjusted,
    CashAsked,
    CashHeard,
    Charged,
    Differs,
    Exercised,
    Folded,
    HandedBack,
    Inferred,
    Lacked,
    OpeningConfirmed,
    OpeningSet,
    PositionHeard,
    Refused,
    Shortfall,
)
from tws.model.record import JournalRecord as _Record
from tws.model.riskrecords import LimitLatched, LimitReleased, LimitsChanged, LossAnchored, PeakRaised
from tws.model.rulerecords import RuleSwitched
from tws.model.runrecords import Began, FloorRaised, LinkMoved, Reloaded, Stamped
from tws.model.session import Session
from tws.model.signalrecords import SignalJudged, SignalsUnwritten
from tws.model.stoprecords import AllCancelAsked, FlattenMoved, KillMoved

__all__ = [
    "RECORD_VERSION",
    "Adjusted",
    "Adopted",
    "Agreed",
    "Aimed",
    "Alarmed",
    "AllCancelAsked",
    "Annulled",
    "Answered",
    "Approved",
    "Asked",
    "Began",
    "Booked",
    "Bound",
    "Busted",
    "CancelAsked",
    "CashAdjusted",
    "CashAsked",
    "CashHeard",
    "Changed",
    "Charged",
    "Denied",
    "Differs",
    "Exercised",
    "FlattenMoved",
    "FlattenPhase",
    "FloorRaised",
    "Folded",
    "ForeignSeen",
    "HandedBack",
    "HoursStated",
    "Inferred",
    "Intended",
    "KillMoved",
    "Lacked",
    "LimitLatched",
    "LimitReleased",
    "LimitsChanged",
    "LinkMoved",
    "LossAnchored",
    "Missed",
    "Moved",
    "OpeningConfirmed",
    "OpeningSet",
    "OrderState",
    "PeakRaised",
    "Planned",
    "PositionHeard",
    "Recalled",
    "Record",
    "Refused",
    "Released",
    "Reloaded",
    "Reopened",
    "Resized",
    "Retired",
    "ReversalMoved",
    "ReversalPhase",
    "RuleSwitched",
    "Severity",
    "Shortfall",
    "SignalJudged",
    "SignalsUnwritten",
    "Stamped",
    "Stated",
    "Watched",
    "decode_record",
    "decode_records",
    "encode_record",
]

RECORD_VERSION = 1
"""The version that `encode_record` writes. Raise it when an old record would be read wrongly."""


class Planned(_Record, frozen=True, kw_only=True):
    """A trade was accepted: what its entry is and how its fills are to be protected. Its orders follow.

    `stop_price` and `target_price` are None for a trade without protection.
    """

    group_id: str
    contract: Contract
    tick: Decimal
    lot: Decimal
    side: Side
    quantity: Decimal
    stop_price: Decimal | None = None
    target_price: Decimal | None = None
    strategy: str = ""
    signal_id: str = ""
    reference: Decimal | None = None
    """The middle of the market when it was let out."""
    joins: str = ""
    """The trade that it adds to: when that one is over, what is not filled of this one is cancelled."""
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    trigger_price: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    """How the broker moves the stop by itself, as in `Order`."""
    target_follows: bool = False
    stop_follows: bool = False
    """Whether they stay as far from the average price when something is added."""


class Intended(_Record, frozen=True, kw_only=True):
    """We mean to place this order. Intent and order id are one commit, so neither is ever issued twice.

    `serial` is the number in the intent id. `order.order_ref` is the intent id. `group_id` joins an
    entry with its exits.
    """

    intent_id: str
    serial: int
    group_id: str
    role: Role
    order_id: int
    contract: Contract
    order: Order
    exercise: Exercising | None = None
    """It is no order on a market: `order` is then what TWS is told to take of the options, for the counts."""


class Approved(_Record, frozen=True, kw_only=True):
    """The gate let the order through; its bytes may leave once this is on disk. `revision` > 0 changes.

    `figures` holds figure and bound of every limit that is on, by its name (empty in older journals).
    """

    intent_id: str
    order_id: int
    revision: int = 0
    figures: Mapping[str, tuple[str, str]] = field(default_factory=dict)


class Changed(_Record, frozen=True, kw_only=True):
    """The order is to become `order`; the approval of that revision follows. It stands once TWS states it.

    `repair`: the desk wants it by itself, to set the size of a protection right.
    """

    intent_id: str
    revision: int
    order: Order
    reason: str = ""
    repair: bool = False


class Stated(_Record, frozen=True, kw_only=True):
    """What TWS says the order is: it took a change, it kept the order as it was, or somebody else changed it.

    `order` is the order as it stands at the broker; no change of it is out any more.
    """

    intent_id: str
    order: Order
    cause: str = ""


class Moved(_Record, frozen=True, kw_only=True):
    """An order went from `before` to `state` by `event` (an arc of `tws.orders.table`).

    `filled` and `remaining` are the broker's claim when it made one, in shares; what we hold is
    reckoned from executions alone. `cause` is the broker's or our own reason, for a reader.
    """

    intent_id: str
    event: str
    before: OrderState
    state: OrderState
    perm_id: int = 0
    perm_state: OrderState | None = None
    """The state of that permanent id alone, where the intent owns several."""
    filled: Decimal | None = None
    remaining: Decimal | None = None
    written: bool = False
    """It proves that the order's bytes have left."""
    cause: str = ""


class Bound(_Record, frozen=True, kw_only=True):
    """The broker's permanent id of an intent. One intent may come to own several (INCIDENTS.md 3)."""

    intent_id: str
    perm_id: int
    order_id: int


class Adopted(_Record, frozen=True, kw_only=True):
    """A working order of our own reference that the journal did not know, or one that a human took over."""

    intent_id: str
    serial: int
    group_id: str
    role: Role
    contract: Contract
    order: BrokerOrder
    reason: str


class CancelAsked(_Record, frozen=True, kw_only=True):
    """We want the order gone. Its bytes, if they have not left, never will."""

    intent_id: str
    order_id: int
    reason: str


class Denied(_Record, frozen=True, kw_only=True):
    """A wish that no limit let through: which limit, what was asked, what is allowed. No order came of it."""

    symbol: str
    limit: str
    figure: str
    bound: str
    reason: str
    role: Role = Role.ENTRY
    side: Side | None = None
    quantity: Decimal | None = None
    strategy: str = ""
    signal_id: str = ""
    group_id: str = ""
    """The trade that the order was to protect, when the desk itself wanted it."""

    def __str__(self) -> str:
        return f"{self.limit}: {self.reason} (asked {self.figure}, bound {self.bound})"


class Asked(_Record, frozen=True, kw_only=True):
    """We asked the broker for a complete answer."""

    kind: AnswerKind
    session: int


class Answered(_Record, frozen=True, kw_only=True):
    """A complete answer came; `named` are the intents of unknown outcome that it speaks of."""

    kind: AnswerKind
    session: int
    named: tuple[str, ...] = ()
    round_complete: bool = False
    """Open, completed and executions have now all been answered since the round began."""
    reconciled: bool = False
    """All four kinds have been answered since the link came up."""
    opened: bool = False
    """The account's opening balances are taken from it (records before this one)."""
    reaches_ns: int | None = None
    """The broker's time of the oldest execution that it names: he would name each later one too."""


class Missed(_Record, frozen=True, kw_only=True):
    """One complete round of answers did not name this order. Two, far enough apart, prove it absent."""

    intent_id: str
    session: int


class Released(_Record, frozen=True, kw_only=True):
    """The desk no longer looks after the protection of this trade: it is over, or a flatten has taken it.

    `flat`: what it held has been closed by an order outside it, a flatten's.
    """

    group_id: str
    reason: str
    flat: bool = False


class Watched(_Record, frozen=True, kw_only=True):
    """A trade's held shares are without a full live stop since `at_ns` (`bare`), or are covered again."""

    group_id: str
    bare: bool


class Reopened(_Record, frozen=True, kw_only=True):
    """A late fact made a trade that was over hold shares, or work: it is looked after again."""

    group_id: str


class Retired(_Record, frozen=True, kw_only=True):
    """Trades (and orders outside any) that ended long ago are packed; `forgotten`, longer ago: dropped."""

    keys: tuple[str, ...]
    forgotten: bool = False


class Recalled(_Record, frozen=True, kw_only=True):
    """A late fact speaks of a trade that was packed away: it is unpacked."""

    key: str


class HoursStated(_Record, frozen=True, kw_only=True):
    """The broker's word on a contract's hours, some days ahead: regular ones, and those of all trading."""

    con_id: int
    symbol: str
    liquid: tuple[Session, ...] = ()
    trading: tuple[Session, ...] = ()


class ForeignSeen(_Record, frozen=True, kw_only=True):
    """An order that is none of ours, kept apart and never touched; `gone` when it ended."""

    order: BrokerOrder
    gone: bool = False


class Alarmed(_Record, frozen=True, kw_only=True):
    """Something a human should know. `subject` is what it is about: an intent, a symbol, a trouble."""

    severity: Severity
    subject: str
    text: str


Record: TypeAlias = (
    Began | Planned | Intended | Approved | Resized | Moved | Bound | Adopted | Booked | Charged | CancelAsked
    | Denied | LinkMoved | FloorRaised | PositionHeard | OpeningSet | Adjusted | Asked | Answered | Missed
    | Agreed | Differs | Released | Watched | FlattenMoved | ForeignSeen | Alarmed | KillMoved
    | LimitsChanged | LimitLatched | LimitReleased | LossAnchored | PeakRaised
    | AllCancelAsked | HoursStated | Changed | Stated | Reopened | Retired | Recalled
    | Inferred | Busted | Lacked | Refused | Shortfall | OpeningConfirmed | HandedBack | Folded
    | Annulled | CashAsked | CashHeard | CashAdjusted | Stamped | Reloaded
    | SignalJudged | SignalsUnwritten | ReversalMoved | Aimed | RuleSwitched | Exercised
)

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_READERS: dict[bytes, Callable[[bytes], Record]] = {b"1": _decoder.decode}
"""How the body of a record of each version is read. A version that was once written is never taken out."""


def encode_record(record: Record) -> bytes:
    """A record as the bytes that the journal appends: the version, a blank, JSON."""
    return b"%d " % RECORD_VERSION + _encoder.encode(record)


def decode_record(data: bytes, number: int = 0) -> Record:
    """The record in `data`; `number` is its place in the journal, for the error.

    Raises DataError for a version that we can't read and for bytes that are no record.
    """
    version, _, body = data.partition(b" ")
    read = _READERS.get(version)
    if read is None:
        known = ", ".join(each.decode() for each in _READERS)
        reason = f"record version {version[:20]!r}; this program reads {known}: read it with the newer one"
        raise DataError("journal", number, reason)
    try:
        return read(body)
    except msgspec.MsgspecError as error:
        reason = f"no record: {error}. Keep the file, and report this row"
        raise DataError("journal", number, reason) from error


def decode_records(rows: Iterable[bytes]) -> Iterator[Record]:
    """The records of a journal in their order, numbered from 1. Raises DataError at the first bad one."""
    for number, row in enumerate(rows, 1):
        yield decode_record(row, number)
