"""What the journal keeps about positions: fills and fees, the broker's word, and what a human said.

Part of `tws.model.records`, where all kinds are listed and where they are written and read.
"""

from __future__ import annotations

from decimal import Decimal

from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.record import JournalRecord

__all__ = [
    "Adjusted",
    "Annulled",
    "Booked",
    "Busted",
    "CashAdjusted",
    "CashAsked",
    "CashHeard",
    "Charged",
    "Differs",
    "Exercised",
    "Folded",
    "HandedBack",
    "Inferred",
    "Lacked",
    "OpeningConfirmed",
    "OpeningSet",
    "PositionHeard",
    "Refused",
    "Shortfall",
]


class Booked(JournalRecord, frozen=True, kw_only=True):
    """A fill, or the correction of one. `intent_id` is empty when the order was none of ours.

    `replaces` names the inferred fill that this one turns out to be the truth of.
    """

    execution: Execution
    intent_id: str = ""
    replaces: str = ""


class Charged(JournalRecord, frozen=True, kw_only=True):
    """The broker's fee for one fill."""

    commission: Commission


class Inferred(JournalRecord, frozen=True, kw_only=True):
    """A fill that the broker no longer remembers, derived from what he states: a guess in its price alone.

    `name` is its identity in place of an exec id; `quantity` is signed; `basis` says what proves it, and
    `priced` where the price comes from.
    """

    name: str
    intent_id: str
    account: str
    contract: Contract
    quantity: Decimal
    price: Decimal
    basis: str
    priced: str


class Busted(JournalRecord, frozen=True, kw_only=True):
    """A fill that the broker has taken back: his answers no longer name it, his position lacks it."""

    account: str
    contract: Contract
    exec_id: str
    quantity: Decimal
    intent_id: str = ""


class Annulled(JournalRecord, frozen=True, kw_only=True):
    """So many shares that the broker claimed of this order were never filled, or he took them back before an
    execution told of them: his answers would name it, and do not. `basis` says what proves it.
    """

    intent_id: str
    quantity: Decimal
    basis: str


class Lacked(JournalRecord, frozen=True, kw_only=True):
    """A complete answer of executions lacks a fill that the broker claims of this order."""

    intent_id: str


class PositionHeard(JournalRecord, frozen=True, kw_only=True):
    """What the broker says we hold; 0 for what its complete list no longer names."""

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal


class Differs(JournalRecord, frozen=True, kw_only=True):
    """The broker states another quantity than the account's fills make (`reckoned`), or no longer does."""

    account: str
    contract: Contract
    reckoned: Decimal
    stated: Decimal


class Refused(JournalRecord, frozen=True, kw_only=True):
    """A fact about a position that can't be (`why`), booked nowhere; or, with `cleared`, no longer open.

    `exec_id` names a fill; it is empty for a position.
    """

    account: str
    contract: Contract
    exec_id: str = ""
    why: str = ""
    cleared: bool = False


class Shortfall(JournalRecord, frozen=True, kw_only=True):
    """So many shares of ours are no longer in the account (0: all are): somebody else moved them."""

    account: str
    contract: Contract
    quantity: Decimal


class OpeningSet(JournalRecord, frozen=True, kw_only=True):
    """What the account held before the first fill that we know of. `average_cost` is the broker's word.

    `price` is what it makes per share, reckoned under the fills known by then (None in old journals: the
    average cost itself); not `proven` when nothing of the opening is held any more.
    """

    account: str
    contract: Contract
    quantity: Decimal
    average_cost: Decimal
    price: Decimal | None = None
    proven: bool = True


class OpeningConfirmed(JournalRecord, frozen=True, kw_only=True):
    """A human has looked at an account's opening balances and says that they are so."""

    account: str
    operator: str
    reason: str


class Adjusted(JournalRecord, frozen=True, kw_only=True):
    """A human explained a move of a position without a fill (a split, an exercise, a transfer).

    With a `ratio` it is a split: each share becomes so many, at the same cost. `effective_ns` is when it
    happened (None: at `at_ns`). `trades` are the trades of ours that it moves, each with its signed shares;
    a split moves all of the contract.
    """

    account: str
    contract: Contract
    quantity: Decimal
    price: Decimal
    ours: bool
    operator: str
    reason: str
    ratio: Decimal | None = None
    effective_ns: int | None = None
    account_too: bool = True
    """Whether the account's book moves; a human's own trade has moved it by its execution already."""
    paid: bool = True
    """Whether cash moved with it, as for an assignment; for a transfer none does."""
    trades: tuple[tuple[str, Decimal], ...] = ()


class Exercised(JournalRecord, frozen=True, kw_only=True):
    """Options of ours were exercised, or lapsed: the broker's positions show it (`basis`), no execution does.

    `quantity` contracts of `contract` went at 0; `shares` of `underlying` (signed) came or went at `strike`.
    """

    intent_id: str
    account: str
    contract: Contract
    quantity: Decimal
    underlying: Contract | None = None
    shares: Decimal = Decimal(0)
    strike: Decimal = Decimal(0)
    basis: str = ""


class CashAsked(JournalRecord, frozen=True, kw_only=True):
    """We asked the broker for the accounts' cash."""


class CashHeard(JournalRecord, frozen=True, kw_only=True):
    """The broker's cash of an account in one currency, and what our fills do not make of it.

    `base` is what it began with; `difference` is 0 within the tolerance; it `lasts` when two readings say it.
    """

    account: str
    currency: str
    stated: Decimal
    base: Decimal
    difference: Decimal
    lasts: bool = False


class CashAdjusted(JournalRecord, frozen=True, kw_only=True):
    """A human explained a sum that no fill explains: interest, a dividend, a deposit, a settlement."""

    account: str
    currency: str
    amount: Decimal
    operator: str
    reason: str


class HandedBack(JournalRecord, frozen=True, kw_only=True):
    """This trade holds `moved` more than its own orders made, in its entry's direction. Less, as a rule: a
    flatten that ended with shares left, or another order outside any trade, closed a part of it.
    """

    group_id: str
    moved: Decimal


class Folded(JournalRecord, frozen=True, kw_only=True):
    """Of what happened before an instant, in the broker's time, both books keep what it came to."""

    before_ns: int
