"""What the desk is told, apart from the broker's facts (`tws.model.facts`) and quotes.

Wishes come from strategies, the command line and the runtime. Reports come from the writer of
the socket (`Outbound`), which alone knows whether the bytes of an order have left.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct

from tws.model.account import AccountValue
from tws.model.exercise import Exercise
from tws.model.facts import Fact
from tws.model.instrument import Instrument
from tws.model.market import Quote
from tws.model.order import Bracket, OrderType, Role, Side, TimeInForce
from tws.model.rulerecords import RuleSwitched
from tws.model.session import Session
from tws.model.signalrecords import SignalJudged, SignalsUnwritten
from tws.model.stop import EVERYTHING, Scope

__all__ = [
    "Adjust",
    "AdjustCash",
    "Adopt",
    "Begin",
    "CancelAll",
    "CancelIntent",
    "CashStated",
    "ChangeLimits",
    "Command",
    "ConfirmOpening",
    "DeclareGone",
    "Event",
    "Flatten",
    "Kill",
    "ModifyOrder",
    "NotWritten",
    "NoteAlarm",
    "NoteRules",
    "NoteSignals",
    "ReduceOnly",
    "ReleaseLimit",
    "Reload",
    "Report",
    "ReserveIds",
    "ResetKill",
    "Reverse",
    "StateHours",
    "SubmitBracket",
    "SubmitExercise",
    "SubmitOrder",
    "TimerTick",
    "Withdrawn",
    "Written",
]


class Begin(Struct, frozen=True, kw_only=True):
    """A run begins, after the journal was replayed and before the first dial.

    `prefix` (short ASCII letters and digits) starts every intent id of this run; give another one
    for each journal. `account` is the one we trade; `port` decides with it whether live is locked.
    `code` and `configuration` are fingerprints of what it trades by, `program` its version, for the journal.
    """

    prefix: str
    client_id: int
    account: str
    port: int
    code: str = ""
    configuration: str = ""
    program: str = ""


class SubmitBracket(Struct, frozen=True, kw_only=True):
    """Enter with stop and target attached. The contract of `bracket` must carry its con_id.

    `joins` names the trade that it adds to (scaling in, doubling down): one that is open, on the same side,
    and holds shares. What is not filled of it is cancelled when that trade is over.
    """

    bracket: Bracket
    instrument: Instrument
    joins: str = ""


class Reverse(Struct, frozen=True, kw_only=True):
    """Close what the strategy of `bracket` holds the other way, then enter with it.

    Targets and entries are cancelled, the close works in the stop's OCA group, and the new entry is judged
    once the broker's fills say flat. Beyond `Timing.reversal_ns`, or when a flatten or the emergency stop
    takes the symbol, there is no new entry.
    """

    bracket: Bracket
    instrument: Instrument
    reason: str = "reversed"


class SubmitOrder(Struct, frozen=True, kw_only=True):
    """One order without children. Quantity in shares, prices in the contract's currency.

    With another role than ENTRY it must provably reduce what we hold, working exits counted, and passes
    the limits of entries. `Flatten` is the way to close what stop and target already guard.
    """

    instrument: Instrument
    side: Side
    quantity: Decimal
    order_type: OrderType = OrderType.MARKET
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    tif: TimeInForce = TimeInForce.DAY
    role: Role = Role.ENTRY
    outside_rth: bool = False
    strategy: str = ""
    signal_id: str = ""


class SubmitExercise(Struct, frozen=True, kw_only=True):
    """Exercise options of ours, or let them lapse. Both contracts must carry their con_id.

    `underlying` is what they are options on, as TWS's details name it; a lapse brings nothing and needs none.
    An exercise is judged as an entry of what it brings, at the strike; a lapse has to give up no more than is
    held. A refusal is a `Denied` of the role EXERCISE or LAPSE. What TWS takes can be taken back with
    `CancelIntent` as long as it shows it as an order.
    """

    instrument: Instrument
    wish: Exercise
    underlying: Instrument | None = None
    strategy: str = ""
    signal_id: str = ""


class CancelIntent(Struct, frozen=True, kw_only=True):
    """Cancel one order of ours."""

    intent_id: str
    reason: str


class ModifyOrder(Struct, frozen=True, kw_only=True):
    """Change a working order of ours: what is None stays as TWS last stated it.

    Prices are snapped to `instrument`'s grid (the trade's own when None) and judged by the gate. The quantity
    of an entry takes its attached children along; that of an order which protects a trade is the desk's
    affair. `trail` or `trail_percent` makes a trade's stop a trailing one, from where it stands, or changes
    by how much it trails; where that stands is the market's affair. A refusal is a `Denied` with the limit
    `change`; TWS's own refusal leaves the order as it was.
    """

    intent_id: str
    quantity: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    instrument: Instrument | None = None
    reason: str = ""


class CancelAll(Struct, frozen=True, kw_only=True):
    """Cancel our working orders: of one symbol, or of all (None); `entries_only` leaves the exits alone. What
    a reversal has yet to enter is cancelled with them.
    """

    reason: str
    symbol: str | None = None
    entries_only: bool = False


class Flatten(Struct, frozen=True, kw_only=True):
    """Cancel, wait for the confirmations, re-read the position, close what is ours. `symbol` None means all.

    A `key` makes it happen once: the second command with the same key does nothing (a day's close
    uses "eod 2026-11-23").
    """

    reason: str
    symbol: str | None = None
    key: str = ""


class Kill(Struct, frozen=True, kw_only=True):
    """The emergency stop: entries of the scope are refused from now on and cancelled; protective stops stay.

    With `flatten` what is ours is closed too. Ours alone: manual and foreign holdings and orders are left,
    except that the scope of an account cancels every order of it. It stays until `ResetKill`.
    """

    reason: str
    operator: str = ""
    scope: Scope = EVERYTHING
    flatten: bool = False


class ReduceOnly(Struct, frozen=True, kw_only=True):
    """Only orders that provably reduce what is held leave from now on; entries that work are cancelled."""

    reason: str
    operator: str = ""
    scope: Scope = EVERYTHING


class ResetKill(Struct, frozen=True, kw_only=True):
    """A named human ends the stop of one scope, and says why.

    Refused (a `Denied` of limit "reset") without name or reason, while it still cancels or closes, and unless
    the scope is flat by the broker's own word or `accept` says that what is left is known and accepted.
    """

    operator: str
    reason: str
    scope: Scope = EVERYTHING
    accept: bool = False


class StateHours(Struct, frozen=True, kw_only=True):
    """What the broker states of a contract's hours (`tws.model.session.parse_hours`); empty: not stated."""

    con_id: int
    symbol: str
    liquid: tuple[Session, ...] = ()
    trading: tuple[Session, ...] = ()


class Adopt(Struct, frozen=True, kw_only=True):
    """A human takes over a foreign working order, named by its permanent id."""

    perm_id: int
    role: Role
    operator: str
    reason: str


class Adjust(Struct, frozen=True, kw_only=True):
    """A human explains a change of position that no fill explains. `quantity` is the signed change.

    `price` is what a share of it cost or brought: the strike of an assignment, 0 for an option that expires
    or is exercised, the price that a transfer states. With a `ratio` it is a split (4: four new shares for
    one): quantity and price are not read, the cost stays, the prices of our protection are divided.
    `effective_ns` is when it happened (None: now): fills before it are shares of the old kind.

    `ours`: it moves our book, and the trades that hold it. `account_too` False leaves the account's book
    alone: a human sold shares of ours, and the execution of that has moved the account already.
    """

    account: str
    instrument: Instrument
    quantity: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    operator: str
    reason: str
    ours: bool = False
    ratio: Decimal | None = None
    effective_ns: int | None = None
    account_too: bool = True
    paid: bool = True
    """Whether cash moved with it: for an assignment it did, for a transfer it does not."""


class AdjustCash(Struct, frozen=True, kw_only=True):
    """A human explains a sum of cash that no fill explains: interest, a dividend, a deposit, a settlement."""

    account: str
    currency: str
    amount: Decimal
    operator: str
    reason: str


class CashStated(Struct, frozen=True, kw_only=True):
    """The broker's cash ledger, as it was asked for: a row for each account, key and currency."""

    rows: tuple[AccountValue, ...]


class ConfirmOpening(Struct, frozen=True, kw_only=True):
    """A human has compared an account's opening balances with what it should hold, and confirms them."""

    account: str
    operator: str
    reason: str


class DeclareGone(Struct, frozen=True, kw_only=True):
    """A human's word that an order of unknown outcome is gone, or a fill that is claimed of an ended one.

    The only end of an order that TWS may hold untransmitted: it shows in no answer (INCIDENTS.md 14).
    """

    intent_id: str
    operator: str
    reason: str


class ChangeLimits(Struct, frozen=True, kw_only=True):
    """A human sets limits while we trade: values as text by path, as `tws.risk.Limits.changed` reads them.

    All of them hold from now on, or none when one is nonsense; an alarm then says which.
    """

    operator: str
    reason: str
    changes: dict[str, str]


class ReleaseLimit(Struct, frozen=True, kw_only=True):
    """A human lets entries out again after a limit has latched; `scope` is a symbol, or empty for all."""

    limit: str
    operator: str
    reason: str
    scope: str = ""


class Reload(Struct, frozen=True, kw_only=True):
    """A run takes its configuration up anew: its `limits`, whole, as text by path (`Limits.to_plain`).

    Limits that are those of the configuration before change nothing, so that what a human set since stays.
    `changes` says in words what differs, `configuration` is the new fingerprint; both are for the journal.
    """

    operator: str
    reason: str
    configuration: str
    limits: dict[str, str]
    changes: tuple[str, ...] = ()


class ReserveIds(Struct, frozen=True, kw_only=True):
    """Order ids for somebody else on this client id: from the record's `next_order_id` less `count` on."""

    count: int = 1


class NoteSignals(Struct, frozen=True, kw_only=True):
    """Signals were judged (`tws.strategy.FateBook.take_records`): the journal is to keep these rows."""

    rows: tuple[SignalJudged | SignalsUnwritten, ...]


class NoteAlarm(Struct, frozen=True, kw_only=True):
    """Something beside the desk wants a human, such as a strategy that was disabled: an alarm."""

    subject: str
    text: str


class NoteRules(Struct, frozen=True, kw_only=True):
    """Rules were switched: the journal is to keep these rows."""

    rows: tuple[RuleSwitched, ...]


class TimerTick(Struct, frozen=True, kw_only=True):
    """Time has passed: the runtime sends one at least every second of market time."""


class Written(Struct, frozen=True, kw_only=True):
    """The bytes of this order have left the process."""

    order_id: int


class Withdrawn(Struct, frozen=True, kw_only=True):
    """A cancel met the order before its bytes left: neither was sent."""

    order_id: int


class NotWritten(Struct, frozen=True, kw_only=True):
    """The order's bytes will not leave: the last gate refused, or our own client did (codes 501 to 593).

    `any_byte_left` True means that we can't be sure: the order becomes unknown, not withdrawn.
    """

    order_id: int
    reason: str
    any_byte_left: bool = False


Command: TypeAlias = (
    Begin | SubmitBracket | SubmitOrder | SubmitExercise | CancelIntent | CancelAll | Flatten | Adopt | Adjust
    | DeclareGone | ReserveIds | ChangeLimits | ReleaseLimit | ModifyOrder | Kill | ReduceOnly | ResetKill
    | StateHours | ConfirmOpening | AdjustCash | Reverse | NoteSignals | NoteRules | NoteAlarm | Reload
)
Report: TypeAlias = Written | Withdrawn | NotWritten | CashStated
Event: TypeAlias = Fact | Quote | Command | Report | TimerTick
"""All that the desk steps on."""
