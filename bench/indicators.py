"""What bars and indicators cost: 500 symbols, 10-second bars, ten indicators each, as a part of one core.

    python bench/indicators.py [--symbols 500] [--virtual-s 600] [--json]

Two figures per virtual second, in processor time: the whole way (a quote board takes four ticks a second for
each symbol, builds bars, and each bar goes through its symbol's Studies) and the indicators alone. The bound
is a tenth of a core.

Then nanoseconds per update of each indicator, beside TA-Lib where it is installed: its batch functions over
the whole series at once, per value, and its streaming functions, which compute the newest value anew from
the last 250 bars. Neither keeps a state; a batch needs the whole series before it begins.

Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from time import process_time, process_time_ns
from typing import Any

from tws.clock import NS_PER_S
from tws.indicators import KINDS, Spec, Studies, build
from tws.marketdata import QuoteBoard
from tws.model.market import Bar, TickField

TEN = ("sma(20)", "ema(20)", "wma(20)", "rsi(14)", "macd(12, 26, 9)", "bollinger(20, 2)", "atr(14)",
       "adx(14)", "vwap", "supertrend(10, 3)")  # fmt: skip
START_NS = 1_795_000_200 * NS_PER_S
UPDATES = 50_000
STREAMED = 250  # bars that TA-Lib's streaming functions see: more than the longest memory of the defaults


def walk(count: int, seed: int = 1) -> list[Bar]:
    rng = random.Random(seed)
    bars, price = [], 100.0
    for place in range(count):
        opened = price
        price = max(1.0, price + rng.gauss(0, 0.05))
        high, low = max(opened, price) + rng.random() / 50, min(opened, price) - rng.random() / 50
        bars.append(Bar(time_ns=START_NS + place * 10 * NS_PER_S, seconds=10, open=opened, high=high, low=low,
                        close=price, volume=float(rng.randint(1, 500))))  # fmt: skip
    return bars


def whole_way(symbols: int, virtual_s: int) -> float:
    """Core seconds per virtual second, from ticks to values."""
    board = QuoteBoard(10)
    lines = [board.add(number, f"S{number}", START_NS) for number in range(symbols)]
    studies = [Studies(TEN) for _ in range(symbols)]
    rng = random.Random(2)
    prices = [round(100 + rng.gauss(0, 0.2), 2) for _ in range(1000)]
    bid, ask, last, volume = TickField.BID, TickField.ASK, TickField.LAST, TickField.VOLUME
    begun = process_time()
    for second in range(virtual_s):
        now_ns = START_NS + second * NS_PER_S
        for number, line in enumerate(lines):
            price = prices[(second + number) % 1000]
            line.tick(bid, price - 0.01, 3.0, now_ns)
            line.tick(ask, price + 0.01, 3.0, now_ns)
            line.tick(last, price, 100.0, now_ns)
            line.tick(volume, float("nan"), second * 100.0, now_ns)
        board.advance(now_ns + NS_PER_S)
        for done in board.take_bars():
            studies[done.con_id].update(done.bar)
    spent = process_time() - begun
    if not all(each.ready for each in studies) and virtual_s >= 400:
        raise SystemExit("the bench wants every indicator to have a value")
    return spent / virtual_s


def indicators_alone(symbols: int, virtual_s: int) -> float:
    """The same without ticks and bars."""
    studies = [Studies(TEN) for _ in range(symbols)]
    bars = walk(virtual_s // 10)
    begun = process_time()
    for bar in bars:
        for each in studies:
            each.update(bar)
    return (process_time() - begun) / virtual_s


def per_update() -> dict[str, float]:
    """Nanoseconds of one update, by indicator."""
    bars = walk(UPDATES)
    found = {}
    for kind in KINDS.values():
        spec = Spec(kind.name, tuple(each.default for each in kind.parameters))
        feed: list[Any] = [bar.close for bar in bars] if kind.by == "close" else list(bars)
        update = build(spec).update
        begun = process_time_ns()
        for each in feed:
            update(each)
        found[spec.text] = (process_time_ns() - begun) / UPDATES
    return found


def of_talib() -> dict[str, tuple[float, float]]:
    """Nanoseconds per value of TA-Lib's batch, and of a call of its streaming function; empty without it."""
    try:
        import numpy
        import talib
    except ImportError:
        return {}
    bars = walk(UPDATES)
    high, low, close, volume = (
        numpy.array([getattr(bar, name) for bar in bars]) for name in ("high", "low", "close", "volume")
    )
    calls: dict[str, tuple[str, tuple[Any, ...], tuple[Any, ...]]] = {
        "sma(20)": ("SMA", (close,), (20,)),
        "ema(20)": ("EMA", (close,), (20,)),
        "wma(20)": ("WMA", (close,), (20,)),
        "rsi(14)": ("RSI", (close,), (14,)),
        "macd(12, 26, 9)": ("MACD", (close,), (12, 26, 9)),
        "bollinger(20, 2)": ("BBANDS", (close,), (20, 2.0, 2.0)),
        "stochastic(14, 3, 3)": ("STOCH", (high, low, close), (14, 3, 0, 3, 0)),
        "atr(14)": ("ATR", (high, low, close), (14,)),
        "adx(14)": ("ADX", (high, low, close), (14,)),
        "obv": ("OBV", (close, volume), ()),
        "vwap": ("VWAP", (high, low, close, volume), ()),
        "donchian(20)": ("DONCHIAN", (high, low), (20,)),
        "keltner(20, 10, 2)": ("KC", (high, low, close), (20, 10, 2.0)),
        "supertrend(10, 3)": ("SUPERTREND", (high, low, close), (10, 3.0)),
    }
    found = {}
    for spec, (name, columns, numbers) in calls.items():
        batch, stream = getattr(talib, name, None), getattr(talib.stream, name, None)
        if batch is None or stream is None:
            continue
        tails = [column[-STREAMED:].copy() for column in columns]
        found[spec] = (_ns(batch, columns, numbers, 20) / UPDATES, _ns(stream, tails, numbers, 2000))
    return found


def _ns(call: Callable[..., Any], columns: Any, numbers: tuple[Any, ...], times: int) -> float:
    begun = process_time_ns()
    for _ in range(times):
        call(*columns, *numbers)
    return (process_time_ns() - begun) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--symbols", type=int, default=500)
    parser.add_argument("--virtual-s", type=int, default=600)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = {
        "symbols": options.symbols,
        "indicators_each": len(TEN),
        "core_s_per_virtual_s": round(whole_way(options.symbols, options.virtual_s), 4),
        "core_s_per_virtual_s_indicators_alone": round(
            indicators_alone(options.symbols, options.virtual_s), 4
        ),
    }
    ours, theirs = per_update(), of_talib()
    if options.json:
        rows = {
            spec: [round(ns), *(round(each, 1) for each in theirs.get(spec, ()))] for spec, ns in ours.items()
        }
        print(json.dumps({**figures, "ns_per_update": rows}))
        return
    for name, value in figures.items():
        print(f"{name:40} {value}")
    print(f"\n{'ns per update':22} {'ours':>7} {'TA-Lib batch':>13} {'TA-Lib stream':>14}")
    for spec, ns in ours.items():
        batch, stream = theirs.get(spec, (None, None))
        told = ["" if each is None else f"{each:.0f}" for each in (batch, stream)]
        print(f"{spec:22} {ns:7.0f} {told[0]:>13} {told[1]:>14}")


if __name__ == "__main__":
    main()
