"""What was written, and what of it TWS has surely read: the second's messages, and the proofs.

An answer proves that TWS had read the question and all that was written before it. Answers to
reqCurrentTime (49) come at once and in the order of asking, so they are the proofs that can be had at any
time; those that wait for an answer are the `echoes`. When TWS leaves one out, each later answer is taken for
that of an earlier question: it proves less than it could, and nothing that isn't true.

What IB's servers count (history, tick-by-tick …) they count when TWS hands it on, which may be later than it
reads: while TWS has no line to them it may keep requests. So for the windows each such message is written
down a second time (`counted`). That one is not proved while the line is down (`standstill`), and a
request for history by its own answer alone.
"""

from __future__ import annotations

from collections import deque
from math import inf

from tws.connection.pacing.budgets import Sent, stretched

__all__ = ["AGAIN_S", "RATE_SPAN_S", "Ledger"]

RATE_SPAN_S = stretched(1.0)
AGAIN_S = 10.0
"""A question for the time that was not answered for so long may be followed by another: the answer may be
lost for good. Asking oftener would use up the second.
"""


class Ledger:
    """See the module. `count` every message when it is written."""

    def __init__(self, unproven_s: float) -> None:
        """`unproven_s`: after so long a message counts as read without a proof."""
        self._unproven_s = unproven_s
        self._number = 0
        self._read_s = -inf  # of the last message that counts as read: later ones are read no sooner
        self._recent: deque[Sent] = deque()  # of this session: within the last second, or not proved
        self._unproven: deque[Sent] = deque()
        self._counted: deque[Sent] = deque()
        self._unanswered: deque[Sent] = deque()
        self._before = 0  # the last message of the session before
        self.standstill = False
        """Whether TWS has no line to IB's servers (1100)."""
        self._echoes: deque[Sent] = deque()
        self._asked: Sent | None = None  # the last echo, while its answer is what we wait for
        self._asked_number = 0
        self.is_eager = False
        """A message was written whose window is long: the sooner it is proved, the sooner it leaves it."""

    def begin(self) -> None:
        """A new session."""
        self.end()
        self.standstill = False
        self._before = self._number

    def accepted(self, now_s: float) -> None:
        """TWS has taken its client id: what was written before has been read by now, or never will be."""
        self.prove(self._before, now_s)
        for waiting in (self._counted, self._unanswered):
            while waiting and waiting[0].number <= self._before:
                sent = waiting.popleft()
                sent.read_s = min(sent.read_s, now_s)

    def end(self) -> None:
        """The session is over; what it wrote stays unproved."""
        self._recent.clear()
        self._echoes.clear()
        self._asked = None
        self._asked_number = self._number

    def count(self, now_s: float) -> Sent:
        """A message is written."""
        self._number += 1
        sent = Sent(self._number, now_s)
        self._unproven.append(sent)
        self._recent.append(sent)
        return sent

    def counts(self, sent: Sent, *, by_answer: bool) -> Sent:
        """This message, as IB's servers count it."""
        counted = Sent(sent.number, sent.sent_s, counted=True, by_answer=by_answer)
        (self._unanswered if by_answer else self._counted).append(counted)
        self.is_eager = self.is_eager or not by_answer
        return counted

    def answered(self, counted: Sent, now_s: float) -> None:
        """The answer to this one is complete."""
        counted.read_s = min(counted.read_s, now_s)

    def cancelled(self, counted: Sent, cancel: Sent) -> None:
        """It was cancelled: it is counted by now, or will be no more, once the cancel has been read."""
        if counted.by_answer and counted.read_s == inf:
            self._unanswered.remove(counted)
            counted.by_answer, counted.number = False, cancel.number
            self._counted.append(counted)
            self.is_eager = True

    def line(self, down: bool, now_s: float) -> None:
        """TWS has lost its line to IB, or has it again: then what it kept is counted from now on."""
        if self.standstill and not down:
            for sent in (*self._unanswered, *self._counted):
                sent.sent_s = now_s
            self.is_eager = self.is_eager or bool(self._counted)
        self.standstill = down

    # -- the second ---------------------------------------------------------------------------------

    def has_room(self, share: int, now_s: float) -> bool:
        """Whether fewer than `share` messages can fall into one second with a message of now."""
        self._assume(now_s)
        recent = self._recent
        while recent and recent[0].read_s + RATE_SPAN_S <= now_s:
            recent.popleft()
        return len(recent) < share

    def blocker(self, share: int) -> Sent:
        """After `has_room` said no: the message that has to leave the second first."""
        return self._recent[len(self._recent) - share]

    def leaves_at(self, sent: Sent, span_s: float) -> float:
        """When a message leaves a window of this span; a proof that comes makes it sooner."""
        read_s = sent.read_s
        if read_s == inf and sent.counted and self.standstill:
            return inf
        return (sent.sent_s + self._unproven_s if read_s == inf else read_s) + span_s

    # -- proofs -------------------------------------------------------------------------------------

    def prove(self, number: int, now_s: float) -> None:
        """TWS had read this message by now, and all before it."""
        unproven = self._unproven
        while unproven and unproven[0].number <= number:
            unproven.popleft().read_s = self._read_s = now_s
        counted = self._counted
        while counted and counted[0].number <= number and not self.standstill:
            counted.popleft().read_s = now_s

    def _assume(self, now_s: float) -> None:
        """What nothing proved for long counts as read, though not before what was written before it."""
        unproven, long_s = self._unproven, self._unproven_s
        while unproven and unproven[0].sent_s + long_s <= now_s:
            sent = unproven.popleft()
            sent.read_s = self._read_s = max(self._read_s, sent.sent_s + long_s)
        echoes = self._echoes
        while echoes and echoes[0].sent_s + long_s <= now_s:
            echoes.popleft()  # its answer was lost; kept, it would let each later answer prove less and less
        for waiting in () if self.standstill else (self._counted, self._unanswered):
            while waiting and waiting[0].sent_s + long_s <= now_s:
                sent = waiting.popleft()
                sent.read_s = min(sent.read_s, max(self._read_s, sent.sent_s + long_s))

    @property
    def unasked(self) -> int:
        """How many messages were written since the last question for the time."""
        return self._number - self._asked_number

    def asks(self, sent: Sent) -> None:
        """This message is a question for the time."""
        self._echoes.append(sent)
        self._asked = sent
        self._asked_number = sent.number
        self.is_eager = False

    def echoed(self, now_s: float) -> None:
        """An answer to a question for the time came."""
        if self._echoes:
            self._asked = None
            self.prove(self._echoes.popleft().number, now_s)

    def question_at(self, doubts: list[Sent], now_s: float) -> float:
        """When to ask for the time so that these are proved: now, or later when that was asked already;
        infinity when nothing is in doubt.
        """
        unproved = [sent.number for sent in doubts if self._can_be_proved(sent)]
        if not unproved:
            return inf
        asked = self._asked
        if asked is None or max(unproved) > asked.number:
            return now_s
        return max(now_s, asked.sent_s + AGAIN_S)

    def _can_be_proved(self, sent: Sent) -> bool:
        """Whether a question for the time would help."""
        return sent.read_s == inf and not (sent.by_answer or (sent.counted and self.standstill))
