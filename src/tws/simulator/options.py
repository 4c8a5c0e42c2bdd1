"""What a simulated TWS is told before it starts. Frozen; what a program changes of TWS's settings makes new
ones (`tws.simulator.requests.settings`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from tws.errors import ConfigError
from tws.exchange import Habits
from tws.model.reference import SoftDollarTier
from tws.simulator.limits import Limits
from tws.simulator.market.base import Market
from tws.simulator.settings import ToldSettings
from tws.simulator.subscriptions import Subscriptions

__all__ = ["Hours", "SimulatorOptions", "Speed", "StepHook", "check_zone"]

Speed: TypeAlias = float | Literal["max"]
"""How many seconds of market time pass in one of the wall's; "max": as fast as the clients keep up."""

Hours: TypeAlias = Literal["always", "exchange"]
"""The sessions that contracts state: 24 hours without a close, or those of the US exchanges."""

StepHook: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited before each advance of market time, so that a caller may hold it (lock-step)."""

LOOPBACK = ("127.0.0.1", "::1", "localhost")
REFUSALS = ("354", "10089", "10090")
"""What TWS says of live data that are not subscribed (A8)."""
LOWEST_VERSION, HIGHEST_VERSION = 157, 225


class SimulatorOptions(Struct, frozen=True, kw_only=True):
    """Everything that shapes a simulated TWS. Raises ConfigError from `check` when a field is wrong.

    host, port      where to listen; port 0 takes any free one. A host beyond loopback needs `any_host`
    server_version  the highest version offered; each client gets min(its own, this)
    accounts        account ids; paper ones begin with D. A live-looking one lets tests meet the locks
    advisor         the login is a financial advisor's: the first account is its own, the others clients'
    execution_days  for how many days reqExecutions answers unasked: 1 as a Gateway, up to 7 as a TWS
    cash            opening cash of each account, USD
    seed            of the synthetic market and of every draw
    data            CSV files to replay in place of the synthetic market (`tws.simulator.market.replay`)
    symbol_map      {"CVNA": "SPY"}: CVNA also plays the series of SPY
    universe        a file of instruments beside the default ones (`tws.simulator.universe.file`)
    symbols         the symbols that trade in the synthetic market; empty: the whole universe
    speed           see `Speed`
    hours           see `Hours`
    start_ns        market time of the first instant; None: the file's first row, the wall's now
                    ("always"), or the opening of a fixed day ("exchange"), so that a seed repeats
    end_ns          market time at which the synthetic market falls silent; None: never
    paused          market time stands until `SimulatedTWS.resume()`
    on_step         see `StepHook`
    market          a market of the caller's own, in place of synthetic and replay
    read_only       refuse orders with code 321, as TWS does by default
    first_order_id  what message 9 says to a client id that never placed an order
    max_clients     sessions at once; TWS stops at 32
    master_client_id  the client that hears of all clients' orders; None: nobody, TWS's default
    preset_notice   an order without a time in force brings notice 10349, as recent builds do (ib_async
                    2.1.0 takes that for the order's end); off: DAY is filled in silently, as before
    attached_preset where TWS's presets put attached orders, as a fraction of the price; None: no presets
    send_open_orders  a client's living orders are told to it when its session starts, TWS's default
    limits          what clients may ask at once and in a time; see `Limits`, `Limits.off()`
    trusted         addresses that may connect; None: whoever reaches the port. Others are closed at once, or
                    with `localhost_only` off stay silent until `SimulatedTWS.answer_dialog` (A3)
    localhost_only  TWS's setting "Allow connections from localhost only": no dialog, just denied
    api_enabled     False: dials are refused until `SimulatedTWS.listen(True)`, as with the API switched off
    zombie_s        for so many seconds after a socket died without a farewell its client id stays in use
    read_only_id    the id of 321 to a request without id: -1, or 2147483647 (builds differ)
    read_only_mark  what stands behind "Error validating request": "." or, in older builds, ":"
    garbage         to what is no handshake: "close", or "silence" as seen with curl (A5)
    gateway         farms as an IB Gateway's: 2107 and 2108 first, connected on demand (A2)
    updates_per_s   how often each symbol of the synthetic market speaks: 1, or 4 as in TWS (B); currencies
                    twice as often
    unsubscribed    symbols or security types without live data, each with the code of its refusal if that
                    is not 354: ("AAPL", "OPT", "SPY=10089")
    subscriptions   providers of news, scanners, fundamentals, corporate events; see `Subscriptions`
    delayed_data    who is not subscribed may have delayed data
    zone            time zone of the login, which dates time stamps (H)
    habits          how orders are treated where TWS may do one thing or another; see `tws.exchange.Habits`
    families        {"DU1": "F1"}: the family of an account; others have none
    soft_dollar_tiers  those that the user defined in TWS
    settings        what it says of TWS's own settings; see `ToldSettings`
    programs        {"name": "answer"}: programs registered for verification, and what each must answer to the
                    challenge, which is its name
    zone_names      the handshake names the zone in full instead of EST and the like (A1)
    """

    host: str = "127.0.0.1"
    port: int = 0
    any_host: bool = False
    server_version: int = HIGHEST_VERSION
    accounts: tuple[str, ...] = ("DU1234567",)
    advisor: bool = False
    execution_days: int = 1
    cash: Decimal = Decimal(1_000_000)
    seed: int = 7
    data: tuple[Path, ...] = ()
    symbol_map: Mapping[str, str] = {}
    universe: Path | None = None
    symbols: tuple[str, ...] = ()
    speed: Speed = 1.0
    hours: Hours = "always"
    start_ns: int | None = None
    end_ns: int | None = None
    paused: bool = False
    on_step: StepHook | None = None
    market: Market | None = None
    read_only: bool = False
    first_order_id: int = 1
    max_clients: int = 32
    master_client_id: int | None = None
    preset_notice: bool = False
    attached_preset: Decimal | None = Decimal("0.02")
    send_open_orders: bool = True
    limits: Limits = Limits()
    trusted: tuple[str, ...] | None = None
    localhost_only: bool = True
    api_enabled: bool = True
    zombie_s: float = 0.0
    read_only_id: int = -1
    read_only_mark: Literal[".", ":"] = "."
    garbage: Literal["close", "silence"] = "close"
    gateway: bool = False
    updates_per_s: int = 1
    unsubscribed: tuple[str, ...] = ()
    subscriptions: Subscriptions = Subscriptions()
    delayed_data: bool = True
    zone: str = "America/New_York"
    zone_names: bool = False
    habits: Habits = Habits()
    families: Mapping[str, str] = {}
    soft_dollar_tiers: tuple[SoftDollarTier, ...] = ()
    settings: ToldSettings = ToldSettings()
    programs: Mapping[str, str] = {}

    def check(self) -> None:
        """Raise ConfigError naming field, value and cure for the first setting that can't work."""
        if self.host not in LOOPBACK and not self.any_host:
            raise ConfigError(
                "host",
                self.host,
                "is no loopback address",
                "Anyone who can reach it could trade: pass --any-host if you mean it",
            )
        if not 0 <= self.port <= 65535:
            raise ConfigError("port", self.port, "is no port", "Use 0 (any free one) to 65535")
        if not LOWEST_VERSION <= self.server_version <= HIGHEST_VERSION:
            raise ConfigError(
                "server_version",
                self.server_version,
                "is not spoken",
                f"Use {LOWEST_VERSION} to {HIGHEST_VERSION}",
            )
        if not 1 <= self.execution_days <= 7:
            raise ConfigError("execution_days", self.execution_days, "is out of bounds", "Use 1 to 7")
        if len(set(self.accounts)) != len(self.accounts):
            raise ConfigError("accounts", self.accounts, "names one twice", "Name each once")
        if self.advisor and len(self.accounts) < 2:
            raise ConfigError("advisor", True, "has no clients", "Give two accounts or more")
        if not self.accounts or not all(self.accounts):
            raise ConfigError("accounts", self.accounts, "is empty", "Give at least one, such as DU1234567")
        if self.speed != "max" and not 0 < self.speed <= 100_000:
            raise ConfigError("speed", self.speed, "is out of bounds", "Use a number above 0, or max")
        if self.hours not in ("always", "exchange"):
            raise ConfigError("hours", self.hours, "is unknown", "Use always or exchange")
        if not 0 <= self.zombie_s <= 10**9:
            raise ConfigError("zombie_s", self.zombie_s, "is out of bounds", "Use seconds, 0 or more")
        if self.read_only_id not in (-1, 2**31 - 1):
            raise ConfigError("read_only_id", self.read_only_id, "was never seen", "Use -1 or 2147483647")
        if not 1 <= self.updates_per_s <= 100:
            raise ConfigError("updates_per_s", self.updates_per_s, "is out of bounds", "Use 1 to 100")
        for entry in self.unsubscribed:
            name, equals, code = entry.partition("=")
            if not name or (equals and code not in REFUSALS):
                raise ConfigError(
                    "unsubscribed", entry, "is no symbol or type with a code", "Write AAPL, OPT or SPY=10089"
                )
        check_zone(self.zone)
        self.subscriptions.check()
        self.limits.check()


def check_zone(name: str) -> ZoneInfo:
    """The time zone of this name. Raises ConfigError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            "zone", name, "is no time zone known here", "Use a name such as America/New_York"
        ) from error
