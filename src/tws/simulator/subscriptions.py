"""Which research a login of this simulated TWS has: providers of news, scanners, fundamentals, the calendar
of corporate events.

By default that of a paper login that pays for nothing: three free providers of news (recorded: answer 85 of
such logins) and scanners. The rest is refused in TWS's words until it is switched on:

    SimulatorOptions(subscriptions=Subscriptions.beside(("fundamentals", "BZ")))
    tws sim --subscribed fundamentals --subscribed BZ
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from tws.errors import ConfigError

__all__ = ["FREE", "PROVIDERS", "Subscriptions"]

PROVIDERS = {
    "BRFG": "Briefing.com General Market Columns",
    "BRFUPDN": "Briefing.com Analyst Actions",
    "DJNL": "Dow Jones Newsletters",
    "BZ": "Benzinga Pro",
    "DJ-N": "Dow Jones News Service",
    "DJTOP": "Dow Jones Top Stories",
    "FLY": "Fly on the Wall",
    "MT": "Midnight Trader",
}
"""Codes and names of providers, public; what they say here is this simulator's own invention."""
FREE = ("BRFG", "BRFUPDN", "DJNL")
"""What every login has (recorded)."""
_SWITCHES = ("scanners", "fundamentals", "wsh")


class Subscriptions(Struct, frozen=True, kw_only=True):
    """What is subscribed to. `news`: codes out of `PROVIDERS`."""

    news: tuple[str, ...] = FREE
    scanners: bool = True
    fundamentals: bool = False
    wsh: bool = False

    @classmethod
    def beside(cls, names: Iterable[str]) -> Subscriptions:
        """What is free, and these: "fundamentals", "wsh", or codes of providers. Raises ConfigError."""
        chosen = tuple(names)
        switched = {name: True for name in chosen if name in _SWITCHES}
        news = (*FREE, *(name for name in chosen if name not in _SWITCHES))
        made = cls(news=tuple(dict.fromkeys(news)), **switched)
        made.check()
        return made

    def check(self) -> None:
        """Raise ConfigError for a provider that nobody knows."""
        for code in self.news:
            if code not in PROVIDERS:
                known = ", ".join((*_SWITCHES, *PROVIDERS))
                raise ConfigError("subscribed", code, "is unknown", f"Use one of {known}")
