"""The section `[risk]`: what an order may be at most, with tighter bounds for an account, symbol or strategy.

    [risk]                                [risk.symbols.SPY]             [risk.strategies.momentum]
    max_order_quantity = 1000             max_position = 500             max_entries = 3
    max_drawdown = "off"                  session_hours = true           short_sales = false
    allow = ["AAPL", "SPY"]

What is left out has the gate's own default (`tws.risk.Limits` has the same names, their meaning and their
hard bounds; `Limits.from_section` takes what this section has chosen). "off" switches a limit off.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tws.config.section import Section, Symbol, Words, exact

__all__ = ["OverrideSection", "RiskSection"]

Off = Literal["off"]
Bound = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, allow_inf_nan=False)] | Off | None
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Symbols = tuple[Symbol, ...]


class OverrideSection(Section):
    """Bounds for one account, symbol or strategy; only tighter ones than those for everything."""

    max_order_quantity: Bound = None
    max_order_notional: Bound = None
    max_position: Bound = None
    max_position_notional: Bound = None
    max_symbol_notional: Bound = None
    max_net_notional: Bound = None
    max_gross_notional: Bound = None
    stale_quote_s: Seconds | None = None
    price_collar: Bound = None
    price_drift: Bound = None
    drift_window_s: Seconds | None = None
    max_orders_per_side: Bound = None
    max_messages_per_s: Bound = None
    message_reserve: Bound = None
    max_entries: Bound = None
    entry_window_s: Seconds | None = None
    duplicate_window_s: Seconds | Off | None = None
    buying_power: bool | None = None
    day_trades: bool | None = None
    session_hours: bool | None = None
    last_days: Bound = None
    allow: Symbols | Off | None = None
    deny: Symbols | None = None
    short_sales: bool | Off | None = None
    max_daily_loss: Bound = None
    max_drawdown: Bound = None


class RiskSection(OverrideSection):
    """What holds for everything, and the overrides."""

    loss_day_zone: Words | None = None
    """The zone whose midnight begins a day of losses, such as America/New_York."""
    accounts: dict[Words, OverrideSection] = Field(default_factory=dict)
    symbols: dict[Symbol, OverrideSection] = Field(default_factory=dict)
    strategies: dict[Words, OverrideSection] = Field(default_factory=dict)

    def chosen(self) -> dict[str, Any]:
        """What the file says, by name, overrides by their keys."""
        return self.model_dump(exclude_unset=True)
