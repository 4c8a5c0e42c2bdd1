"""The pacer: every frame is offered to it, and it says whether the frame may be written now.

    pacer = Pacer(PacingOptions())
    pacer.begin(server_version)                     # a session begins
    pacer.accepted(now_s)                           # TWS has taken its client id
    if pacer.offer(frame, now_s) is Verdict.WRITE:  # raises PacingError for what no waiting would cure
        write(frame)
    for frame in pacer.due(now_s):                  # at `pacer.next_at()`, which any call may change
        write(frame)

It does no input and no output, and time is an argument: monotonic seconds. That TWS has read something
it learns from `ended` (an answer is complete) and `echoed` (an answer to reqCurrentTime came). When a frame
waits for such a proof and none is under way, `due` yields a reqCurrentTime of its own. Call it from one
thread, and look at `next_at` after each call.
"""

from __future__ import annotations

import heapq
from enum import Enum
from math import inf
from typing import NamedTuple

from tws.connection.pacing import kinds
from tws.connection.pacing.books import Books
from tws.connection.pacing.budgets import Hold, Sent
from tws.connection.pacing.ledger import AGAIN_S, RATE_SPAN_S, Ledger
from tws.connection.pacing.options import UNPACED, PacingOptions, Shares
from tws.connection.pacing.waiting import CANCEL, EXIT, ORDINARY, Item, Queue, Waiting
from tws.errors import PacingError
from tws.wire.codec import encode
from tws.wire.framing import frame as framed
from tws.wire.framing import frame_id
from tws.wire.messages import CurrentTimeRequest, Request

__all__ = ["Pacer", "Verdict"]

RATE = "messages in a second"
SPECIAL = kinds.CLAIMING | frozenset(kinds.CANCELS) | {kinds.TIME}
"""What costs more than a message of the second, or frees something, or proves something."""


class Verdict(Enum):
    """What is to be done with a frame that was offered."""

    WRITE = "write it now"
    WAITS = "it waits; `due` gives it out"
    WITHDRAWN = "a cancel met its request while it waited: neither is written"


class _Block(NamedTuple):
    """What stands in a frame's way: a budget, the message that has to leave it (None: an answer has to
    come, or another frame to leave first), and when that will be.
    """

    budget: object
    why: str
    sent: Sent | None = None
    at_s: float = inf


class Pacer:
    """See the module."""

    def __init__(self, options: PacingOptions | None = None) -> None:
        self.options = options or PacingOptions()
        self._is_off = self.options == PacingOptions.off()
        self._books = Books(self.options)
        self._queue = Queue()
        self._ledger = Ledger(self.options.unproven_s)
        self._version = 0
        self._order = 0
        self._holds: dict[int, list[Hold]] = {}
        self._wanted: set[int] = set()  # the levels at which `room` was refused
        self._next_s = inf

    # -- sessions -----------------------------------------------------------------------------------

    def begin(self, server_version: int) -> None:
        """A version is agreed. Rate and slots begin empty; what counts for the login goes on."""
        self.end()
        self._version = server_version
        self._ledger.begin()

    def accepted(self, now_s: float) -> None:
        """The session is ready. TWS takes a client id again when the old session is over, so what was written
        to that one has been read by now, or never will be. A handshake says nothing of that.
        """
        self._ledger.accepted(now_s)
        self._stir(now_s)

    def end(self) -> None:
        """The session is over: what waits will not leave, and nothing is open."""
        self._queue.take_out(lambda item: True)
        self._books.forget_session()
        self._holds.clear()
        self._ledger.end()
        self._wanted.clear()
        self._next_s = inf

    # -- frames -------------------------------------------------------------------------------------

    def offer(self, frame: bytes, now_s: float, *, urgent: bool = False) -> Verdict:
        """A frame wants to leave. `urgent` for an exit; cancels are urgent by themselves.

        Raises PacingError for what TWS would refuse and no waiting would cure.
        """
        if self._is_off:
            return Verdict.WRITE
        ask = frame_id(frame)
        if ask in SPECIAL or self._queue.count:
            return self._weigh(ask, frame, now_s, urgent)
        shares = self._books.shares
        if shares is UNPACED:
            return Verdict.WRITE
        level = EXIT if urgent or ask in kinds.ORDER_CANCELS else ORDINARY
        if not self._ledger.has_room(shares[level], now_s):
            return self._weigh(ask, frame, now_s, urgent)
        self._ledger.count(now_s)
        if self._ledger.unasked >= shares.question:
            self._next_s = now_s
        return Verdict.WRITE

    def _weigh(self, ask: int | None, frame: bytes, now_s: float, urgent: bool) -> Verdict:
        """The careful way: read the frame, and let it leave, wait or be withdrawn. Raises PacingError."""
        request = kinds.read(frame, self._version)
        item = Item(ask, frame)
        item.number = kinds.request_id(request)
        level = ORDINARY
        if ask in kinds.CANCELS:
            level = CANCEL
            if self._meet(item, kinds.CANCELS[ask]):
                return Verdict.WITHDRAWN
        else:
            self._furnish(item, request)
        if urgent or ask in kinds.ORDER_CANCELS:
            level = EXIT
        item.lane = level, kinds.lane(ask, item.claims)
        if not self._queue.ahead(item) and self._block(item, now_s) is None:
            self._leave(item, now_s)
            if item.claims:
                self._next_s = now_s
            return Verdict.WRITE
        self._wait(item, request, now_s)
        self._next_s = now_s
        return Verdict.WAITS

    def _furnish(self, item: Item, request: Request | None) -> None:
        """What a request claims and where it takes a place. Raises PacingError."""
        item.claims = kinds.claims(request)
        place = kinds.place(request)
        if place is None or item.ask is None:
            return
        if place.slots == kinds.SUMMARIES and item.number in self._holds:
            return  # the same id asks for other tags, in the place that it has
        slots = self._books.slots[place.slots]
        if place.waits:
            if slots.is_full():
                raise PacingError(slots.code, slots.name, slots.promised, slots.limit or 0, slots.cure)
            item.slots = slots
        item.hold = Hold(item.ask, slots, place.lasting)

    def _meet(self, item: Item, target: int) -> bool:
        """A cancel takes what waits for it out of the queue; whether that was all it could end."""
        number = item.number
        gone = self._queue.take_out(lambda one: one.ask == target and one.number == number)
        item.ends = tuple(hold for hold in self._holds.get(number, ()) if hold.ask == target)
        return bool(gone) and number != kinds.NO_ID and not item.ends

    def _wait(self, item: Item, request: Request | None, now_s: float) -> None:
        waiting, bound = self._queue.beside(item), self.options.queue
        if waiting >= bound:
            item.drop()
            raise PacingError(100, "frames that wait", waiting, bound, "Ask for less at a time")
        for hold in item.ends:
            hold.forgo()
        self._order += 1
        item.order = item.level, self._order
        item.since_s = now_s
        if request is not None:
            item.kind = type(request).__name__
        self._queue.push(item)

    def due(self, now_s: float) -> list[bytes]:
        """What may be written now, in this order. `next_at` says when to look again."""
        frames: list[bytes] = []
        blocks: list[_Block] = []
        closed: set[object] = set()
        heads = [(item.order, item) for item in self._queue.heads()]
        heapq.heapify(heads)
        exits_wait = EXIT in self._wanted
        while heads:
            _, item = heapq.heappop(heads)
            block = self._block(item, now_s, closed)
            if block is None:
                self._leave(item, now_s)
                frames.append(item.frame)
                follower = self._queue.pop(item)
                if follower is not None:
                    heapq.heappush(heads, (follower.order, follower))
                continue
            blocks.append(block)
            exits_wait = exits_wait or item.level == EXIT
            if block.budget is RATE:
                break  # those behind may have less of it
            closed.add(block.budget)
        blocks += self._room_block(now_s)
        frames += self._question(blocks, now_s, exits_wait)
        return frames

    def next_at(self) -> float | None:
        """When to call `due`, in seconds of the same clock; None: not before another call was made."""
        return None if self._next_s == inf else self._next_s

    # -- frames with a queue of their own -----------------------------------------------------------

    def room(self, now_s: float, *, urgent: bool = False) -> bool:
        """Whether an order may be written now; `took` counts it. After False ask again at each `due`."""
        shares, level = self._books.shares, EXIT if urgent else CANCEL
        if self._ledger.has_room(shares[level], now_s):
            self._wanted.discard(level)
            return True
        if level not in self._wanted:  # both may wait: neither may make the other look new at each `due`
            self._wanted.add(level)
            self._next_s = now_s
        return False

    def took(self, now_s: float) -> None:
        """An order was written. It is to be proved read before somebody waits for that: an emergency stop
        shall find its places free.
        """
        shares = self._books.shares
        if shares is not UNPACED:
            self._ledger.count(now_s)
            if self._ledger.unasked >= shares.question:
                self._next_s = now_s

    # -- what TWS answers ---------------------------------------------------------------------------

    def echoed(self, now_s: float) -> None:
        """An answer to reqCurrentTime came, whoever asked."""
        self._ledger.echoed(now_s)
        self._stir(now_s)

    def ended(self, request_id: int, now_s: float, *, failed: bool = False) -> None:
        """TWS has answered: the answer is complete, or (`failed`) an error ended the request or the stream.

        An answer frees the place of what ends by itself, an error that of anything. Not for a time-out of
        our own: TWS still has that request until it is cancelled.
        """
        holds = self._holds.get(request_id)
        if not holds:
            return
        sent = holds[0].sent
        if sent is not None:
            self._ledger.prove(sent.number, now_s)
        counted = holds[-1 if failed else 0].counted
        if counted is not None:
            self._ledger.answered(counted, now_s)
        if failed:
            over: Hold | None = holds[-1]  # of two with one id TWS refuses the second
        else:
            over = next((hold for hold in holds if not hold.lasting), None)
        if over is not None:
            self._free(request_id, over)
        self._stir(now_s)

    def given_up(self, request_id: int, now_s: float) -> None:
        """What TWS can't be told to end has not ended for so long that it never will: its place is free."""
        for hold in list(self._holds.get(request_id, ())):
            if not hold.lasting:
                self._free(request_id, hold)
        self._stir(now_s)

    def line(self, down: bool, now_s: float, *, forgotten: bool = False) -> None:
        """TWS says that it has lost IB (1100), or has it again (1102; 1101: it has `forgotten` what it fed,
        whose places are free).
        """
        self._ledger.line(down, now_s)
        for number, holds in list(self._holds.items()) if forgotten else ():
            for hold in list(holds):
                if hold.lasting and hold.ask != kinds.HEAD:
                    self._free(number, hold)
        self._stir(now_s)

    def _stir(self, now_s: float) -> None:
        """Something changed in favour of those that wait."""
        if self._queue.count or self._wanted:
            self._next_s = now_s

    def learn(self, text: str, request_id: int = kinds.NO_ID) -> bool:
        """Take what a warning or an error of TWS states about its limits; whether it stated something.

        `request_id` of an error, before or after `ended`: what TWS has refused is not in use.
        """
        return self._books.learn(text, refused=request_id in self._holds) is not None

    # -- looking and changing -----------------------------------------------------------------------

    @property
    def rate(self) -> int | None:
        """Messages per second that TWS takes, as far as is known; None: not paced."""
        shares = self._books.shares
        return None if shares is UNPACED else shares.rate

    def set_lines(self, lines: int) -> None:
        """The login has so many market data lines: the rate, tick-by-tick and depth follow."""
        self._books.set_lines(lines)

    def __len__(self) -> int:
        """How many frames wait."""
        return self._queue.count

    def waiting(self, now_s: float) -> tuple[Waiting, ...]:
        """What waits, in the order in which its turn comes."""
        seen: list[Waiting] = []
        closed: set[object] = set()
        for item in self._queue:
            block = self._block(item, now_s, closed)
            why, at_s = ("its turn is next", now_s) if block is None else (block.why, block.at_s)
            if block is not None and block.budget is not RATE:
                closed.add(block.budget)
            expected = None if at_s == inf else at_s
            seen.append(Waiting(item.kind, item.number, item.since_s, why, expected))
        return tuple(seen)

    def waits(self, request_id: int) -> bool:
        """Whether this request has not left yet."""
        return any(item.number == request_id and not item.ends for item in self._queue)

    def withdraw(self, request_id: int) -> bool:
        """Take a request that waits out of the queue; whether there was one."""
        return bool(self._queue.take_out(lambda item: item.number == request_id and not item.ends))

    # -- budgets ------------------------------------------------------------------------------------

    def _block(
        self, item: Item, now_s: float, closed: set[object] | frozenset[object] = frozenset()
    ) -> _Block | None:
        """What holds this frame back, None when it may leave. `closed`: what others wait for first."""
        shares, level = self._books.shares, item.level
        if not self._ledger.has_room(shares[level], now_s):
            return self._rate_block(shares, level)
        for claim in item.claims:
            window = self._books.window(claim, now_s)
            if window is None:
                continue
            if window in closed:
                return _Block(window, f"{window.name}, after others")
            sent = window.blocker(claim.weight, now_s)
            if sent is not None:
                return _Block(window, window.name, sent, self._ledger.leaves_at(sent, window.span_s))
        slots = item.slots
        if slots is not None and (slots in closed or not slots.has_room()):
            return _Block(slots, f"{slots.taken} of {slots.limit} {slots.name} are open")
        return None

    def _rate_block(self, shares: Shares, level: int) -> _Block:
        sent = self._ledger.blocker(shares[level])
        why = f"{shares[level]} of {shares.rate} messages in a second"
        return _Block(RATE, why, sent, self._ledger.leaves_at(sent, RATE_SPAN_S))

    def _room_block(self, now_s: float) -> list[_Block]:
        """What orders wait for whose writer was told that there is no room."""
        shares = self._books.shares
        self._wanted = {level for level in self._wanted if not self._ledger.has_room(shares[level], now_s)}
        return [self._rate_block(shares, level) for level in sorted(self._wanted)]

    def _leave(self, item: Item, now_s: float) -> None:
        """The frame will be written now."""
        sent, counted = self._ledger.count(now_s), None
        for claim in item.claims:
            window = self._books.window(claim, now_s)
            if window is not None:
                if counted is None:
                    counted = self._ledger.counts(sent, by_answer=item.ask in kinds.ANSWERED)
                window.add(counted, claim.weight)
        if item.hold is not None:
            item.hold.take(sent)
            item.hold.counted = counted
            self._holds.setdefault(item.number, []).append(item.hold)
        for hold in item.ends:
            if hold.counted is not None:
                self._ledger.cancelled(hold.counted, sent)
            self._free(item.number, hold)
        if item.ask == kinds.TIME:
            self._ledger.asks(sent)

    def _free(self, request_id: int, hold: Hold) -> None:
        holds = self._holds.get(request_id)
        if holds is None or hold not in holds:
            return  # it ended before its cancel left
        hold.free()
        holds.remove(hold)
        if not holds:
            del self._holds[request_id]

    def _question(self, blocks: list[_Block], now_s: float, exits_wait: bool) -> list[bytes]:
        """A reqCurrentTime of our own, when it is time for one, and the moment of the next `due`.

        It is asked for what stands in somebody's way and is not proved to be read; and before somebody waits,
        after what has a budget of its own and after every so many messages. While exits wait it takes the
        last places for that: a full second that is proved at once is over one second sooner.
        """
        ledger, shares = self._ledger, self._books.shares
        moments = [block.at_s for block in blocks]
        ask_s = ledger.question_at([block.sent for block in blocks if block.sent is not None], now_s)
        share = shares.rate
        if ask_s > now_s and (ledger.is_eager or ledger.unasked >= shares.question):
            ask_s, share = now_s, shares.rate if exits_wait else shares.cancels
        frames = []
        if ask_s <= now_s and ledger.has_room(share, now_s):
            item = Item(kinds.TIME, framed(encode(CurrentTimeRequest(), self._version)))
            self._leave(item, now_s)
            frames.append(item.frame)
            ask_s = now_s + AGAIN_S if blocks else inf
        if ask_s > now_s:
            moments.append(ask_s)
        self._next_s = min(moments, default=inf)
        return frames
