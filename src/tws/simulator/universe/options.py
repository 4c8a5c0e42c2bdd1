"""Option chains: which expiries and strikes a chain has on a date, and the options that it makes.

Nothing is made until it is asked for. An option's conId is a pure function of the chain's slot, the expiry,
the strike and the right: a mixed-radix number over the weekdays from 2010 on, `STRIKES` places on the
chain's own grid, and two rights. So `make(*parse_id(con_id))` finds it again, whatever the date.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from tws.simulator.pricing import RATE, Terms, fair_price
from tws.simulator.universe.expiry import friday_expiry, step_back
from tws.simulator.universe.security import DERIVED_FROM, SYNTHETIC_FROM, Security

__all__ = ["SLOTS", "STRIKES", "US_OPTION_EXCHANGES", "Chain", "option_id", "parse_id", "parse_occ"]

STRIKES = 1024
"""Places on a chain's grid."""
_EPOCH = date(2010, 1, 4)
_WEEKDAYS = 7828
"""Monday to Friday from the epoch to the end of 2039."""
_ROOM = _WEEKDAYS * STRIKES * 2
SLOTS = (SYNTHETIC_FROM - DERIVED_FROM) // _ROOM
"""So many chains have room."""

NEAR, FAR = 0.12, 0.40
"""Every strike of the grid lies within NEAR of the price, every fifth within FAR."""

US_OPTION_EXCHANGES = (
    "SMART", "AMEX", "BATS", "BOX", "CBOE", "CBOE2", "EDGX", "EMERALD", "GEMINI", "ISE", "MERCURY", "MIAX",
    "NASDAQBX", "NASDAQOM", "PEARL", "PHLX", "PSE",
)  # fmt: skip


class Chain(Struct, frozen=True, kw_only=True):
    """The options of one class on one underlying.

    under      the underlying (a future's chain: the root's class, and its contract of the same quarter)
    expiries   "daily" (each business day of two weeks, then Fridays and months), "weekly", "monthly", or
               "quarterly"; `fixed` states them instead
    step, base the grid of strikes: base, base + step, … (`STRIKES` places)
    slot       its place among conIds: unique, never changed
    """

    slot: int
    under: Security
    trading_class: str
    step: float
    base: float = 0.0
    expiries: str = "weekly"
    sec_type: str = "OPT"
    multiplier: str = "100"
    exchanges: tuple[str, ...] = US_OPTION_EXCHANGES
    rule: int = 109
    tick: Decimal = Decimal("0.01")
    hours: str = "US_OPTION"
    volatility: float = 0.0
    fixed: tuple[date, ...] = ()

    @property
    def symbol(self) -> str:
        return self.under.symbol

    def dates(self, today: date) -> list[date]:
        """The expiries listed on `today`, ascending."""
        if self.fixed:
            return [day for day in self.fixed if day >= today]
        found: set[date] = set()
        if self.expiries == "daily":
            for offset in range(15):
                day = today + timedelta(days=offset)
                if step_back(day) == day:
                    found.add(day)
        if self.expiries in ("daily", "weekly"):
            friday = today + timedelta(days=(4 - today.weekday()) % 7)
            found |= {step_back(friday + timedelta(days=7 * week)) for week in range(7)}
        for offset in range(25):
            year, month = divmod(today.year * 12 + today.month - 1 + offset, 12)
            month += 1
            near = offset < 7 or month in (1, 6, 12) or (month % 3 == 0 and offset < 13)
            if near and (self.expiries != "quarterly" or (month % 3 == 0 and offset < 13)):
                found.add(friday_expiry(year, month))
        return sorted(day for day in found if day >= today)

    def strikes(self) -> list[float]:
        """The strikes of each expiry, ascending: dense around the underlying's opening price, sparse
        beyond.
        """
        price = self.under.price
        first = max(0, int((price * (1 - FAR) - self.base) / self.step))
        last = min(STRIKES - 1, int((price * (1 + FAR) - self.base) / self.step) + 1)
        found = []
        for index in range(first, last + 1):
            strike = self.base + index * self.step
            away = abs(strike - price) / price
            if strike > 0 and (away <= NEAR or (away <= FAR and round(strike / self.step) % 5 == 0)):
                found.append(round(strike, 4))
        return found

    def ladder(self, expiry: date, today: date) -> Iterator[Security]:
        """All options of one expiry: calls, then puts, by strike."""
        for right in "CP":
            for strike in self.strikes():
                yield self.make(expiry, strike, right, today)

    def make(self, expiry: date, strike: float, right: str, today: date) -> Security:
        """The option; `today` only moves the invented price. Raises ValueError for a strike off the grid."""
        under = self.under
        price = fair_price(
            Terms(
                under.price,
                strike,
                max(0.5, (expiry - today).days) / 365,
                right == "C",
                dividend=RATE if self.sec_type == "FOP" else 0.0,
            ),
            self.volatility or under.volatility,
        )
        return Security(
            con_id=option_id(self, expiry, strike, right),
            symbol=under.symbol,
            long_name=under.long_name,
            stock_type="",
            industry=under.industry,
            category=under.category,
            sec_type=self.sec_type,
            exchange=self.exchanges[0],
            exchanges=self.exchanges,
            currency=under.currency,
            local_symbol=_local(self, expiry, strike, right),
            trading_class=self.trading_class,
            multiplier=self.multiplier,
            last_trade_date=f"{expiry:%Y%m%d}",
            contract_month=f"{expiry:%Y%m}",
            strike=strike,
            right=right,
            under_con_id=under.con_id,
            under_symbol=under.local_symbol if self.sec_type == "FOP" else under.symbol,
            under_sec_type=under.sec_type,
            tick=self.tick,
            market_rules=(self.rule,) * len(self.exchanges),
            hours=self.hours,
            price=float(self.tick * max(1, round(price / float(self.tick)))),
            volatility=self.volatility or under.volatility,
            spread=max(1, int(price * 0.01 / float(self.tick))),
            volume=2_000,
        )


def _local(chain: Chain, expiry: date, strike: float, right: str) -> str:
    """ "SPY   261218C00560000" (OCC), or "ESZ6 C5600" of an option on a future."""
    if chain.sec_type == "FOP":
        return f"{chain.under.local_symbol} {right}{strike:g}"
    return f"{chain.trading_class:<6}{expiry:%y%m%d}{right}{round(strike * 1000):08d}"


def parse_occ(text: str) -> tuple[str, str, float] | None:
    """(yyyyMMdd, right, strike) of an OCC local symbol; None when it is none."""
    stem = text[:6].rstrip()
    if len(text) != 21 or not stem or not (text[6:12] + text[13:]).isdigit() or text[12] not in "CP":
        return None
    return f"20{text[6:12]}", text[12], int(text[13:]) / 1000


def option_id(chain: Chain, expiry: date, strike: float, right: str) -> int:
    """The conId. Raises ValueError for what lies off the grid."""
    place = (strike - chain.base) / chain.step
    index = round(place)
    weeks, weekday = divmod((expiry - _EPOCH).days, 7)
    day = weeks * 5 + weekday
    if abs(place - index) > 1e-6 or not 0 <= index < STRIKES or weekday > 4 or not 0 <= day < _WEEKDAYS:
        raise ValueError(f"{chain.trading_class} {expiry} {strike} is off the grid")
    return DERIVED_FROM + chain.slot * _ROOM + (day * STRIKES + index) * 2 + (right == "P")


def parse_id(con_id: int) -> tuple[int, date, int, str] | None:
    """(slot, expiry, place on the grid, right) of an option's conId; None when it is no option's."""
    if not DERIVED_FROM <= con_id < DERIVED_FROM + SLOTS * _ROOM:
        return None
    slot, rest = divmod(con_id - DERIVED_FROM, _ROOM)
    rest, put = divmod(rest, 2)
    day, index = divmod(rest, STRIKES)
    weeks, weekday = divmod(day, 5)
    return slot, _EPOCH + timedelta(days=weeks * 7 + weekday), index, "P" if put else "C"
