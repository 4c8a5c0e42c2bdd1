"""What conditions may ask of a context for one symbol: found from their operands, rule by rule that this
symbol concerns.
"""

from __future__ import annotations

from collections.abc import Iterable

from tws.rules.conditions import AnyCondition, Change, Cross, Field, Flag, Indicator, Is
from tws.rules.decisions import Needs
from tws.rules.fields import ATR_SPEC, FIELDS, Source
from tws.rules.index import can_hold, leaves, operands

__all__ = ["needs_of"]

_OF_CONTEXT = (Source.POSITION, Source.QUOTE, Source.SESSION, Source.ZONE)


def needs_of(conditions: Iterable[AnyCondition], symbol: str) -> Needs:
    """The needs for a symbol: of the rules that its events can fire, and of those that name it with `of`."""
    indicators: dict[str, None] = {}
    sources: dict[str, None] = {}
    back: int | None = None
    for condition in conditions:
        own = can_hold(condition, symbol) != 0
        for operand in operands(condition):
            if operand.symbol != symbol and (operand.symbol or not own):
                continue
            if isinstance(operand, Indicator):
                indicators[operand.spec] = None
            elif isinstance(operand, Change):
                back = max(back or 0, operand.bars)
            else:
                back = _field(operand.name, indicators, sources, back)
        for leaf in leaves(condition):
            if isinstance(leaf, Cross) and any(
                isinstance(each, Field) and (each.symbol == symbol or (not each.symbol and own))
                for each in (leaf.left, leaf.right)
            ):
                back = max(back or 0, 1)
            elif isinstance(leaf, (Is, Flag)) and (leaf.symbol == symbol or (not leaf.symbol and own)):
                back = _field(leaf.name, indicators, sources, back)
    named = tuple(each.value for each in _OF_CONTEXT if each in sources)
    return Needs(indicators=tuple(sorted(indicators)), bars_back=back, sources=named)


def _field(name: str, indicators: dict[str, None], sources: dict[str, None], back: int | None) -> int | None:
    """Note what a field needs; the bars are answered."""
    info = FIELDS[name]
    if name == "position.profit_atr":
        indicators[ATR_SPEC] = None
    for source in (info.source, *info.also):
        sources[source] = None
    return max(back or 0, 0) if info.source is Source.BAR else back
