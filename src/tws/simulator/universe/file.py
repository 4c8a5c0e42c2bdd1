"""A universe file: TOML tables that add instruments to the default universe, or change known ones.

TOML because a universe has three kinds of rows with many optional fields each, and no two rows need the
same ones; a CSV would be mostly empty. Each table is read into a frozen row by its types, then checked
against the universe. Whatever is wrong is a DataError that names file, line and field, with the cure.
docs/design/universe.md describes every field.
"""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tws.errors import DataError
from tws.simulator.hours import TEMPLATES
from tws.simulator.universe.book import Universe, Wanted
from tws.simulator.universe.chains import FIRST_FREE_SLOT
from tws.simulator.universe.expiry import EXPIRIES
from tws.simulator.universe.futures import QUARTERLY, SLOTS, Root
from tws.simulator.universe.options import SLOTS as CHAIN_SLOTS
from tws.simulator.universe.options import US_OPTION_EXCHANGES, Chain
from tws.simulator.universe.rules import RULES, rule_of
from tws.simulator.universe.security import DERIVED_FROM, SYNTHETIC_FROM, Security

__all__ = ["load_universe"]

FIRST_ID = SYNTHETIC_FROM + 500_000
"""Instruments of a file without a conId of their own get these, in the file's order."""
FIRST_ROOT = 100
"""Slots of the file's futures begin here."""
FIXED = ("STK", "IND", "CASH", "CRYPTO", "CFD", "CMDTY")
"""Types that a row of [[instrument]] can describe whole."""
_Row = TypeVar("_Row", bound=Struct)


class _Instrument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    symbol: str
    name: str | None = None
    sec_type: str = "STK"
    con_id: int | None = None
    exchange: str | None = None
    exchanges: tuple[str, ...] | None = None
    primary_exchange: str | None = None
    currency: str = "USD"
    local_symbol: str | None = None
    trading_class: str | None = None
    stock_type: str | None = None
    industry: str | None = None
    category: str | None = None
    subcategory: str | None = None
    isin: str | None = None
    cusip: str | None = None
    price: float | None = None
    volatility: float | None = None
    spread: int | None = None
    volume: int | None = None
    tick: str | float | None = None
    lot: str | float | None = None
    hours: str | None = None
    price_magnifier: int | None = None
    trading: bool = False


class _Future(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    symbol: str
    exchange: str
    tick: str | float
    price: float
    multiplier: str | float = "1"
    trading_class: str = ""
    name: str = ""
    months: tuple[int, ...] | Literal["quarterly", "monthly"] = "quarterly"
    expiry: str = "third friday"
    count: int = 8
    currency: str = "USD"
    hours: str = "GLOBEX"
    volatility: float = 0.2
    volume: int = 100_000
    price_magnifier: int = 1


class _Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    underlying: str
    step: float
    base: float = 0.0
    trading_class: str = ""
    expiries: Literal["daily", "weekly", "monthly", "quarterly"] = "weekly"
    multiplier: str | float = "100"
    exchanges: tuple[str, ...] = US_OPTION_EXCHANGES
    rule: int = 109
    hours: str = "US_OPTION"
    volatility: float = 0.0


class _Place(Struct, frozen=True):
    """Where a row stands: `index` counts the tables of this kind from 0."""

    path: Path
    text: str
    kind: str
    index: int

    def line(self, field: str = "") -> int:
        """The line of the field within its table, or of the table's header (1-based)."""
        lines = self.text.splitlines()
        header = re.compile(rf"\s*\[\[\s*{self.kind}\s*\]\]")
        starts = [number for number, line in enumerate(lines) if header.match(line)]
        if self.index >= len(starts):
            return 1
        for number in range(starts[self.index] + 1, len(lines)):
            if lines[number].lstrip().startswith("["):
                break
            if field and re.match(rf'\s*"?{re.escape(field)}"?\s*=', lines[number]):
                return number + 1
        return starts[self.index] + 1

    def wrong(self, field: str, reason: str) -> DataError:
        return DataError(
            self.path, self.line(field), f"[[{self.kind}]] number {self.index + 1}, {field}: {reason}"
        )


def load_universe(path: Path) -> Universe:
    """The default universe with the file's instruments, futures and options.

    Raises DataError naming file, line and field for the first thing that can't be read or can't be right.
    """
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except OSError as error:
        raise DataError(path, 1, f"can't be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(path, 1, "is not UTF-8: save it so") from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise DataError(path, int(found[1]) if found else 1, f"is no TOML: {error}") from None
    universe = Universe()
    kinds = {"instrument": _add_instrument, "future": _add_future, "options": _add_options}
    for name in tables:
        if name not in kinds:
            line = next((i for i, row in enumerate(text.splitlines(), 1) if name in row), 1)
            raise DataError(path, line, f"{name} is unknown: write [[instrument]], [[future]] or [[options]]")
    for kind, add in kinds.items():
        rows = tables.get(kind, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            line = next((i for i, row in enumerate(text.splitlines(), 1) if kind in row), 1)
            raise DataError(path, line, f"{kind} must be tables: write [[{kind}]], in double brackets")
        for index, row in enumerate(rows):
            add(universe, row, _Place(path, text, kind, index))
    return universe


def _row(kind: type[_Row], row: dict[str, Any], place: _Place) -> _Row:
    """The table as its row type; what does not fit is told with its field."""
    try:
        return msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        said = str(error)
        named = re.search(r"field `(\w+)`", said) or re.search(r"\$\.(\w+)", said)
        raise place.wrong(named[1] if named else "?", said.partition(" - at")[0]) from None


def _add_instrument(universe: Universe, given: dict[str, Any], place: _Place) -> None:
    row = _row(_Instrument, given, place)
    if row.sec_type not in FIXED:
        raise place.wrong(
            "sec_type", f"{row.sec_type!r} is none of {', '.join(FIXED)}; futures are [[future]]"
        )
    if row.con_id is not None and not 0 < row.con_id < DERIVED_FROM:
        raise place.wrong("con_id", f"{row.con_id} is not in 1 to {DERIVED_FROM - 1}; leave it out for one")
    _positive(place, row, "price", "volatility", "spread", "price_magnifier")
    _hours(place, row.hours)
    changed: dict[str, Any] = {
        name: value
        for name, value in msgspec.structs.asdict(row).items()
        if value is not None and name not in ("name", "trading", "tick", "lot", "con_id")
    }
    if row.name is not None:
        changed["long_name"] = row.name
    if row.tick is not None:
        tick = _decimal(place, "tick", row.tick)
        changed |= {"tick": tick, "min_tick": float(tick), "market_rules": (_rule(place, tick),)}
    if row.lot is not None:
        changed["lot"] = _decimal(place, "lot", row.lot)
    universe.put(_merged(universe, row, changed, place), trading=row.trading)


def _merged(universe: Universe, row: _Instrument, changed: dict[str, Any], place: _Place) -> Security:
    """The known instrument with the stated fields, or a new one."""
    if row.con_id is not None:
        known = universe.get(row.con_id)
    else:
        wanted = Wanted(
            symbol=row.symbol,
            sec_type=row.sec_type,
            currency=row.currency,
            primary=row.primary_exchange or "",
        )
        found = universe.find(wanted)
        known = found[0] if len(found) == 1 else None
    con_id = row.con_id or (known.con_id if known else FIRST_ID + place.index)
    if known is None:
        kind = "COMMON" if row.sec_type == "STK" else ""
        if row.sec_type in ("CASH", "CRYPTO"):
            changed = {"local_symbol": f"{row.symbol}.{row.currency}", **changed}
        home = {} if row.sec_type == "STK" else {"exchanges": (row.exchange or "SMART",)}
        base = {"long_name": row.symbol, "stock_type": kind, **home, **changed}
        rules = base.pop("market_rules", ())
        made = Security(con_id=con_id, **base)
    else:
        rules = changed.pop("market_rules", ()) or known.market_rules[:1]
        made = replace(known, con_id=con_id, **changed)
    return replace(made, market_rules=(rules[0] if rules else 26,) * len(made.exchanges))


def _add_future(universe: Universe, given: dict[str, Any], place: _Place) -> None:
    row = _row(_Future, given, place)
    _positive(place, row, "price", "volatility", "count", "price_magnifier")
    _hours(place, row.hours)
    tick = _decimal(place, "tick", row.tick)
    _rule(place, tick)
    if row.expiry not in EXPIRIES:
        raise place.wrong("expiry", f"{row.expiry!r} is none of {', '.join(EXPIRIES)}")
    if row.months == "quarterly":
        months: tuple[int, ...] = QUARTERLY
    elif row.months == "monthly":
        months = tuple(range(1, 13))
    else:
        months = tuple(row.months)
    if not months or not all(1 <= month <= 12 for month in months):
        raise place.wrong("months", "give numbers from 1 to 12, or quarterly, or monthly")
    if FIRST_ROOT + place.index >= SLOTS:
        raise place.wrong("symbol", f"is one too many: a file may hold {SLOTS - FIRST_ROOT} futures")
    trading_class = row.trading_class or row.symbol
    known = [root.slot for root in universe.roots if root.trading_class == trading_class]
    universe.put_root(
        Root(
            slot=known[0] if known else FIRST_ROOT + place.index,
            symbol=row.symbol,
            trading_class=trading_class,
            long_name=row.name or row.symbol,
            exchange=row.exchange,
            multiplier=_plain(row.multiplier),
            tick=tick,
            price=row.price,
            months=months,
            expiry=row.expiry,
            count=row.count,
            currency=row.currency,
            hours=row.hours,
            volatility=row.volatility,
            volume=row.volume,
            price_magnifier=row.price_magnifier,
        )
    )


def _add_options(universe: Universe, given: dict[str, Any], place: _Place) -> None:
    row = _row(_Options, given, place)
    _positive(place, row, "step")
    _hours(place, row.hours)
    under = universe.symbol(row.underlying)
    if under is None:
        raise place.wrong("underlying", f"{row.underlying!r} is unknown: add an [[instrument]] for it")
    if row.rule not in RULES:
        raise place.wrong("rule", f"{row.rule} is none of {', '.join(map(str, sorted(RULES)))}")
    trading_class = row.trading_class or under.symbol
    known = [
        chain.slot
        for chain in universe.chains
        if chain.trading_class == trading_class and chain.under.con_id == under.con_id
    ]
    slot = known[0] if known else FIRST_FREE_SLOT + place.index
    if slot >= CHAIN_SLOTS:
        most = CHAIN_SLOTS - FIRST_FREE_SLOT
        raise place.wrong("underlying", f"is one chain too many: a file may hold {most}")
    chain = Chain(
        slot=slot,
        under=under,
        trading_class=trading_class,
        step=row.step,
        base=row.base,
        expiries=row.expiries,
        multiplier=_plain(row.multiplier),
        exchanges=tuple(row.exchanges),
        rule=row.rule,
        tick=Decimal(repr(RULES[row.rule][0][1])),
        hours=row.hours,
        volatility=row.volatility,
    )
    if not chain.strikes():
        raise place.wrong("step", f"no strike of {row.base:g} + n * {row.step:g} lies near {under.price:g}")
    universe.put_chain(chain)


def _positive(place: _Place, row: Struct, *fields: str) -> None:
    for name in fields:
        value = getattr(row, name)
        if value is not None and not 0 < value < 1e12:
            raise place.wrong(name, f"{value} must be above 0")


def _hours(place: _Place, hours: str | None) -> None:
    if hours is not None and hours not in TEMPLATES:
        raise place.wrong("hours", f"{hours!r} is none of {', '.join(TEMPLATES)}")


def _decimal(place: _Place, field: str, value: str | float) -> Decimal:
    try:
        number = Decimal(value) if isinstance(value, str) else Decimal(repr(value))
    except ArithmeticError:
        raise place.wrong(field, f"{value!r} is no number") from None
    if not number.is_finite() or number <= 0:
        raise place.wrong(field, f"{value} must be above 0")
    return number


def _rule(place: _Place, tick: Decimal) -> int:
    number = rule_of(tick)
    if not number:
        steps = sorted({steps[0][1] for steps in RULES.values() if len(steps) == 1})
        raise place.wrong("tick", f"{tick} is the step of no market rule; use {', '.join(map(str, steps))}")
    return number


def _plain(multiplier: str | float) -> str:
    return multiplier if isinstance(multiplier, str) else f"{multiplier:g}"
