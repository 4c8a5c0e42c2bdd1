"""An account's rows as TWS states them (TWS-BEHAVIOUR.md D): totals, segments, one ledger per currency.

Totals are in the base currency. `-S` is the securities segment, `-C` the one of commodities, which
holds the futures: assumed to hold exactly their initial margin in cash and their open profit, so the
two always add up to the total. Ledger rows come once for `BASE`, the sum of all in the base currency,
and once for each currency that the account has or had.
"""

from __future__ import annotations

from decimal import Decimal

from tws.exchange.ledger import Holding, Kind, Ledger
from tws.model.account import AccountValue

__all__ = ["LEDGER", "statement"]

ZERO = Decimal(0)
CENT = Decimal("0.01")
FINE = Decimal("0.000001")

LEDGER = (
    "AccountOrGroup", "AccruedCash", "CashBalance", "CorporateBondValue", "Cryptocurrency", "Currency",
    "ExchangeRate", "FundValue", "FutureOptionValue", "FuturesPNL", "FxCashBalance", "IssuerOptionValue",
    "MoneyMarketFundValue", "MutualFundValue", "NetDividend", "NetLiquidationByCurrency",
    "OptionMarketValue", "RealCurrency", "RealizedPnL", "StockMarketValue", "TBillValue", "TBondValue",
    "TotalCashBalance", "UnrealizedPnL", "WarrantValue",
)  # fmt: skip
"""The keys of a ledger; what is not reckoned here is stated as 0.00."""

_MARKET_VALUE = {"OPT": "OptionMarketValue", "FOP": "FutureOptionValue", "CRYPTO": "Cryptocurrency",
    "WAR": "WarrantValue", "BOND": "CorporateBondValue", "FUND": "FundValue"}  # fmt: skip
_FUTURES = ("FUT", "FOP")

Amounts = dict[str, Decimal]


def statement(ledger: Ledger) -> tuple[AccountValue, ...]:
    """All rows of message 6, by key, `BASE` before the currencies."""
    rows = [*_plain(ledger), *_totals(ledger), *_ledgers(ledger)]
    rows.sort(key=lambda row: row.key)
    return tuple(rows)


# -- totals -------------------------------------------------------------------------------------


def _plain(ledger: Ledger) -> list[AccountValue]:
    plain = {
        "AccountReady": "true", "AccountType": "INDIVIDUAL", "DayTradesRemaining": "-1",
        "DayTradesRemainingT+1": "-1", "DayTradesRemainingT+2": "-1", "DayTradesRemainingT+3": "-1",
        "DayTradesRemainingT+4": "-1", "HighestSeverity": "0", "LookAheadNextChange": "0",
        "NLVAndMarginInReview": "false", "SegmentTitle-C": "US Commodities",
        "SegmentTitle-S": "US Securities", "TradingType-S": "STKNOPT", "WhatIfPMEnabled": "true",
    }  # fmt: skip
    return [AccountValue(account=ledger.account, key=key, value=text) for key, text in plain.items()]


def _totals(ledger: Ledger) -> list[AccountValue]:
    cash = sum((amount * ledger.rate(currency) for currency, amount in ledger.cash.items()), ZERO)
    equity, init, maint, _, _ = ledger.standing()
    gross, (future_init, future_maint, future_open) = _gross(ledger), _futures(ledger)
    whole = _segment(ledger, equity, cash, init, maint)
    commodity = _segment(ledger, future_init + future_open, future_init, future_init, future_maint)
    rows: Amounts = {}
    for key, amount in whole.items():
        rows[key] = amount
        rows[key + "-C"] = commodity[key]
        rows[key + "-S"] = amount - commodity[key]
    available = rows["AvailableFunds"]
    regular = {
        "PreviousDayEquityWithLoanValue": ledger.previous_equity, "GrossPositionValue": gross,
        "RegTEquity": equity, "RegTMargin": init, "SMA": available,
    }  # fmt: skip
    rows |= regular | {key + "-S": amount for key, amount in regular.items()}
    rows["BuyingPower"] = max(available, ZERO) / ledger.margin.stock.initial
    rows["SettledCash"] = cash
    out = [_money(ledger, key, amount, ledger.currency) for key, amount in rows.items()]
    share = (rows["ExcessLiquidity"] / equity).quantize(FINE) if equity > 0 else ZERO
    leverage = (gross / equity).quantize(CENT) if equity > 0 else ZERO
    for key, value in {"Cushion": share, "Leverage": leverage, "Leverage-S": leverage}.items():
        out.append(AccountValue(account=ledger.account, key=key, value=str(value)))
    return out


def _segment(ledger: Ledger, equity: Decimal, cash: Decimal, init: Decimal, maint: Decimal) -> Amounts:
    """The keys that TWS states for the account, for -C and for -S."""
    return {
        "NetLiquidation": equity, "TotalCashValue": cash, "EquityWithLoanValue": equity,
        "AvailableFunds": equity - init, "ExcessLiquidity": equity - maint,
        "InitMarginReq": init, "MaintMarginReq": maint,
        "FullInitMarginReq": init, "FullMaintMarginReq": maint,
        "FullAvailableFunds": equity - init, "FullExcessLiquidity": equity - maint,
        "LookAheadInitMarginReq": init, "LookAheadMaintMarginReq": maint,
        "LookAheadAvailableFunds": equity - init, "LookAheadExcessLiquidity": equity - maint,
        "AccruedDividend": ZERO, "Billable": ZERO, "Guarantee": ZERO, "IndianStockHaircut": ZERO,
        "PASharesValue": ZERO, "PostExpirationExcess": ZERO, "PostExpirationMargin": ZERO,
        "TotalDebitCardPendingCharges": ZERO,
    }  # fmt: skip


def _gross(ledger: Ledger) -> Decimal:
    """GrossPositionValue: absolute values of what is paid for; futures and pairs don't count."""
    rows = ((con_id, row) for con_id, row in ledger.holdings.items() if row.kind is Kind.PAID)
    return sum((abs(ledger.market_value(*row)) * _rate(ledger, row[0]) for row in rows), ZERO)


def _futures(ledger: Ledger) -> tuple[Decimal, Decimal, Decimal]:
    """Of the commodities segment: initial and maintenance margin, open profit."""
    init = maint = profit = ZERO
    for con_id, row in ledger.holdings.items():
        if row.quantity and ledger.contract_of(con_id).sec_type in _FUTURES:
            value = ledger.market_value(con_id, row)
            more = ledger.requirement(con_id, row.quantity, value)
            init, maint = init + more[0], maint + more[1]
            profit += (value - row.unpaid) * _rate(ledger, con_id)
    return init.quantize(CENT), maint.quantize(CENT), profit


def _rate(ledger: Ledger, con_id: int) -> Decimal:
    return ledger.rate(ledger.contract_of(con_id).currency)


# -- ledgers ------------------------------------------------------------------------------------


def _ledgers(ledger: Ledger) -> list[AccountValue]:
    """The rows of `$LEDGER:ALL`."""
    by_currency = {name: _of_currency(ledger, name, amount) for name, amount in ledger.cash.items()}
    base: Amounts = {}
    for currency, amounts in by_currency.items():
        rate = ledger.rate(currency)
        for key, amount in amounts.items():
            base[key] = base.get(key, ZERO) + amount * rate
    rows = []
    for currency, amounts in {"BASE": base, **by_currency}.items():
        rate = Decimal(1) if currency == "BASE" else ledger.rate(currency)
        words = {
            "AccountOrGroup": ledger.account, "Currency": currency, "RealCurrency": currency,
            "ExchangeRate": f"{rate:.2f}" if rate == 1 else f"{rate:.7f}",
        }  # fmt: skip
        for key in LEDGER:
            if key in words:
                rows.append(
                    AccountValue(account=ledger.account, key=key, value=words[key], currency=currency)
                )
            else:
                rows.append(_money(ledger, key, amounts.get(key, ZERO), currency))
    return rows


def _of_currency(ledger: Ledger, currency: str, cash: Decimal) -> Amounts:
    amounts = {
        "CashBalance": cash, "TotalCashBalance": cash, "StockMarketValue": ZERO, "FuturesPNL": ZERO,
        "UnrealizedPnL": ZERO, "RealizedPnL": ZERO, "NetLiquidationByCurrency": cash,
    }  # fmt: skip
    for con_id, row in ledger.holdings.items():
        contract = ledger.contract_of(con_id)
        if contract.currency == currency:
            _add(amounts, ledger, con_id, row, contract.sec_type)
    return amounts


def _add(amounts: Amounts, ledger: Ledger, con_id: int, row: Holding, sec_type: str) -> None:
    value = ledger.market_value(con_id, row)
    amounts["UnrealizedPnL"] += value - row.cost
    amounts["RealizedPnL"] += row.realized
    if row.kind is Kind.EXCHANGED:
        return
    key = "FuturesPNL" if row.kind is Kind.CARRIED else _MARKET_VALUE.get(sec_type, "StockMarketValue")
    amounts[key] = amounts.get(key, ZERO) + value - row.unpaid
    amounts["NetLiquidationByCurrency"] += value - row.unpaid


def _money(ledger: Ledger, key: str, amount: Decimal, currency: str) -> AccountValue:
    """Money to the cent, as TWS writes it."""
    text = str(amount.quantize(CENT))
    return AccountValue(account=ledger.account, key=key, value=text, currency=currency)
