"""What a demo tells at its end: values only; `tws.cli.demo` draws them, `--json` writes them."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from msgspec import Struct

from tws.demo.measure import Measured
from tws.demo.robots import Fate, Outcome, Robots
from tws.model.order import Role, Side
from tws.model.records import Alarmed, Denied, Record, Severity
from tws.orders import OurOrder
from tws.runtime import Trade, Trader

__all__ = ["Check", "DemoReport", "Slippage", "SymbolResult", "build_results"]

_ZERO = Decimal(0)


class Slippage(Struct, frozen=True, kw_only=True):
    """What fills cost beyond their reference, in dollars; positive is worse. `shares` is what it was paid on.

    An entry's reference is the touch at the decision, a stop's its stop price, a target's its limit.
    """

    dollars: Decimal = _ZERO
    shares: Decimal = _ZERO

    def plus(self, dollars: Decimal, shares: Decimal) -> Slippage:
        return Slippage(dollars=self.dollars + dollars, shares=self.shares + shares)


class SymbolResult(Struct, frozen=True, kw_only=True):
    """One symbol's day. Money in dollars, `net` after commissions, which come from the broker."""

    symbol: str
    strategy: str
    signals: int
    trades: int
    targets: int
    stops: int
    closed: int
    fills: int
    shares: Decimal
    gross: Decimal
    commissions: Decimal
    net: Decimal
    position: Decimal


class Check(Struct, frozen=True, kw_only=True):
    """One line of the reconciliation: the same figure from three memories, and whether they agree."""

    what: str
    journal: str
    desk: str
    broker: str

    @property
    def exact(self) -> bool:
        return self.journal == self.desk == self.broker


class DemoReport(Struct, frozen=True, kw_only=True):
    """All of it. `exact` and `flat` are what the exit code stands on."""

    seed: int
    market: str
    day: str
    interrupted: bool
    market_seconds: int
    wall_seconds: float
    ready_seconds: float
    messages: int
    """Ticks that reached our books."""
    signals: int
    fates: dict[str, int]
    reasons: dict[str, int]
    """Why signals became no order: refusals and denials, by reason."""
    denials: dict[str, int]
    """What the risk gate refused, by limit."""
    alarms: list[str]
    orders: dict[str, int]
    results: list[SymbolResult]
    entry_slippage: Slippage
    stop_slippage: Slippage
    target_slippage: Slippage
    checks: list[Check]
    measures: list[Measured]
    """Figures beside their bounds."""
    flat: bool
    journal_records: int
    head: str
    """The journal's head, `<row>:<hash>`: what `tws verify --head` holds a kept journal against."""
    fingerprint: str
    """SHA-256 over the journal's records but the first: equal for equal seeds."""

    @property
    def exact(self) -> bool:
        """Whether every check agrees."""
        return bool(self.checks) and all(check.exact for check in self.checks)

    @property
    def net(self) -> Decimal:
        return sum((result.net for result in self.results), _ZERO)


class Tallies(Struct, frozen=True, kw_only=True):
    """What the trades and the journal add up to; the report takes its fields from here."""

    fates: dict[str, int]
    reasons: dict[str, int]
    denials: dict[str, int]
    alarms: list[str]
    orders: dict[str, int]
    results: list[SymbolResult]
    entry_slippage: Slippage
    stop_slippage: Slippage
    target_slippage: Slippage


def build_results(trader: Trader, robots: Robots, records: list[Record]) -> Tallies:
    """Adds up what a day brought."""
    outcomes = robots.outcomes
    slippage = {role: Slippage() for role in (Role.ENTRY, Role.STOP, Role.TARGET)}
    for outcome in outcomes:
        if outcome.trade is not None:
            _slip(slippage, outcome, outcome.trade)
    return Tallies(
        fates={fate: sum(1 for o in outcomes if o.fate is fate) for fate in Fate},
        reasons=dict(Counter(o.reason for o in outcomes if o.reason).most_common()),
        denials=dict(Counter(r.limit for r in records if isinstance(r, Denied)).most_common()),
        alarms=[r.text for r in records if isinstance(r, Alarmed) and r.severity is Severity.ALARM],
        orders=dict(Counter(str(o.state) for o in trader.desk.state.book.orders.values()).most_common()),
        results=[_symbol(trader, robots, symbol, name) for symbol, name in robots.names.items()],
        entry_slippage=slippage[Role.ENTRY], stop_slippage=slippage[Role.STOP],
        target_slippage=slippage[Role.TARGET],
    )


def _slip(slippage: dict[Role, Slippage], outcome: Outcome, trade: Trade) -> None:
    for order in trade.orders:
        reference = _reference(order, outcome)
        if reference is None or order.role not in slippage:
            continue
        for fill in trade.fills(order.intent_id):
            worse = (fill.price - reference) * (1 if order.order.side is Side.BUY else -1)
            slippage[order.role] = slippage[order.role].plus(worse * fill.quantity, fill.quantity)


def _reference(order: OurOrder, outcome: Outcome) -> Decimal | None:
    if order.role is Role.ENTRY:
        return outcome.reference
    return order.order.stop_price if order.role is Role.STOP else order.order.limit_price


def _symbol(trader: Trader, robots: Robots, symbol: str, strategy: str) -> SymbolResult:
    state = trader.desk.state
    holding = next((h for h in state.ours.holdings.values() if h.contract.symbol == symbol), None)
    mine = [o for o in robots.outcomes if o.signal.symbol == symbol]
    trades = [o.trade for o in mine if o.trade is not None]
    gross = holding.realized_pnl if holding else _ZERO
    fees = holding.fees if holding else _ZERO
    ends = Counter(_end(trade) for trade in trades)
    return SymbolResult(
        symbol=symbol, strategy=strategy, signals=len(mine), trades=len(trades), targets=ends["target"],
        stops=ends["stop"], closed=ends["closed"], fills=holding.counted if holding else 0,
        shares=sum((abs(f.quantity) for f in holding.fills.values()), _ZERO) if holding else _ZERO,
        gross=gross, commissions=fees, net=gross - fees, position=holding.quantity if holding else _ZERO,
    )


def _end(trade: Trade) -> str:
    taken = {role: sum((o.filled for o in trade.orders if o.role is role), _ZERO) for role in Role}
    if not taken[Role.ENTRY]:
        return "unfilled"
    if taken[Role.TARGET] == taken[Role.ENTRY]:
        return "target"
    return "stop" if taken[Role.STOP] == taken[Role.ENTRY] else "closed"
