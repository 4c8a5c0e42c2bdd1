"""Rules over real bars and real indicators: what `needs` tells is all that has to be there."""

from __future__ import annotations

import math

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.indicators import Studies
from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.rules import Alert, BarEnded, Context, Engine, Holding, Rule, parse_condition

CLOSES = [100 + 3 * math.sin(n / 7) + n % 3 / 10 for n in range(300)]


class Live(Struct):
    """A context over indicators and bars that grow; whatever was not needed raises."""

    studies: Studies
    bars: list[Bar]
    back: int

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        return self.studies.previous(spec) if back else self.studies.value(spec)

    def bar(self, symbol: str, back: int) -> Bar | None:
        assert back <= self.back, "more bars are asked for than were needed"
        return self.bars[-1 - back] if back < len(self.bars) else None

    def holding(self, symbol: str) -> Holding | None:
        raise AssertionError("no rule needs a position")

    def quote(self, symbol: str) -> Quote | None:
        raise AssertionError("no rule needs a quote")

    def session(self, symbol: str) -> Session | None:
        raise AssertionError("no rule needs a session")

    def zone(self, symbol: str) -> str | None:
        raise AssertionError("no rule needs a zone")


def sma(place: int, period: int) -> float | None:
    span = CLOSES[max(0, place - period + 1) : place + 1]
    return None if len(span) < period else sum(span) / period


def test_a_crossing_fires_at_its_bar_and_at_no_other() -> None:
    up = parse_condition("sma(5) crosses above sma(20) and change(3) > 0.2")
    down = parse_condition("sma(20) crosses above sma(5)")
    engine = Engine(
        [Rule(name="up", when=up, then=(Alert("x"),)), Rule(name="down", when=down, then=(Alert("x"),))]
    )
    needs = engine.needs("SPY")
    assert needs.sources == ()
    context = Live(Studies(needs.indicators), [], needs.bars_back or 0)
    asked: Context = context
    found: dict[str, list[int]] = {"up": [], "down": []}
    for place, close in enumerate(CLOSES):
        bar = Bar(
            time_ns=place * 10 * NS_PER_S,
            seconds=10,
            open=close,
            high=close,
            low=close,
            close=close,
            volume=1,
        )
        context.bars.append(bar)
        assert context.studies.update(bar)
        decisions = engine.evaluate(BarEnded("SPY"), asked, bar.time_ns + 10 * NS_PER_S)
        assert not decisions.failed
        for each in decisions.fired:
            found[each.rule].append(place)
    wanted: dict[str, list[int]] = {"up": [], "down": []}
    for place in range(20, len(CLOSES)):
        fast, slow, fast_before, slow_before = (
            sma(place, 5),
            sma(place, 20),
            sma(place - 1, 5),
            sma(place - 1, 20),
        )
        assert fast is not None and slow is not None and fast_before is not None and slow_before is not None
        if fast > slow and fast_before <= slow_before and CLOSES[place] / CLOSES[place - 3] > 1.002:
            wanted["up"].append(place)
        if slow > fast and slow_before <= fast_before:
            wanted["down"].append(place)
    assert found == wanted
    assert len(wanted["up"]) > 2 and len(wanted["down"]) > 2, "the series tries both"
