"""Sentences for the records that are about no order of their own: runs, link, questions, books, limits.

`tws.orders.story` tells an order's life; what happens around it (a run begins, the link falls, the position
is adjusted) is told there too, in these words, while the order may act. Each kind of record has its words
here or there; a test holds that.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tws.clock import to_datetime
from tws.model import records as r
from tws.model.contract import Contract

__all__ = ["AROUND", "OF_CONTRACT", "WORDS"]

AROUND = (r.Began, r.Stamped, r.LinkMoved, r.AllCancelAsked, r.LimitsChanged, r.Reloaded)
"""Kinds that concern every order that may act."""

OF_CONTRACT = (r.Adjusted, r.Differs, r.Shortfall, r.Refused)
"""Kinds that concern the orders on their contract."""


def _began(record: r.Began) -> str:
    return f"A run of the trader began, on port {record.port} with client id {record.client_id}."


def _stamped(record: r.Stamped) -> str:
    version = f", program {record.program}" if record.program else ""
    return f"That run trades by code {record.code} and configuration {record.configuration}{version}."


def _reloaded(record: r.Reloaded) -> str:
    what = "; ".join(record.changes) or "nothing else"
    who = f"{record.operator} ({record.reason})" if record.reason else record.operator
    return f"{who} had it read its configuration anew, now {record.configuration}: {what}."


def _link_moved(record: r.LinkMoved) -> str:
    cause = f": {record.cause}" if record.cause else ""
    return f"The link to TWS is {record.state}{cause}."


def _floor_raised(record: r.FloorRaised) -> str:
    return f"The next order id is at least {record.next_order_id}."


def _asked(record: r.Asked) -> str:
    return f"The broker was asked for a complete answer of {record.kind}."


def _answered(record: r.Answered) -> str:
    rest = "; all kinds are answered since the link came up" if record.reconciled else ""
    return f"The broker's complete answer of {record.kind} came{rest}."


def _all_cancel_asked(record: r.AllCancelAsked) -> str:
    return f"We asked TWS to cancel every order of the account, those of others too: {record.reason}."


def _hours_stated(record: r.HoursStated) -> str:
    return f"The broker stated the hours of {record.symbol}: {len(record.liquid)} regular sessions ahead."


def _foreign_seen(record: r.ForeignSeen) -> str:
    row = record.order
    what = "ended" if record.gone else "was seen"
    symbol = row.contract.symbol
    return f"An order that is none of ours {what}: {row.side} {_num(row.quantity)} {symbol} {row.order_type}."


def _position_heard(record: r.PositionHeard) -> str:
    return f"The broker states {_num(record.quantity)} {_name(record.contract)} in {record.account}."


def _opening_set(record: r.OpeningSet) -> str:
    what = f"{_num(record.quantity)} {_name(record.contract)}"
    return f"The account held {what} before the first fill that we know of."


def _opening_confirmed(record: r.OpeningConfirmed) -> str:
    return f"{record.operator} confirmed the opening balances of {record.account}: {record.reason}."


def _adjusted(record: r.Adjusted) -> str:
    both = "our book and the account's" if record.account_too else "our book alone"
    books = both if record.ours else "the account's book"
    name = _name(record.contract)
    if record.ratio is not None:
        what = f"recorded a split of {name}, {_num(record.ratio)} for each"
    else:
        what = f"adjusted {name} by {_num(record.quantity)} at {_num(record.price)}"
    return f"{record.operator} {what}, in {books}: {record.reason}."


def _folded(record: r.Folded) -> str:
    before = f"{to_datetime(record.before_ns):%Y-%m-%d %H:%M}"
    return f"Of what happened before {before} UTC the books keep what it came to."


def _differs(record: r.Differs) -> str:
    name, stated, made = _name(record.contract), _num(record.stated), _num(record.reckoned)
    if record.stated == record.reckoned:
        return f"The broker's position in {name} and the account's fills agree again, at {stated}."
    return f"The broker states {stated} {name}, the account's fills make {made}: entries on it wait."


def _shortfall(record: r.Shortfall) -> str:
    name = _name(record.contract)
    if not record.quantity:
        return f"All shares of ours in {name} are in the account again."
    return f"The account lacks {_num(record.quantity)} of our {name}: somebody else moved them."


def _refused(record: r.Refused) -> str:
    name = _name(record.contract)
    if record.cleared:
        return f"What the broker said of {name} and could not be is made good."
    return f"Something that the broker said of {name} can't be, and was booked nowhere: {record.why}."


def _cash_asked(record: r.CashAsked) -> str:
    return "The broker was asked for the accounts' cash."


def _cash_heard(record: r.CashHeard) -> str:
    off = f", {_num(record.difference)} more than the fills make" if record.difference else ""
    return f"The broker states {_num(record.stated)} {record.currency} of cash in {record.account}{off}."


def _cash_adjusted(record: r.CashAdjusted) -> str:
    amount = f"{_num(record.amount)} {record.currency}"
    return f"{record.operator} explained {amount} of cash in {record.account}: {record.reason}."


def _limits_changed(record: r.LimitsChanged) -> str:
    if record.configured:
        return "The limits of the configuration are in force from here on."
    what = ", ".join(f"{path} to {value}" for path, value in record.changes.items())
    return f"{record.operator} set {what}: {record.reason}."


def _limit_latched(record: r.LimitLatched) -> str:
    where = f" for {record.scope}" if record.scope else ""
    return f"{record.limit} has latched{where}: {record.figure}, bound {record.bound}. No entry leaves."


def _limit_released(record: r.LimitReleased) -> str:
    where = f" for {record.scope}" if record.scope else ""
    return f"{record.operator} released {record.limit}{where}: {record.reason}."


def _loss_anchored(record: r.LossAnchored) -> str:
    return f"Losses of {record.day} count from a profit of {_num(record.profit)}."


def _peak_raised(record: r.PeakRaised) -> str:
    return f"The day's best so far is a profit of {_num(record.profit)}."


def _signal_judged(record: r.SignalJudged) -> str:
    wish = f" ({record.wish} {record.symbol})" if record.wish else ""
    what = f"Signal {record.signal_id} of {record.source}{wish}"
    if record.passed:
        return f"{what} was let through."
    figure = f": {record.figure}, bound {record.bound}" if record.figure else ""
    return f"{what} was refused, {record.reason or record.text}{figure}."


def _signals_unwritten(record: r.SignalsUnwritten) -> str:
    return f"More signals were refused, {record.count} in all, than the journal takes one by one."


def _rule_switched(record: r.RuleSwitched) -> str:
    who = f" by {record.operator}" if record.operator else ""
    return f"The rule {record.rule} was {'enabled' if record.enabled else 'disabled'}{who}: {record.reason}."


WORDS: dict[type, Callable[[Any], str]] = {
    r.Began: _began, r.Stamped: _stamped, r.Reloaded: _reloaded, r.LinkMoved: _link_moved,
    r.FloorRaised: _floor_raised,
    r.Asked: _asked, r.Answered: _answered, r.AllCancelAsked: _all_cancel_asked,
    r.HoursStated: _hours_stated, r.ForeignSeen: _foreign_seen, r.PositionHeard: _position_heard,
    r.OpeningSet: _opening_set, r.OpeningConfirmed: _opening_confirmed, r.Adjusted: _adjusted,
    r.Differs: _differs, r.Shortfall: _shortfall, r.Refused: _refused, r.CashAsked: _cash_asked,
    r.CashHeard: _cash_heard, r.CashAdjusted: _cash_adjusted, r.LimitsChanged: _limits_changed,
    r.LimitLatched: _limit_latched, r.LimitReleased: _limit_released, r.LossAnchored: _loss_anchored,
    r.PeakRaised: _peak_raised, r.SignalJudged: _signal_judged, r.SignalsUnwritten: _signals_unwritten,
    r.RuleSwitched: _rule_switched, r.Folded: _folded,
}  # fmt: skip
"""By the kind of record."""


def _name(contract: Contract) -> str:
    return contract.symbol or f"contract {contract.con_id}"


def _num(value: Decimal) -> str:
    return f"{value:f}"
