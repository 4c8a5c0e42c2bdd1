"""What a word names in a journal: orders, the trades that they belong to, signals that were denied.

A word may be an intent id, an order id, the broker's permanent id, the name of a trade or of a signal. Pure:
one pass over the records, and only names are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field

from tws.model import records as r
from tws.model.records import Record

__all__ = ["Found", "names", "search"]

KEPT = 5_000
"""Names that are compared: a week of busy trading, in a tenth of a second."""


class Found(Struct, kw_only=True):
    """What a word names: orders, the trades that they belong to, and signals that were denied."""

    intents: dict[str, None] = field(default_factory=dict)
    groups: dict[str, None] = field(default_factory=dict)
    """Their plans and their protection are told; of their orders only those in `intents`."""
    signals: dict[str, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.intents or self.groups or self.signals)


def search(records: Iterable[Record], word: str, *, whole_trade: bool = False) -> Found:
    """Everything that `word` may name. An order id may name several orders, over the years.

    `whole_trade` takes the other orders of the same trade along; so does the name of a trade or of a signal.
    """
    number = int(word) if word.isascii() and word.isdigit() and len(word) < 20 else None
    found = Found()
    trades: dict[str, None] = {}
    members: dict[str, list[str]] = {}
    group_of: dict[str, str] = {}
    for record in records:
        match record:
            case r.Intended() | r.Adopted():
                group_of[record.intent_id] = record.group_id
                members.setdefault(record.group_id, []).append(record.intent_id)
                order_id = record.order_id if isinstance(record, r.Intended) else record.order.order_id
                perm_id = record.order.perm_id if isinstance(record, r.Adopted) else 0
                if word == record.intent_id or (number and number in (order_id, perm_id)):
                    found.intents[record.intent_id] = None
            case r.Bound() if number and record.perm_id == number:
                found.intents[record.intent_id] = None
            case r.Planned() if _is_signal(record, word):
                trades[record.group_id] = None
            case r.SignalJudged() if word and word in (
                record.signal_id, f"{record.source}/{record.signal_id}", f"{record.model}/{record.signal_id}"
            ):  # fmt: skip
                found.signals[record.signal_id] = None
            case r.Denied() if _is_signal(record, word):
                found.signals[record.signal_id] = None
    if word and word in members and (whole_trade or word not in group_of):
        trades[word] = None
    if whole_trade:
        trades |= _trades_of(found, group_of)
    for group_id in trades:
        found.intents |= dict.fromkeys(members.get(group_id, ()))
    found.groups = trades | _trades_of(found, group_of)
    return found


def names(records: Iterable[Record]) -> list[str]:
    """What orders, trades and signals are called, the newest `KEPT` of them: to find what is near a slip."""
    found: dict[str, None] = {}
    for record in records:
        for name in _names(record):
            found.pop(name, None)
            found[name] = None
            if len(found) > KEPT:
                del found[next(iter(found))]
    return list(found)


def _names(record: Record) -> tuple[str, ...]:
    match record:
        case r.Intended():
            return record.intent_id, str(record.order_id)
        case r.Adopted():
            return record.intent_id, str(record.order.order_id), str(record.order.perm_id)
        case r.Bound():
            return (str(record.perm_id),)
        case r.Planned() | r.Denied() if record.signal_id:
            return record.signal_id, f"{record.strategy}/{record.signal_id}"
    return ()


def _is_signal(record: r.Planned | r.Denied, word: str) -> bool:
    """Whether the word is the name of the record's signal, with its strategy or without."""
    name = record.signal_id
    return bool(name) and word in (name, f"{record.strategy}/{name}")


def _trades_of(found: Found, group_of: dict[str, str]) -> dict[str, None]:
    return {group: None for intent in found.intents if (group := group_of.get(intent, ""))}
