"""How much may be asked of a TWS, as one frozen value: `PacingOptions`.

Each figure is one limit of TWS-BEHAVIOUR.md B; None switches it off. Three of them follow from the number of
market data lines when they are 0 (`BY_LINES`), which is the default: a user who has bought more lines changes
`lines` alone. What TWS says of its own figures (`LEARNED`) is taken into account by the `Pacer`.
"""

from __future__ import annotations

import re
from enum import Enum
from sys import maxsize
from typing import NamedTuple

from msgspec import Struct

from tws.errors import ConfigError

__all__ = ["BY_LINES", "LEARNED", "UNPACED", "Figure", "PacingOptions", "Shares"]

BY_LINES = 0
"""The figure follows from the number of market data lines."""
LINES = 100
"""The lines of a login that has bought none (B)."""
LEAST_PER_S = 4
"""Below it there would be no place for a cancel and a proof beside a request. TWS gives 50 and more."""
MOST = 10**6


class PacingOptions(Struct, frozen=True, kw_only=True):
    """What may be asked at once or in a time. None: not paced. Raises ConfigError.

    lines           market data lines: subscriptions of market data and real-time bars together
    messages_per_s  messages of all kinds in a second; 0: half of the lines
    identical_s     seconds between two historical requests that ask for the same
    same_contract   historical requests for one contract, exchange and kind within two seconds
    per_ten_minutes historical requests in ten minutes, BID_ASK counts twice
    open_history    historical requests that are open at once, head time stamps included
    real_time_bars  new subscriptions of real-time bars in ten minutes
    tick_by_tick    subscriptions at once; 0: a twentieth of the lines
    tick_by_tick_s  seconds between two subscriptions of one instrument
    depth           market depths at once; 0: by the formula of B
    scanners        scanner subscriptions at once
    summaries       account summaries at once
    matching_s      seconds between two searches for symbols
    queue           frames that may wait, and as many urgent ones beside them. At 35 a second a thousand
                    ordinary ones leave within half a minute, which is how long an answer is waited for
    unproven_s      a frame that nothing has proved to be read counts as read after so long. A link that is
                    mute for two minutes has been given up long before

    `identical_s`, `same_contract` and `per_ten_minutes` hold for bars of 30 seconds and less and for
    historical ticks.
    """

    lines: int | None = LINES
    messages_per_s: int | None = BY_LINES
    identical_s: float | None = 15.0
    same_contract: int | None = 5
    per_ten_minutes: int | None = 60
    open_history: int | None = 50
    real_time_bars: int | None = 60
    tick_by_tick: int | None = BY_LINES
    tick_by_tick_s: float | None = 15.0
    depth: int | None = BY_LINES
    scanners: int | None = 10
    summaries: int | None = 2
    matching_s: float | None = 1.0
    queue: int = 1000
    unproven_s: float = 120.0

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            least = LEAST.get(name, 0)
            if value is None or (value == BY_LINES and name in FOLLOWS):
                continue
            if not 0 < value <= MOST or value < least:
                raise ConfigError(
                    f"pacing.{name}", value, f"is no bound between {least or 'above 0'} and {MOST}", CURE
                )

    @classmethod
    def off(cls) -> PacingOptions:
        """Nothing is paced, nothing is refused: for a TWS that limits nothing."""
        names = (name for name in cls.__struct_fields__ if name not in ("queue", "unproven_s"))
        return cls(**dict.fromkeys(names))  # type: ignore[arg-type]


FOLLOWS = frozenset({"messages_per_s", "tick_by_tick", "depth"})
LEAST = {"messages_per_s": LEAST_PER_S, "lines": 2 * LEAST_PER_S, "per_ten_minutes": 2}
"""A request for BID_ASK counts as two of the ten minutes' requests."""
CURE = "Use the figure of your login, or None for no limit"


class Figure(Enum):
    """What a text of TWS states."""

    RATE = "messages in a second"
    LINES = "market data lines"
    DEPTH = "market depths"
    HISTORY = "historical requests"
    SCANNERS = "scanner subscriptions"


LEARNED = (
    (Figure.RATE, re.compile(r"max rate of (\d+) messages per second")),
    (Figure.RATE, re.compile(r"Max rate of messages per second has been exceeded:max=(\d+)")),
    (Figure.LINES, re.compile(r"Max number of tickers has been reached()")),
    (Figure.DEPTH, re.compile(r"Max number \((\d+)\) of market depth requests")),
    (Figure.HISTORY, re.compile(r"Only (\d+) simultaneous API historical data requests")),
    (Figure.SCANNERS, re.compile(r"Only (\d+) simultaneous API scanner subscriptions")),
)
"""TWS's own words (A8, B), and the figure in them. That of the lines states none: what is open is all."""


class Shares(NamedTuple):
    """How many messages of a second each level may use; the first three stand in the order of the levels.

    TWS warns from 88 percent of the rate on and refuses above all of it (B). Requests get seven tenths.
    Cancels of subscriptions and orders that open may go up to just below the warning. Cancels of orders and
    exits may go two below the rate: a warning is better than an exit that waits. The last two places are
    kept for the question for the time that proves what was read: it is asked when a frame waits for the
    proof, and after every `question` messages, so that frames seldom do.
    """

    exits: int
    cancels: int
    requests: int
    rate: int
    question: int

    @classmethod
    def of(cls, rate: int | None) -> Shares:
        """Of so many messages per second; None: as many as you like."""
        if rate is None:
            return UNPACED
        exits = max(1, min(rate * 96 // 100, rate - 2))
        cancels = max(1, min(-(-rate * 88 // 100) - 1, exits))
        requests = max(1, min(rate * 70 // 100, cancels - 1))
        return cls(exits, cancels, requests, rate, max(2, requests // 4))


UNPACED = Shares(*[maxsize] * 5)


def rate_of(options: PacingOptions, lines: int | None) -> int | None:
    """Messages per second, by the options and the lines."""
    if options.messages_per_s != BY_LINES:
        return options.messages_per_s
    return max(LEAST_PER_S, (lines or LINES) // 2)


def prints_of(options: PacingOptions, lines: int | None) -> int | None:
    """Tick-by-tick subscriptions at once."""
    if options.tick_by_tick != BY_LINES:
        return options.tick_by_tick
    return max(1, (lines or LINES) // 20)


def depth_of(options: PacingOptions, lines: int | None) -> int | None:
    """Market depths at once: three below 400 lines, one more for each further hundred, 60 at most."""
    if options.depth != BY_LINES:
        return options.depth
    known = lines or LINES
    return 3 if known < 400 else min(60, 3 + (known - 300) // 100)
