"""What is allowed each for itself and makes no sense together: entries that the limits would all deny, a
target without a market, an average that has no time to form, limits of what nobody trades; and what of this
program has to be installed for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_FLOOR, Decimal
from importlib.util import find_spec

from tws.config import Settings
from tws.config.run import HeardSection, RunSection, TradingSection
from tws.config.strategies import PythonStrategySection
from tws.preflight.line import Line, Weight
from tws.risk import Limits
from tws.runtime.plan import RunPlan
from tws.runtime.strand import Strand

__all__ = ["entry_money", "extras", "nonsense", "sizes"]

ATR_BARS = 14
"""Bars until the first ATR, and with it the first entry that measures its stop by it."""

WHOLE = Decimal(1)
BY_SHARES = ("max_order_quantity", "max_position")
BY_MONEY = ("max_order_notional", "max_position_notional", "max_symbol_notional")


def nonsense(settings: Settings, limits: Limits, share: Decimal = WHOLE) -> list[Line]:
    """Each such thing, once. `share` is the part of its sizes that a live run may use."""
    lines: list[Line] = []
    for section in (*settings.signals, *settings.strategies):
        lines += [*_too_large(section, limits, share), *_denied(section, limits)]
        lines += [*_times(section, settings.run), *_no_whole(section)]
    lines += _of_nobody(settings)
    return list(dict.fromkeys(lines))


def entry_money(section: TradingSection, equity: Decimal | None = None) -> Decimal | None:
    """The most that one entry is worth, in money, as far as that is known before there is a price.

    A part of the equity that a stop may lose says it only with a stop that is a part of the price: so much is
    bought that the part is lost on the way there. Shares, and stops in ATR, say nothing.
    """
    if section.shares is not None:
        return None
    if not section.wants_equity:
        return section.allocation
    if equity is None:
        return None
    if section.volatility_target is not None:
        return equity  # never worth more (docs/design/strategy.md)
    lost = section.risk_fraction if section.risk_fraction is not None else section.kelly_cap
    if section.stop_fraction is None:
        return None
    return (equity * Decimal(repr(lost)) / Decimal(repr(section.stop_fraction))).quantize(Decimal("0.01"))


def _too_large(section: TradingSection, limits: Limits, share: Decimal) -> Iterator[Line]:
    """An entry of the size that the section wishes would be denied each time."""
    for symbol in section.symbols:
        bound = limits.narrowed(symbol=symbol)
        by_shares = section.shares is not None
        whole = section.shares if by_shares else entry_money(section)
        wished = None if whole is None else _part(whole, share, by_shares)
        for name in BY_SHARES if by_shares else BY_MONEY:
            most = getattr(bound, name)
            if wished is not None and most is not None and wished > most:
                unit = "shares" if by_shares else "of money"
                yield Line(
                    about=f"risk.{name}",
                    weight=Weight.BLOCKER,
                    text=f"{symbol}: an entry of {wished} {unit} is beyond {most}, so that each is denied",
                    cure="Wish for less (shares, allocation), or raise the limit if you mean it",
                )


def _part(whole: Decimal, share: Decimal, by_shares: bool) -> Decimal:
    """What of a size is let, as sizing rounds it."""
    if share == WHOLE:
        return whole
    return max(WHOLE, (whole * share).to_integral_value(ROUND_FLOOR)) if by_shares else whole * share


def sizes(plan: RunPlan, equity: Decimal | None, power: Decimal | None) -> list[Line]:
    """What the account's worth and its buying power say of one entry of each section."""
    lines = []
    wanting = [section for section in plan.sections if section.wants_equity]
    if wanting and not equity:
        cure = "Wait until TWS has the account's values, or size by shares or allocation"
        names = " ".join(symbol for section in wanting for symbol in section.symbols)
        text = f"TWS does not state it, and {names} are sized by it: no entry would leave"
        lines.append(Line(about="equity", weight=Weight.BLOCKER, text=text, cure=cure))
    elif wanting:
        lines.append(Line(about="equity", weight=Weight.OK, text=f"{equity}"))
    for section in wanting:
        lines += _beyond(section, plan, equity)
    if power is None:
        return lines
    known = (entry_money(section, equity) for section in plan.sections)
    most = max((money * plan.share for money in known if money is not None), default=None)
    if most is not None and power < most and plan.limits.buying_power:
        text = f"{power}, less than one entry of {most}: it would be denied"
        cure = "Wish for less (allocation, or the part of the equity)"
        lines.append(Line(about="buying power", weight=Weight.WARNING, text=text, cure=cure))
    else:
        lines.append(Line(about="buying power", weight=Weight.OK, text=f"{power}"))
    return lines


def _beyond(section: TradingSection, plan: RunPlan, equity: Decimal | None) -> Iterator[Line]:
    """A size by the equity that may be beyond a limit in money; a warning, for it is the most it can be."""
    whole = entry_money(section, equity)
    wished = None if whole is None else whole * plan.share
    for symbol in section.symbols:
        for name in BY_MONEY:
            most = getattr(plan.limits.narrowed(symbol=symbol), name)
            if wished is not None and most is not None and wished > most:
                yield Line(
                    about=f"risk.{name}",
                    weight=Weight.WARNING,
                    text=f"{symbol}: an entry of up to {wished} of money, by the equity, is beyond {most}",
                    cure="Wish for a smaller part of the equity, or raise the limit if you mean it",
                )


def _denied(section: TradingSection, limits: Limits) -> Iterator[Line]:
    for symbol in section.symbols:
        if symbol in limits.deny:
            text = f"{symbol} is to be traded and denied: no entry of it would leave"
            cure = "Take it out of deny, or out of the strategy"
            yield Line(about="risk.deny", weight=Weight.BLOCKER, text=text, cure=cure)


def _no_whole(section: TradingSection) -> Iterator[Line]:
    """Less than a share, or a contract, of what a file can name; a class may mean something else by a symbol.
    """
    if section.shares is not None and section.shares < 1 and not isinstance(section, PythonStrategySection):
        names = " ".join(section.symbols)
        text = f"{names}: {section.shares} of a share is no whole one, so that no entry would leave"
        cure = "Wish for 1 or more: TWS takes no part of a share over the API (10243)"
        yield Line(about="shares", weight=Weight.BLOCKER, text=text, cure=cure)


def _times(section: TradingSection, run: RunSection) -> Iterator[Line]:
    name = " ".join(section.symbols)
    if section.by_atr:
        wait_s = ATR_BARS * section.bar_seconds
        past = "at once where TWS gives the past, else " if section.warm_up else ""
        known = f"known {past}{wait_s} s after the start at the earliest"
        text = f"{name}: stop or target by ATR, which is {known}"
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


def _of_nobody(settings: Settings) -> Iterator[Line]:
    """A limit for a symbol or a strategy that is none here holds nothing: most often a slip of the pen."""
    sections = (*settings.signals, *settings.strategies)
    symbols = {symbol for section in sections for symbol in section.symbols}
    for symbol in settings.risk.symbols:
        if symbol not in symbols:
            yield _idle(f"risk.symbols.{symbol}", f"nothing here trades {symbol}", symbols)
    heard = [section for section in sections if isinstance(section, HeardSection)]
    if any(section.models is None for section in heard):
        return  # any model may speak, and its name is its strategy's
    names = {Strand(section).name for section in sections}
    names |= {model for section in heard for model in section.models or ()}
    for name in settings.risk.strategies:
        if name not in names:
            yield _idle(f"risk.strategies.{name}", "no strategy or model here has this name", names)


def _idle(about: str, text: str, known: set[str]) -> Line:
    cure = f"Correct the name, or take it out; there are {', '.join(sorted(known))}"
    return Line(about=about, weight=Weight.WARNING, text=f"{text}: the limit holds nothing", cure=cure)


def extras(settings: Settings) -> Iterator[Line]:
    """What is used here and not installed, and what then happens; a receiver without its own is told of when
    its source is opened.
    """
    if any(map(_wants_past, (*settings.signals, *settings.strategies))) and find_spec("pyarrow") is None:
        yield Line(
            about="warm_up",
            weight=Weight.WARNING,
            text="the past is kept as Parquet, which is not installed: indicators begin without it",
            cure="pip install 'tws-trading-framework[parquet]', or warm_up = false",
        )


def _wants_past(section: TradingSection) -> bool:
    """Whether it waits for indicators that the past would give at once."""
    return section.warm_up and (section.waits_for_indicators or isinstance(section, PythonStrategySection))
