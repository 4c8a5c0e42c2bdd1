"""Frames that wait, in lanes: a lane keeps its order, and holds up no other that needs nothing it waits for.

Over all lanes it is urgent before ordinary, then first come first served. Who comes first to a budget that is
used up gets its next room: those behind do not slip past because they need less of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from msgspec import Struct

from tws.connection.pacing.budgets import Hold, Slots
from tws.connection.pacing.kinds import NO_ID, Claim

__all__ = ["CANCEL", "EXIT", "ORDINARY", "Item", "Queue", "Waiting"]


EXIT, CANCEL, ORDINARY = 0, 1, 2
"""Levels, the first to leave first: cancels of orders and what is said to be urgent; cancels of
subscriptions; requests.
"""


class Waiting(Struct, frozen=True):
    """A frame that waits, for whoever looks at the queue.

    kind        the message, such as "HistoricalDataRequest"
    request_id  -1 where it has none
    since_s     when it was offered
    why         the budget that has no room for it, or who stands before it
    expected_s  the earliest moment at which that budget has room; None when an answer must end first
    """

    kind: str
    request_id: int
    since_s: float
    why: str
    expected_s: float | None


class Item:
    """One frame on its way: what it claims, what it takes and what it ends.

    claims  the windows that it falls into
    slots   where it needs a free place before it leaves, None for none
    hold    the place that it takes then, None for none
    ends    the places that it frees when it leaves: it is a cancel
    """

    __slots__ = (
        "ask",
        "claims",
        "ends",
        "frame",
        "hold",
        "kind",
        "lane",
        "number",
        "order",
        "since_s",
        "slots",
    )

    def __init__(self, ask: int | None, frame: bytes) -> None:
        self.ask = ask
        self.frame = frame
        self.kind = f"message {ask}"
        self.number = NO_ID
        self.since_s = 0.0
        self.order = 0, 0
        self.lane: tuple[int, object] = ORDINARY, None
        self.claims: tuple[Claim, ...] = ()
        self.slots: Slots | None = None
        self.hold: Hold | None = None
        self.ends: tuple[Hold, ...] = ()

    @property
    def level(self) -> int:
        """0 leaves first."""
        return self.lane[0]

    def drop(self) -> None:
        """It will not leave: give back what it was promised."""
        if self.hold is not None:
            self.hold.free()


class Queue:
    """The lanes. `count` of the frames in all of them."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[int, object], deque[Item]] = {}
        self.count = 0
        self._urgent = 0

    def ahead(self, item: Item) -> int:
        """How many wait that may have to leave first: for an urgent one the urgent, else all."""
        return self._urgent if item.level < ORDINARY else self.count

    def beside(self, item: Item) -> int:
        """How many wait that are urgent, or are not, as this one is."""
        return self._urgent if item.level < ORDINARY else self.count - self._urgent

    def __iter__(self) -> Iterator[Item]:
        """All of them, in the order in which their turn comes."""
        return iter(
            sorted((item for lane in self._lanes.values() for item in lane), key=lambda one: one.order)
        )

    def heads(self) -> list[Item]:
        """The first of each lane."""
        return [lane[0] for lane in self._lanes.values()]

    def push(self, item: Item) -> None:
        """One more."""
        self._lanes.setdefault(item.lane, deque()).append(item)
        self._tally(item, 1)

    def pop(self, item: Item) -> Item | None:
        """This one, the first of its lane, leaves; who is the first now."""
        lane = self._lanes[item.lane]
        lane.popleft()
        self._tally(item, -1)
        if lane:
            return lane[0]
        del self._lanes[item.lane]
        return None

    def take_out(self, fits: Callable[[Item], bool]) -> list[Item]:
        """Those that fit leave the queue, their promises given back."""
        gone: list[Item] = []
        for key, lane in list(self._lanes.items()):
            out = [item for item in lane if fits(item)]
            if out:
                gone += out
                self._lanes[key] = deque(item for item in lane if not fits(item))
                if not self._lanes[key]:
                    del self._lanes[key]
        for item in gone:
            item.drop()
            self._tally(item, -1)
        return gone

    def _tally(self, item: Item, step: int) -> None:
        self.count += step
        if item.level < ORDINARY:
            self._urgent += step
