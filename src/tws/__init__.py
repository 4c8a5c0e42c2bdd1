"""The TWS Trading Framework: from a Python idea to automated trading in Interactive Brokers' TWS, safely.

What stands in `__all__` is the promised face (docs/design/api.md): at most forty names, which change only
with a major version. Each is loaded from its package when it is first asked for, so that `import tws` costs
nothing and a program pays for what it uses.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tws.cli.program import run_strategy
    from tws.config import TWSConfig
    from tws.connection import ConnectionState, Keep, SyncConnection, TWSConnection
    from tws.errors import (
        ConfigError,
        ConnectError,
        DataError,
        LinkLostError,
        NotSentError,
        OrderDeniedError,
        RequestError,
        RequestTimeoutError,
        TWSError,
    )
    from tws.model.account import AccountValue, Position
    from tws.model.contract import Contract, ContractDetails, forex, future, option, stock
    from tws.model.execution import Commission, Execution
    from tws.model.facts import BrokerOrderStatus
    from tws.model.market import Bar, MarketDataType, Quote
    from tws.model.order import Bracket, Order, OrderType, Side, TimeInForce, bracket
    from tws.model.signal import Signal, Wish
    from tws.risk import Limits
    from tws.runtime import Trader
    from tws.strategy.base import Strategy

__all__ = [
    "AccountValue",
    "Bar",
    "Bracket",
    "BrokerOrderStatus",
    "Commission",
    "ConfigError",
    "ConnectError",
    "ConnectionState",
    "Contract",
    "ContractDetails",
    "DataError",
    "Execution",
    "Keep",
    "Limits",
    "LinkLostError",
    "MarketDataType",
    "NotSentError",
    "Order",
    "OrderDeniedError",
    "OrderType",
    "Position",
    "Quote",
    "RequestError",
    "RequestTimeoutError",
    "Side",
    "Signal",
    "Strategy",
    "SyncConnection",
    "TWSConfig",
    "TWSConnection",
    "TWSError",
    "TimeInForce",
    "Trader",
    "Wish",
    "bracket",
    "forex",
    "future",
    "option",
    "run_strategy",
    "stock",
]

_HOMES = {
    "tws.cli.program": ["run_strategy"],
    "tws.config": ["TWSConfig"],
    "tws.connection": ["ConnectionState", "Keep", "SyncConnection", "TWSConnection"],
    "tws.errors": [name for name in __all__ if name.endswith("Error")],
    "tws.model.account": ["AccountValue", "Position"],
    "tws.model.contract": ["Contract", "ContractDetails", "forex", "future", "option", "stock"],
    "tws.model.execution": ["Commission", "Execution"],
    "tws.model.facts": ["BrokerOrderStatus"],
    "tws.model.market": ["Bar", "MarketDataType", "Quote"],
    "tws.model.order": ["Bracket", "Order", "OrderType", "Side", "TimeInForce", "bracket"],
    "tws.model.signal": ["Signal", "Wish"],
    "tws.risk": ["Limits"],
    "tws.runtime": ["Trader"],
    "tws.strategy.base": ["Strategy"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'tws' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value  # the next access does not come here any more
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
