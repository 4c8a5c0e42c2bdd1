"""Streaming indicators: each `update` costs the same on average, whatever the window. Pure.

By price: `Sma(n)`, `Ema(n)`, `Rsi(n=14)`, `Macd(12, 26, 9)`, `Bollinger(20, 2.0)`.
By bar: `Atr(n=14)`, `Vwap()`.

`update(...)` answers the new value, None while too little was seen; `value` repeats it. A price that
is no finite number raises ValueError and changes nothing: one NaN would poison an average for good.
"""

from __future__ import annotations

from tws.indicators.averages import Ema, Sma
from tws.indicators.bands import Bands, Bollinger
from tws.indicators.momentum import Macd, MacdValue, Rsi
from tws.indicators.ranges import Atr
from tws.indicators.volume import Vwap

__all__ = ["Atr", "Bands", "Bollinger", "Ema", "Macd", "MacdValue", "Rsi", "Sma", "Vwap"]
