"""An order's life in sentences, told from the journal's records alone.

`tws.orders.search` finds what a word names; `Teller` then takes the same records once more, each with its
row, and answers with a sentence where a record is about what was found. A kind of record that this module
has no words for is told field by field, so that nothing about an order is passed over in silence.

Pure: records in, sentences out; quantities and prices as the journal has them.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from tws.model import records as r
from tws.model.contract import Contract
from tws.model.exercise import ExerciseAction, Exercising
from tws.model.order import Order, OrderType
from tws.model.records import OrderState, Record
from tws.orders.search import Found
from tws.orders.table import ENDED, STATUS_EVENTS, OrderEvent, follow
from tws.orders.words import AROUND, OF_CONTRACT, WORDS

__all__ = ["Sentence", "Teller"]

_ZERO = Decimal(0)


class Sentence(Struct, frozen=True, kw_only=True):
    """One thing that happened: when (market time), in which row of the journal, to which intent, in words."""

    at_ns: int
    row: int
    about: str
    text: str


class _Life(Struct, kw_only=True):
    """What the teller keeps of one order, to say how it ended."""

    order: Order | None = None
    total: Decimal = _ZERO
    state: OrderState = OrderState.INTENDED
    fills: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Shares and price of each fill, by exec id without its last part, or by the name of an inferred one."""
    fees: dict[str, r.Charged] = field(default_factory=dict)

    @property
    def filled(self) -> Decimal:
        return sum((shares for shares, _ in self.fills.values()), _ZERO)


class Teller:
    """Takes the records in their order. `ends` says, when all were taken, how each order stands."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self._lives: dict[str, _Life] = {intent: _Life() for intent in found.intents}
        self._groups = found.groups
        self._symbols: dict[str, str] = {}
        self._con_ids: dict[int, None] = {}
        self._intent_of_fill: dict[str, str] = {}
        self._early: dict[str, r.Charged] = {}

    def hear(self, row: int, record: Record) -> Sentence | None:
        """What this record says of those whom the story is about; None when it is about others."""
        about = self._about(record)
        if about is None:
            return None
        text = self._text(record)
        return Sentence(at_ns=record.at_ns, row=row, about=about, text=text) if text else None

    def _text(self, record: Record) -> str:
        """In the words of its kind; a kind that has none (of a newer program) by its name and its fields."""
        if type(record) in WORDS:
            return WORDS[type(record)](record)
        return _WORDS.get(type(record), _any_words)(self, record)

    def ends(self) -> list[str]:
        """One sentence for each order: how it ended, or where it stands."""
        return [_end(intent, life) for intent, life in self._lives.items()]

    def _about(self, record: Record) -> str | None:
        """Whom a record is about: an intent, a trade, a signal; None for anybody else."""
        if isinstance(record, r.Charged):
            return self._about_fee(record)
        if isinstance(record, AROUND):
            return "trader" if self._living() else None
        if isinstance(record, OF_CONTRACT):
            number = record.contract.con_id
            return record.contract.symbol if number in self._con_ids and self._living() else None
        if isinstance(record, (r.FlattenMoved, r.ReversalMoved)):
            mine = (self._lives[intent] for intent, name in self._symbols.items() if name == record.symbol)
            return record.symbol if any(life.state not in ENDED for life in mine) else None
        if isinstance(record, r.KillMoved):
            return "stop" if self._living() else None
        if isinstance(record, r.Retired):
            return next((key for key in record.keys if self._concerns(key)), None)
        if isinstance(record, r.Recalled):
            return record.key if self._concerns(record.key) else None
        if isinstance(record, r.Alarmed):
            words = record.subject.replace(",", " ").split()
            return next((word for word in words if self._concerns(word)), None)
        intent = getattr(record, "intent_id", "")
        if intent:
            return intent if intent in self._lives else None
        if isinstance(record, r.Denied | r.SignalJudged) and record.signal_id in self._found.signals:
            return record.signal_id
        group = getattr(record, "group_id", "")
        return group if group in self._groups else None

    def _living(self) -> bool:
        """Whether one of them has been meant, and may act."""
        return any(life.total and life.state not in ENDED for life in self._lives.values())

    def _concerns(self, name: str) -> bool:
        return name in self._lives or name in self._groups

    def _about_fee(self, record: r.Charged) -> str | None:
        """A fee names its fill alone, and may come before it: then it is kept for that."""
        base = _base(record.commission.exec_id)
        if base not in self._intent_of_fill:
            self._early[base] = record
        return self._intent_of_fill.get(base)

    # -- the words, one function for each kind

    def _planned(self, record: r.Planned) -> str:
        prices = (("stop", record.stop_price), ("target", record.target_price))
        guard = [f"{name} {_num(price)}" for name, price in prices if price is not None]
        guard[1:1] = _moves(record)
        source = _signal(record.strategy, record.signal_id)
        return (
            f"A trade was accepted: {record.side} {_num(record.quantity)} {record.contract.symbol}, "
            f"{' and '.join(guard) or 'without protection'}{source}."
        )

    def _intended(self, record: r.Intended) -> str:
        life = self._lives[record.intent_id]
        life.order, life.total = record.order, record.order.quantity
        self._symbols[record.intent_id] = record.contract.symbol
        self._con_ids[record.contract.con_id] = None
        if record.exercise is not None:
            return _wished(record, record.exercise)
        parent = f", a child of order {record.order.parent_id}" if record.order.parent_id else ""
        trade = f" of trade {record.group_id}" if record.group_id else ""
        return (
            f"We meant to place {record.intent_id}, the {record.role}{trade}: {_order(record.order)} "
            f"{record.contract.symbol} as order id {record.order_id}{parent}."
        )

    def _approved(self, record: r.Approved) -> str:
        what = f"change {record.revision}" if record.revision else "the order"
        told = ", ".join(f"{name} {figure} of {bound}" for name, (figure, bound) in record.figures.items())
        return f"The gate approved {what}{': ' + told if told else ''}; its bytes may leave from here on."

    def _resized(self, record: r.Resized) -> str:
        self._lives[record.intent_id].total = record.quantity
        return f"Its quantity is to become {_num(record.quantity)} (change {record.revision})."

    def _agreed(self, record: r.Agreed) -> str:
        self._lives[record.intent_id].total = record.quantity
        return f"The change has ended: its quantity is {_num(record.quantity)}."

    def _changed(self, record: r.Changed) -> str:
        self._lives[record.intent_id].total = record.order.quantity
        why = f": {record.reason}" if record.reason else ""
        return f"It is to become {_order(record.order)} (change {record.revision}){why}."

    def _stated(self, record: r.Stated) -> str:
        self._lives[record.intent_id].total = record.order.quantity
        cause = f". The reason given: {record.cause}" if record.cause else ""
        return _sentence(f"As TWS states it, it is {_order(record.order)}{cause}")

    def _moved(self, record: r.Moved) -> str:
        life = self._lives[record.intent_id]
        life.state = record.state
        if record.event == OrderEvent.APPROVE:
            return ""  # the approval itself has been told
        said = record.cause in STATUS_EVENTS
        text = f"TWS says {record.cause}" if said else _EVENTS.get(record.event, f"it heard {record.event!r}")
        if record.filled is not None:
            text += f", {_num(record.filled)} filled by its account"
        if record.remaining is not None:
            text += f", {_num(record.remaining)} remaining"
        if record.state is not record.before:
            text += f": it was {record.before}, it is {record.state}"
        text += _loud(record)
        told = said or not record.cause or record.event == OrderEvent.ASK_CANCEL
        return _sentence(text if told else f"{text}. The reason given: {record.cause}")

    def _bound(self, record: r.Bound) -> str:
        return f"The broker knows it as permanent id {record.perm_id}."

    def _adopted(self, record: r.Adopted) -> str:
        life = self._lives[record.intent_id]
        life.total, life.state = record.order.quantity, OrderState.UNKNOWN
        self._symbols[record.intent_id] = record.contract.symbol
        self._con_ids[record.contract.con_id] = None
        row = record.order
        return (
            f"A working order of the broker's was taken over as {record.intent_id}: {row.side} "
            f"{_num(row.quantity)} {record.contract.symbol} {row.order_type}, order id {row.order_id}, "
            f"permanent id {row.perm_id}. The reason given: {record.reason}."
        )

    def _booked(self, record: r.Booked) -> str:
        life, fill = self._lives[record.intent_id], record.execution
        base = _base(fill.exec_id)
        corrected = base in life.fills
        life.fills.pop(record.replaces, None)
        life.fills[base] = (fill.quantity, fill.price)
        self._intent_of_fill[base] = record.intent_id
        if base in self._early:
            life.fees[base] = self._early.pop(base)
        what = "A fill was corrected" if corrected else "It filled"
        return (
            f"{what}: {_num(fill.quantity)} at {_num(fill.price)} (execution {fill.exec_id}); "
            f"{_num(life.filled)} of {_num(life.total)} are filled."
        )

    def _inferred(self, record: r.Inferred) -> str:
        shares = abs(record.quantity)
        self._lives[record.intent_id].fills[record.name] = (shares, record.price)
        return (
            f"A fill was inferred that the broker no longer tells: {_num(shares)} at {_num(record.price)} "
            f"({record.basis}; the price is {record.priced})."
        )

    def _exercised(self, record: r.Exercised) -> str:
        self._lives[record.intent_id].fills["exercised"] = (record.quantity, _ZERO)
        what = f"{_num(record.quantity)} {_option(record.contract)} went"
        if record.underlying is not None:
            shares = f"{_num(abs(record.shares))} {record.underlying.symbol}"
            what += f", and {shares} {'came' if record.shares > 0 else 'went'} at {_num(record.strike)}"
        return f"It was booked as carried out: {what} ({record.basis})."

    def _busted(self, record: r.Busted) -> str:
        self._lives[record.intent_id].fills.pop(_base(record.exec_id), None)
        return f"The broker took a fill back: {_num(abs(record.quantity))} (execution {record.exec_id})."

    def _annulled(self, record: r.Annulled) -> str:
        return f"The broker's claim that {_num(record.quantity)} of it filled is void: {record.basis}."

    def _lacked(self, record: r.Lacked) -> str:
        return "A complete answer of executions lacks a fill that the broker claims of it."

    def _charged(self, record: r.Charged) -> str:
        fee = record.commission
        base = _base(fee.exec_id)
        self._lives[self._intent_of_fill[base]].fees[base] = record
        return f"The broker charged {_num(fee.amount)} {fee.currency} for execution {fee.exec_id}."

    def _cancel_asked(self, record: r.CancelAsked) -> str:
        return f"We asked for its cancel: {record.reason}."

    def _denied(self, record: r.Denied) -> str:
        wish = " ".join(str(each) for each in (record.side, _num(record.quantity), record.symbol) if each)
        return (
            f"A wish was denied ({record.role}, {wish}{_signal(record.strategy, record.signal_id)}): "
            f"limit {record.limit}, asked {record.figure}, allowed {record.bound}: {record.reason}. "
            "No order came of it."
        )

    def _missed(self, record: r.Missed) -> str:
        return f"A complete round of the broker's answers (session {record.session}) did not name it."

    def _released(self, record: r.Released) -> str:
        return f"The desk no longer looks after this trade's protection: {record.reason}."

    def _reopened(self, record: r.Reopened) -> str:
        return "The trade was over, and is looked after again: a late fact made it hold shares, or work."

    def _handed_back(self, record: r.HandedBack) -> str:
        more = "more" if record.moved > 0 else "less"
        size = _num(abs(record.moved))
        return f"By an order outside it the trade holds {size} {more} than its own orders made."

    def _retired(self, record: r.Retired) -> str:
        away = "forgotten by the desk; the journal keeps it" if record.forgotten else "packed away"
        return f"It ended long ago and is {away}."

    def _recalled(self, record: r.Recalled) -> str:
        return "A late fact speaks of it: it is unpacked."

    def _kill_moved(self, record: r.KillMoved) -> str:
        by = ": ".join(part for part in (record.operator, record.reason) if part)
        move = f"The emergency stop ({record.scope.key}) went from {record.before} to {record.state}"
        return f"{move} ({by})." if by else f"{move}."

    def _watched(self, record: r.Watched) -> str:
        held = "is without a full live stop from here on" if record.bare else "has a full live stop again"
        return f"What the trade holds {held}."

    def _flatten_moved(self, record: r.FlattenMoved) -> str:
        why = f" ({record.reason})" if record.reason else ""
        return f"The flatten of {record.symbol}{why} is {record.phase}."

    def _reversal_moved(self, record: r.ReversalMoved) -> str:
        why = f" ({record.reason})" if record.reason else ""
        return f"The reversal of {record.symbol}{why} is {record.phase}."

    def _aimed(self, record: r.Aimed) -> str:
        where = [f"{name} {getattr(record, f'{name}_price'):f}" for name in ("target", "stop", "trigger")
                 if getattr(record, f"{name}_price") is not None]
        what = f": {', '.join(where)}" if where else ""
        return f"The exits are reckoned from an average price of {record.average:f}{what}."

    def _alarmed(self, record: r.Alarmed) -> str:
        return f"{record.severity.upper()}: {record.text.rstrip('.')}."


_EVENTS: dict[str, str] = {
    OrderEvent.DENY: "it was refused before a byte of it left",
    OrderEvent.WRITE: "its bytes left",
    OrderEvent.WITHDRAW: "it was withdrawn before its bytes left",
    OrderEvent.UNSURE: "nobody is sure whether its bytes left",
    OrderEvent.SILENCE: "no word came within the bound",
    OrderEvent.LOSE: "program or link was lost",
    OrderEvent.ABSENCE: "two complete rounds of answers did not know it",
    OrderEvent.ASK_CANCEL: "its cancel is on the way",
    OrderEvent.ACK: "TWS acknowledged it",
    OrderEvent.WORK: "it works",
    OrderEvent.HOLD: "TWS holds it",
    OrderEvent.CANCELLING: "TWS is cancelling it",
    OrderEvent.CANCEL: "TWS cancelled it",
    OrderEvent.REJECT: "it was rejected",
    OrderEvent.REFUSE: "its cancel was refused",
    OrderEvent.PART: "it is partly filled",
    OrderEvent.FILL: "it is filled",
}

_WORDS: dict[type, Callable[[Teller, Any], str]] = {
    r.Planned: Teller._planned, r.Intended: Teller._intended, r.Approved: Teller._approved,
    r.Changed: Teller._changed, r.Stated: Teller._stated, r.Resized: Teller._resized,
    r.Agreed: Teller._agreed, r.Moved: Teller._moved, r.Bound: Teller._bound,
    r.Adopted: Teller._adopted, r.Booked: Teller._booked, r.Charged: Teller._charged,
    r.Inferred: Teller._inferred, r.Busted: Teller._busted, r.Lacked: Teller._lacked,
    r.Annulled: Teller._annulled, r.Exercised: Teller._exercised,
    r.CancelAsked: Teller._cancel_asked, r.Denied: Teller._denied, r.Missed: Teller._missed,
    r.Released: Teller._released, r.Reopened: Teller._reopened, r.HandedBack: Teller._handed_back,
    r.Retired: Teller._retired, r.Recalled: Teller._recalled, r.Watched: Teller._watched,
    r.KillMoved: Teller._kill_moved, r.FlattenMoved: Teller._flatten_moved,
    r.ReversalMoved: Teller._reversal_moved, r.Aimed: Teller._aimed, r.Alarmed: Teller._alarmed,
}  # fmt: skip


def _wished(record: r.Intended, exercise: Exercising) -> str:
    wish, name = exercise.wish, _option(record.contract)
    lapses = wish.action is ExerciseAction.LAPSE
    what = f"let {wish.quantity} {name} lapse" if lapses else f"exercise {wish.quantity} {name}"
    against = ", against its natural action" if wish.override else ""
    brings = ""
    if exercise.underlying is not None:
        shares = exercise.each * wish.quantity
        word = "bring" if shares > 0 else "take"
        brings = f", to {word} {_num(abs(shares))} {exercise.underlying.symbol} at {_num(exercise.strike)}"
    source = _signal(exercise.strategy, exercise.signal_id)
    return f"We meant to {what}{brings}{against}: {record.intent_id}, as order id {record.order_id}{source}."


def _option(contract: Contract) -> str:
    """Such as SPY 20261218 C 560."""
    strike = "" if contract.strike is None else f"{contract.strike:g}"
    return " ".join(filter(None, (contract.symbol, contract.last_trade_date, contract.right, strike)))


def _any_words(teller: Teller, record: Record) -> str:
    """For a kind that has no words of its own: its name and its fields."""
    return f"{type(record).__name__}: {_rest(record, 'at_ns')}."


def _rest(record: Struct, *known: str) -> str:
    """The fields that are set, but for `known`, as text."""
    pairs = ((name, getattr(record, name)) for name in record.__struct_fields__ if name not in known)
    return ", ".join(
        f"{name} {_num(value) if isinstance(value, Decimal) else value}"
        for name, value in pairs
        if value not in (None, "", (), {})
    )


def _end(intent_id: str, life: _Life) -> str:
    figures = f"{_num(life.filled)} of {_num(life.total)} filled"
    if life.fills:
        value = sum((shares * price for shares, price in life.fills.values()), _ZERO)
        figures += f" at {_num(round(value / life.filled, 6).normalize())} on average" if life.filled else ""
    if life.fees:
        by_currency: dict[str, Decimal] = {}
        for fee in life.fees.values():
            currency = fee.commission.currency
            by_currency[currency] = by_currency.get(currency, _ZERO) + fee.commission.amount
        figures += ", fees " + ", ".join(f"{_num(amount)} {name}" for name, amount in by_currency.items())
    stands = "ended" if life.state in ENDED else "has not ended: it is"
    return f"{intent_id} {stands} {life.state}, {figures}."


def _loud(record: r.Moved) -> str:
    """What the table of orders says of an arc that ought not to be; nothing for an ordinary one."""
    try:
        arc = follow(record.before, OrderEvent(record.event))
    except ValueError:  # an event of an older table
        return ""
    return f" ({arc.why})" if arc is not None and arc.loud and arc.to is record.state else ""


def _order(order: Order) -> str:
    prices = {
        OrderType.LIMIT: (order.limit_price,),
        OrderType.STOP: (order.stop_price,),
        OrderType.STOP_LIMIT: (order.stop_price, order.limit_price),
        OrderType.TRAIL: (order.stop_price,),
    }.get(order.order_type, ())
    words = [str(order.side), _num(order.quantity), str(order.order_type)]
    words += [*(_num(price) for price in prices if price is not None), *_moves(order)]
    return " ".join([*words, str(order.tif)])


def _moves(stop: Order | r.Planned) -> list[str]:
    """How the broker moves a stop by itself."""
    if stop.trail is not None:
        return [f"trailing by {_num(stop.trail)}"]
    if stop.trail_percent is not None:
        return [f"trailing by {_num(stop.trail_percent)} %"]
    if stop.trigger_price is not None:
        return [f"to become {_num(stop.adjusted_stop_price)} at {_num(stop.trigger_price)}"]
    return []


def _signal(strategy: str, signal_id: str) -> str:
    parts = [f"{name} {value}" for name, value in (("strategy", strategy), ("signal", signal_id)) if value]
    return f", {' and '.join(parts)}" if parts else ""


def _sentence(text: str) -> str:
    text = text.rstrip(". ")
    return f"{text[:1].upper()}{text[1:]}."


def _base(exec_id: str) -> str:
    """An exec id without its last part, which counts corrections (TWS-BEHAVIOUR.md C4)."""
    base, _, last = exec_id.rpartition(".")
    return base if base and last.isascii() and last.isdigit() else exec_id


def _num(value: Decimal | None) -> str:
    """A number as the journal has it, without an exponent; nothing for None."""
    return "" if value is None else f"{value:f}"
