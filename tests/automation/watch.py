"""The broker's side of a run, looked at once a second of the market: what is held, and what guards it.

It knows nothing of the trader: positions and working orders are the simulated exchange's own. A share that no
stop or closing order covers counts as bare from the first look that sees it; at each close nothing may be
held, and nothing may work.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from tws.clock import NS_PER_S, to_datetime
from tws.simulator import SimulatedTWS

__all__ = ["Watch"]

_ZERO = Decimal(0)


class Watch:
    """`longest_s`: the longest that a symbol was bare. `at_close`: for each close, what was left. `earned`:
    by symbol, the days' profits after commissions as the ledger had them at each close.
    """

    def __init__(
        self, simulator: SimulatedTWS, symbols: tuple[str, ...], sessions: list[tuple[int, int]]
    ) -> None:
        self._sim = simulator
        self._symbols = {simulator.con_id(symbol): symbol for symbol in symbols}
        self.closes = [close_ns for _, close_ns in sessions]
        self._second = 0
        self._since: dict[str, int] = {}
        self.longest_s = 0.0
        self.bare_times = 0
        self.at_close: dict[str, list[str]] = {}
        self.earned: Counter[str] = Counter()

    def look(self, now_ns: int) -> None:
        """Called before each step of the market."""
        if now_ns // NS_PER_S == self._second:
            return
        self._second = now_ns // NS_PER_S
        bare = self._bare()
        for symbol in bare:
            self.bare_times += symbol not in self._since
            self._since.setdefault(symbol, now_ns)
            self.longest_s = max(self.longest_s, (now_ns - self._since[symbol]) / NS_PER_S)
        self._since = {symbol: since for symbol, since in self._since.items() if symbol in bare}
        if self.closes and now_ns >= self.closes[0]:
            self.at_close[f"{to_datetime(self.closes.pop(0)):%Y-%m-%d %H:%M}"] = self._left()
            for row in self._sim.exchange.positions():
                self.earned[self._symbols[row.con_id]] += row.realized_pnl  # type: ignore[assignment]

    def _bare(self) -> set[str]:
        """The symbols of which more is held than stops and closing orders cover."""
        exchange = self._sim.exchange
        held = {row.con_id: row.quantity for row in exchange.positions() if row.quantity}
        if not held:
            return set()
        guarded = dict.fromkeys(held, _ZERO)
        for view in exchange.open_orders():
            ticket = view.ticket
            against = (ticket.side == "SELL") is (held.get(view.con_id, _ZERO) > 0)
            if view.con_id in held and against and ticket.order_type in ("STP", "MKT"):
                guarded[view.con_id] += view.remaining
        return {self._symbols[con_id] for con_id, quantity in held.items() if guarded[con_id] < abs(quantity)}

    def _left(self) -> list[str]:
        exchange = self._sim.exchange
        held = [row for row in exchange.positions() if row.quantity]
        left = [f"{row.quantity} {self._symbols[row.con_id]} held" for row in held]
        return left + [f"{view.ticket.order_ref} works" for view in exchange.open_orders()]
