"""What the broker saw of our orders, line by line, as it happened: a story that a test compares with a page.

    BUY 10 MKT as 1                       an order came, under its order id
    SELL 10 STP 97.00 as 3, child of 1
    SELL 10 MKT as 5, in the group of 1   in the OCA group that the children of 1 are in
    change 2: SELL 10 LMT 102.26
    cancel 2
    fill 1: 10 at 100.01
    1 Filled                              a status, where it is another than before
    2, 3 PreSubmitted                     the same of two, one after the other
    3 is now SELL 10 STP 100.07           the broker has changed an order by itself
    (lost: cancel 2)                      it was on its way when the link went

A log stands between the simulated TWS and its exchange and changes nothing, unless it is told to cut the link
at a line: `cut_before` loses what would have been that line, `cut_after` loses the broker's answer to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.scene import Scene, until

from tws.exchange import Event
from tws.exchange.events import Executed, OrderOpened, StatusChanged
from tws.exchange.terms import OrderTicket

PAGE = Path(__file__).parents[2] / "docs" / "design" / "linked.md"


class BrokerLog:
    """One scene's."""

    def __init__(self, scene: Scene) -> None:
        self.lines: list[str] = []
        self._seen: set[str] = set()
        self._scene = scene
        self._said: dict[int, str] = {}
        self._terms: dict[int, str] = {}
        self._groups: dict[str, int] = {}  # OCA group -> the parent, or the order that was seen in it first
        self._cuts: list[tuple[str, str]] = []
        core = scene.sim.core
        self._place, self._cancel, self._tell = core.exchange.place, core.exchange.cancel, core.tell
        core.exchange.place = self.place  # type: ignore[method-assign]
        core.exchange.cancel = self.cancel  # type: ignore[method-assign]
        core.tell = self.tell  # type: ignore[method-assign]

    def cut_before(self, line: str) -> None:
        """The link goes, and what this line would have said is lost with it."""
        self._cuts.append(("before", line))

    def cut_after(self, line: str) -> None:
        """The link goes as soon as this has happened, before anybody is told."""
        self._cuts.append(("after", line))

    def cut(self) -> None:
        """The link goes, and stays away until `heal`."""
        self._scene.sim.faults.refuse = True
        self._scene.sim.faults.cut()
        self.note("the link is lost")

    @property
    def is_cut(self) -> bool:
        return self._scene.sim.faults.refuse

    def heal(self) -> None:
        """TWS can be dialled again."""
        self.note("the link is back")
        self._scene.sim.faults.refuse = False

    def note(self, text: str) -> None:
        """What the test did."""
        self.lines.append(f"({text})")

    async def saw(self, *lines: str) -> None:
        """Return once each of these has been seen, counted from the beginning."""
        for line in lines:
            await until(lambda line=line: line in self._seen, f"{line!r}, after\n" + "\n".join(self.lines))

    def equals(self, title: str, *, notes: bool = True) -> None:
        """The page shows this very story under its title; without `notes`, but for what the test did."""
        shown = "\n".join(each for each in shown_under(title) if notes or not each.startswith("("))
        told = "\n".join(each for each in self.lines if notes or not each.startswith("("))
        if told != shown:
            pytest.fail(f"{title}: the broker saw\n\n{told}\n\nand the page has\n\n{shown}")

    # -- between the simulated TWS and its exchange

    def place(self, ticket: OrderTicket, now_ns: int) -> Sequence[Event]:
        order_id = ticket.order_id
        known = order_id in self._said
        line = f"change {order_id}: {_terms(ticket)}" if known else f"{_terms(ticket)} as {order_id}"
        if not known:
            line += self._family(ticket)
        if self._lost(line):
            return ()
        self._add(line)
        self._said.setdefault(order_id, "")
        self._terms[order_id] = _terms(ticket)
        events = self._place(ticket, now_ns)
        self._cut("after", line)
        return events

    def cancel(self, client_id: int, order_id: int, now_ns: int) -> Sequence[Event]:
        line = f"cancel {order_id}"
        if self._lost(line):
            return ()
        self._add(line)
        events = self._cancel(client_id, order_id, now_ns)
        self._cut("after", line)
        return events

    def tell(self, events: Sequence[Event]) -> None:
        for event in events:
            line = self._line(event)
            if line:
                self._add(line)
                self._cut("after", line)
        self._tell(events)

    def _add(self, line: str) -> None:
        """Statuses of one word are told together."""
        order_id, _, word = line.partition(" ")
        before, _, last = (self.lines[-1] if self.lines else "").rpartition(" ")
        if order_id.isdigit() and word == last and before.replace(", ", "").isdigit():
            self.lines[-1] = f"{before}, {line}"
        else:
            self.lines.append(line)
        self._seen.add(line)

    def _line(self, event: Event) -> str:
        if isinstance(event, Executed):
            return f"fill {event.order_id}: {event.quantity:f} at {event.price:f}"
        if not isinstance(event, StatusChanged | OrderOpened):
            return ""
        view, order_id = event.order, event.order.order_id
        if view.oca_group:
            self._groups.setdefault(view.oca_group, view.ticket.parent_id or order_id)
        if isinstance(event, OrderOpened):
            terms = _terms(view.ticket)
            if terms == self._terms.get(order_id):
                return ""
            self._terms[order_id] = terms
            return f"{order_id} is now {terms}"
        word = view.status if not view.filled or not view.remaining else f"{view.status} {view.filled:f}"
        if self._said.get(order_id) == word:
            return ""
        self._said[order_id] = word
        return f"{order_id} {word}"

    def _family(self, ticket: OrderTicket) -> str:
        if ticket.parent_id:
            return f", child of {ticket.parent_id}"
        if not ticket.oca_group:
            return ""
        first = self._groups.setdefault(ticket.oca_group, ticket.order_id)
        return f", in the group of {first}" if first != ticket.order_id else ""

    def _lost(self, line: str) -> bool:
        if not self._cut("before", line):
            return False
        self.lines.insert(-1, f"(lost: {line})")
        return True

    def _cut(self, when: str, line: str) -> bool:
        if (when, line) not in self._cuts:
            return False
        self._cuts.remove((when, line))
        self.cut()
        return True


def _terms(ticket: OrderTicket) -> str:
    parts: list[Any] = [ticket.side, f"{ticket.quantity:f}", ticket.order_type]
    if ticket.order_type == "LMT":
        parts.append(_price(ticket.limit_price))
    elif ticket.order_type == "STP":
        parts.append(_price(ticket.stop_price))
    elif ticket.order_type == "TRAIL":
        by = f"{ticket.trailing_percent:f}%" if ticket.trailing_percent else _price(ticket.stop_price)
        parts.append(f"{by} from {_price(ticket.trail_stop_price)}")
    if ticket.adjusted_order_type:
        parts.append(f"({_price(ticket.adjusted_stop_price)} at {_price(ticket.trigger_price)})")
    return " ".join(str(part) for part in parts)


def _price(price: Decimal | None) -> str:
    return "?" if price is None else f"{price:.2f}"


def shown_under(title: str) -> list[str]:
    """The lines of the block under a heading of the page; one that begins with "..." follows the entry."""
    _, found, rest = PAGE.read_text("utf-8").partition(f"# {title}\n")
    lines = rest.partition("```text\n")[2].partition("\n```")[0].split("\n") if found else []
    return [*shown_under("Entry"), *lines[1:]] if lines[:1] == ["..."] else lines
