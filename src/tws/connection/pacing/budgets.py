"""What is counted: how many in a time (`Window`), how many at once (`Slots`).

A window must count when TWS reads a message, and nobody but TWS knows that: a message may be read at once or,
on a link that stood still, together with the next one much later. What we know is a bound. An answer proves
that TWS had read the question and all that was written before it. So each message is a `Sent`, whose `read_s`
is when that was proved, infinity until then; and it leaves a window one period after its proof. Two messages
of which the second was written a period after the proof of the first are read at least a period apart,
whatever the link did to them.
"""

from __future__ import annotations

from math import inf

__all__ = ["Hold", "Sent", "Slots", "Window", "stretched"]

DRIFT = 0.001
"""Two clocks that are being slewed to the right time by 500 ppm each, against each other."""
GRAIN_S = 0.04
"""Clocks that tick in steps: 15.6 ms of ours (`time.monotonic` on Windows below Python 3.13), as much of
TWS's, and something for the rounding.
"""


def stretched(period_s: float) -> float:
    """A period of TWS's clock in seconds of ours, so that it has surely gone by."""
    return period_s * (1.0 + DRIFT) + GRAIN_S


class Sent:
    """One message that was written: the how-manieth, when, and when it was proved to be read.

    `counted`: it stands for what IB's servers count of the message, which TWS may hold back; `by_answer`: so
    that nothing but its own answer proves it.
    """

    __slots__ = ("by_answer", "counted", "number", "read_s", "sent_s")

    def __init__(self, number: int, sent_s: float, *, counted: bool = False, by_answer: bool = False) -> None:
        self.number = number
        self.sent_s = sent_s
        self.read_s = inf
        self.counted = counted
        self.by_answer = by_answer


class Window:
    """At most `limit` (by weight) in any `period_s` of TWS's clock."""

    __slots__ = ("_entries", "_total", "limit", "name", "span_s")

    def __init__(self, name: str, limit: int, period_s: float) -> None:
        self.name = name
        self.limit = limit
        self.span_s = stretched(period_s)
        self._entries: list[tuple[Sent, int]] = []
        self._total = 0

    def blocker(self, weight: int, now_s: float) -> Sent | None:
        """The message that has to leave the window before one of this weight may be written; None: no one."""
        excess = self._total + weight - self.limit
        if excess <= 0:
            return None
        self._forget(now_s)
        excess = self._total + weight - self.limit
        if excess <= 0:
            return None
        # Answers come in any order, so what was written first need not leave first.
        for sent, spent in sorted(self._entries, key=lambda entry: (entry[0].read_s, entry[0].number)):
            excess -= spent
            if excess <= 0:
                return sent
        raise AssertionError(f"{self.name}: {weight} can never fit into {self.limit}")  # options see to it

    def _forget(self, now_s: float) -> None:
        """Drop what has left the window."""
        span_s = self.span_s
        self._entries = [entry for entry in self._entries if entry[0].read_s + span_s > now_s]
        self._total = sum(spent for _, spent in self._entries)

    def add(self, sent: Sent, weight: int) -> None:
        """This message was written."""
        self._entries.append((sent, weight))
        self._total += weight

    def is_idle(self, now_s: float) -> bool:
        """Whether it counts nothing any more."""
        self._forget(now_s)
        return not self._entries


class Hold:
    """One place that a request takes until it ends. `lasting`: it ends by a cancel or an error alone.

    Promised from the offer on, until a cancel is offered; taken while TWS has it (`sent`).
    """

    __slots__ = ("_promised", "_slots", "ask", "counted", "lasting", "sent")

    def __init__(self, ask: int, slots: Slots, lasting: bool) -> None:
        self.ask = ask
        self.lasting = lasting
        self.sent: Sent | None = None
        self.counted: Sent | None = None
        """What its windows hold of it."""
        self._slots = slots
        self._promised = lasting
        if lasting:
            slots.promised += 1

    def take(self, sent: Sent) -> None:
        """The request was written."""
        self.sent = sent
        self._slots.taken += 1

    def forgo(self) -> None:
        """It will end soon: others may count on its place."""
        if self._promised:
            self._promised = False
            self._slots.promised -= 1

    def free(self) -> None:
        """It ended."""
        self.forgo()
        if self.sent is not None:
            self.sent = None
            self._slots.taken -= 1


class Slots:
    """How many may be open at once. `limit` None: as many as you like.

    `promised` counts the lasting ones, those that wait included, `taken` all that TWS has. What finds the
    promised at the limit would wait for ever; what finds the taken there waits for an answer to end.
    """

    def __init__(self, name: str, limit: int | None, code: int, cure: str) -> None:
        self.name = name
        self.limit = limit
        self.code = code
        self.cure = cure
        self.promised = 0
        self.taken = 0

    def is_full(self) -> bool:
        """Whether nothing that ends by itself stands between the limit and us."""
        return self.limit is not None and self.promised >= self.limit

    def has_room(self) -> bool:
        """Whether one more may be written now."""
        return self.limit is None or self.taken < self.limit
