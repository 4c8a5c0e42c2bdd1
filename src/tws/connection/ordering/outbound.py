"""The only writer of frames that move money.

Place, exercise, replaceFA and updateConfig reach the socket through `Outbound` alone, whoever asks: the desk,
`connection.place_order` or a call on `connection.official`. Each frame waits in one queue of its order id;
directly before its bytes are written the live lock and the brake (latch and epoch) are read and its one-use
approval
is taken back. A cancel for an order whose bytes have not left withdraws it, and neither is sent. Cancels
need no
approval and no lock stops them.

Whoever calls from another thread than the loop's is queued there; the loop writes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from tws.connection.ids import IdSet
from tws.connection.ordering.bookline import line_of
from tws.connection.ordering.calls import MoneyCall, MoneyKind, SendState
from tws.connection.ordering.fit import AnyOrder
from tws.connection.ordering.guard import Guard, LiveLock
from tws.connection.ordering.guard import denial as denied
from tws.connection.ordering.ledger import Ledger
from tws.connection.ordering.sending import Sending
from tws.errors import LinkLostError, NotSentError, OrderDeniedError, TWSError
from tws.model.contract import Contract
from tws.model.exercise import Exercise, Instruction
from tws.risk import Denial, Permit, Verifier

__all__ = ["MAX_WAITING", "Encoder", "Gates", "Heard", "Outbound", "Wire"]

MAX_WAITING = 1000
"""Frames that may wait. A person's orders and a desk's brackets of one turn are far fewer; more mean a
fault.
"""

_INTENT = "give it an intent"
_ELSEWHERE = (
    "settings are none of its affairs; change them on a connection without a desk, under another client id, "
    "made with allow={%r}"
)
_DESK_WAYS = {
    MoneyKind.PLACE: _INTENT,
    MoneyKind.EXERCISE: f"{_INTENT} (Trader.exercise)",
    MoneyKind.REPLACE_FA: _ELSEWHERE % MoneyKind.REPLACE_FA.value,
    MoneyKind.UPDATE_CONFIG: _ELSEWHERE % MoneyKind.UPDATE_CONFIG.value,
}
"""What to do instead where a desk approves."""


class Encoder(Protocol):
    """Makes frames (the official client does)."""

    def order(self, order_id: int, contract: Contract, order: AnyOrder) -> tuple[bytes, MoneyCall]: ...
    def what_if(self, order_id: int, contract: Contract, order: AnyOrder) -> tuple[bytes, MoneyCall]: ...
    def exercise(self, order_id: int, contract: Contract, wish: Exercise) -> tuple[bytes, MoneyCall]: ...
    def cancel(self, order_id: int) -> bytes: ...
    def global_cancel(self) -> bytes: ...


class Wire(Protocol):
    """Where bytes go. `write` is called on the loop's thread only."""

    def is_open(self) -> bool: ...
    def is_full(self) -> bool: ...
    def has_room(self, urgent: bool) -> bool: ...
    def write(self, frame: bytes) -> None: ...
    def send_cancel(self, frame: bytes, tell: Callable[[bool], None]) -> None: ...
    def on_loop(self) -> bool: ...
    def call_on_loop(self, call: Callable[[], None]) -> None: ...


class Heard(Protocol):
    """What TWS has said of an order of ours: anything, and under how many permanent ids."""

    def knows_order(self, order_id: int) -> bool: ...
    def perms_of(self, order_id: int) -> int: ...


class Gates(NamedTuple):
    """What stands before the socket. `approver`: the desk's gate, the built-in guard, or None (guard off);
    `brake` reads latch and epoch, and is told what the frame asks for."""

    lock: LiveLock
    approver: Verifier | Guard | None
    brake: Callable[[MoneyCall], Denial | None] | None


class Outbound:
    """See the module. `connection.outbound` is the one instance of a connection."""

    def __init__(
        self,
        wire: Wire,
        encoder: Encoder,
        gates: Gates,
        heard: Heard,
        isolate: Callable[..., None],
    ) -> None:
        """`heard` says what TWS has said of an order id of ours; `isolate` calls a listener and logs its
        faults.
        """
        self._wire = wire
        self._encoder = encoder
        self._lock = gates.lock
        self._approver = gates.approver
        self._brake = gates.brake
        self._heard = heard
        self._ledger = Ledger(heard.perms_of)
        self._isolate = isolate
        self._written = IdSet()
        self._mutex = threading.RLock()
        self._queue: deque[Sending] = deque()
        self._holds = 0
        self._pumping = False
        self._listeners: tuple[Callable[[Sending], object], ...] = ()

    # -- who asks

    def make_ready(self, contract: Contract, orders: Iterable[AnyOrder]) -> None:
        """Encode orders like these now, when nobody waits, and forget the frames: the first of a kind takes
        the official client's long way (`patterns`). Raises NotSentError as `place` does; nothing is sent.
        """
        for order in orders:
            self._encoder.order(1, contract, order)

    def place(
        self, order_id: int, contract: Contract, order: Instruction, permit: Permit, *, urgent: bool = False
    ) -> Sending:
        """The desk's way: encode and queue an order, or an exercise, under a permit; it is written at once
        unless something holds it. `urgent` for an exit: it may use the places that TWS's message rate has
        kept free.

        Raises NotSentError when it can't be encoded or there is no session, OrderDeniedError when the last
        gate refuses it on the spot. In both cases no byte left.
        """
        if isinstance(order, Exercise):
            frame, call = self._encoder.exercise(order_id, contract, order)
            self._says_all(call, contract, order)
        else:
            frame, call = self._encoder.order(order_id, contract, order)
        approver = self._approver
        if approver is None or isinstance(approver, Guard):
            raise denied("permit", "a permit", "the built-in guard", "this connection has no desk").error()

        def redeem() -> Denial | None:
            denial = approver.redeem(permit, order_id, contract, order)
            return denial or self._ledger.judge(permit, order_id, order)

        return self._queue_up(
            Sending(
                call,
                frame,
                redeem,
                changes=permit.modifies,
                urgent=urgent,
                written=lambda: self._ledger.note(permit, order_id, order),
            )
        )

    @staticmethod
    def _says_all(call: MoneyCall, contract: Contract, wish: Exercise) -> None:
        """A version without a field leaves out what it has none for; what was approved is all of it."""
        told = call.contract
        if call.exercise != wish or told is None or told.con_id != contract.con_id:
            raise NotSentError(503, f"this session's version can't say all of it {call.beyond}".strip())

    def place_guarded(
        self,
        order_id: int,
        contract: Contract,
        order: AnyOrder,
        *,
        urgent: bool = False,
        changes: bool = False,
    ) -> Sending:
        """Without a desk: the built-in guard judges now. `changes`: the order may exist at TWS already, so
        that a cancel leaves even while this waits. Raises OrderDeniedError, NotSentError; no byte left then.
        """
        frame, call = self._encoder.order(order_id, contract, order)
        return self._guarded(frame, call, urgent, changes)

    def what_if(self, order_id: int, contract: Contract, order: AnyOrder) -> Sending:
        """Ask what an order would cost. It passes the live lock and the brake; it is no order: no guard
        counts it, no book keeps it, no cancel knows it.

        Raises OrderDeniedError, NotSentError; no byte left then.
        """
        frame, call = self._encoder.what_if(order_id, contract, order)
        return self._ask(frame, call)

    def submit(self, frame: bytes, call: MoneyCall) -> Sending:
        """A frame that a call on `connection.official` made, or one of ours that is no order (an exercise, a
        change of settings). Raises OrderDeniedError, NotSentError; no byte left then.
        """
        return self._ask(frame, call) if call.kind is MoneyKind.WHAT_IF else self._guarded(frame, call)

    def _ask(self, frame: bytes, call: MoneyCall) -> Sending:
        denial = self._lock.judge(call.account)
        if denial is not None:
            raise denial.error()
        return self._queue_up(Sending(call, frame))

    def _guarded(self, frame: bytes, call: MoneyCall, urgent: bool = False, changes: bool = False) -> Sending:
        denial = self._lock.judge(call.account)
        if denial is not None:
            raise denial.error()
        guard = self._approver
        if guard is None:
            return self._queue_up(Sending(call, frame, changes=changes, urgent=urgent))
        if not isinstance(guard, Guard):
            reason = f"a desk owns the orders of this connection: {_DESK_WAYS[call.kind]}"
            raise denied("permit", "no permit", "a permit of the desk's gate", reason).error()
        line = line_of(call)  # before it waits with others: what can't be told in words would hold them up
        approval = guard.approve(call, frame)
        if isinstance(approval, Denial):
            raise approval.error()
        return self._queue_up(Sending(call, frame, approval, changes=changes, urgent=urgent, line=line))

    # -- cancels

    def cancel(self, order_id: int) -> Sending:
        """Cancel an order: withdraw it when its bytes have not left, else write the cancel now.

        The returned `Sending` is the cancel's; WITHDRAWN: it took the waiting order with it, neither was
        sent,
        and `on_sent` has told of the order. Raises NotSentError when there is no session, OrderDeniedError
        when the lease has gone to another process.
        """
        return self._cancel(order_id, lambda: self._encoder.cancel(order_id))

    def cancel_official(self, order_id: int, frame: bytes) -> Sending:
        """The same for a frame that `connection.official.cancelOrder` made."""
        return self._cancel(order_id, lambda: frame)

    def _cancel(self, order_id: int, encode: Callable[[], bytes]) -> Sending:
        cancel = Sending(MoneyCall(kind=MoneyKind.CANCEL, order_id=order_id))
        with self._mutex:
            waiting = [sending for sending in self._queue if sending.order_id == order_id]
            for sending in waiting:
                self._queue.remove(sending)
        self._withdraw(waiting)
        if waiting and not any(sending.changes for sending in waiting) and not self._is_known(order_id):
            self._decided(cancel, SendState.WITHDRAWN)
            return cancel
        self._write_free(encode(), cancel)
        return cancel

    def global_cancel(self) -> Sending:
        """reqGlobalCancel: every order of the account, those of TWS's own window included. Needs no approval.

        Orders that wait here are withdrawn first. Raises NotSentError when there is no session.
        """
        self.withdraw_all()
        cancel = Sending(MoneyCall(kind=MoneyKind.CANCEL))
        self._write_free(self._encoder.global_cancel(), cancel)
        return cancel

    def withdraw_all(self) -> int:
        """Withdraw every frame that waits here; how many there were."""
        with self._mutex:
            waiting, self._queue = list(self._queue), deque()
        self._withdraw(waiting)
        return len(waiting)

    def withdraw(self, sending: Sending) -> None:
        """Withdraw a frame whose caller waits no longer, if it has not left."""
        with self._mutex:
            waiting = [one for one in self._queue if one is sending]
            for one in waiting:
                self._queue.remove(one)
        self._withdraw(waiting)

    def _withdraw(self, waiting: list[Sending]) -> None:
        for sending in waiting:
            sending.burn()
            self._decided(sending, SendState.WITHDRAWN)

    def _is_known(self, order_id: int) -> bool:
        """Whether the order may exist at TWS: its bytes left once, or TWS spoke of it. Then a cancel must
        leave.
        """
        return order_id in self._written or self._heard.knows_order(order_id)

    # -- holding

    def hold(self) -> None:
        """Write nothing that needs an approval until `release`; calls queue up. Holds nest."""
        with self._mutex:
            self._holds += 1

    def release(self) -> None:
        """End one hold, and write what waited, oldest first."""
        with self._mutex:
            self._holds = max(0, self._holds - 1)
        self.kick()

    def __len__(self) -> int:
        """Frames that wait."""
        return len(self._queue)

    def on_sent(self, listener: Callable[[Sending], object]) -> Callable[[], None]:
        """Tell `listener` of each frame that is decided: written, withdrawn or refused. Returns the call
        that ends it.
        """
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return stop

    # -- the writer

    def _queue_up(self, sending: Sending) -> Sending:
        with self._mutex:
            # Under the mutex, since `link_lost` of the loop's thread empties the queue once for each session.
            if not self._wire.is_open():
                raise NotSentError(504, "Not connected")
            if len(self._queue) >= MAX_WAITING:
                raise NotSentError(
                    512, f"{MAX_WAITING} calls wait already: TWS is not reading, or a hold was forgotten"
                )
            self._queue.append(sending)
        self.kick()
        if sending.failure is not None:
            raise sending.failure
        return sending

    def kick(self) -> None:
        """Write what may be written: now on the loop's thread, else as soon as the loop turns."""
        if self._wire.on_loop():
            self._pump()
        else:
            self._wire.call_on_loop(self._pump)

    def _pump(self) -> None:
        with self._mutex:
            if self._pumping or not self._queue or not self._may_write():
                return
            self._pumping = True
            try:
                batch = list(self._queue)
                failure = self._note(batch)
                kept: set[int] = set()
                for sending in batch:
                    if not self._may_write():
                        return
                    if sending.state is not SendState.QUEUED:  # a listener may have cancelled it meanwhile
                        continue
                    # Nothing overtakes a frame of its own order; an exit may overtake those of others.
                    if sending.order_id in kept or not self._wire.has_room(sending.urgent):
                        kept.add(sending.order_id)
                        continue
                    self._queue.remove(sending)
                    if self._write_one(sending, failure) and kept:
                        self._refuse_overtaken(sending)
            finally:
                self._pumping = False

    def _refuse_overtaken(self, written: Sending) -> None:
        """An exit has overtaken new orders of lower ids, which TWS would refuse from now on (103: an id must
        be above the highest one used, TWS-BEHAVIOUR.md C): they are refused here, and no byte leaves.
        """
        if written.changes or written.call.kind is not MoneyKind.PLACE:
            return
        for sending in tuple(self._queue):
            new = sending.call.kind is MoneyKind.PLACE and not sending.changes
            if new and sending.order_id < written.order_id and not self._is_known(sending.order_id):
                self._queue.remove(sending)
                sending.burn()
                overtaken = denied(
                    "order_id",
                    str(sending.order_id),
                    f"above {written.order_id}",
                    "an exit had to overtake it, and TWS takes no lower order id any more",
                )
                self._decided(sending, SendState.REFUSED, overtaken.error())

    def _may_write(self) -> bool:
        return not self._holds and self._wire.is_open() and not self._wire.is_full()

    def _note(self, batch: list[Sending]) -> TWSError | None:
        """Commit what is about to leave to the guard's book, once for the batch; why not, if that fails."""
        guard = self._approver
        if not isinstance(guard, Guard):
            return None
        try:
            for sending in batch:
                if sending.line:
                    guard.book.write(sending.line)
                    sending.line = ""
            guard.book.commit()
        except (sqlite3.Error, OSError) as error:
            return denied(
                "journal", str(error), "a journal on disk", "the local journal could not be written"
            ).error()
        return None

    def _write_one(self, sending: Sending, failure: TWSError | None) -> bool:
        """The last gate: live lock, brake, the one-use approval, then the bytes, with nothing between.
        Whether it was passed.
        """
        if failure is None:
            denial = self._lock.judge(sending.call.account)
            if denial is None and self._brake is not None:
                denial = self._brake(sending.call)
            if denial is None and sending.redeem is not None:
                denial = sending.redeem()
            failure = None if denial is None else denial.error()
        if failure is not None:
            sending.burn()
            self._decided(sending, SendState.REFUSED, failure)
            return False
        self._wire.write(sending.frame)
        if sending.written is not None:
            sending.written()
        if sending.order_id >= 0 and sending.call.kind is not MoneyKind.WHAT_IF:
            self._written.add(sending.order_id)
        self._decided(sending, SendState.WRITTEN)
        return True

    def _write_free(self, frame: bytes, cancel: Sending) -> None:
        """A cancel: it needs no approval, and TWS's pace has a lane for it; the brake alone may hold it back.

        Raises OrderDeniedError, NotSentError; no byte left then.
        """
        if not self._wire.is_open():
            raise NotSentError(504, "Not connected")

        def tell(written: bool) -> None:
            if written:
                self._decided(cancel, SendState.WRITTEN)
            else:
                gone = LinkLostError("the link went before the cancel was written")
                self._decided(cancel, SendState.REFUSED, gone)

        def write() -> None:
            denial = None if self._brake is None else self._brake(cancel.call)
            if denial is not None:
                self._decided(cancel, SendState.REFUSED, denial.error())
            elif self._wire.is_open():
                self._wire.send_cancel(frame, tell)
            else:
                tell(False)

        if self._wire.on_loop():
            write()
            if isinstance(cancel.failure, OrderDeniedError):
                raise cancel.failure
        else:
            self._wire.call_on_loop(write)

    def forget_all(self) -> None:
        """For the connection: the loop of what waits has closed, and nobody can be told any more."""
        with self._mutex:
            for sending in self._queue:
                sending.burn()
                sending.decide(SendState.REFUSED, LinkLostError("the link went before any byte left"))
            self._queue.clear()

    def link_lost(self) -> None:
        """For the connection: what waits will not leave; it is refused, since a later session must ask
        anew.
        """
        with self._mutex:
            waiting, self._queue = list(self._queue), deque()
        for sending in waiting:
            sending.burn()
            self._decided(sending, SendState.REFUSED, LinkLostError("the link went before any byte left"))

    def _decided(self, sending: Sending, state: SendState, failure: TWSError | None = None) -> None:
        sending.decide(state, failure)

        def tell() -> None:
            sending.wake()
            for listener in self._listeners:
                self._isolate(listener, sending)

        if self._wire.on_loop():
            tell()
        else:
            self._wire.call_on_loop(tell)
