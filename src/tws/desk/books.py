"""Our books beside the broker's word: when a difference begins and ends, what is missing, what blocks.

Three things can be wrong with a position, and each is kept in the state until it is made good:

* `differs`: the broker states another quantity than the account's fills make. Between a fill and the
  position that follows it that is ordinary, so it counts after `Timing.differs_ns`.
* `shortfall`: of our shares so many are no longer in the account, because somebody else sold them.
* `refused`: a fact about a position that can't be (`tws.positions.sound`), booked nowhere.

Each blocks entries on the symbol, the options of a stock included, and alarms; exits go on.
"""

from __future__ import annotations

from decimal import Decimal

from tws.clock import to_datetime
from tws.desk.state import Group
from tws.desk.turn import Turn
from tws.model.account import Position
from tws.model.contract import Contract
from tws.model.execution import Commission, Execution
from tws.model.facts import AnswerKind
from tws.model.order import Side
from tws.model.records import Differs, Refused, Severity, Shortfall
from tws.orders.book import OurOrder
from tws.positions.book import split_exec_id
from tws.positions.sound import fault_of_commission, fault_of_execution, fault_of_position

__all__ = [
    "ask_again",
    "blocked_by_books",
    "compare_position",
    "confirmed_difference",
    "looks_split",
    "make_good",
    "note_fill",
    "note_shortfall",
    "refuse_commission",
    "refuse_execution",
    "refuse_position",
    "watch_differences",
]

_ZERO = Decimal(0)
_ASKED = (AnswerKind.EXECUTIONS, AnswerKind.POSITIONS)
_MANUAL = 2**31 - 1  # the order id of executions of manual orders (TWS-BEHAVIOUR.md C4)


def compare_position(turn: Turn, account: str, contract: Contract) -> None:
    """Note when a difference between the broker's word and the account's book begins or ends."""
    state = turn.state
    key = state.ours.key(account, contract.con_id)
    stated = state.stated.get(key)
    reckoned = state.account_book.quantity(account, contract.con_id)
    if state.opened and stated is not None and (reckoned != stated.quantity) is not (key in state.differs):
        turn.emit(
            Differs(
                at_ns=turn.now_ns,
                account=account,
                contract=contract,
                reckoned=reckoned,
                stated=stated.quantity,
            )
        )
    note_shortfall(turn, account, contract)


def confirmed_difference(turn: Turn, key: str) -> bool:
    """Whether a difference has lasted longer than a fill and its position are ever apart."""
    since = turn.state.differs.get(key)
    return since is not None and turn.now_ns - since >= turn.timing.differs_ns


def note_fill(turn: Turn, fact: Execution, order: OurOrder | None) -> None:
    """A fill was booked: it may end a difference, be another's sale of our shares, or close their rest."""
    if order is None:
        _look_at_stranger(turn, fact)
    key = turn.state.ours.key(fact.account, fact.contract.con_id)
    if key in turn.state.differs:
        compare_position(turn, fact.account, fact.contract)
    elif order is None or key in turn.state.shortfall:
        note_shortfall(turn, fact.account, fact.contract)


def _look_at_stranger(turn: Turn, fact: Execution) -> None:
    """A fill of no order of ours is the account's. One that bears our name is an alarm, and no guess."""
    state = turn.state
    ours = bool(state.prefix) and fact.order_ref.startswith(f"{state.prefix}-")
    under_our_id = fact.client_id == state.client_id and 0 < fact.order_id < _MANUAL and not fact.order_ref
    if ours or under_our_id:
        name = fact.order_ref or f"order id {fact.order_id} of our client id"
        turn.alarm(
            Severity.ALARM,
            f"stranger {fact.exec_id}",
            f"{fact.contract.symbol}: a fill of {fact.side} {fact.quantity} at {fact.price} "
            f"for {name}, unknown to our journal: it counts as the account's and not as ours. "
            "If it is ours, say so with `tws adjust`",
        )


def note_shortfall(turn: Turn, account: str, contract: Contract) -> None:
    """Note how many shares of ours are no longer in the account.

    Others' shares are what the account holds beside ours. While they are on our side of zero, all of ours is
    there. What they hold against us counts only beyond what they held so when our position was opened: then
    somebody has sold (bought back) shares of ours.
    """
    state = turn.state
    key = state.ours.key(account, contract.con_id)
    ours = state.ours.quantity(account, contract.con_id)
    missing = _ZERO
    if ours and state.opened:
        sign = Decimal(1).copy_sign(ours)
        there = state.account_book.quantity(account, contract.con_id) * sign
        if confirmed_difference(turn, key):
            there = min(there, state.stated[key].quantity * sign)
        against = abs(ours) - there
        before = max(-state.beside.get(key, _ZERO) * sign, _ZERO)
        missing = min(max(against - before, _ZERO), abs(ours))
    known = state.shortfall.get(key, _ZERO)
    if missing == known:
        return
    turn.emit(Shortfall(at_ns=turn.now_ns, account=account, contract=contract, quantity=missing))
    if missing > known:
        turn.alarm(
            Severity.ALARM,
            f"shortfall {key} {missing}",
            f"{contract.symbol}: of our {ours} the account no longer has {missing}: somebody else has "
            "closed them. "
            "Protection shrinks to the rest, entries are blocked; record it with `tws adjust`",
        )


def watch_differences(turn: Turn) -> None:
    """What lasts is asked about after `owing_ns` and alarmed after `differs_ns`.

    Fills of other clients, and of a human, are told to nobody else (assumed): they come by asking. Again
    every `differs_ns` for the first minute, then each minute.
    """
    state, timing = turn.state, turn.timing
    for key, since in tuple(state.differs.items()):
        age_ns = turn.now_ns - since
        if age_ns >= timing.owing_ns:
            ask_again(turn, timing.differs_ns if age_ns < timing.repeat_ns else timing.repeat_ns, *_ASKED)
        if age_ns < timing.differs_ns:
            continue
        stated = state.stated[key]
        reckoned = state.account_book.quantity(stated.account, stated.contract.con_id)
        turn.alarm(
            Severity.ALARM,
            f"differs {key}",
            f"{stated.contract.symbol}: the broker states {stated.quantity}, its fills make "
            f"{reckoned}. Entries are blocked. A split, an assignment, an expiry or a transfer leaves "
            "no execution: record it with `tws adjust`",
        )
        note_shortfall(turn, stated.account, stated.contract)
    if state.refused:
        ask_again(turn, timing.repeat_ns, *_ASKED)


def ask_again(turn: Turn, pause_ns: int, *kinds: AnswerKind) -> None:
    """Ask, unless it was asked less than `pause_ns` ago: the broker is not asked in a circle."""
    for kind in kinds:
        question = turn.state.questions.get(kind)
        if question is None or turn.now_ns - question.asked_ns >= pause_ns:
            turn.ask(kind)


def blocked_by_books(turn: Turn, contract: Contract) -> str:
    """Why the books let no entry on this symbol through; empty when they do."""
    state = turn.state
    symbol, account = contract.symbol, state.account
    for key in state.differs:
        stated = state.stated[key]
        if stated.contract.symbol == symbol and stated.account == account and confirmed_difference(turn, key):
            return f"the broker states another position in {symbol} than its fills make"
    for key, missing in state.shortfall.items():
        if state.ours.holdings[key].contract.symbol == symbol:
            return f"{missing} shares of ours in {symbol} are no longer in the account"
    for refused in state.refused.values():
        if refused.contract.symbol == symbol and refused.account == account:
            return f"a fact about {symbol} was refused: {refused.why}"
    return ""


def looks_split(turn: Turn, group: Group) -> bool:
    """Whether a stop at the trade's price would act at once while the broker states another position.

    So it is after a split: the broker has cancelled the old stop, the market stands at a new price, and a new
    stop at the old one would sell what it should protect. Nothing is placed before the difference is
    explained, by a fill that was late or by a human. A market older than `repeat_ns` is taken for such a one.
    """
    state = turn.state
    if group.stop_price is None or state.ours.key(state.account, group.contract.con_id) not in state.differs:
        return False
    quote = turn.quotes.get(group.contract.con_id)
    market = None if quote is None else quote.bid if group.side is Side.BUY else quote.ask
    if quote is None or not market or turn.now_ns - quote.time_ns >= turn.timing.repeat_ns:
        at_once = True
    else:
        at_once = (Decimal(repr(market)) - group.stop_price) * group.side.sign <= 0
    if at_once:
        turn.alarm(
            Severity.ALARM,
            f"looks split {group.group_id}",
            f"{group.contract.symbol}: the broker states another position and a stop at "
            f"{group.stop_price} would act at once: a split? Trade {group.group_id} is NOT PROTECTED "
            "until that is explained: `tws adjust`",
        )
    return at_once


# -- facts that can't be


def refuse_execution(turn: Turn, fact: Execution, order: OurOrder | None) -> bool:
    """Whether this fill of no order or of this one can't be, or can't be told from one that is folded. It is
    kept out of both books, alarmed, and asked about: his position says which it was.
    """
    why = fault_of_execution(fact) or _fault_of_age(turn, fact, order)
    if why and fact.exec_id not in turn.state.refused:
        _refuse(turn, fact.account, fact.contract, f"execution {fact.exec_id}: {why}", fact.exec_id)
    return bool(why)


def _fault_of_age(turn: Turn, fact: Execution, order: OurOrder | None) -> str:
    """Why the books can't say whether this fill is in them; empty when they can.

    What is older than the fold is either in it or was never told. A correction may bear its own, newer time:
    then its id says what it corrects, and where that is known no more it may have been folded; unless it is
    of an order whose fills are all younger, or that lives and has lost none to the fold.
    """
    state = turn.state
    if fact.time_ns < state.folded_ns:
        folded = f"what happened before {to_datetime(state.folded_ns):%Y-%m-%d %H:%M} is folded"
        return (f"it is of {fact.time:%Y-%m-%d %H:%M} UTC, and {folded}: the journal alone knows whether it "
                "has counted (`tws explain`)")
    base, revision = split_exec_id(fact.exec_id)
    if base in state.folded:
        return "it is a later word on a fill that is folded: compare it with the statement, then `tws adjust`"
    young = order is not None and (
        order.after_ns >= state.folded_ns or (order.live and order.early is None))
    if revision > 1 and not young and not state.names_all_folded and not state.account_book.has(base):
        return (f"it corrects {base}, which the books do not know by name, and may have folded: compare it "
                "with the statement, then `tws adjust`")
    return ""


def refuse_position(turn: Turn, fact: Position) -> bool:
    """Whether this position can't be. A good one on the same contract makes it good again."""
    why = fault_of_position(fact)
    key = turn.state.ours.key(fact.account, fact.contract.con_id)
    known = turn.state.refused.get(key)
    if why and known is None:
        _refuse(turn, fact.account, fact.contract, f"position: {why}", "")
    elif not why and known is not None:
        turn.emit(Refused(at_ns=turn.now_ns, account=fact.account, contract=fact.contract, cleared=True))
    return bool(why)


def refuse_commission(turn: Turn, fact: Commission) -> bool:
    """Whether this can't be a fee. Its fill stays booked, without one; that of a folded fill as it was."""
    why = fault_of_commission(fact)
    if not why and split_exec_id(fact.exec_id)[0] in turn.state.folded:
        turn.alarm(
            Severity.WARNING,
            f"refused fee {fact.exec_id}",
            f"the fee of execution {fact.exec_id!r}, {fact.amount} {fact.currency}, was refused: its fill is "
            "folded with the fee that it had; compare it with the statement",
        )
        return True
    if why:
        turn.alarm(
            Severity.WARNING,
            f"refused fee {fact.exec_id}",
            f"the fee of execution {fact.exec_id!r} was refused: {why}; the fill counts without a fee",
        )
    return bool(why)


def make_good(turn: Turn, account: str, contract: Contract) -> None:
    """The broker's complete list and the account's book agree: a refused fill is of no account any more."""
    for refused in tuple(turn.state.refused.values()):
        if refused.exec_id and (refused.account, refused.contract.con_id) == (account, contract.con_id):
            turn.emit(
                Refused(
                    at_ns=turn.now_ns,
                    account=account,
                    contract=refused.contract,
                    exec_id=refused.exec_id,
                    cleared=True,
                )
            )


def _refuse(turn: Turn, account: str, contract: Contract, why: str, exec_id: str) -> None:
    turn.emit(Refused(at_ns=turn.now_ns, account=account, contract=contract, exec_id=exec_id, why=why))
    turn.alarm(
        Severity.ALARM,
        f"refused {exec_id or account}/{contract.con_id}",
        f"{contract.symbol or contract.con_id}: {why}. It is booked nowhere, and entries are blocked "
        "until the broker says it better or his position agrees with our books",
    )
