"""The bounds that the gate holds orders to, with defaults that are safe for a first paper session.

    Limits(max_position=500)                                               # one bound for everything
    Limits(symbols={"SPY": {"max_position": 100}})                         # and a tighter one for a symbol
    limits.narrowed("DU1", "SPY", "momentum")                              # what holds for this order
    limits.changed({"symbols.SPY.max_position": "50", "max_drawdown": "off"})   # as `ChangeLimits` says it

The names are those of the section `[risk]` of a configuration. None ("off" in a file) switches a bound off.
An override for an account, a symbol or a strategy may only be tighter than the bound for everything, so
whoever reads the latter knows that nothing exceeds it; where several apply, the tightest holds. Each bound
has a hard one besides, which no configuration passes. `FIELDS` says all this once, name by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import asdict, force_setattr, replace

from tws.clock import NS_PER_S
from tws.errors import ConfigError
from tws.model.session import trading_day
from tws.risk.fields import FIELDS, Kind, LimitError, exact, tighter, tightest, to_text

__all__ = ["SCOPES", "Amount", "Limits", "Override"]

Amount: TypeAlias = Decimal | int | None
"""A bound as a user writes it; `Limits` holds it as a Decimal."""

Override: TypeAlias = dict[str, Any]
"""Bounds for one account, symbol or strategy, by the names of `Limits`."""

SCOPES = ("accounts", "symbols", "strategies")
"""What an override can be for, in the order in which `narrowed` takes their names."""


class Limits(Struct, frozen=True, kw_only=True):
    """One value per limit; a denial names the field.

    Raises LimitError (a ValueError) for a bound that is negative, no finite number or beyond its hard bound,
    and for an override that is unknown or looser than the bound for everything.
    """

    max_order_quantity: Amount = Decimal(10_000)
    """Shares or contracts of one order."""
    max_order_notional: Amount = Decimal(100_000)
    """Price times quantity times multiplier of one order, in the account's base currency."""
    max_position: Amount = Decimal(10_000)
    """Shares or contracts of one contract, long or short: filled, working and unknown at their worst."""
    max_position_notional: Amount = Decimal(500_000)
    """The same in money: five orders of the greatest size."""
    max_symbol_notional: Amount = Decimal(500_000)
    """The sizes of the worst positions of all contracts of one symbol, shares and options, in money."""
    max_net_notional: Amount = Decimal(1_000_000)
    """All worst long positions less the shorts, or all worst shorts less the longs, in money."""
    max_gross_notional: Amount = Decimal(1_000_000)
    """The sizes of all contracts' worst positions together, in money: ten orders of the greatest size."""
    stale_quote_s: float = 5.0
    """Seconds of market time after which a quote no longer carries an entry."""
    delayed_quotes: bool = False
    """Whether delayed data carry an entry: on paper alone, by `[paper] allow_delayed` alone."""
    price_collar: Amount = Decimal("0.10")
    """How far a limit or stop price of an entry may lie beyond the market, as a fraction of it: ten
    percent is the widest band within which US exchanges let an ordinary share trade before they halt it."""
    price_drift: Amount = Decimal("0.20")
    """The same against the best market at which an entry was let out within `drift_window_s`: two bands, so
    that orders which move the market can't walk it away step by step."""
    drift_window_s: float = 300.0
    """The five minutes over which those bands are reckoned."""
    max_orders_per_side: Amount = Decimal(15)
    """Working orders per contract and side; IB refuses beyond 20 (TWS-BEHAVIOUR.md B)."""
    max_messages_per_s: Amount = Decimal(40)
    """Orders, changes and cancels sent within a second; TWS takes 50 of all kinds with 100 lines (B)."""
    message_reserve: Amount = Decimal(10)
    """The part of `max_messages_per_s` that only cancels and exits may use: three brackets' children."""
    max_entries: Amount = Decimal(20)
    """Entries of one symbol within `entry_window_s`. One more is denied, and no entry of the symbol leaves
    before a human has re-enabled it."""
    entry_window_s: float = 60.0
    """Seconds of market time over which entries are counted."""
    duplicate_window_s: float | None = 1.0
    """Seconds within which an entry equal to one whose trade lives, in all but its signal, is its double."""
    buying_power: bool = True
    """Whether an entry must fit into the buying power that the broker states."""
    day_trades: bool = True
    """Whether an entry is denied when the account has no day trade left: its exit may come the same day."""
    session_hours: bool = True
    """Whether an entry needs an open session, by the hours that the broker states."""
    last_days: Amount = Decimal(1)
    """A future's last days, in which no entry is let out: 1 is its last trading day alone."""
    allow: tuple[str, ...] | None = None
    """The symbols that may be traded; None: any, on paper."""
    deny: tuple[str, ...] = ()
    """The symbols that may not."""
    short_sales: bool | None = None
    """Whether an entry may make a position negative; None: on paper alone."""
    max_daily_loss: Amount = Decimal(10_000)
    """Realised and unrealised loss since the day began, fees included: a tenth of the greatest order."""
    max_drawdown: Amount = Decimal(10_000)
    """The same from the day's best."""
    loss_day_zone: str = "America/New_York"
    """The zone whose midnight begins a day of the two above."""
    accounts: dict[str, Override] = field(default_factory=dict)
    symbols: dict[str, Override] = field(default_factory=dict)
    strategies: dict[str, Override] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, kind in FIELDS.items():
            force_setattr(self, name, exact(name, getattr(self, name), kind))
        reserve, rate = self.message_reserve, self.max_messages_per_s
        if reserve is not None and rate is not None and reserve >= rate:
            raise LimitError("message_reserve", reserve,
                             f"not less than max_messages_per_s, {rate}: no entry could ever leave")
        try:
            trading_day(0, self.loss_day_zone)  # refused here, not at the first loss
        except (ValueError, TypeError, AttributeError):
            raise LimitError("loss_day_zone", self.loss_day_zone, "no time zone that is known") from None
        for scope in SCOPES:
            kept = {}
            for key, override in getattr(self, scope).items():
                if not key:
                    raise LimitError(scope, "an override", "for whom? It wants a name")
                kept[key] = self._checked(f"{scope}.{key}", override, scope)
            force_setattr(self, scope, kept)

    def _checked(self, where: str, override: Mapping[str, Any], scope: str) -> Override:
        """An override made exact. Raises LimitError when it is unknown, out of place or looser."""
        kept: Override = {}
        for name, given in override.items():
            kind = FIELDS.get(name)
            if kind is None or scope not in kind.scopes:
                known = ", ".join(each for each, kind in FIELDS.items() if scope in kind.scopes)
                raise LimitError(f"{where}.{name}", given, f"no limit of this scope; known here: {known}")
            value, general = exact(f"{where}.{name}", given, kind), getattr(self, name)
            if not tighter(kind, value, general):
                raise LimitError(f"{where}.{name}", to_text(value),
                                 f"looser than the bound for everything, {to_text(general)}")
            kept[name] = value
        return kept

    def narrowed(self, account: str = "", symbol: str = "", strategy: str = "") -> Limits:
        """The limits of one account, symbol and strategy: the tightest that apply, no overrides left."""
        found: dict[str, Any] = {}
        for scope, key in zip(SCOPES, (account, symbol, strategy), strict=True):
            for name, value in getattr(self, scope).get(key, {}).items():
                found[name] = tightest(FIELDS[name], value, found.get(name, getattr(self, name)))
        if not found and not (self.accounts or self.symbols or self.strategies):
            return self
        return replace(self, **found, accounts={}, symbols={}, strategies={})

    def changed(self, changes: Mapping[str, str]) -> Limits:
        """These limits with other values, by path: a name, or `symbols.SPY.max_position`.

        "off" switches a bound off, "default" takes an override away or gives a bound its default back.
        Raises LimitError, which names the path, for what is unknown, unreadable or too loose.
        """
        plain = self.to_plain()
        for path, text in changes.items():
            if path not in plain and not _known(path):
                raise LimitError(path, text, "no such limit")
            if text == "default":
                plain.pop(path, None)
            else:
                plain[path] = text
        return Limits.from_plain(plain)

    def to_plain(self) -> dict[str, str]:
        """All values as text by path, for the journal and for people."""
        values = asdict(self)
        plain = {name: to_text(values[name]) for name in FIELDS}
        plain["loss_day_zone"] = self.loss_day_zone
        if self.delayed_quotes:
            plain["delayed_quotes"] = "true"
        for scope in SCOPES:
            for key, override in values[scope].items():
                plain.update({f"{scope}.{key}.{name}": to_text(value) for name, value in override.items()})
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, str]) -> Limits:
        """What `to_plain` wrote. Raises LimitError for what is no limit."""
        values: dict[str, Any] = {scope: {} for scope in SCOPES}
        for path, text in plain.items():
            scope, _, rest = path.partition(".")
            key, _, name = rest.rpartition(".")  # a symbol may hold a dot: BRK.B
            if path == "delayed_quotes":
                values[path] = text == "true"
                continue
            if not _known(path):
                raise LimitError(path, text, "no such limit")
            if rest:
                values[scope].setdefault(key, {})[name] = FIELDS[name].read(path, text)
            else:
                values[path] = text if path == "loss_day_zone" else FIELDS[path].read(path, text)
        return cls(**values)

    @classmethod
    def from_section(cls, chosen: Mapping[str, Any], base: Limits | None = None) -> Limits:
        """The limits that the section `[risk]` of a file has chosen, upon the defaults or upon `base`.

        Raises ConfigError, which names the field with its section.
        """
        values = {name: _off(value) for name, value in chosen.items()}
        for scope in SCOPES:
            overrides = chosen.get(scope, {})
            values[scope] = {key: {name: _off(value) for name, value in override.items()}
                             for key, override in overrides.items()}
        try:
            return replace(base or cls(), **values)
        except LimitError as wrong:
            raise ConfigError(f"risk.{wrong.name}", wrong.value, wrong.reason,
                              "Correct it, or leave it out for the default") from None

    @property
    def stale_quote_ns(self) -> int:
        """`stale_quote_s` in nanoseconds."""
        return int(self.stale_quote_s * NS_PER_S)


def _off(value: Any) -> Any:
    return None if value == "off" else value


def _known(path: str) -> bool:
    """Whether a path names a limit, or a limit of a scope that may have it."""
    scope, _, rest = path.partition(".")
    key, _, name = rest.rpartition(".")
    if not rest:
        return path in FIELDS or path == "loss_day_zone"
    kind: Kind | None = FIELDS.get(name)
    return bool(key) and kind is not None and scope in kind.scopes
