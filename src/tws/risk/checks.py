"""The limits that are more than a figure: None, or the denial that names limit, figure and bound.

Each is a small pure function of the proposal, the situation and the limits. `tws.risk.controls` lists them,
with those of `tws.risk.figures`, in the order in which they are tried.
"""

from __future__ import annotations

from decimal import Decimal

from tws.clock import NS_PER_S, to_datetime
from tws.config.ports import LIVE_PORTS, PAPER_PORTS, is_live_port, is_paper_account, is_paper_port
from tws.model.expiry import days_left
from tws.model.market import MarketDataType
from tws.model.order import Order, OrderType, Role, Side
from tws.model.session import session_at
from tws.positions.book import multiplier
from tws.positions.sound import fault_of_contract
from tws.risk import figures
from tws.risk.denial import Denial
from tws.risk.grid import conform
from tws.risk.limits import Limits
from tws.risk.situation import Proposal, Situation, fingerprint

__all__ = ["LIVE_REQUIRES", "live_lock", "reduces"]

_NEEDS_LIMIT = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_NEEDS_STOP = (OrderType.STOP, OrderType.STOP_LIMIT)
_SLEEPS = (*_NEEDS_STOP, OrderType.TRAIL)
LIVE_REQUIRES = ("max_order_quantity", "max_order_notional", "allow")
"""Limits that may not be off where real money is traded."""

_BY_DAY_TRADE = ("STK", "OPT", "WAR")
"""Kinds of contract whose round trips within a day are counted as day trades."""


# -- what every order is held to


def live_lock(port: int, account: str) -> Denial | None:
    """Live is locked: ports 7496 and 4001, and accounts that are unknown or do not begin with D."""
    if is_live_port(port):
        return Denial(limit="live_lock", figure=f"port {port}", bound=f"not {sorted(LIVE_PORTS)}",
                      reason="a live port may be read, never traded")
    if not is_paper_account(account):
        return Denial(limit="live_lock", figure=f"account {account or 'unknown'}",
                      bound="a paper account (D…)",
                      reason="a live or unknown account may be read, never traded")
    return None


def unlocked(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """`live_lock`, unless this account was unlocked: then port and account must both be live.

    An unlock that has expired stops entries alone: an exit leaves whenever it may leave at all.
    """
    until_ns, port, account = situation.unlocked_until_ns, situation.port, situation.account
    if until_ns is None or not situation.live:
        return live_lock(port, account)
    if is_paper_account(account) or is_paper_port(port) or not account:
        return Denial(limit="live_lock", figure=f"account {account or 'unknown'} on port {port}",
                      bound=f"a live account, not on {sorted(PAPER_PORTS)}",
                      reason="port and account are not of the same kind")
    if proposal.role is Role.ENTRY and situation.now_ns >= until_ns:
        return Denial(limit="live_lock", figure=f"{(situation.now_ns - until_ns) / NS_PER_S:.0f} s late",
                      bound="an unlock that has not expired", reason="the unlock of this account has expired")
    return None


def account(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    asked = proposal.order.account
    if asked != situation.account:
        return Denial(limit="account", figure=asked or "none", bound=situation.account,
                      reason="the order names another account than the one we trade")
    if asked not in situation.managed_accounts:
        return Denial(limit="account", figure=asked, bound=", ".join(situation.managed_accounts) or "none",
                      reason="TWS does not manage this account")
    return None


def market_rule(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    order, instrument = proposal.order, proposal.instrument
    if proposal.contract.con_id <= 0:
        return Denial(limit="market_rule", figure=proposal.contract.symbol,
                      bound="a contract with its con_id",
                      reason="ask for the contract's details first: a symbol alone is no identity")
    if proposal.role is Role.ENTRY and proposal.contract.multiplier:  # most contracts state none
        fault = fault_of_contract(proposal.contract)
        if fault:
            return Denial(limit="market_rule", figure=proposal.contract.symbol,
                          bound="a multiplier above zero", reason=f"nothing can be valued in it: {fault}")
    for what, price, needed in (("limit price", order.limit_price, order.order_type in _NEEDS_LIMIT),
                                ("stop price", order.stop_price, order.order_type in _NEEDS_STOP)):
        may = order.order_type is OrderType.TRAIL and what == "stop price"  # unset: TWS begins off the market
        if (price is not None) is not needed and not may:
            return Denial(limit="market_rule", figure=f"{what} {price}", bound=f"{order.order_type}",
                          reason=f"{order.order_type} {'needs a' if needed else 'takes no'} {what}")
        # Not `price <= 0`: a Decimal that is no number refuses to be compared.
        if price is not None and price.is_finite() and price <= 0:
            return Denial(limit="market_rule", figure=f"{what} {price}", bound="above zero",
                          reason="a price at or below zero has no value that the limits could judge")
    fault = _moves_badly(order)
    if fault:
        return Denial(limit="market_rule", figure=f"trail {order.trail or order.trail_percent}, "
                      f"trigger {order.trigger_price}, adjusted stop {order.adjusted_stop_price}",
                      bound=f"{order.order_type}", reason=fault)
    found = conform(instrument, order)
    return found if isinstance(found, Denial) else None


def _moves_badly(order: Order) -> str:
    """Why a stop can't move by itself as its terms say; empty when it can, or is not to."""
    trails = order.order_type is OrderType.TRAIL
    amounts = [each for each in (order.trail, order.trail_percent) if each is not None]
    if len(amounts) != int(trails):
        return "a TRAIL needs an amount or a percent" if trails else "only a TRAIL trails"
    if any(not each.is_finite() or each <= 0 for each in amounts) or (order.trail_percent or 0) > 100:
        return "it trails by an amount above zero, or up to 100 percent"
    trigger, adjusted = order.trigger_price, order.adjusted_stop_price
    if trigger is None and adjusted is None:
        return ""
    stop, sign = order.stop_price, order.side.sign
    if order.order_type is not OrderType.STOP or trigger is None or adjusted is None or stop is None:
        return "an adjustment is of a stop, with a trigger and an adjusted price"
    if not all(each.is_finite() for each in (trigger, adjusted, stop)):
        return "an adjustment needs prices"
    if not (trigger > 0 and adjusted > 0 and trigger * sign < adjusted * sign < stop * sign):
        return "the adjusted stop lies between the stop and the trigger"
    return ""


def children(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    parent = proposal.parent_quantity
    if parent is not None and proposal.order.quantity > parent:
        return Denial(limit="children", figure=str(proposal.order.quantity), bound=str(parent),
                      reason="a child would hold more than its parent")
    return None


def self_trade(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """Would it meet an order of our own? A stop sleeps till it is touched, a child till its parent fills."""
    order = proposal.order
    buys = order.side is Side.BUY
    resting = situation.own_ask if buys else situation.own_bid
    hurried = situation.own_market_sells if buys else situation.own_market_buys
    if order.order_type in _SLEEPS or proposal.attached:
        return None
    if resting is None and not hurried:
        return None
    price = order.limit_price if order.limit_price is not None else situation.market(order.side)
    if price is None:
        return None  # a market order, and no market: an entry is denied as stale, an exit must not be trapped
    if resting is not None and (price - resting) * order.side.sign >= 0:
        return Denial(limit="self_trade", figure=str(price), bound=str(resting),
                      reason="it would trade with an order of our own; cancel that one first")
    near = situation.market(order.side.opposite)
    if hurried and near is not None and (price - near) * order.side.sign >= 0:
        return Denial(limit="self_trade", figure=str(price), bound=f"a market order of ours at {near}",
                      reason="it would trade with an order of our own; wait for its end")
    return None


# -- what an exit is held to


def reduce_only(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if reduces(proposal, situation):
        return None
    gone = f", {situation.missing} of them gone from the account" if situation.missing else ""
    return Denial(limit="reduce_only", figure=f"{proposal.order.side} {proposal.added} with "
                  f"{situation.working_exits} in other exits", bound=f"{situation.net} held{gone}",
                  reason="an exit must take less than is held, or it would turn the position")


def reduces(proposal: Proposal, situation: Situation) -> bool:
    """Whether an exit provably reduces: it can't take more than is held, other working exits counted.

    An exit of a trade has `parent_quantity`: `children` holds it to what that trade has, or, attached to its
    entry, to what the entry may fill. A change counts what it adds.
    """
    if proposal.role is Role.ENTRY:
        return False
    if proposal.parent_quantity is not None:
        return True
    if proposal.added <= 0:
        return True
    if situation.net == 0 or (situation.net > 0) is (proposal.order.side is Side.BUY):
        return False
    return situation.working_exits + proposal.added <= abs(situation.net) - situation.missing


# -- what an entry is held to


def blocked(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if not situation.entries_blocked:
        return None
    return Denial(limit="entries_blocked", figure="an entry", bound="exits only",
                  reason=situation.entries_blocked)


def required(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """Real money wants the bounds of one order and the list of what may be traded."""
    if not situation.live:
        return None
    for name in LIVE_REQUIRES:
        if getattr(limits, name) is None:
            return Denial(limit=name, figure="off", bound="a value", reason="live trading requires it")
    return None


def duplicate(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """A signal acts once, over restarts too; and the same wish under another signal not at once again."""
    if situation.signal_used:
        return Denial(limit="duplicate", figure=proposal.signal_id, bound="each signal once",
                      reason="this signal has already acted")
    if limits.duplicate_window_s is None or not situation.fingerprints:
        return None
    wish = fingerprint(proposal.contract, proposal.order, proposal.strategy, proposal.adds)
    seen_ns = situation.fingerprints.get(wish)
    if seen_ns is None or situation.now_ns - seen_ns >= limits.duplicate_window_s * NS_PER_S:
        return None
    return Denial(limit="duplicate", figure=f"again after {(situation.now_ns - seen_ns) / NS_PER_S:.3f} s",
                  bound=f"{limits.duplicate_window_s} s",
                  reason="an entry equal in all but its signal has just left, and its trade lives "
                         "(duplicate_window_s)")


def allowed(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    symbol = proposal.contract.symbol
    if limits.allow is None or symbol in limits.allow:
        return None
    return Denial(limit="allow", figure=symbol, bound=", ".join(limits.allow) or "none",
                  reason="the symbol is not on the allow-list")


def denied(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    symbol = proposal.contract.symbol
    if symbol not in limits.deny:
        return None
    return Denial(limit="deny", figure=symbol, bound="not " + ", ".join(limits.deny),
                  reason="the symbol is on the deny-list")


def unknown_orders(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    if not situation.unknown_orders:
        return None
    return Denial(limit="unknown_orders", figure=", ".join(situation.unknown_orders), bound="none",
                  reason="an order of unknown outcome on this contract: it may still fill")


def stale(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    quote = situation.quote
    if quote is None:
        return Denial(limit="stale_quote_s", figure="no quote", bound=f"{limits.stale_quote_s} s",
                      reason="the market is not known")
    delayed = quote.kind is MarketDataType.DELAYED and limits.delayed_quotes and not situation.live
    if quote.kind is not MarketDataType.LIVE and not delayed:
        return Denial(limit="stale_quote_s", figure=f"{quote.kind.name.lower()} data", bound="live data",
                      reason="only live data carry an entry")
    if situation.market(Side.BUY) is None or situation.market(Side.SELL) is None:
        return Denial(limit="stale_quote_s", figure="a quote of one side", bound="bid and ask",
                      reason="the market is not known")
    age_ns = situation.now_ns - quote.time_ns
    # A quote from the future means that two clocks disagree: as bad as an old one.
    if abs(age_ns) > limits.stale_quote_ns:
        return Denial(limit="stale_quote_s", figure=f"{age_ns / 1e9:.3f} s",
                      bound=f"{limits.stale_quote_s} s",
                      reason="the quote is too old, or its clock is not ours")
    return None


def session_hours(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """The contract's own hours. Not stated, or for days that are past: passed over on paper, denied live."""
    if not limits.session_hours:
        return None
    hours, now_ns = situation.hours, situation.now_ns
    sessions = () if hours is None else hours.trading if proposal.order.outside_rth else hours.liquid
    session = session_at(sessions, now_ns)
    if session is not None and session.holds(now_ns):
        return None
    if session is not None:
        return Denial(limit="session_hours", figure="closed", bound="an open session",
                      reason=f"{proposal.contract.symbol} trades again at "
                      f"{to_datetime(session.open_ns):%Y-%m-%d %H:%M} UTC")
    if not situation.live:
        return None
    return Denial(limit="session_hours", figure="hours not stated", bound="an open session",
                  reason="the broker has not stated when this contract trades now")


def last_days(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """A future is not entered in its last days: nothing rolls by itself. One without a stated day passes."""
    left = days_left(proposal.contract, situation.now_ns)
    if limits.last_days is None or left is None or left >= limits.last_days:
        return None
    return Denial(limit="last_days", figure=f"{left} days before {proposal.contract.last_trade_date}",
                  bound=f"{limits.last_days} days", reason="the future ends: enter the next month instead")


def short_sales(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """A short call that shares cover is no short sale; a sale of the shares that cover one is."""
    permitted = not situation.live if limits.short_sales is None else limits.short_sales
    if permitted or proposal.order.side is Side.BUY:
        return None
    worst, cover, owed = situation.worst_position(Side.SELL, proposal.added), situation.cover, situation.owed
    if worst >= owed or (cover and -worst * multiplier(proposal.contract) <= cover):
        return None
    reason = "short sales are not permitted"
    if owed:
        reason = f"it would leave short calls without their shares: they are naked below {owed}"
    elif cover:
        reason += f", and the shares cover no more than {cover // multiplier(proposal.contract)} of this call"
    return Denial(limit="short_sales", figure=str(worst), bound=str(owed), reason=reason)


def buying_power(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """What the broker states must carry the order and all entries that work. Kinds that cost a margin, and
    not their price, are the broker's to judge.
    """
    if not limits.buying_power or proposal.contract.sec_type in figures.BY_MARGIN:
        return None
    bound = situation.buying_power
    if bound is None:
        if not situation.live:
            return None
        return Denial(limit="buying_power", figure="not stated", bound="the broker's figure",
                      reason="the broker has not stated the account's buying power")
    cost = figures.buying_power(proposal, situation, limits)
    if cost is None:
        lacking = figures.no_rate_anywhere(proposal, situation)
        return figures.unknown("buying_power", bound, lacking, situation)
    if cost <= bound:
        return None
    return Denial(limit="buying_power", figure=str(cost), bound=str(bound),
                  reason="the account could not pay for this and for all entries that work")


def day_trades(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """With no day trade left, an exit on the same day would be one too many: so no entry."""
    if not limits.day_trades or situation.day_trades != 0 or proposal.contract.sec_type not in _BY_DAY_TRADE:
        return None
    return Denial(limit="day_trades", figure="0 left", bound="at least 1",
                  reason="no day trade is left: this entry could not be closed today")


def message_rate(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
    """Cancels and exits have the reserve for themselves, and are not held back by it either."""
    bound = figures.message_bound(limits)
    if bound is None:
        return None
    count = figures.messages(proposal, situation, limits) or Decimal(0)
    if count <= bound:
        return None
    return Denial(limit="max_messages_per_s", figure=str(count), bound=str(bound),
                  reason="too many messages in a second; the rest is kept for cancels and exits")


def profit_known(name: str) -> figures.Check:
    """The check that a loss can be reckoned at all: every currency of it has a rate."""

    def check(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
        bound = getattr(limits, name)
        if bound is None or (situation.rate is not None and not situation.unrated_profit):
            return None
        return figures.unknown(name, bound, figures.no_rate_of_profit(proposal, situation), situation)

    return check


def latched(name: str, then: figures.Check | None = None) -> figures.Check:
    """The check of a limit that latches: only a human lets entries out again; else what `then` says."""

    def check(proposal: Proposal, situation: Situation, limits: Limits) -> Denial | None:
        if name in situation.latches:
            return Denial(limit=name, figure="latched", bound="a human's ReleaseLimit",
                          reason="this limit was broken, and no human has let entries out since")
        return None if then is None else then(proposal, situation, limits)

    return check
