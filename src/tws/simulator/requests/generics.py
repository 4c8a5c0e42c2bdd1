"""Generic ticks: which a type of instrument knows, and what they say.

Figures that no market of ours has (open interest, short shares, dividends) are invented once per
instrument, out of the run's seed and the conId. TWS-BEHAVIOUR.md E lists the ids; the tick types are those
of the official documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from tws.simulator.content.company import Company, chance
from tws.simulator.hours import local_date
from tws.simulator.market.base import QUOTED, MarketUpdate
from tws.simulator.tape import Tape
from tws.simulator.ticks import RT_TRADE_VOLUME, RT_VOLUME, SHORTABLE, Bodies, Part
from tws.simulator.universe import Security

if TYPE_CHECKING:
    from tws.simulator.core import Core

__all__ = ["GENERICS", "NEWS", "Asked", "at_print", "opening", "parse"]

EQUITY = ("STK", "CFD")
ALL = (
    "STK",
    "CFD",
    "IND",
    "FUT",
    "OPT",
    "FOP",
    "CASH",
    "CRYPTO",
    "CONTFUT",
    "BOND",
    "BAG",
    "WAR",
    "FUND",
    "CMDTY",
)
TRADED = tuple(kind for kind in ALL if kind != "IND" and kind not in QUOTED)

CHAINED = ("OPT", "FOP")
"""Users ask for the volume and the open interest of a single option with the ticks of its underlying."""

GENERICS: dict[int, tuple[str, tuple[str, ...]]] = {
    100: ("Option Volume", (*EQUITY, "IND", *CHAINED)),
    101: ("Option Open Interest", (*EQUITY, "IND", *CHAINED)),
    104: ("Historical Volatility", (*EQUITY, "IND")),
    105: ("Average Opt Volume", (*EQUITY, "IND")),
    106: ("impvolat", (*EQUITY, "IND", "FUT", *CHAINED)),
    162: ("Index Future Premium", ("IND",)),
    165: ("Misc. Stats", ALL),
    221: ("Creditman Mark Price", ALL),
    225: ("Auction", EQUITY),
    232: ("Mark Price", ALL),
    233: ("RTVolume", ALL),
    236: ("inventory", EQUITY),
    256: ("Inventory", EQUITY),
    258: ("Fundamentals", EQUITY),
    292: ("Wide_news", ALL),
    293: ("TradeCount", TRADED),
    294: ("TradeRate", TRADED),
    295: ("VolumeRate", TRADED),
    318: ("LastRTHTrade", TRADED),
    375: ("RTTrdVolume", ALL),
    411: ("rthistvol", (*EQUITY, "IND")),
    456: ("IBDividends", EQUITY),
    588: ("Futures Open Interest", ("FUT", "CONTFUT")),
    595: ("Short Term Volume", EQUITY),
    787: ("Odd Lot Quotes", ("STK",)),
}
"""What each is called, and for which security types it is legal (assumed where not documented)."""

SPOKEN_AT_PRINTS = frozenset((221, 232, 233, 293, 294, 295, 318, 375))
"""These move with every print."""


NEWS = 292


class Asked(Struct, frozen=True):
    """A generic tick list as understood. `market_data` False: "mdoff", the top of the book is not wanted.
    `providers`: whose news (`292:BRFG+DJNL`), none for all.
    """

    ids: tuple[int, ...]
    market_data: bool = True
    providers: tuple[str, ...] = ()


def parse(text: str, security: Security) -> Asked | str:
    """The generic ticks of a request, or why the list is refused (321)."""
    named = [part.strip().partition(":") for part in text.split(",") if part.strip()]
    parts = [name for name, _, _ in named]
    wanted = [part for part in parts if part != "mdoff"]
    kind = security.sec_type
    ids = [int(part) if part.isdecimal() else 0 for part in wanted]
    if any(one not in GENERICS or kind not in GENERICS[one][1] for one in ids):
        legal = ",".join(f"{one}({name})" for one, (name, kinds) in GENERICS.items() if kind in kinds)
        return f"Incorrect generic tick list of {text}.  Legal ones for ({kind}) are: {legal}"
    providers = [code for name, _, codes in named if name == str(NEWS) for code in codes.split("+") if code]
    return Asked(tuple(dict.fromkeys(ids)), "mdoff" not in parts, tuple(dict.fromkeys(providers)))


def opening(core: Core, security: Security, tape: Tape, asked: Sequence[int], bodies: Bodies) -> list[Part]:
    """What a stream says of these ticks at once."""
    facts = _Facts(core.options.seed, security, tape, core.now_ns())
    parts: list[Part] = []
    for one in asked:
        speak = _OPENING.get(one)
        if speak is not None:
            parts += speak(facts, bodies)
        if one in SPOKEN_AT_PRINTS and tape.last and one not in (233, 375):
            parts += _running(one, facts, bodies)
    return parts


def at_print(
    core: Core, security: Security, tape: Tape, update: MarketUpdate, asked: Sequence[int], bodies: Bodies
) -> list[Part]:
    """What a print adds; call it after the tape took the update in."""
    facts = _Facts(core.options.seed, security, tape, update.time_ns)
    parts: list[Part] = []
    for one in asked:
        if one in (233, 375):
            kind = RT_VOLUME if one == 233 else RT_TRADE_VOLUME
            parts.append((kind, bodies.string(_rt_volume(tape, update))))
        elif one in SPOKEN_AT_PRINTS:
            parts += _running(one, facts, bodies)
    return parts


def _rt_volume(tape: Tape, update: MarketUpdate) -> str:
    """price;size;timeMs;total volume;vwap;single (E)."""
    vwap = tape.value / tape.volume if tape.volume else update.trade
    size, volume = tape.grid.size(update.trade_size).decode(), tape.grid.size(tape.volume).decode()
    return f"{update.trade!r};{size};{update.time_ns // 1_000_000};{volume};{vwap:.8f};true"


class _Facts:
    """One instrument's figures; the invented ones by a chance of its own."""

    def __init__(self, seed: int, security: Security, tape: Tape, now_ns: int) -> None:
        self.security, self.tape, self.now_ns = security, tape, now_ns
        self._seed = seed

    def chance(self, what: str) -> float:
        """0..1, always the same for the same question."""
        return chance(self._seed, self.security.con_id, what)

    @property
    def company(self) -> Company:
        return Company(self._seed, self.security)

    def lots(self, what: str, about: float) -> int:
        """A number of about that size."""
        return int(about * (0.5 + self.chance(what)))

    @property
    def price(self) -> float:
        return self.tape.last or self.tape.close or self.security.price

    def extreme(self, weeks: int, sign: int) -> float:
        """The highest (sign 1) or lowest price of so many weeks: wider the longer, never inside today's."""
        reach = self.security.volatility * (weeks / 52) ** 0.5 * 0.8
        price = self.price * (1 + sign * reach)
        today = self.tape.high if sign > 0 else self.tape.low
        price = max(price, today) if sign > 0 else min(price, today or price)
        return self.tape.grid.price(max(1, self.tape.grid.ticks(price)))


def _misc(facts: _Facts, bodies: Bodies) -> list[Part]:
    parts = []
    for kind, weeks, sign in (
        (15, 13, -1),
        (16, 13, 1),
        (17, 26, -1),
        (18, 26, 1),
        (19, 52, -1),
        (20, 52, 1),
    ):
        parts.append((kind, bodies.price(facts.extreme(weeks, sign))))
    if facts.security.sec_type != "IND":
        parts.append((21, bodies.size(facts.security.lots_a_day)))
    return parts


def _shortable(facts: _Facts, bodies: Bodies) -> list[Part]:
    """Above 2.5: at least a thousand shares can be sold short (official documentation)."""
    shares = facts.lots("short", facts.security.lots_a_day)
    return [(SHORTABLE, bodies.generic(3.0)), (89, bodies.size(shares))]


def _dividends(facts: _Facts, bodies: Bodies) -> list[Part]:
    """Of the past year, of the next, the next date and its amount; empty for what pays none."""
    each = facts.company.dividend
    if not each:
        return [(59, bodies.string(",,,"))]
    today = local_date(facts.now_ns)
    years = (today.year, today.year + 1)
    quarters = (date(year, month, 20) for year in years for month in (3, 6, 9, 12))
    due = next(day for day in quarters if day >= today)
    return [(59, bodies.string(f"{4 * each:.2f},{4 * each:.2f},{due:%Y%m%d},{each:.2f}"))]


def _fundamentals(facts: _Facts, bodies: Bodies) -> list[Part]:
    earned = facts.company.earned
    text = f"TTMEPSXCLX={earned:.5f};PEEXCLXOR={facts.price / earned:.5f};NPRICE={facts.price:.5f};"
    return [(47, bodies.string(text + "CURRENCY=" + facts.security.currency))]


def _odd_lots(facts: _Facts, bodies: Bodies) -> list[Part]:
    """Quotes of less than a round lot, a tick inside the spread where there is room."""
    tape = facts.tape
    if not tape.bid_size or not tape.ask_size:
        return []
    inside = 1 if tape.ask - tape.bid > 2 else 0
    bid, ask = tape.grid.price(tape.bid + inside), tape.grid.price(tape.ask - inside)
    return [
        (105, bodies.price(bid)),
        (106, bodies.price(ask)),
        (107, bodies.size(10 + facts.lots("odd bid", 30))),
        (108, bodies.size(10 + facts.lots("odd ask", 30))),
        (109, bodies.string("Q")),
        (110, bodies.string("P")),
    ]


def _of_options(
    facts: _Facts, bodies: Bodies, calls: tuple[int, str, int], puts: tuple[int, str, int]
) -> list[Part]:
    """Calls and puts on an underlying; of a single option its own side, a hundredth, and 0 of the other."""
    right = facts.security.right[:1]
    parts = []
    for side, (kind, what, about) in (("C", calls), ("P", puts)):
        share = about if not right else about / 100
        parts.append((kind, bodies.size(facts.lots(what, share) if right in ("", side) else 0)))
    return parts


_OPENING: dict[int, Callable[[_Facts, Bodies], list[Part]]] = {
    100: lambda f, b: _of_options(f, b, (29, "calls", 40_000), (30, "puts", 30_000)),
    101: lambda f, b: _of_options(f, b, (27, "oi calls", 900_000), (28, "oi puts", 800_000)),
    104: lambda f, b: [(23, b.generic(f.security.volatility))],
    105: lambda f, b: [(87, b.size(f.lots("average options", 70_000)))],
    106: lambda f, b: [(24, b.generic(round(f.security.volatility * 1.05, 6)))],
    162: lambda f, b: [(31, b.generic(round(f.price * 0.002, 2)))],
    165: _misc,
    225: lambda f, b: [(34, b.size(0)), (35, b.price(0.0)), (36, b.size(0)), (61, b.size(0))],
    236: _shortable,
    258: _fundamentals,
    411: lambda f, b: [(58, b.generic(round(f.security.volatility * 0.98, 6)))],
    456: _dividends,
    588: lambda f, b: [(86, b.size(f.lots("futures", 1_500_000)))],
    595: lambda f, b: [
        (kind, b.size(f.tape.volume // part)) for kind, part in ((63, 100), (64, 60), (65, 30))
    ],
    787: _odd_lots,
}
"""256 is taken and stays silent: there are no lenders here. What 292 brings tells
`tws.simulator.requests.news`.
"""


def _running(one: int, facts: _Facts, bodies: Bodies) -> list[Part]:
    tape = facts.tape
    minutes = max(1.0, facts.now_ns / 60e9 % 1440)
    if one in (221, 232):
        quoted = tape.bid_size and tape.ask_size
        mark = (
            min(max(tape.last, tape.grid.price(tape.bid)), tape.grid.price(tape.ask)) if quoted else tape.last
        )
        return [(37, bodies.price(mark))]
    if one == 293:
        return [(54, bodies.generic(float(tape.prints)))]
    if one == 294:
        return [(55, bodies.generic(round(tape.prints / minutes, 4)))]
    if one == 295:
        return [(56, bodies.generic(round(tape.volume / minutes, 4)))]
    return [(57, bodies.price(tape.last))]
