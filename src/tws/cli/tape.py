"""What `tws run` says while it trades: a line for each trade, fill, denial and lost link.

Records come in on the trader's loop, before an order's bytes leave. A terminal may stand still for minutes
(Ctrl-S, text that is being marked on Windows), so a thread of its own writes; what it can't keep up with is
counted and left out, never waited for. With --json each line is a document on stderr.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from queue import Full, Queue
from typing import TYPE_CHECKING, Any

from tws.clock import to_datetime
from tws.model.facts import LinkState
from tws.model.order import Side
from tws.model.records import Booked, Denied, LinkMoved, Planned, Record

if TYPE_CHECKING:
    from tws.runtime.trader import Trader

__all__ = ["Tape"]

MOST = 1000
"""Lines that wait for a terminal: more than anybody reads."""
END_S = 2.0
"""How long the end waits for a terminal: twice so much where many lines wait."""
DONE = {Side.BUY: "bought", Side.SELL: "sold"}
LINK = {
    LinkState.CONNECTED: "TWS is connected again",
    LinkState.DOWN: "the link to TWS is lost",
    LinkState.BROKER_LOST: "TWS has lost IB",
    LinkState.RESTORED_LOST: "TWS has IB again; market data are asked for anew",
    LinkState.RESTORED_KEPT: "TWS has IB again",
}


class Tape:
    """`follow` a trader that is ready; `close` writes the rest."""

    def __init__(self, as_json: bool) -> None:
        self._json = as_json
        self._role_of: Callable[[str], str] = str
        self._lines: Queue[str | None] = Queue(MOST)
        self._missed = 0
        self._denied: dict[str, str] = {}  # by symbol: a limit that goes on denying is said once
        self._writer = threading.Thread(target=self._write, name="tape", daemon=True)
        self._writer.start()

    def follow(self, trader: Trader) -> None:
        """Say from now on what it does."""

        def role_of(intent_id: str) -> str:
            order = trader.desk.state.book.get(intent_id)
            return str(order.role) if order is not None else "an order of others"

        self._role_of = role_of
        trader.on_record(self.hear)

    def hear(self, record: Record) -> None:
        """Say it, where there is something to say."""
        told = self._told(record)
        if told is not None:
            at, event, symbol, text, fields = record.at_ns, *told
            self._put(self._document(at, event, symbol, fields) if self._json
                      else f"{to_datetime(at):%H:%M:%S}  {symbol:<6} {text}".rstrip())

    def close(self) -> None:
        """Write what waits, as far as the terminal takes it; safe twice."""
        try:
            self._lines.put(None, timeout=END_S)
        except Full:
            return
        self._writer.join(END_S)

    # -- what is said: the event, its symbol, its words, its fields

    def _told(self, record: Record) -> tuple[str, str, str, dict[str, Any]] | None:
        match record:
            case Planned():
                self._denied.pop(record.contract.symbol, None)
                return self._trade(record)
            case Booked():
                return self._fill(record)
            case Denied() if self._denied.get(record.symbol) != record.limit:
                self._denied[record.symbol] = record.limit
                wish = f"{record.side} {_num(record.quantity)}" if record.side else str(record.role)
                return "denied", record.symbol, f"denied {wish}: {record}", {
                    "limit": record.limit, "figure": record.figure, "bound": record.bound,
                    "reason": record.reason, "strategy": record.strategy, "signal": record.signal_id,
                }  # fmt: skip
            case LinkMoved():
                return "link", "", LINK[record.state], {"state": str(record.state), "cause": record.cause}
        return None

    def _trade(self, record: Planned) -> tuple[str, str, str, dict[str, Any]]:
        prices = {"stop": record.stop_price, "target": record.target_price}
        guard = "".join(f", {name} {_price(price)}" for name, price in prices.items() if price is not None)
        source = f" ({record.strategy})" if record.strategy else ""
        text = f"{record.side} {_num(record.quantity)}{guard or ', without protection'}{source}"
        return "trade", record.contract.symbol, text, {
            "side": str(record.side), "quantity": _num(record.quantity), "trade": record.group_id,
            "strategy": record.strategy, "signal": record.signal_id,
        } | {name: _num(price) for name, price in prices.items()}  # fmt: skip

    def _fill(self, record: Booked) -> tuple[str, str, str, dict[str, Any]]:
        fill, role = record.execution, self._role_of(record.intent_id)
        last = fill.exec_id.rpartition(".")[2]
        what = "corrected" if last.isdecimal() and int(last) > 1 else "filled"
        text = f"{role} {what}: {DONE[fill.side]} {_num(fill.quantity)} at {_price(fill.price)}"
        return "fill", fill.contract.symbol, text, {
            "role": role, "side": str(fill.side), "quantity": _num(fill.quantity), "price": _num(fill.price),
            "execution": fill.exec_id, "intent": record.intent_id,
        }  # fmt: skip

    # -- how it is written

    @staticmethod
    def _document(at_ns: int, event: str, symbol: str, fields: dict[str, Any]) -> str:
        said = {"event": event, "at": to_datetime(at_ns).isoformat(), "symbol": symbol}
        return json.dumps(said | fields)

    def _put(self, line: str) -> None:
        try:
            self._lines.put_nowait(line)
        except Full:
            self._missed += 1

    def _write(self) -> None:
        with suppress(OSError, ValueError):  # closed, or a full disk: the trading goes on
            while (line := self._lines.get()) is not None:
                missed, self._missed = self._missed, 0
                if missed and not self._json:
                    line += f"\n{missed} lines were left out: the terminal stood still"
                stream = sys.stderr if self._json else sys.stdout  # a bar above the line has its own
                stream.write(f"{line}\n")
                stream.flush()


def _num(value: Decimal | None) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _price(value: Decimal) -> str:
    """With two places at least, as one reads it elsewhere."""
    return f"{value:.2f}" if value == round(value, 2) else f"{value.normalize():f}"
