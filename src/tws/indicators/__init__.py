"""Streaming indicators: each `update` costs the same on average, whatever the window. Pure.

By the close: `Sma Ema Wma` (n=20), `Rsi(14)`, `Macd(12, 26, 9)`, `Bollinger(20, 2.0)`, `Volatility(20, 1.0)`,
`ZScore(20)`. By bar: `Atr(14)`, `Adx(14)`, `Stochastic(14, 3, 3)`, `Donchian(20)`, `Keltner(20, 10, 2.0)`,
`Supertrend(10, 3.0)`, `Vwap()`, `Obv()`.

`update(...)` answers the new value, None while too little was seen (`warm_up` updates); `value` repeats it.
What is no finite number raises ValueError and changes nothing: one NaN would poison an average for good.
`save` and `restore` carry an indicator over a restart.

`Studies` holds the indicators of one instrument, asked for in words such as "ema(20)" or "macd.signal"
(`parse_spec`; `describe` lists them all).
"""

from __future__ import annotations

from tws.indicators.averages import Ema, Sma, Wma
from tws.indicators.bands import Bands, Bollinger, Donchian, Keltner
from tws.indicators.deviation import Volatility, ZScore
from tws.indicators.momentum import Macd, MacdValue, Rsi, Stochastic, StochasticValue
from tws.indicators.ranges import Atr
from tws.indicators.registry import KINDS, Indicator, Kind, Parameter, Spec, build, describe, parse_spec
from tws.indicators.studies import Studies
from tws.indicators.trend import Adx, AdxValue, Supertrend, SupertrendValue
from tws.indicators.volume import Obv, Vwap

__all__ = [
    "KINDS",
    "Adx",
    "AdxValue",
    "Atr",
    "Bands",
    "Bollinger",
    "Donchian",
    "Ema",
    "Indicator",
    "Keltner",
    "Kind",
    "Macd",
    "MacdValue",
    "Obv",
    "Parameter",
    "Rsi",
    "Sma",
    "Spec",
    "Stochastic",
    "StochasticValue",
    "Studies",
    "Supertrend",
    "SupertrendValue",
    "Volatility",
    "Vwap",
    "Wma",
    "ZScore",
    "build",
    "describe",
    "parse_spec",
]
