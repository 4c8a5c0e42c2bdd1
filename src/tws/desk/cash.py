"""The account's cash beside what our books make of it: a difference is shown and alarmed, and blocks nothing.

The first figure that TWS states is where it begins. From then on its cash must move as the account's fills
do. It moves by other things too, of which no message tells: interest, dividends, deposits, the nightly
settlement of futures. So a difference is no proof of an error; it is a sum that a human explains
(`AdjustCash`). It counts when two readings, `differs_ns` apart, show the very same: fills may be under way.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from tws.desk.commands import AdjustCash, CashStated
from tws.desk.turn import Turn
from tws.model.records import CashAdjusted, CashAsked, CashHeard, Severity
from tws.positions.cash import cash_moved

__all__ = ["adjust_cash", "ask_for_cash", "hear_cash"]

TOLERANCE = Decimal(1)
"""Of the currency: TWS states cash to the cent and rounds each fee; a day's fills make some cents of it."""


def ask_for_cash(turn: Turn) -> None:
    """After each resume, with the periodic questions, and again soon while a difference is new."""
    state, timing = turn.state, turn.timing
    if not state.link_up or state.reconciled_epoch != state.epoch:
        return
    fresh = any(cash.since_ns is not None and not cash.lasts for cash in state.cash.values())
    pause_ns = timing.differs_ns if fresh else timing.reconcile_ns
    asked = state.cash_asked
    if asked is None or asked[0] != state.epoch or turn.now_ns - asked[1] >= pause_ns:
        turn.emit(CashAsked(at_ns=turn.now_ns))


def hear_cash(turn: Turn, fact: CashStated) -> None:
    """The cash ledger of the accounts: rows of `CashBalance`, one for each currency."""
    state = turn.state
    if not state.opened:
        return  # the books have no beginning yet
    moved = {account: cash_moved(state.account_book, account) for account in state.accounts}
    for row in fact.rows:
        if row.key != "CashBalance" or row.currency in ("", "BASE") or row.account not in moved:
            continue
        amount = _amount(row.value)
        if amount is None:
            turn.alarm(
                Severity.WARNING,
                f"cash {row.account} {row.currency}",
                f"the cash of {row.account} in {row.currency} was refused: {row.value!r} is no amount",
            )
            continue
        _compare(turn, row.account, row.currency, amount, moved[row.account].get(row.currency, Decimal(0)))


def _compare(turn: Turn, account: str, currency: str, stated: Decimal, moved: Decimal) -> None:
    known = turn.state.cash.get(f"{account}/{currency}")
    base = stated - moved if known is None else known.base
    difference = stated - moved - base
    differs = abs(difference) >= TOLERANCE
    lasts = (
        differs
        and known is not None
        and known.since_ns is not None
        and (known.difference == difference and turn.now_ns - known.since_ns >= turn.timing.differs_ns)
    )
    if known is None or (known.stated, known.difference, known.lasts) != (stated, difference, lasts):
        turn.emit(
            CashHeard(
                at_ns=turn.now_ns,
                account=account,
                currency=currency,
                stated=stated,
                base=base,
                difference=difference if differs else Decimal(0),
                lasts=lasts,
            )
        )
    if lasts:
        turn.alarm(
            Severity.WARNING,
            f"cash {account} {currency} {difference}",
            f"the cash of {account} in {currency} is {stated}, the account's fills make "
            f"{stated - difference}: interest, a dividend, a deposit, the settlement of futures? If "
            "so, record it; if not, compare the fills with the statement",
        )


def adjust_cash(turn: Turn, command: AdjustCash) -> None:
    """A human explains a sum: from now on it belongs to what the cash began with."""
    known = turn.state.cash.get(f"{command.account}/{command.currency}")
    if (
        known is None
        or not command.amount.is_finite()
        or not (command.operator.strip() and command.reason.strip())
    ):
        turn.alarm(
            Severity.WARNING,
            f"adjust cash {command.currency}",
            f"{command.amount} {command.currency} were not recorded: they want a name, a reason, a "
            "finite amount, and an account and a currency of which the broker has stated cash",
        )
        return
    turn.emit(
        CashAdjusted(
            at_ns=turn.now_ns,
            account=command.account,
            currency=command.currency,
            amount=command.amount,
            operator=command.operator,
            reason=command.reason,
        )
    )


def _amount(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
