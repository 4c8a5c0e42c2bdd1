"""Rules: how long one event takes with many of them, as a distribution.

    python bench/rules.py [--rules 10000] [--events 300]

Six engines, each with as many rules:

  all relevant   every event can fire every rule; each asks five figures or more that are new with each event,
                 and the last one decides against it
  all fire       the same, but most rules fire (an alert, which stands beside all others)
  indexed        each rule names its symbol, one of 500: an event meets those of its symbol alone
  quotes         the first again, and each event is a quote that moved: its figures are new, and all are asked
  no quotes      rules that look at no quote: the index leaves all of them out of a quote
  all raise      every rule needs a figure that raises, until each is disabled: the worst of bad data

The collector is frozen after building, as a program with so many values should do (`gc.freeze`): else its
passes over millions of them stand in the figures.

`--tell` explains one rule. Numbers belong here, never into a test.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable
from typing import Any

from tws.clock import NS_PER_S
from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.model.signal import Signal, Wish
from tws.rules import Engine, Given, Holding, QuoteMoved, Rule, SignalCame, parse_actions, parse_condition

START = 1_795_000_000 * NS_PER_S
LONG = "position.side == long"
SPECS = ("ema(20)", "ema(50)", "rsi(14)", "atr(14)")


def relevant(number: int, last: str = "position.side == long") -> Rule:
    """A rule that any signal can fire."""
    own = number / 1e6  # so that no two rules share a part but the crossing and the last
    text = (
        f"confidence >= {0.4 + own} and (rsi(14) > {120 + own} or price > {90 + own})"
        f" and ema(20) crosses above ema(50) and spread_percent < {0.1 + own} and {last}"
    )
    return Rule(name=f"r{number}", when=parse_condition(text), then=parse_actions('alert "hit"'))


def firing(number: int) -> Rule:
    """The same, and nothing stands against it."""
    return relevant(number, "position.side == flat")


def indexed(number: int) -> Rule:
    """The same for one symbol of 500."""
    return relevant(number, f"position.side == long and symbol == S{number % 500}")


def quoted(number: int) -> Rule:
    """A rule about quotes, which the last part decides."""
    own = number / 1e6
    text = f"(bid > {200 + own} or price > {90 + own}) and spread_percent < {0.1 + own} and {LONG}"
    return Rule(name=f"r{number}", when=parse_condition(text), then=parse_actions('alert "hit"'))


def unquoted(number: int) -> Rule:
    """A rule that looks at bars and the position."""
    text = f"rsi(14) > {20 + number / 1e6} and {LONG}"
    return Rule(name=f"r{number}", when=parse_condition(text), then=parse_actions('alert "hit"'))


def context(number: int, symbol: str, broken: bool = False) -> Given:
    wave = number % 17 / 10
    series = {(symbol, spec): (100 + wave - place, 99.5 + place) for place, spec in enumerate(SPECS)}
    if broken:
        series[symbol, "rsi(14)"] = (float("nan"), float("nan"))
    return Given(
        holdings={symbol: Holding()},
        quotes={symbol: Quote(symbol=symbol, bid=99.98 + wave, ask=100.02 + wave, time_ns=START)},
        bars={symbol: (Bar(time_ns=START, seconds=10, open=1, high=1, low=1, close=1),)},
        indicators=series,  # type: ignore[arg-type]  # dict is invariant; the values are floats
        sessions={symbol: Session(0, 2**62)},
        zones={symbol: "America/New_York"},
    )


def distribution(run: Callable[[int], Any], events: int) -> dict[str, float]:
    """By the clock, and by the time of this process alone: the second tells on a busy machine too."""
    taken: list[tuple[float, float]] = []
    for number in range(events):
        begin, own = time.perf_counter_ns(), time.process_time_ns()
        run(number)
        taken.append(((time.perf_counter_ns() - begin) / 1e6, (time.process_time_ns() - own) / 1e6))
    told = {}
    for name, series in zip(("clock", "process"), zip(*taken, strict=True), strict=True):
        ordered = sorted(series)
        for share in (0.5, 0.99, 1.0):
            place = min(int(len(ordered) * share), len(ordered) - 1)
            told[f"{name}_p{share * 100:g}_ms"] = round(ordered[place], 3)
    return told


def play(engine: Engine, symbols: int, broken: bool = False, quote: bool = False) -> Callable[[int], Any]:
    def run(number: int) -> Any:
        symbol = f"S{number % symbols}"
        if quote:
            return engine.evaluate(QuoteMoved(symbol), context(number, symbol), START + number * NS_PER_S)
        signal = Signal(
            signal_id=str(number),
            symbol=symbol,
            wish=Wish.BUY,
            time_ns=START,
            confidence=0.5 + number % 50 / 100,
        )
        return engine.evaluate(SignalCame(signal), context(number, symbol, broken), START + number * NS_PER_S)

    return run


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--tell", action="store_true")
    options = parser.parse_args()
    figures: dict[str, Any] = {"rules": options.rules, "events": options.events}
    for name, make, symbols, broken, quote in (
        ("all relevant", relevant, 1, False, False),
        ("all fire", firing, 1, False, False),
        ("indexed", indexed, 500, False, False),
        ("quotes", quoted, 1, False, True),
        ("no quotes", unquoted, 1, False, True),
        ("all raise", relevant, 1, True, False),
    ):
        begin = time.perf_counter()
        rules = [make(number) for number in range(options.rules)]
        read = time.perf_counter()
        engine = Engine(rules)
        built = time.perf_counter()
        gc.collect()
        gc.freeze()
        event = play(engine, symbols, broken, quote)
        last = event(0)
        figures[name] = {
            "parse_s": round(read - begin, 2),
            "build_s": round(built - read, 2),
            "looked": last.looked,
            "fired": len(last.fired),
            "failed": len(last.failed),
            **distribution(event, options.events),
        }
        if options.tell and not broken:
            trace = engine.explain(rules[0].name)
            print(trace.explain() if trace else "")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
