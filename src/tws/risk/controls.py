"""THE table of controls: name, what it holds for, where it can be set, its rule, its check, its figure.

The gate tries them in this order and the first that refuses answers. `ALWAYS` holds whatever the order is,
`ENTRIES` for entries. `EXITS` asks of an exit only that it provably reduces: no safety device may trap a
position (RISK.md), and no exit may flip one (INCIDENTS.md 19). A child attached to an entry counts as an
exit: it can only act on what its parent filled. Cancels are judged by none.

docs/design/risk.md shows this table; a test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from typing import TypeAlias

from msgspec import Struct

from tws.risk import checks as c
from tws.risk import figures as f
from tws.risk.figures import Check, Figure, bounded
from tws.risk.limits import Limits

__all__ = ["ALWAYS", "CONTROLS", "ENTRIES", "EXITS", "STANDALONE", "Control", "Holds", "Reach"]

Bound: TypeAlias = Callable[[Limits], Decimal | None]


class Holds(StrEnum):
    """Which orders a control judges; the others pass it."""

    ALL = "every order"
    ENTRIES = "entries; exits and cancels pass"
    EXITS = "exits; cancels pass"


class Reach(StrEnum):
    """Over what its figure is measured."""

    ORDER = "order"
    CONTRACT = "contract"
    SYMBOL = "symbol"
    ACCOUNT = "account"


class Control(Struct, frozen=True, kw_only=True):
    """One control. `figure` and `bound` are there where it is a figure against a bound: the distance.

    `name` is what a denial says; where the limit has a value, the field of `Limits` bears the same name.
    """

    name: str
    holds: Holds
    reach: Reach
    rule: str
    check: Check
    figure: Figure | None = None
    bound: Bound | None = None


def _all(name: str, rule: str, check: Check) -> Control:
    return Control(name=name, holds=Holds.ALL, reach=Reach.ORDER, rule=rule, check=check)


def _entry(name: str, reach: Reach, rule: str, check: Check, figure: Figure | None = None,
           bound: Bound | None = None) -> Control:
    return Control(name=name, holds=Holds.ENTRIES, reach=reach, rule=rule, check=check, figure=figure,
                   bound=bound)


def _figure(name: str, reach: Reach, rule: str, figure: Figure, reason: str,
            lacks: f.Lacks | None = None) -> Control:
    return _entry(name, reach, rule, bounded(name, figure, reason, lacks), figure, attrgetter(name))


CONTROLS: tuple[Control, ...] = (
    _all("live_lock", "port, account prefix and account id agree; live needs an unexpired unlock for the "
         "account (an expired one stops entries alone)", c.unlocked),
    _all("account", "the order names the account that we trade, and TWS manages it", c.account),
    _all("market_rule", "a contract with its con_id; prices on the contract's grid, quantity on the lot, the "
         "prices that the type needs and no others", c.market_rule),
    _all("children", "a child never holds more than its parent", c.children),
    _all("self_trade", "it would not meet an order of our own that may trade now", c.self_trade),
    Control(name="reduce_only", holds=Holds.EXITS, reach=Reach.CONTRACT, check=c.reduce_only,
            rule="takes no more than its trade has; of no trade: than is held in all, all other working "
                 "exits of the side counted"),
    _entry("entries_blocked", Reach.ACCOUNT, "the link is up, the broker's answers are all read, no flatten "
           "runs, the books agree", c.blocked),
    _entry("required", Reach.ORDER, "live wants `max_order_quantity`, `max_order_notional` and `allow`",
           c.required),
    _entry("duplicate", Reach.ORDER, "each signal acts once, over restarts too; an entry equal in all but "
           "its signal not again within `duplicate_window_s` while that trade lives, an addition not for one "
           "trade and signal",
           c.duplicate),
    _entry("allow", Reach.SYMBOL, "the symbol is on the allow-list, where there is one", c.allowed),
    _entry("deny", Reach.SYMBOL, "the symbol is not on the deny-list", c.denied),
    _entry("unknown_orders", Reach.CONTRACT, "no order of unknown outcome on the contract: it may still fill",
           c.unknown_orders),
    _figure("max_order_quantity", Reach.ORDER, "one order's shares", f.order_quantity,
            "too many shares in one order"),
    _entry("stale_quote_s", Reach.CONTRACT, "a two-sided live quote no older than this (nor from the future: "
           "two clocks that disagree are as bad); on paper a delayed one too, by `[paper] allow_delayed`",
           c.stale, f.quote_age,
           lambda limits: Decimal(repr(limits.stale_quote_s))),
    _entry("session_hours", Reach.CONTRACT, "an open session by the hours that the broker states, early "
           "closes included; not stated: passes on paper, denied live", c.session_hours),
    _entry("last_days", Reach.CONTRACT, "a future's last trading day is no nearer than so many days: 1 "
           "denies on that day alone", c.last_days),
    _figure("max_order_notional", Reach.ORDER, "one order's money", f.order_notional,
            "too much money in one order", f.no_rate),
    _figure("price_collar", Reach.ORDER, "how far a price lies through the market: the side it meets, the "
            "middle, and the last trade where there is one; denied where the market is not known", f.collar,
            "the price lies too far through the market"),
    _figure("price_drift", Reach.CONTRACT, "the same against the best market at which an entry was let out "
            "within `drift_window_s`", f.drift, "our entries would walk the market too far"),
    _entry("short_sales", Reach.CONTRACT, "whether an entry may make the position negative; off: on paper "
           "alone. A call that shares cover may be sold without, and those shares not from under it",
           c.short_sales),
    _figure("max_position", Reach.CONTRACT, "shares, if all orders of the side that may still fill do, "
            "exits and unknown ones included", f.position,
            "filled, working and unknown orders together would hold too much"),
    _figure("max_position_notional", Reach.CONTRACT, "the same in money", f.position_notional,
            "filled, working and unknown orders together would be worth too much", f.no_rate),
    _figure("max_symbol_notional", Reach.SYMBOL, "all contracts of the symbol together, shorts counted like "
            "longs", f.symbol_notional, "the symbol's contracts together would be worth too much",
            f.no_rate_in_symbol),
    _figure("max_net_notional", Reach.ACCOUNT, "all contracts together, shorts set off against longs",
            f.net_notional, "all positions together would lean too far to one side", f.no_rate_anywhere),
    _figure("max_gross_notional", Reach.ACCOUNT, "all contracts together, shorts counted like longs",
            f.gross_notional, "all positions together would be worth too much", f.no_rate_anywhere),
    _entry("buying_power", Reach.ACCOUNT, "the broker's buying power carries the order and all entries that "
           "work; not stated: passes on paper, denied live; futures and currencies are the broker's to judge",
           c.buying_power),
    _entry("day_trades", Reach.ACCOUNT, "a share or an option is not entered when no day trade is left",
           c.day_trades),
    _figure("max_orders_per_side", Reach.CONTRACT, "working orders on one side; IB refuses beyond 20",
            f.orders_on_side, "too many working orders on this side of the contract"),
    _entry("max_messages_per_s", Reach.ACCOUNT, "orders, changes and cancels within a second; "
           "`message_reserve` of them only cancels and exits may use", c.message_rate, f.messages,
           f.message_bound),
    _entry("max_entries", Reach.SYMBOL, "entries within `entry_window_s`; one more latches the symbol until "
           "a human re-enables it", c.latched("max_entries", bounded(
               "max_entries", f.entries, "too many entries of this symbol in a short time")), f.entries,
           attrgetter("max_entries")),
    _entry("max_daily_loss", Reach.ACCOUNT, "realised and unrealised since the day began; three readings at "
           "least 1 s apart latch it until a human re-enables it", c.latched("max_daily_loss", c.profit_known(
               "max_daily_loss")), f.daily_loss, attrgetter("max_daily_loss")),
    _entry("max_drawdown", Reach.ACCOUNT, "the same from the day's best", c.latched(
        "max_drawdown", c.profit_known("max_drawdown")), f.drawdown, attrgetter("max_drawdown")),
)
"""All of them, in the order in which they are tried."""

ALWAYS: tuple[Check, ...] = tuple(each.check for each in CONTROLS if each.holds is Holds.ALL)
"""What every order is held to, exits included."""

EXITS: tuple[Check, ...] = ALWAYS + tuple(each.check for each in CONTROLS if each.holds is Holds.EXITS)
"""What an exit is held to: besides the above it reduces, and can't flip a position."""

ENTRIES: tuple[Check, ...] = ALWAYS + tuple(each.check for each in CONTROLS if each.holds is Holds.ENTRIES)
"""What an entry is held to."""

STANDALONE: tuple[Check, ...] = tuple(
    each.check for each in CONTROLS
    if each.name in ("live_lock", "account", "market_rule", "allow", "deny", "max_order_quantity",
                     "max_order_notional"))
"""What can be judged without a desk, its positions and its books."""
