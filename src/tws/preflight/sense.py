"""What is allowed each for itself and makes no sense together: entries that the limits would all deny, a
target without a market, an average that has no time to form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tws.config.run import RunSection, TradingSection
from tws.preflight.line import Line, Weight
from tws.risk import Limits

__all__ = ["nonsense"]

ATR_BARS = 14
"""Bars until the first ATR, and with it the first entry that measures its stop by it."""

BY_SHARES = ("max_order_quantity", "max_position")
BY_MONEY = ("max_order_notional", "max_position_notional", "max_symbol_notional")


def nonsense(sections: Sequence[TradingSection], limits: Limits, run: RunSection) -> list[Line]:
    """Each such thing, once."""
    lines: list[Line] = []
    for section in sections:
        lines += [*_too_large(section, limits), *_denied(section, limits), *_times(section, run)]
    return list(dict.fromkeys(lines))


def _too_large(section: TradingSection, limits: Limits) -> Iterator[Line]:
    """An entry of the size that the section wishes would be denied each time."""
    for symbol in section.symbols:
        bound = limits.narrowed(symbol=symbol)
        by_shares = section.shares is not None
        wished = section.allocation if section.shares is None else section.shares
        for name in BY_SHARES if by_shares else BY_MONEY:
            most = getattr(bound, name)
            if most is not None and Decimal(wished) > most:
                unit = "shares" if by_shares else "of money"
                yield Line(
                    about=f"risk.{name}",
                    weight=Weight.BLOCKER,
                    text=f"{symbol}: an entry of {wished} {unit} is beyond {most}, so that each is denied",
                    cure="Wish for less (shares, allocation), or raise the limit if you mean it",
                )


def _denied(section: TradingSection, limits: Limits) -> Iterator[Line]:
    for symbol in section.symbols:
        if symbol in limits.deny:
            text = f"{symbol} is to be traded and denied: no entry of it would leave"
            cure = "Take it out of deny, or out of the strategy"
            yield Line(about="risk.deny", weight=Weight.BLOCKER, text=text, cure=cure)


def _times(section: TradingSection, run: RunSection) -> Iterator[Line]:
    name = " ".join(section.symbols)
    if section.stop_fraction is None or section.target_fraction is None:
        wait_s = ATR_BARS * section.bar_seconds
        text = f"{name}: stop or target by ATR, which is known {wait_s} s after the start at the earliest"
        yield Line(about="bar_seconds", weight=Weight.OK, text=text)
    flat_s = run.flatten_before_close_s
    if flat_s is not None and section.close_margin_s <= flat_s:
        yield Line(
            about="close_margin_s",
            weight=Weight.WARNING,
            text=f"{name}: no entry leaves in the last {flat_s} s of a day, when all is closed, although "
            f"close_margin_s is {section.close_margin_s:g}",
            cure=f"Set close_margin_s above {flat_s}",
        )
