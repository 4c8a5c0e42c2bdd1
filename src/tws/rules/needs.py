"""What conditions may ask of a context, by symbol: gathered once from their operands.

A rule asks about the symbol of its event, wherever an event of that symbol can fire it, and about each symbol
that it names with `of`. Rules that name no symbol ask the same about all, and stand in one place.
"""

from __future__ import annotations

from collections.abc import Iterable

from tws.rules.conditions import AnyCondition, Change, Compare, Cross, Field, Indicator, Number
from tws.rules.decisions import Needs
from tws.rules.fields import ATR_SPEC, FIELDS, Source
from tws.rules.index import OTHER, can_hold, event_symbols, leaves
from tws.rules.rule import Rule

__all__ = ["NeedsTable"]

_OF_CONTEXT = (Source.POSITION, Source.QUOTE, Source.SESSION, Source.ZONE)


class _Gathered:
    """Needs as they come together."""

    def __init__(self) -> None:
        self.indicators: set[str] = set()
        self.sources: set[Source] = set()
        self.back: int | None = None

    def bars(self, back: int) -> None:
        self.back = max(self.back or 0, back)

    def field(self, name: str) -> None:
        info = FIELDS[name]
        if name == "position.profit_atr":
            self.indicators.add(ATR_SPEC)
        if info.source is Source.BAR:
            self.bars(0)
        self.sources.update((info.source, *info.also))

    def take(self, other: _Gathered) -> None:
        self.indicators |= other.indicators
        self.sources |= other.sources
        if other.back is not None:
            self.bars(other.back)


class NeedsTable:
    """The needs of these rules, for any symbol."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._all = _Gathered()
        self._named: dict[str, _Gathered] = {}
        self._others: list[tuple[frozenset[str], _Gathered]] = []
        """Of rules that name some symbols of the event and can be fired by those that they do not name."""
        for rule in rules:
            self._gather(rule)

    def find(self, symbol: str) -> Needs:
        """What may be asked about a symbol."""
        found = _Gathered()
        found.take(self._all)
        for names, needs in self._others:
            if symbol not in names:
                found.take(needs)
        if symbol in self._named:
            found.take(self._named[symbol])
        return Needs(
            indicators=tuple(sorted(found.indicators)),
            bars_back=found.back,
            sources=tuple(each.value for each in _OF_CONTEXT if each in found.sources),
        )

    def _gather(self, rule: Rule) -> None:
        condition = rule.when
        by_symbol = _of_condition(condition)
        own = by_symbol.pop("", _Gathered())
        if rule.per_day is not None:  # its day is that of the session
            own.sources |= {Source.SESSION, Source.ZONE}
        names = event_symbols(condition)
        for symbol in names:
            if can_hold(condition, symbol):
                self._named.setdefault(symbol, _Gathered()).take(own)
        if can_hold(condition, OTHER):
            if names:
                self._others.append((frozenset(names), own))
            else:
                self._all.take(own)
        for symbol, needs in by_symbol.items():
            self._named.setdefault(symbol, _Gathered()).take(needs)


def _of_condition(condition: AnyCondition) -> dict[str, _Gathered]:
    """What a condition asks, by the symbol that it names with `of` ("" is the event's own)."""
    found: dict[str, _Gathered] = {}
    for leaf in leaves(condition):
        if not isinstance(leaf, (Compare, Cross)):
            found.setdefault(leaf.symbol, _Gathered()).field(leaf.name)
            continue
        for operand in (leaf.left, leaf.right):
            if isinstance(operand, Number):
                continue
            needs = found.setdefault(operand.symbol, _Gathered())
            if isinstance(operand, Indicator):
                needs.indicators.add(operand.spec)
            elif isinstance(operand, Change):
                needs.bars(operand.bars)
            elif isinstance(operand, Field):
                needs.field(operand.name)
                if isinstance(leaf, Cross):
                    needs.bars(1)
    return found
