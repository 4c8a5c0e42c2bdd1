"""The known securities by conId and by description."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tws.simulator.universe.security import EXCHANGES, Security
from tws.simulator.universe.stocks import UNIVERSE, unlisted

__all__ = ["Universe"]


class Universe:
    """The known securities by conId and by description."""

    def __init__(self, securities: Iterable[Security] = UNIVERSE) -> None:
        self._by_id = {security.con_id: security for security in securities}
        self._by_symbol = {security.symbol: security for security in self._by_id.values()}

    def __iter__(self) -> Iterable[Security]:
        return iter(self._by_id.values())

    @property
    def securities(self) -> tuple[Security, ...]:
        return tuple(self._by_id.values())

    def add(self, symbol: str) -> Security:
        """The security of this symbol; an unknown one is listed under an invented conId."""
        known = self._by_symbol.get(symbol)
        if known is None:
            known = unlisted(symbol, len(self._by_id))
            self._by_id[known.con_id] = self._by_symbol[symbol] = known
        return known

    def get(self, con_id: int) -> Security | None:
        return self._by_id.get(con_id)

    def symbol(self, symbol: str) -> Security | None:
        return self._by_symbol.get(symbol.strip().upper())

    def find(
        self,
        *,
        con_id: int = 0,
        symbol: str = "",
        sec_type: str = "",
        exchange: str = "",
        primary: str = "",
        currency: str = "",
        local_symbol: str = "",
    ) -> Sequence[Security]:
        """Every security that contradicts no stated field; empty fields state nothing.

        A conId alone decides; beside it the other fields are not read, as in TWS (official documentation).
        """
        if con_id:
            known = self._by_id.get(con_id)
            return () if known is None else (known,)
        if sec_type not in ("STK", "") or currency not in ("USD", "") or not (symbol or local_symbol):
            return ()
        if exchange and exchange not in EXCHANGES:
            return ()
        known = self.symbol(symbol or local_symbol)
        if known is None or (primary and not _same_exchange(primary, known.primary_exchange)):
            return ()
        if symbol and local_symbol and symbol.upper() != local_symbol.upper():
            return ()
        return (known,)

    def matching(self, pattern: str) -> Sequence[Security]:
        """At most sixteen whose symbol or name begins with the pattern (TWS-BEHAVIOUR.md B)."""
        wanted = pattern.strip().upper()
        if not wanted:
            return ()
        hits = [
            s for s in self._by_id.values() if s.symbol.startswith(wanted) or s.long_name.startswith(wanted)
        ]
        return tuple(sorted(hits, key=lambda s: (s.symbol != wanted, s.symbol))[:16])


def _same_exchange(one: str, other: str) -> bool:
    names = {"ISLAND": "NASDAQ"}
    return names.get(one, one) == names.get(other, other)
