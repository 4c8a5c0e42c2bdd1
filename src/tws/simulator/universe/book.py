"""All instruments by conId and by description, on a date.

Three kinds: fixed ones stand in tables (or a universe file); futures and options are made by their rules
when they are asked for. `securities` are those that trade from the start; the others begin to trade when
somebody subscribes to or orders them. Nothing here depends on the wall's clock: `today` is set by whoever
owns the session's time, and moves only which expiries are listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from tws.simulator.universe import chains, futures, options
from tws.simulator.universe.abroad import ABROAD
from tws.simulator.universe.america import AMERICA
from tws.simulator.universe.chains import default_chains, future_chain
from tws.simulator.universe.further import FURTHER
from tws.simulator.universe.futures import Root
from tws.simulator.universe.options import Chain
from tws.simulator.universe.security import Security
from tws.simulator.universe.stocks import UNIVERSE, unlisted

__all__ = ["SEC_TYPES", "Universe", "Wanted"]

SEC_TYPES = (
    "STK", "IND", "FUT", "CONTFUT", "OPT", "FOP", "CASH", "CRYPTO", "CFD", "BOND", "CMDTY", "WAR", "FUND",
)  # fmt: skip
FIRST_DAY = date(2026, 11, 23)
"""The date until somebody sets one."""
RIGHTS = {"C": "C", "CALL": "C", "P": "P", "PUT": "P"}


class Wanted(Struct, frozen=True, kw_only=True):
    """A description as a client gives it; empty text, 0 and None state nothing.

    `expiry` is yyyyMM or yyyyMMdd; `right` C, P, CALL or PUT; `sec_id_type` ISIN or CUSIP.
    """

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    exchange: str = ""
    primary: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""
    expiry: str = ""
    strike: float | None = None
    right: str = ""
    multiplier: str = ""
    include_expired: bool = False
    sec_id_type: str = ""
    sec_id: str = ""
    issuer_id: str = ""


class Universe:
    """The known instruments. `securities` given: those that trade from the start; the default ones bring
    with them all that the tables, futures and chains hold.
    """

    def __init__(self, securities: Iterable[Security] = UNIVERSE) -> None:
        self.today = FIRST_DAY
        self._by_id: dict[int, Security] = {}
        self._by_symbol: dict[str, list[Security]] = {}
        self._by_local: dict[str, list[Security]] = {}
        self._open: dict[int, Security] = {}
        self._chains: dict[int, Chain] = {}
        self._roots: dict[int, Root] = {root.slot: root for root in futures.ROOTS}
        for security in securities:
            self.put(security, trading=True)
        for security in (*AMERICA, *ABROAD, *FURTHER):
            if security.con_id not in self._by_id:
                self.put(security)
        self._chains |= {chain.slot: chain for chain in default_chains(self.symbol)}

    # -- what trades from the start -----------------------------------------------------------------

    def __iter__(self) -> Iterator[Security]:
        return iter(self._open.values())

    @property
    def securities(self) -> tuple[Security, ...]:
        """Those that trade from the start."""
        return tuple(self._open.values())

    @property
    def known(self) -> tuple[Security, ...]:
        """Every fixed instrument, whether it trades yet or not; no futures, no options."""
        return tuple(self._by_id.values())

    @property
    def roots(self) -> tuple[Root, ...]:
        return tuple(self._roots.values())

    @property
    def chains(self) -> tuple[Chain, ...]:
        return tuple(self._chains.values())

    def put(self, security: Security, *, trading: bool = False) -> None:
        """Know this instrument; one of the same conId is replaced. `trading`: from the start."""
        old = self._by_id.get(security.con_id)
        if old is not None:
            self._by_symbol[old.symbol.upper()].remove(old)
            self._by_local[old.local_symbol.upper()].remove(old)
        self._by_id[security.con_id] = security
        self._by_symbol.setdefault(security.symbol.upper(), []).append(security)
        self._by_local.setdefault(security.local_symbol.upper(), []).append(security)
        if trading or security.con_id in self._open:
            self._open[security.con_id] = security
        for slot, chain in self._chains.items():
            if chain.under.con_id == security.con_id:
                self._chains[slot] = replace(chain, under=security)

    def put_root(self, root: Root) -> None:
        """Know these futures; a root of the same slot is replaced."""
        self._roots[root.slot] = root

    def put_chain(self, chain: Chain) -> None:
        """Know these options; a chain of the same slot is replaced."""
        self._chains[chain.slot] = chain

    def add(self, symbol: str) -> Security:
        """The instrument of this symbol, from now on among those that trade from the start; an unknown one
        is listed under an invented conId.
        """
        known = self.symbol(symbol)
        if known is None:
            known = unlisted(symbol, len(self._by_id))
            self.put(known)
        self._open[known.con_id] = known
        return known

    # -- one ----------------------------------------------------------------------------------------

    def get(self, con_id: int) -> Security | None:
        """The instrument of this conId, made if need be."""
        known = self._by_id.get(con_id)
        if known is None:
            known = self._future(con_id) or self._option(con_id)
        return known

    def _future(self, con_id: int) -> Security | None:
        place = futures.month_of(con_id)
        root = None if place is None else self._roots.get(place[0])
        if place is None or root is None or place[2] not in root.months:
            return None
        return root.make(place[1], place[2], self.today)

    def _option(self, con_id: int) -> Security | None:
        place = options.parse_id(con_id)
        if place is None:
            return None
        slot, expiry, index, right = place
        chain = self._quarter(expiry) if slot == chains.FOP_SLOT else self._chains.get(slot)
        if chain is None:
            return None
        return chain.make(expiry, chain.base + index * chain.step, right, self.today)

    def _quarter(self, expiry: date) -> Chain | None:
        """The chain on the E-mini future that expires on this day."""
        root = self._roots[chains.FOP_ROOT.slot]
        if expiry.month not in root.months or root.expires(expiry.year, expiry.month) != expiry:
            return None
        return future_chain(root.make(expiry.year, expiry.month, self.today))

    def symbol(self, symbol: str) -> Security | None:
        """The fixed instrument that a bare name means: a US stock before others; also a local symbol
        (EUR.USD), at last that of a future (ESZ6).
        """
        name = symbol.strip().upper()
        named = self._by_symbol.get(name, ())
        for security in named:
            if security.sec_type == "STK" and security.currency == "USD":
                return security
        local = self._by_local.get(name) or named
        if local:
            return local[0]
        found = self._futures(Wanted(local_symbol=name, sec_type="FUT"))
        return found[0] if found else None

    def contract(self, root: Root, index: int = 0) -> Security:
        """The `index`-th listed future of a root, 0 the front one."""
        return root.make(*root.listed(self.today)[index], self.today)

    # -- many ---------------------------------------------------------------------------------------

    def find(self, wanted: Wanted) -> Sequence[Security]:
        """Every instrument that contradicts no stated field.

        A conId alone decides; beside it the other fields are not read, as in TWS (official documentation).
        """
        if wanted.con_id:
            known = self.get(wanted.con_id)
            return () if known is None else (_as_asked(known, wanted),)
        kind = wanted.sec_type
        if kind and kind not in SEC_TYPES:
            return ()
        if wanted.right and wanted.right.upper() not in RIGHTS and wanted.right not in ("0", "?"):
            return ()
        if kind == "BOND":
            return tuple(s for s in self._by_id.values() if s.bond and _is_meant(s, wanted))
        if wanted.sec_id_type or wanted.sec_id:
            return tuple(s for s in self._by_id.values() if _identified(s, wanted) and _fits(s, wanted))
        if not (wanted.symbol or wanted.local_symbol or (kind in ("FUT", "OPT") and wanted.trading_class)):
            return ()
        found = [s for s in self._fixed(wanted) if _fits(s, wanted)]
        if kind in ("FUT", "CONTFUT"):
            found += self._futures(wanted)
        if kind in ("OPT", "FOP"):
            found += self._options(wanted)
        return tuple(found)

    def _fixed(self, wanted: Wanted) -> Sequence[Security]:
        if wanted.symbol:
            return self._by_symbol.get(wanted.symbol.upper(), ())
        return self._by_local.get(wanted.local_symbol.upper(), ())

    def _futures(self, wanted: Wanted) -> list[Security]:
        found: list[Security] = []
        for root in self._roots.values():
            if wanted.symbol and root.symbol != wanted.symbol.upper():
                continue
            if wanted.trading_class and root.trading_class != wanted.trading_class.upper():
                continue
            months = root.listed(self.today, expired=wanted.include_expired)
            if wanted.local_symbol:
                place = futures.parse_local(root, wanted.local_symbol.upper(), self.today)
                months = [month for month in months if month == place]
            if wanted.sec_type == "CONTFUT":
                months = months[:1]
            made = (root.make(year, month, self.today) for year, month in months)
            found += [_as_asked(s, wanted) for s in made if _fits(_as_asked(s, wanted), wanted)]
        return found

    def _options(self, wanted: Wanted) -> list[Security]:
        found: list[Security] = []
        occ = options.parse_occ(wanted.local_symbol.upper())
        if occ is not None and not (wanted.expiry or wanted.right or wanted.strike):
            wanted = replace(wanted, expiry=occ[0], right=occ[1], strike=occ[2])
        for chain in self.chains_of(wanted.sec_type):
            if wanted.symbol and chain.symbol != wanted.symbol.upper():
                continue
            if wanted.trading_class and chain.trading_class != wanted.trading_class.upper():
                continue
            if wanted.local_symbol and not wanted.local_symbol.upper().startswith(_stem(chain)):
                continue
            for expiry in chain.dates(self.today):
                if not f"{expiry:%Y%m%d}".startswith(wanted.expiry):
                    continue
                strikes = [s for s in chain.strikes() if not wanted.strike or abs(s - wanted.strike) < 1e-6]
                for right in "CP":
                    if RIGHTS.get(wanted.right.upper(), right) == right:
                        made = (chain.make(expiry, strike, right, self.today) for strike in strikes)
                        found += [s for s in made if _fits(s, wanted)]
        return found

    def chains_of(self, sec_type: str) -> Sequence[Chain]:
        """The chains of options on stocks and indexes (OPT), or on the listed futures (FOP)."""
        if sec_type != "FOP":
            return tuple(self._chains.values())
        root = self._roots[chains.FOP_ROOT.slot]
        return tuple(future_chain(root.make(y, m, self.today)) for y, m in root.listed(self.today)[:5])

    def matching(self, pattern: str) -> Sequence[Security]:
        """At most sixteen whose symbol or name begins with the pattern (TWS-BEHAVIOUR.md B)."""
        wanted = pattern.strip().upper()
        if not wanted:
            return ()
        kinds = ("STK", "IND")
        hits = [
            s
            for s in self._by_id.values()
            if s.sec_type in kinds
            and (s.symbol.startswith(wanted) or any(w.startswith(wanted) for w in _starts(s.long_name)))
        ]
        return tuple(sorted(hits, key=lambda s: (s.symbol != wanted, not s.symbol.startswith(wanted)))[:16])


    def issuers(self, pattern: str) -> Sequence[Security]:
        """One bond of each issuer whose symbol or name begins with the pattern."""
        wanted = pattern.strip().upper()
        bonds = (s for s in self._by_id.values() if s.bond and wanted)
        hits = {s.issuer_id: s for s in bonds if any(w.startswith(wanted) for w in _starts(s.long_name))
                or s.symbol.startswith(wanted)}  # fmt: skip
        return tuple(hits.values())


def _starts(name: str) -> Iterator[str]:
    """The name and what follows each of its blanks, in capitals."""
    text = name.upper()
    while text:
        yield text
        _, _, text = text.partition(" ")


def _stem(chain: Chain) -> str:
    return f"{chain.trading_class:<6}" if chain.sec_type == "OPT" else f"{chain.under.local_symbol} "


def _as_asked(security: Security, wanted: Wanted) -> Security:
    """A continuous future is the front one under another type (official documentation)."""
    if wanted.sec_type == "CONTFUT" and security.sec_type == "FUT":
        return replace(security, sec_type="CONTFUT")
    return security


def _identified(security: Security, wanted: Wanted) -> bool:
    given = wanted.sec_id.strip().upper()
    if wanted.sec_id_type == "ISIN":
        return bool(given) and security.isin == given
    if wanted.sec_id_type == "CUSIP":
        cusip = security.cusip or (security.isin[2:11] if security.isin[:2] in ("US", "CA") else "")
        return bool(given) and cusip == given
    return False


def _is_meant(bond: Security, wanted: Wanted) -> bool:
    """Whether a bond is named: by its symbol, its CUSIP or ISIN (in place of the symbol too: official
    samples), its issuer or its local symbol; the maturity stands where others have their expiry.
    """
    if not (wanted.symbol or wanted.sec_id or wanted.issuer_id or wanted.local_symbol):
        return False
    terms, named = bond.bond, wanted.symbol.upper()
    numbers = {bond.cusip, bond.isin} - {""}
    return (
        terms is not None
        and (not named or named == bond.symbol or named in numbers)
        and (not wanted.sec_id or wanted.sec_id.strip().upper() in numbers)
        and _same(wanted.issuer_id, bond.issuer_id)
        and terms.maturity.startswith(wanted.expiry)
        and _fits(bond, replace(wanted, symbol="", expiry=""))
    )


def _fits(security: Security, wanted: Wanted) -> bool:
    """Whether no stated field contradicts."""
    return (
        _same(wanted.sec_type, security.sec_type)
        and _same(wanted.symbol, security.symbol)
        and _same(wanted.local_symbol, security.local_symbol)
        and _same(wanted.trading_class, security.trading_class)
        and _same(wanted.currency, security.currency)
        and (not wanted.exchange or _trades_at(security, wanted.exchange))
        and (
            not wanted.primary
            or _same_exchange(wanted.primary, security.primary_exchange or security.exchange)
        )
        and _expires(security, wanted.expiry)
        and (
            not wanted.strike or (security.strike is not None and abs(security.strike - wanted.strike) < 1e-6)
        )
        and (not wanted.multiplier or _equal(wanted.multiplier, security.multiplier))
        and (
            security.sec_type not in ("OPT", "FOP", "WAR")
            or RIGHTS.get(wanted.right.upper(), security.right) == security.right
        )
    )


def _same(stated: str, known: str) -> bool:
    return not stated or stated.upper() == known.upper()


def _expires(security: Security, stated: str) -> bool:
    """yyyyMM is the contract month, yyyyMMdd the last trading day."""
    if not stated:
        return True
    if len(stated) == 6:
        return stated == (security.contract_month or security.last_trade_date[:6])
    return stated == security.last_trade_date


def _equal(stated: str, known: str) -> bool:
    """Two multipliers as numbers: "50" and "50.0" are one. A stock has none, or one."""
    try:
        return float(stated) == float(known or 1)
    except ValueError:
        return False


def _trades_at(security: Security, exchange: str) -> bool:
    return any(_same_exchange(exchange, known) for known in security.exchanges)


def _same_exchange(one: str, other: str) -> bool:
    names = {"ISLAND": "NASDAQ"}
    return names.get(one.upper(), one.upper()) == names.get(other.upper(), other.upper())
