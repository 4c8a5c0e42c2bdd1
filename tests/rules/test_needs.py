"""What `needs` tells is all that is ever asked, whatever the rules are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from tests.rules.values import NOON, Scene, conditions, scenes

from tws.model.market import Bar, Quote
from tws.model.session import Session
from tws.rules import Alert, AnyCondition, Engine, Holding, Needs, Rule


class Strict(Struct, frozen=True):
    """A context that fails for whatever was not needed; what it answers decides as little as can be."""

    engine: Engine

    def needs(self, symbol: str, source: str = "") -> Needs:
        needs = self.engine.needs(symbol)
        assert not source or source in needs.sources, f"{source} of {symbol} was not needed"
        return needs

    def holding(self, symbol: str) -> Holding | None:
        self.needs(symbol, "position")
        return Holding(quantity=1, entry_price=1.0, stop_price=0.5)

    def quote(self, symbol: str) -> Quote | None:
        self.needs(symbol, "quote")
        return Quote(bid=1.0, ask=1.0)

    def bar(self, symbol: str, back: int) -> Bar | None:
        needed = self.needs(symbol).bars_back
        assert needed is not None and back <= needed, f"bar {back} of {symbol} was not needed"
        return None

    def indicator(self, symbol: str, spec: str, back: int) -> float | None:
        assert spec in self.needs(symbol).indicators, f"{spec} of {symbol} was not needed"
        return None

    def session(self, symbol: str) -> Session | None:
        self.needs(symbol, "session")
        return None

    def zone(self, symbol: str) -> str | None:
        self.needs(symbol, "zone")
        return None


@given(st.lists(conditions, min_size=1, max_size=4), scenes())
def test_nothing_else_is_asked(drawn: list[AnyCondition], scene: Scene) -> None:
    engine = Engine(Rule(name=f"r{place}", when=when, then=(Alert("x"),)) for place, when in enumerate(drawn))
    assert engine.evaluate(scene.event, Strict(engine), NOON).failed == ()
