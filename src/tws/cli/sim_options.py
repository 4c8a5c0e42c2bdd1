"""What `tws sim` may be told: its options as types, and what they mean to the simulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tws.simulator.options import SimulatorOptions, Speed

__all__ = ["parse_clock", "parse_pairs", "parse_speed", "read"]

Host = Annotated[str, typer.Option(help="Where to listen; beyond loopback --any-host is needed.")]
Port = Annotated[int, typer.Option(help="Port; 0 takes any free one.")]
ServerVersion = Annotated[int, typer.Option(help="Highest server version offered, 157 to 225.")]
Account = Annotated[
    list[str] | None,
    typer.Option(help="Account id (repeatable); U7654321 looks live.", show_default="DU1234567"),
]
Seed = Annotated[int, typer.Option(help="Seed of the synthetic market.")]
Data = Annotated[list[Path] | None, typer.Option(help="CSV file to replay (repeatable).")]
Universe = Annotated[
    Path | None, typer.Option(help="TOML file of instruments beside the known ones.", show_default="none")
]
Symbol = Annotated[list[str] | None, typer.Option(help="CVNA=SPY: CVNA plays SPY's series (repeatable).")]
SpeedText = Annotated[str, typer.Option(help="Seconds of market time per second, or max.")]
Hours = Annotated[str, typer.Option(help="always: 24 hours, no close; exchange: US sessions.")]
Faults = Annotated[
    list[str] | None,
    typer.Option(help="A fault, a scenario or a file of faults to play (repeatable); see tws sim ctl list."),
]
Control = Annotated[bool, typer.Option("--control/--no-control", help="Let tws sim ctl command it.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Refuse orders, as TWS does by default.")]
Lines = Annotated[int, typer.Option(help="Market data lines; the request rate is half of them.")]
Pacing = Annotated[
    str, typer.Option(help="Beyond the rate: reject (error 100), delay, or off for no limits at all.")
]
Clock = Annotated[
    str | None, typer.Option(help='Market time of the start: "2026-11-23 09:29:00 America/New_York".')
]
UpdatesPerS = Annotated[
    int, typer.Option(help="How often each symbol of the synthetic market speaks; TWS: 4.")
]
Unsubscribed = Annotated[
    list[str] | None,
    typer.Option(
        help="Symbol or type without live data: AAPL, OPT, SPY=10089 (repeatable).", show_default="none"
    ),
]
Subscribed = Annotated[
    list[str] | None,
    typer.Option(
        help="Research beside the free one: fundamentals, wsh, a provider of news such as BZ (repeatable).",
        show_default="none",
    ),
]
Zone = Annotated[str, typer.Option(help="Time zone of the login.")]
Gateway = Annotated[bool, typer.Option("--gateway", help="Farms as an IB Gateway's: connected on demand.")]
Advisor = Annotated[
    bool, typer.Option("--advisor", help="An advisor's login: the first --account is its own.")
]
Trusted = Annotated[
    list[str] | None, typer.Option(help="Address that may connect (repeatable).", show_default="any")
]
Dialog = Annotated[
    bool, typer.Option("--dialog", help="Other addresses wait for an answer instead of being closed.")
]
AnyHost = Annotated[bool, typer.Option("--any-host", help="Allow a host that others can reach.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Log every session to stderr.")]


def read(told: Mapping[str, Any]) -> SimulatorOptions:
    """The simulator's options by the names of the command line's. Raises ConfigError."""
    from msgspec.structs import replace

    from tws.errors import ConfigError
    from tws.simulator.limits import Limits
    from tws.simulator.options import SimulatorOptions
    from tws.simulator.subscriptions import Subscriptions

    if told["pacing"] not in ("reject", "delay", "off"):
        raise ConfigError("pacing", told["pacing"], "is unknown", "Use reject, delay or off")
    limits = Limits.of_lines(told["lines"])
    if told["hours"] not in ("always", "exchange"):
        raise ConfigError("hours", told["hours"], "is unknown", "Use always or exchange")
    return SimulatorOptions(
        host=told["host"],
        port=told["port"],
        any_host=told["any_host"],
        server_version=told["server_version"],
        accounts=tuple(told["account"] or ("DU1234567",)),
        seed=told["seed"],
        data=tuple(told["data"] or ()),
        symbol_map=parse_pairs(told["symbol"] or []),
        universe=told["universe"],
        speed=parse_speed(told["speed"]),
        hours="always" if told["hours"] == "always" else "exchange",
        read_only=told["read_only"],
        updates_per_s=told["updates_per_s"],
        unsubscribed=tuple(told["unsubscribed"] or ()),
        subscriptions=Subscriptions.beside(told["subscribed"] or ()),
        limits=Limits.off()
        if told["pacing"] == "off"
        else replace(limits, reject=told["pacing"] == "reject"),
        start_ns=None if told["clock"] is None else parse_clock(told["clock"], told["zone"]),
        zone=told["zone"],
        gateway=told["gateway"],
        advisor=told["advisor"],
        trusted=tuple(told["trusted"] or ()) or None,  # an option never given comes as an empty tuple
        localhost_only=not told["dialog"],
    )


def parse_speed(text: str) -> Speed:
    """A number of market seconds per second, or "max". Raises ConfigError."""
    from tws.errors import ConfigError

    if text == "max":
        return "max"
    try:
        return float(text)
    except ValueError:
        raise ConfigError("speed", text, "is no number", "Use a number above 0, or max") from None


def parse_clock(text: str, zone: str) -> int:
    """A moment such as "2026-11-23 09:29:00 America/New_York" in ns; without a zone, in `zone`. Raises
    ConfigError.
    """
    from datetime import datetime

    from tws.clock import to_ns
    from tws.errors import ConfigError
    from tws.simulator.options import check_zone

    words = text.split()
    place = check_zone(words.pop() if len(words) == 3 else zone)
    try:
        return to_ns(datetime.fromisoformat(" ".join(words)).replace(tzinfo=place))
    except ValueError:
        raise ConfigError(
            "clock", text, "is no moment", 'Write "2026-11-23 09:29:00 America/New_York"'
        ) from None


def parse_pairs(texts: list[str]) -> dict[str, str]:
    """CVNA=SPY and the like, as a mapping. Raises ConfigError."""
    from tws.errors import ConfigError

    pairs = {}
    for text in texts:
        name, equals, series = text.partition("=")
        if not (name and equals and series):
            raise ConfigError("symbol", text, "is no pair", "Write NAME=SERIES, such as CVNA=SPY")
        pairs[name.strip().upper()] = series.strip().upper()
    return pairs
