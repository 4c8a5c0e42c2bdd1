"""What the desk knows: moved by `tws.desk.apply` alone, compared field by field in the tests.

Nothing here comes from a quote or a clock, so a journal rebuilds all of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TypeVar
from zlib import compress, decompress

import msgspec
from msgspec import Struct, field

from tws.desk.totals import Totals
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.facts import AnswerKind, LinkState
from tws.model.instrument import Instrument
from tws.model.linkedrecords import Aimed, ReversalPhase
from tws.model.order import Bracket, Role, Side
from tws.model.records import FlattenPhase, ForeignSeen, HoursStated, Inferred, OpeningConfirmed, Refused
from tws.model.signalrecords import SignalJudged
from tws.model.stop import EVERYTHING, KillState, Scope
from tws.orders.book import OrderBook, OurOrder
from tws.positions.book import PositionBook
from tws.risk.limits import Limits
from tws.risk.situation import Reference

__all__ = ["Bundle", "Cash", "DeskState", "FlattenJob", "Group", "KillSwitch", "LossDay", "Question",
           "Reversal", "Shelf",
           "Stop", "remember"]

_K = TypeVar("_K")
_V = TypeVar("_V")
_ZERO = Decimal(0)
_KEPT = 10_000  # signals, wishes, alarms, folded fills and foreign orders: days of them, and bounded


class Group(Struct, kw_only=True):
    """A trade: an entry, its exits, and the prices of its protection. Quantities in shares."""

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
    joins: str = ""
    """The trade that it adds to."""
    trail: Decimal | None = None
    trail_percent: Decimal | None = None
    trigger_price: Decimal | None = None
    adjusted_stop_price: Decimal | None = None
    """How the broker moves the stop by itself, as in `Order`; `stop_price` is where it last stated it."""
    target_follows: bool = False
    stop_follows: bool = False
    """Whether they stay as far from the average price when something is added."""
    additions: int = 0
    """How many others were let out to add to it."""
    aim: Aimed | None = None
    """From what its exits were reckoned after the last addition; None before any."""
    intents: list[str] = field(default_factory=list)
    repairs: int = 0
    """Protective orders that the desk placed or resized by itself, or wanted to."""
    repaired_ns: int = 0
    """When it last tried to."""
    moved: Decimal = _ZERO
    """Shares that came (in the entry's direction) or went by no order of the trade: splits, transfers, and
    what a flatten closed with an order of its own."""
    settled: bool = False
    """It was over when it was released: nothing held, nothing live. Only such a one is opened again."""

    bare_since_ns: int | None = None
    """Since when shares are held without a full stop that is proven live; None while there are none."""
    bare_ns: int = 0
    """How long that was in all, what is still running not counted."""
    bare_longest_ns: int = 0
    bare_times: int = 0

    @property
    def instrument(self) -> Instrument:
        return Instrument(contract=self.contract, tick=self.tick, lot=self.lot)

    @property
    def protected(self) -> bool:
        """Whether its fills are to have a stop."""
        return self.stop_price is not None

    def bare(self, at_ns: int, bare: bool) -> None:
        """From `at_ns` on shares are without a proven stop, or no longer."""
        if bare and self.bare_since_ns is None:
            self.bare_since_ns = at_ns
            self.bare_times += 1
        elif not bare and self.bare_since_ns is not None:
            lasted_ns = max(0, at_ns - self.bare_since_ns)
            self.bare_ns += lasted_ns
            self.bare_longest_ns = max(self.bare_longest_ns, lasted_ns)
            self.bare_since_ns = None


class Bundle(Struct, kw_only=True):
    """A trade and its orders, as they are packed; an order outside any trade comes alone."""

    group: Group | None = None
    orders: list[OurOrder] = field(default_factory=list)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Bundle).decode
_LEVEL = 1  # three times smaller, since most of it are the names of fields; more work gains little


class Shelf(Struct):
    """What ended long ago, packed small, and the ways to it. `Retired` and `Recalled` move it."""

    bundles: dict[str, bytes] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    """When each ended, in the order in which they were packed."""
    intents: dict[str, str] = field(default_factory=dict)
    """The key of each order's bundle."""
    perms: dict[int, str] = field(default_factory=dict)

    def put(self, key: str, bundle: Bundle, ended_ns: int) -> None:
        self.bundles[key] = compress(_encode(bundle), _LEVEL)
        self.ended[key] = ended_ns
        for order in bundle.orders:
            self.intents[order.intent_id] = key
            for perm_id in order.perms:
                self.perms[perm_id] = key

    def take(self, key: str) -> Bundle:
        """Unpack and remove."""
        bundle = self.look(key)
        self.bundles.pop(key, None)
        self.ended.pop(key, None)
        for order in bundle.orders:
            self.intents.pop(order.intent_id, None)
            for perm_id in order.perms:
                self.perms.pop(perm_id, None)
        return bundle

    def look(self, key: str) -> Bundle:
        """A copy of what is packed under `key`; an empty one for what is not here."""
        packed = self.bundles.get(key)
        return Bundle() if packed is None else _decode(decompress(packed))

    def key_of(self, order_ref: str, perm_id: int) -> str:
        """Where a fact with this reference or permanent id belongs; empty when nowhere here."""
        return self.intents.get(order_ref, "") or self.perms.get(perm_id, "")


class FlattenJob(Struct, kw_only=True):
    """The flatten of one symbol."""

    symbol: str
    phase: FlattenPhase
    since_ns: int
    begun_ns: int
    reason: str = ""
    """Why it was begun."""
    why: str = ""
    """Why it came to its phase."""
    key: str = ""
    strategy: str = ""
    """Whose trades it closes; empty: all that is ours of the symbol."""
    asked: int = 0
    """How many questions there had been when it came to its phase: a later one's answer is newer."""
    closes: int = 0
    """How often closing orders were sent for it."""


class Reversal(Struct, kw_only=True):
    """From a trade to the opposite one: `bracket` is entered once what is held of its contract is closed."""

    phase: ReversalPhase
    begun_ns: int
    bracket: Bracket
    instrument: Instrument


class Stop(Struct, kw_only=True):
    """The stop of one scope. `since_ns` is when it came to `state`, `begun_ns` when it was ordered."""

    scope: Scope
    state: KillState
    since_ns: int
    begun_ns: int
    flatten: bool = False
    reason: str = ""
    operator: str = ""
    asked: int = 0
    """How many questions there had been when it was ordered."""
    all_asked_ns: int | None = None
    """When the global cancel of an account's scope was last asked for."""


class KillSwitch(Struct, kw_only=True):
    """The stops that stand, by the key of their scope. None: the desk trades."""

    stops: dict[str, Stop] = field(default_factory=dict)

    @property
    def main(self) -> Stop | None:
        """The stop of all that is ours, ordered for everything or for the account; the later one."""
        whole = [stop for stop in self.stops.values() if stop.scope.whole]
        return max(whole, key=lambda stop: stop.begun_ns, default=None)

    @property
    def state(self) -> KillState:
        """How far the stop of all that is ours has gone; narrower ones do not count."""
        return self.main.state if self.main is not None else KillState.ACTIVE

    @property
    def scope(self) -> Scope:
        return self.main.scope if self.main is not None else EVERYTHING

    @property
    def since_ns(self) -> int | None:
        return self.main.since_ns if self.main is not None else None

    @property
    def reason(self) -> str:
        return self.main.reason if self.main is not None else ""

    @property
    def operator(self) -> str:
        return self.main.operator if self.main is not None else ""

    def over(self, symbol: str, strategy: str) -> list[Stop]:
        """The stops that cover an order on `symbol` for `strategy`."""
        return [stop for stop in self.stops.values() if stop.scope.covers(symbol, strategy)]

    def stopped(self, symbol: str, strategy: str) -> str:
        """Why no entry may leave on `symbol` for `strategy`; empty when no stop covers it."""
        for stop in self.over(symbol, strategy):
            by = f" by {stop.operator}" if stop.operator else ""
            return f"{stop.scope.key} is stopped{by} ({stop.state}): {stop.reason}"
        return ""

    def reduces_only(self, symbol: str, strategy: str) -> bool:
        """Whether an order that is meant as an entry is judged as an exit: under REDUCE_ONLY and no more."""
        stops = self.over(symbol, strategy)
        return bool(stops) and all(stop.state is KillState.REDUCE_ONLY for stop in stops)


class Question(Struct, kw_only=True):
    """What we asked the broker of one kind, and whether the answer has come."""

    asked_ns: int
    epoch: int
    number: int = 0
    """How many questions there had been with it; a market's clock may stand still while many are asked."""
    answered_ns: int | None = None
    reaches_ns: int | None = None
    """The broker's time of the oldest execution in the answer."""


class LossDay(Struct, kw_only=True):
    """Against what losses are measured: the day, what our book had made when it began, and its best since."""

    day: str = ""
    began: Decimal = _ZERO
    peak: Decimal = _ZERO
    released: bool = False
    """A human has let entries out again: what was lost by then counts no more."""


class Cash(Struct, kw_only=True):
    """An account's cash in one currency: what it began with, what the broker stated last, how much of that no
    fill explains, and since when; `lasts` when two readings say so.
    """

    base: Decimal
    stated: Decimal
    difference: Decimal = _ZERO
    since_ns: int | None = None
    lasts: bool = False


class DeskState(Struct, kw_only=True):
    """All of it. `epoch` counts how often the broker came back: an absence is proven within one epoch."""

    prefix: str = ""
    client_id: int = 0
    account: str = ""
    port: int = 0
    serial: int = 0
    next_order_id: int = 0

    link: LinkState = LinkState.DOWN
    session: int = 0
    epoch: int = 0
    accounts: tuple[str, ...] = ()

    book: OrderBook = field(default_factory=OrderBook)
    ours: PositionBook = field(default_factory=PositionBook)
    account_book: PositionBook = field(default_factory=PositionBook)
    opened: bool = False
    """The account's opening balances were taken."""
    stated: dict[str, Position] = field(default_factory=dict)
    """The broker's own word on each position, by account and con_id."""
    differs: dict[str, int] = field(default_factory=dict)
    """Since when the broker's word differs from the account's book."""
    confirmed: dict[str, OpeningConfirmed] = field(default_factory=dict)
    """The accounts whose opening balances a human has confirmed."""
    beside: dict[str, Decimal] = field(default_factory=dict)
    """What others held of a contract when our position in it was opened."""
    shortfall: dict[str, Decimal] = field(default_factory=dict)
    """Shares of ours that are no longer in the account, by account and con_id."""
    inferred: dict[str, list[Inferred]] = field(default_factory=dict)
    """Inferred fills by intent, as they were recorded; the books know what is left of each."""
    last_fill_ns: int = 0
    """The broker's time of the latest execution; 0 before any."""
    folded_ns: int = 0
    """What happened before this, in the broker's time, the books have folded; 0: nothing."""
    folded: dict[str, None] = field(default_factory=dict)
    """The fills that were folded last, by exec id without its last part."""
    lacked: dict[str, tuple[int, int]] = field(default_factory=dict)
    """(epoch, instant) in which an answer first lacked a fill that the broker claims of this intent."""
    refused: dict[str, Refused] = field(default_factory=dict)
    """Facts about positions that can't be, by exec id or by account and con_id, until they are made good."""

    cash: dict[str, Cash] = field(default_factory=dict)
    """By account and currency."""
    cash_asked: tuple[int, int] | None = None
    """(epoch, instant) of the last question for it."""

    groups: dict[str, Group] = field(default_factory=dict)
    open_groups: dict[str, None] = field(default_factory=dict)
    """The trades that the desk looks after."""
    over: dict[str, int] = field(default_factory=dict)
    """Trades, and orders outside any, that have ended, with the instant: oldest first."""
    shelf: Shelf = field(default_factory=Shelf)
    """Those that ended long ago, packed."""
    flattens: dict[str, FlattenJob] = field(default_factory=dict)
    flatten_keys: dict[str, None] = field(default_factory=dict)
    reversals: dict[str, Reversal] = field(default_factory=dict)
    """By symbol, those that are on their way."""
    kill: KillSwitch = field(default_factory=KillSwitch)
    hours: dict[int, HoursStated] = field(default_factory=dict)
    """The broker's word on each contract's hours, by con_id."""
    signals: dict[str, str] = field(default_factory=dict)
    """Signals that have acted, with the trade that came of them."""
    judged: dict[str, SignalJudged] = field(default_factory=dict)
    """What gates have said, by source, model and id, oldest first and without the words: a run begins with
    what the one before it knew."""

    questions: dict[AnswerKind, Question] = field(default_factory=dict)
    asked: int = 0
    """How many questions there have been."""
    last_asked: dict[AnswerKind, int] = field(default_factory=dict)
    """When each was last asked, also where the round that it belonged to is over."""
    named: dict[str, None] = field(default_factory=dict)
    """Unknown orders of which the running round of answers has spoken."""
    reconciled_epoch: int = -1
    """The epoch in which open and completed orders, fills and positions were all answered."""
    round_ns: int | None = None
    """When the last round of answers was complete."""

    totals: Totals = field(default_factory=Totals)
    limits: Limits | None = None
    """The limits in force; None before the first run began."""
    configured: Limits | None = None
    """The limits of the configuration that the last run had."""
    latches: dict[str, str] = field(default_factory=dict)
    """Broken limits that wait for a human, as `limit/scope`, with the figure that broke them."""
    loss: LossDay = field(default_factory=LossDay)
    messages: list[int] = field(default_factory=list)
    """When orders, changes and cancels left within the last second."""
    entries: dict[str, list[int]] = field(default_factory=dict)
    """When entries of each symbol were let out: the last ones."""
    fingerprints: dict[str, int] = field(default_factory=dict)
    """When each entry was last let out, by what makes it the same wish."""
    references: dict[int, list[Reference]] = field(default_factory=dict)
    """The market at each entry that was let out, by con_id: the last ones."""

    alarms: dict[str, int] = field(default_factory=dict)
    foreign: dict[int, ForeignSeen] = field(default_factory=dict)

    @property
    def names_all_folded(self) -> bool:
        """Whether every fill that was folded is still known by name."""
        return len(self.folded) < _KEPT

    @property
    def link_up(self) -> bool:
        """Whether TWS is there and has the broker."""
        return self.link in (LinkState.CONNECTED, LinkState.RESTORED_KEPT, LinkState.RESTORED_LOST)

    def net(self, contract: Contract) -> Decimal:
        """What our own orders hold of a contract: signed shares."""
        return self.ours.quantity(self.account, contract.con_id)

    def orders_of(self, group_id: str) -> list[OurOrder]:
        """The orders of a trade, oldest first; copies, when it is packed away. None for one forgotten."""
        group = self.groups.get(group_id)
        if group is None:
            return self.shelf.look(group_id).orders
        return [self.book.orders[intent_id] for intent_id in group.intents]

    def members(self, group: Group, *roles: Role) -> list[OurOrder]:
        """The orders of a trade in these roles, oldest first."""
        orders = (self.book.orders[intent_id] for intent_id in group.intents)
        return [order for order in orders if order.role in roles]

    def strategy_of(self, order: OurOrder) -> str:
        """For whom an order was placed; empty where no trade of ours, and no exercise, says so."""
        if order.exercise is not None:
            return order.exercise.strategy
        group = self.groups.get(order.group_id)
        return group.strategy if group is not None else ""

    def flattening(self, group: Group) -> bool:
        """Whether a flatten has the exits of this trade in hand: not one that waits or gave up."""
        job = self.flattens.get(group.contract.symbol)
        if job is None or job.phase in (FlattenPhase.ARMED, FlattenPhase.NOT_FLAT):
            return False
        return job.strategy in ("", group.strategy)

    def held(self, group: Group) -> Decimal:
        """The shares of a trade in its entry's direction: what entries filled less what exits took, and what
        came or went by no order of it.
        """
        total = group.moved
        for intent_id in group.intents:
            order = self.book.orders[intent_id]
            total += order.filled if order.order.side is group.side else -order.filled
        return total

    def in_account(self, group: Group) -> Decimal:
        """As many shares of a trade as the account still has: `held`, less what others have sold of ours.

        What is missing is missing from the newest trade first. This is what protection is sized by: a stop
        for more would open the other way.
        """
        held = self.held(group)
        key = self.ours.key(self.account, group.contract.con_id)
        missing = self.shortfall.get(key, _ZERO)
        ours = self.ours.quantity(self.account, group.contract.con_id) * group.side.sign
        if not missing or held <= 0 or ours < 0:  # it is missing from what all trades hold together
            return held
        for group_id in reversed(self.open_groups):
            other = self.groups[group_id]
            if other is group or missing <= 0:
                break
            if other.contract.con_id == group.contract.con_id and other.side is group.side:
                missing -= max(self.held(other), _ZERO)
        return max(held - max(missing, _ZERO), _ZERO)


def remember(memory: dict[_K, _V], key: _K, value: _V) -> None:
    """Put it last in a bounded memory, whose oldest goes."""
    memory.pop(key, None)
    while len(memory) >= _KEPT:
        del memory[next(iter(memory))]
    memory[key] = value
