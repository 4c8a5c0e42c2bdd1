"""Headlines, articles and bulletins, invented: a few for each instrument and day, the same at every asking.

A day's news of an instrument are drawn at once, from the seed, the conId and the date in New York; so history
runs backwards day by day, a live stream forwards, and an article is found again by its id, which holds conId,
date and number. The words are this simulator's own. A headline carries TWS's tags in braces as recorded ones
do: `{A:800015:L:en:K:0.83:C:0.97}` (language, sentiment, confidence; `n/a` where none was reckoned).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct

from tws.clock import NS_PER_S
from tws.simulator.hours import local_date, midnight_ns
from tws.simulator.subscriptions import PROVIDERS
from tws.simulator.universe import Security

__all__ = ["OLDEST", "Bulletin", "News", "article_id", "bulletins", "days_back", "news_of", "place_of"]

MOST_A_DAY = 6
"""Of one instrument; about half as many on average."""
FIRST_S, LAST_S = 6 * 3600, 20 * 3600
"""News come between six in the morning and eight in the evening of New York (invented)."""
OLDEST = date(2000, 1, 1)
"""Nothing is older."""
BULLETINS_A_DAY = 2
_KEPT_DAYS = 4096
"""Days of instruments that are remembered: some megabytes."""


class News(Struct, frozen=True):
    """One item. `con_id` 0: about no instrument. `tags` stand in braces before the headline."""

    time_ns: int
    provider: str
    article_id: str
    headline: str
    tags: str
    body: str
    con_id: int = 0


class Bulletin(Struct, frozen=True):
    """A word of an exchange: kind 1 news, 2 no longer available, 3 available again (official client)."""

    time_ns: int
    number: int
    text: str
    exchange: str
    kind: int = 1


_ABOUT: tuple[tuple[str, str], ...] = (
    ("{name} names a new head of operations", "people"),
    ("{name} opens a plant near {place}, hires {few} hundred", "business"),
    ("{name} widens its forecast for the year", "forecast"),
    ("{name} lowers the price of its oldest product by {few} percent", "business"),
    ("{house} lifts {symbol} to buy, sees {target}", "analysts"),
    ("{house} cuts {symbol} to hold, sees {target}", "analysts"),
    ("{house} begins to cover {symbol}, target {target}", "analysts"),
    ("{name} and a partner in {place} agree on supplies for {few} years", "business"),
    ("{name} buys back shares faster than it had planned", "shares"),
    ("Morning note: what to watch in {symbol} today", "note"),
    ("Evening note: {symbol} after the close", "note"),
)
_AT_LARGE: tuple[tuple[str, str], ...] = (
    ("Morning note: futures little changed, {place} in view", "note"),
    ("Calendar: {few} releases before noon", "note"),
    ("Sectors: where volume was today", "note"),
)
_PLACES = ("Leipzig", "Tucson", "Porto", "Osaka", "Monterrey", "Lyon", "Aarhus", "Perth", "Halifax")
_HOUSES = ("Marlowe & Finch", "Northgate", "Banca Fiume", "Okada Research", "Harrow Street")
_WHY = (
    "Nobody at the company could be reached for a comment.",
    "The step had been expected since the spring.",
    "Traders pointed to thin volume in the first hour.",
    "An update is to follow with the next quarterly report.",
)
_BULLETINS = (
    "Orders of the opening auction are taken until {minute} minutes before the bell today.",
    "A test of the backup site takes place after the close; members need not act.",
    "Fees for odd lots change on the first of next month.",
    "The closing auction of today is extended by {minute} seconds.",
)
_BOARDS = ("NYSE", "NASDAQ", "ARCA", "CME", "CBOE")


@lru_cache(maxsize=_KEPT_DAYS)
def news_of(seed: int, security: Security | None, day: date) -> tuple[News, ...]:
    """The news of one instrument (None: of no instrument) on a day of New York, by time."""
    con_id = 0 if security is None else security.con_id
    draw = random.Random(f"{seed}:news:{con_id}:{day.toordinal()}")
    count = int(draw.random() * (MOST_A_DAY + 1)) if day.weekday() < 5 else int(draw.random() * 2)
    seconds = sorted(draw.sample(range(FIRST_S, LAST_S), count))
    begin_ns = midnight_ns(day)
    return tuple(
        _item(draw, security, begin_ns + second * NS_PER_S, (con_id, day, number))
        for number, second in enumerate(seconds)
    )


def _item(draw: random.Random, security: Security | None, time_ns: int, place: tuple[int, date, int]) -> News:
    template, kind = draw.choice(_AT_LARGE if security is None else _ABOUT)
    provider = "BRFUPDN" if kind == "analysts" and draw.random() < 0.7 else draw.choice(tuple(PROVIDERS))
    price = 100.0 if security is None else security.price
    words = {
        "name": "" if security is None else security.long_name.title(),
        "symbol": "" if security is None else security.symbol,
        "place": draw.choice(_PLACES),
        "house": draw.choice(_HOUSES),
        "few": str(draw.randint(2, 9)),
        "target": f"{price * draw.uniform(0.8, 1.3):.0f}",
    }
    headline = template.format_map(words)
    feeling = "n/a" if draw.random() < 0.3 else f"{draw.uniform(-1, 1):.2f}"
    tags = f"A:800015:L:en:K:{feeling}:C:{draw.uniform(0.8, 1):.4f}"
    body = f"<p>{headline}.</p><p>{draw.choice(_WHY)}</p>"
    return News(time_ns, provider, article_id(provider, *place), headline, tags, body, place[0])


def article_id(provider: str, con_id: int, day: date, number: int) -> str:
    """`BRFG$` and a hexadecimal number, as real ones are; ours holds conId, date and number."""
    return f"{provider}${con_id:08x}{day.toordinal():06x}{number:x}"


def place_of(text: str) -> tuple[int, date, int] | None:
    """conId, day and number of an article's id; None for one that was never given."""
    _, dollar, number = text.partition("$")
    if not dollar or len(number) != 15:
        return None
    try:
        return int(number[:8], 16), date.fromordinal(int(number[8:14], 16)), int(number[14:], 16)
    except ValueError:
        return None


def days_back(
    told: Callable[[date], Sequence[News]], first_ns: int, last_ns: int, most: int
) -> tuple[list[News], bool]:
    """The newest first, after `first_ns` and not after `last_ns`, `most` at most; whether there are more."""
    found: list[News] = []
    day, oldest = local_date(last_ns), max(OLDEST, local_date(first_ns))
    while day >= oldest:
        fits = [item for item in told(day) if first_ns < item.time_ns <= last_ns]
        found += sorted(fits, key=lambda item: -item.time_ns)
        if len(found) > most:
            return found[:most], True
        day -= timedelta(days=1)
    return found, False


def bulletins(seed: int, day: date) -> tuple[Bulletin, ...]:
    """Those of a day of New York, by time."""
    draw = random.Random(f"{seed}:bulletins:{day.toordinal()}")
    count = int(draw.random() * (BULLETINS_A_DAY + 1)) if day.weekday() < 5 else 0
    begin_ns = midnight_ns(day)
    found = []
    for number, second in enumerate(sorted(draw.sample(range(FIRST_S, LAST_S), count))):
        text = draw.choice(_BULLETINS).format(minute=draw.randint(2, 20))
        told = (day - OLDEST).days * 100 + number
        found.append(Bulletin(begin_ns + second * NS_PER_S, told, text, draw.choice(_BOARDS)))
    return tuple(found)
