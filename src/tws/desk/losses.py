"""Losses of the day, watched while we trade: three readings that agree, then a latch (INCIDENTS.md 21).

A reading is what our book has made, realised and not, after fees. It is taken with the passing of time, at
least 1 s after the last, and only when each contract that we hold has a two-sided live quote younger than the
stale limit: one bad tick, a missing side or a dead feed is no reading. A limit latches when the last three
readings all lie beyond it; the day's best rises to what the last three all reached, so that a tick upwards
makes no drawdown either. All of it is in the account's base currency: a book with a currency whose rate the
broker has not stated has no reading, and lets no entry out.

The day is a date in `loss_day_zone`. Its beginning (`LossAnchored`), its best (`PeakRaised`, in steps of a
hundredth of the drawdown bound, so that a rising market does not fill the journal) and the latch are records:
a restart goes on from them. The readings are not: after a restart three new ones are wanted.
"""

from __future__ import annotations

from decimal import Decimal

from tws.clock import NS_PER_S
from tws.config.ports import is_live_port, is_paper_account
from tws.desk.limits import latch, limits_in_force
from tws.desk.rates import Money
from tws.desk.reckoned import Reading
from tws.desk.turn import Turn
from tws.model.market import MarketDataType, Quote
from tws.model.records import LossAnchored, PeakRaised, Severity
from tws.model.session import trading_day
from tws.positions.holding import MoveKind
from tws.risk.limits import Limits
from tws.risk.situation import sound

__all__ = ["READINGS", "losses_now", "money_of", "profits_now", "watch_losses"]

READINGS = 3
"""As many must agree."""

APART_NS = NS_PER_S
OLDEST_NS = 60 * NS_PER_S
"""Readings of a minute ago say nothing about now: after a gap three new ones are wanted."""

_ZERO = Decimal(0)
_STEP = Decimal("0.01")
_CENT = Decimal("0.01")


def watch_losses(turn: Turn) -> None:
    """Take a reading, if one can be taken; then see what the last three say."""
    reckoned, now_ns = turn.reckoned, turn.now_ns
    if reckoned.readings and 0 <= now_ns - reckoned.readings[-1].at_ns < APART_NS:
        return
    if not turn.state.ours.holdings:
        return  # nothing was ever made or lost
    limits = _limits(turn)
    if limits.max_daily_loss is None and limits.max_drawdown is None:
        return
    profit = _read(turn, limits)
    if profit is None:
        _blind(turn)
        return
    reckoned.blind_ns = None
    day = trading_day(now_ns, limits.loss_day_zone)
    if turn.state.loss.day != day:
        turn.emit(LossAnchored(at_ns=now_ns, day=day, profit=_profit_at_dawn(turn, limits, day, profit)))
        reckoned.readings = ()
    kept = [each for each in reckoned.readings if 0 <= now_ns - each.at_ns <= OLDEST_NS]
    reckoned.readings = (*kept, Reading(at_ns=now_ns, profit=profit))[-READINGS:]
    if len(reckoned.readings) == READINGS:
        _judge(turn, limits)


def _profit_at_dawn(turn: Turn, limits: Limits, day: str, profit: Decimal) -> Decimal:
    """What the day is measured against: what was made when it began, as far as anybody can know.

    The last reading of the day before holds, so that a gap over night counts. A book whose every fill is of
    this day began at nothing; for any other the first reading has to do.
    """
    before = turn.reckoned.readings
    if before and turn.state.loss.day:
        return before[-1].profit
    held = turn.state.ours.holdings.values()
    moves = [move for holding in held for move in holding.moves]
    new = not any(holding.carried.moves for holding in held) and all(
        move.kind is MoveKind.FILL and trading_day(move.time_ns, limits.loss_day_zone) == day
        for move in moves)
    return _ZERO if new and not turn.state.loss.released else profit


def _blind(turn: Turn) -> None:
    """A book that can't be valued for a minute is said once: its loss is watched by nobody."""
    since = turn.reckoned.blind_ns
    if since is None:
        turn.reckoned.blind_ns = turn.now_ns
    elif since >= 0 and turn.now_ns - since >= OLDEST_NS:
        turn.reckoned.blind_ns = -1
        why = "a contract that we hold has no fresh two-sided quote"
        if turn.reckoned.unrated:
            why = f"the broker has stated no exchange rate of {', '.join(turn.reckoned.unrated)}"
        turn.alarm(Severity.WARNING, "losses unwatched", f"the day's loss can't be reckoned: {why}")


def _read(turn: Turn, limits: Limits) -> Decimal | None:
    """What our book has made in all, in the base currency at the rates of now. None when a contract that we
    hold has no market to be valued at, or a currency no rate: those are remembered by name.
    """
    amounts, marked = profits_now(turn, limits)
    money = money_of(turn, next(iter(amounts), ""))
    rates = {currency: money.rate(currency) for currency in amounts}
    turn.reckoned.unrated = tuple(currency for currency, rate in rates.items() if rate is None)
    if turn.reckoned.unrated or not marked:
        return None
    total = sum((amount * (rates[currency] or _ZERO) for currency, amount in amounts.items()), _ZERO)
    return total.quantize(_CENT)


def profits_now(turn: Turn, limits: Limits) -> tuple[dict[str, Decimal], bool]:
    """What our book has made, by currency, fees in other currencies included; and whether each contract that
    we hold has a market to be valued at. A currency in which there is nothing is left out.
    """
    amounts: dict[str, Decimal] = {}
    held: dict[str, None] = {}
    marked = True
    book = turn.state.ours
    for holding in book.holdings.values():
        currency = holding.contract.currency
        made = book.net_pnl(holding)
        if holding.quantity:
            held[currency] = None
            mid = _middle(turn, turn.quotes.get(holding.contract.con_id), limits)
            marked = marked and mid is not None
            made += _ZERO if mid is None else holding.unrealized_pnl(mid)
        amounts[currency] = amounts.get(currency, _ZERO) + made
        for other, fee in holding.other_fees.items():
            amounts[other] = amounts.get(other, _ZERO) - fee
    return {name: amount for name, amount in amounts.items() if amount or name in held}, marked


def money_of(turn: Turn, currency: str) -> Money:
    """The account's rates. Before the broker has stated its values a paper account is taken for one in
    `currency`, so that a book in a single one can be judged; a live account is taken for nothing.
    """
    state, rates = turn.state, turn.reckoned.rates
    if rates.stated(state.account) or not _paper(turn):
        return rates.of(state.account)
    return rates.assumed(currency)


def losses_now(turn: Turn) -> tuple[Decimal | None, Decimal | None]:
    """The day's loss and the way down from its best, by the last reading; None before the first."""
    readings, day = turn.reckoned.readings, turn.state.loss
    if not readings or not day.day:
        return None, None
    profit = readings[-1].profit
    return day.began - profit, day.peak - profit


def _judge(turn: Turn, limits: Limits) -> None:
    """The best of three for a loss, the worst of three for a new peak: one reading alone moves nothing."""
    profits = [each.profit for each in turn.reckoned.readings]
    best, worst, day = max(profits), min(profits), turn.state.loss
    step = (Decimal(limits.max_drawdown) if limits.max_drawdown is not None else _ZERO) * _STEP
    if worst > day.peak + step:
        turn.emit(PeakRaised(at_ns=turn.now_ns, profit=worst))
    for name, bound, loss in (("max_daily_loss", limits.max_daily_loss, day.began - best),
                              ("max_drawdown", limits.max_drawdown, day.peak - best)):
        if bound is None or loss <= bound or f"{name}/" in turn.state.latches:
            continue
        latch(turn, name, str(loss), str(bound))
        for order in turn.state.book.living():
            if order.role.opens and not order.cancel_wanted:
                turn.cancel(order, f"{name} has latched")


def _paper(turn: Turn) -> bool:
    return is_paper_account(turn.state.account) and not is_live_port(turn.state.port)


def _limits(turn: Turn) -> Limits:
    return turn.gate.limits_of(limits_in_force(turn), turn.state.account, "", "")


def _middle(turn: Turn, quote: Quote | None, limits: Limits) -> Decimal | None:
    delayed = limits.delayed_quotes and _paper(turn)
    if quote is None or quote.kind not in (MarketDataType.LIVE, *([MarketDataType.DELAYED] * delayed)):
        return None
    if abs(turn.now_ns - quote.time_ns) > limits.stale_quote_ns:
        return None
    bid, ask = sound(quote.bid), sound(quote.ask)
    if bid is None or ask is None or bid > ask:
        return None
    return (bid + ask) / 2
