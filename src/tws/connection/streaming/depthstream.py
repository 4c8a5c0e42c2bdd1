"""`DepthStream`: a book that TWS changes step by step, held here, and each step in its order."""

from __future__ import annotations

from collections.abc import Callable

from tws.connection.streaming.streams import Reroute, TickStream
from tws.model.contract import Contract
from tws.model.depth import DepthChange, DepthLevel, DepthOperation

__all__ = ["DepthStream"]

_RESET_CODE = 317


class DepthStream(TickStream[DepthChange]):
    """The levels behind the best quote: `bids` and `asks`, best first.

    Iterate it, or listen with `on_tick`, for each step in order; the book is then as it is after all steps
    that have come. A step that fits no level (a position beyond the book's end) changes nothing and is
    counted in `misplaced`: TWS and we disagree, and only a renewal would tell who is right.
    """

    def __init__(
        self, contract: Contract, isolate: Callable[..., None], rows: int, bound: int = 10_000
    ) -> None:
        super().__init__(contract, isolate, bound)
        self.rows = rows
        self.bids: list[DepthLevel] = []
        self.asks: list[DepthLevel] = []
        self.misplaced = 0
        self.reroute: Reroute | None = None
        """What to ask for instead, when TWS says so."""

    def step(self, change: DepthChange, now_ns: int) -> None:
        """For the connection: one change."""
        side = self.bids if change.is_bid else self.asks
        place, level = change.position, change.level
        match change.operation:
            case DepthOperation.INSERT if level is not None and 0 <= place <= len(side):
                side.insert(place, level)
            case DepthOperation.UPDATE if level is not None and 0 <= place < len(side):
                side[place] = level
            case DepthOperation.UPDATE if level is not None and place == len(side):
                side.append(level)  # seen as the first word about a level (assumed: TWS means it)
            case DepthOperation.DELETE if 0 <= place < len(side):
                del side[place]
            case _:
                self.misplaced += 1
        self.put(change, now_ns)

    def note(self, code: int, text: str) -> None:
        super().note(code, text)
        if code == _RESET_CODE:
            self._clear()

    def reset(self) -> None:
        self._clear()

    def _clear(self) -> None:
        self.bids.clear()
        self.asks.clear()
        self._hand_out(DepthChange(operation=DepthOperation.RESET))
