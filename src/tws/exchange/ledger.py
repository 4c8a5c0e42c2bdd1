"""An account's books: cash, holdings, average cost, realised and unrealised profit, margin, TWS's tags.

Average cost includes commissions (TWS-BEHAVIOUR.md D), so realised profit is net of both the
opening and the closing commission. A holding keeps its *total* cost, negative when short, and what
leaves it is subtracted exactly; so at every instant, to the last digit:

    cash - opening cash  =  realised - sum of holdings' costs
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tws.exchange.terms import AccountSetup, MarginModel
from tws.model.account import AccountValue

__all__ = ["Holding", "Ledger"]

ZERO = Decimal(0)
FINE = Decimal("1E-8")
CENT = Decimal("0.01")


class Holding:
    """One position: shares (negative when short), total cost with its sign, today's realised profit."""

    __slots__ = ("cost", "quantity", "realized", "realized_before")

    def __init__(self) -> None:
        self.quantity = ZERO
        self.cost = ZERO
        self.realized = ZERO  # today
        self.realized_before = ZERO  # up to today

    def average_cost(self) -> Decimal:
        """Cost per share (per contract where there is a multiplier, as TWS states it)."""
        return (self.cost / self.quantity).quantize(FINE) if self.quantity else ZERO

    def fill(self, shares: Decimal, value: Decimal, fee: Decimal) -> Decimal | None:
        """Book a fill of signed `shares`, worth signed `value`. Returns the profit, None if opening."""
        closing = min(abs(shares), abs(self.quantity)) if shares * self.quantity < 0 else ZERO
        if not closing:
            self.quantity += shares
            self.cost += value + fee
            return None
        whole_fill, whole_position = closing == abs(shares), closing == abs(self.quantity)
        closing_value = value if whole_fill else (value * closing / abs(shares)).quantize(FINE)
        closing_fee = fee if whole_fill else (fee * closing / abs(shares)).quantize(FINE)
        removed = self.cost if whole_position else (self.cost * closing / abs(self.quantity)).quantize(FINE)
        profit = -closing_value - closing_fee - removed
        self.quantity += shares
        self.cost += (value - closing_value) + (fee - closing_fee) - removed
        self.realized += profit
        return profit


class Ledger:
    """The books of one account. `value_of(con_id, shares)` states a market value, asked for when needed."""

    def __init__(
        self, setup: AccountSetup, margin: MarginModel, value_of: Callable[[int, Decimal], Decimal | None]
    ) -> None:
        self.account = setup.account
        self.currency = setup.currency
        self.cash = setup.cash
        self.fees = ZERO
        self.holdings: dict[int, Holding] = {}
        self._margin = margin
        self._value_of = value_of
        self._previous_equity = setup.cash

    def fill(self, con_id: int, shares: Decimal, value: Decimal, fee: Decimal) -> Decimal | None:
        """Book a fill: cash moves by value and fee, the holding by shares. Returns the realised profit."""
        holding = self.holdings.setdefault(con_id, Holding())
        self.cash -= value + fee
        self.fees += fee
        return holding.fill(shares, value, fee)

    def new_day(self) -> None:
        """Today's realised profit starts anew, and yesterday's equity is kept."""
        self._previous_equity = self.equity()
        for holding in self.holdings.values():
            holding.realized_before += holding.realized
            holding.realized = ZERO

    # -- worth ------------------------------------------------------------------------------------

    def market_value(self, con_id: int, holding: Holding) -> Decimal:
        """Signed; at cost while nothing was ever quoted."""
        value = self._value_of(con_id, holding.quantity) if holding.quantity else ZERO
        return holding.cost if value is None else value

    def equity(self) -> Decimal:
        """Cash and the holdings at their marks: NetLiquidation."""
        values = (self.market_value(con_id, row) for con_id, row in self.holdings.items())
        return self.cash + sum(values, ZERO)

    def gross(self) -> Decimal:
        """The sum of the holdings' absolute market values: GrossPositionValue."""
        return sum((abs(self.market_value(con_id, row)) for con_id, row in self.holdings.items()), ZERO)

    def gross_after(self, con_id: int, shares: Decimal, value: Decimal) -> Decimal:
        """The gross position value if signed `shares` worth signed `value` were filled."""
        holding = self.holdings.get(con_id, Holding())
        before = self.market_value(con_id, holding)
        price = value / shares
        return self.gross() - abs(before) + abs(price * (holding.quantity + shares))

    def initial(self, gross: Decimal) -> Decimal:
        """Margin to open such a book, to the cent."""
        return (gross * self._margin.initial).quantize(CENT)

    def maintenance(self, gross: Decimal) -> Decimal:
        """Margin to keep such a book, to the cent."""
        return (gross * self._margin.maintenance).quantize(CENT)

    def values(self) -> tuple[AccountValue, ...]:
        """TWS's tags (D), as far as they mean something here; money to the cent, as TWS writes it."""
        gross, equity = self.gross(), self.equity()
        init, maint = self.initial(gross), self.maintenance(gross)
        unrealized = sum(
            (self.market_value(con_id, row) - row.cost for con_id, row in self.holdings.items()), ZERO
        )
        realized = sum((row.realized for row in self.holdings.values()), ZERO)
        available, excess = equity - init, equity - maint
        money = {
            "NetLiquidation": equity, "TotalCashValue": self.cash, "SettledCash": self.cash,
            "AccruedCash": ZERO, "BuyingPower": max(available, ZERO) / self._margin.initial,
            "EquityWithLoanValue": equity, "PreviousDayEquityWithLoanValue": self._previous_equity,
            "GrossPositionValue": gross, "RegTEquity": equity, "RegTMargin": init, "SMA": available,
            "InitMarginReq": init, "MaintMarginReq": maint, "AvailableFunds": available,
            "ExcessLiquidity": excess,
            "FullInitMarginReq": init, "FullMaintMarginReq": maint, "FullAvailableFunds": available,
            "FullExcessLiquidity": excess,
            "LookAheadInitMarginReq": init, "LookAheadMaintMarginReq": maint,
            "LookAheadAvailableFunds": available, "LookAheadExcessLiquidity": excess,
            "UnrealizedPnL": unrealized, "RealizedPnL": realized,
            "CashBalance": self.cash, "StockMarketValue": equity - self.cash,
        }  # fmt: skip
        share = (excess / equity).quantize(Decimal("0.000001")) if equity > 0 else ZERO
        leverage = (gross / equity).quantize(CENT) if equity > 0 else ZERO
        plain = {
            "AccountReady": "true", "AccountType": "INDIVIDUAL", "Cushion": str(share),
            "Leverage": str(leverage),
            "DayTradesRemaining": "-1", "LookAheadNextChange": "0", "HighestSeverity": "0",
        }  # fmt: skip
        rows = [AccountValue(account=self.account, key=key, value=text) for key, text in plain.items()]
        for key, amount in money.items():
            text = str(amount.quantize(CENT))
            rows.append(AccountValue(account=self.account, key=key, value=text, currency=self.currency))
        return tuple(rows)
