"""The official client, reduced to what it does best: it encodes requests.

`OfficialClient` is its EClient without a socket: `conn` is a `Pipe` of ours, its reader thread,
queue and run loop are never started. Methods that move money encode, and hand the frame to `Outbound`;
they never write. A frame that moves money and comes to the pipe by any other way raises there, so a bypass
can't
happen by accident. Its client-side codes (501 to 593) are exceptions on the caller's line.

Importing this module imports `ibapi` with its two hundred protobuf classes; `tws.connection` does so only
when
a connection is made.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol

from ibapi import comm
from ibapi.client import EClient
from ibapi.contract import Contract as IbContract
from ibapi.decoder import Decoder
from ibapi.order import Order as IbOrder
from ibapi.order_cancel import OrderCancel
from ibapi.server_versions import MIN_SERVER_VER_PROTOBUF
from msgspec.structs import replace

from tws.connection.attributes import too_old
from tws.connection.encoding.frames import call_of_frame
from tws.connection.encoding.fullorders import ib_full_order, unsaid
from tws.connection.encoding.placed import call_of_placed
from tws.connection.encoding.translate import full_call, ib_contract, ib_order, money_call, money_call_of
from tws.connection.ordering.calls import MoneyCall, MoneyKind
from tws.connection.ordering.patterns import Patterns
from tws.errors import DecodeError, NotSentError
from tws.model.contract import Contract
from tws.model.exercise import Exercise
from tws.model.fullorder import FullOrder
from tws.model.order import Order
from tws.wire import codec
from tws.wire.framing import frame_id
from tws.wire.messages import PlaceOrderRequest, UpdateConfigRequest
from tws.wire.thresholds import PROTOBUF_OFFSET

logging.getLogger("ibapi").setLevel(logging.CRITICAL)  # its lines hold account ids in clear; we log our own

__all__ = ["MoneySink", "OfficialClient", "OfficialEncoder", "Pipe", "decode_for"]

MONEY_FRAMES = {
    3: MoneyKind.PLACE,
    19: MoneyKind.REPLACE_FA,
    21: MoneyKind.EXERCISE,
    109: MoneyKind.UPDATE_CONFIG,
}
"""Request ids of the frames that move money (official client, message.OUT)."""


def decode_for(wrapper: Any) -> Callable[[bytes, int], None]:
    """A reader of payloads that calls the methods of an `ibapi.wrapper.EWrapper`, as the official client
    does; it takes the server version with each.
    """
    decoder = Decoder(wrapper, 0)

    def decode(payload: bytes, server_version: int) -> None:
        decoder.serverVersion = server_version
        if server_version < MIN_SERVER_VER_PROTOBUF:
            fields = payload.split(b"\0")
            decoder.interpret(tuple(fields[1:-1]), int(fields[0]))
            return
        number, body = int.from_bytes(payload[:4], "big"), payload[4:]
        if number > PROTOBUF_OFFSET:
            decoder.processProtoBuf(body, number - PROTOBUF_OFFSET)
        else:
            decoder.interpret(tuple(body.split(b"\0")[:-1]), number)

    return decode


class MoneySink(Protocol):
    """Where encoded frames that move money go (`Outbound`)."""

    def submit(self, frame: bytes, call: MoneyCall) -> object: ...
    def cancel_official(self, order_id: int, frame: bytes) -> object: ...


class Pipe:
    """Stands where the official client's `Connection` stood: sendMsg, isConnected, disconnect.

    `write` and `is_open` come from the link; `close` ends it. `sendMsg` takes one frame.
    """

    def __init__(
        self, write: Callable[[bytes], None], is_open: Callable[[], bool], close: Callable[[], None]
    ) -> None:
        self._write = write
        self._is_open = is_open
        self._close = close

    def sendMsg(self, msg: bytes) -> int:
        """Write one frame. Raises NotSentError when there is no session or the frame moves money."""
        if not self._is_open():
            raise NotSentError(504, "Not connected")
        data = bytes(msg)
        _check_one_frame(data)
        number = frame_id(data)
        if number is None or number in MONEY_FRAMES:
            what = "no request id" if number is None else f"{MONEY_FRAMES[number]}: it moves money"
            raise NotSentError(512, f"this frame may not be written past the gate ({what})")
        self._write(data)
        return len(data)

    def isConnected(self) -> bool:
        return self._is_open()

    def disconnect(self) -> None:
        self._close()


def _check_one_frame(data: bytes) -> None:
    """Several frames in one write would hide the second one from the check."""
    if len(data) < 5 or int.from_bytes(data[:4], "big") != len(data) - 4:
        raise NotSentError(507, "not exactly one frame: a length prefix and as many bytes")


class _ClientErrors:
    """The wrapper that the encoding half knows: its `error` is called for client-side refusals alone."""

    def error(self, reqId: int, errorTime: int, errorCode: int, errorString: str, *rest: object) -> None:
        cause = sys.exception()
        if isinstance(cause, NotSentError):  # ours, raised while it sent; it would make one of its own of it
            raise cause
        raise NotSentError(errorCode, errorString)

    def connectionClosed(self) -> None:
        """Nothing to do: the link tells of its end itself."""


class OfficialClient(EClient):  # type: ignore[misc]  # ibapi has no type information
    """EClient whose every frame goes through our pipe or our `Outbound`. Thread-safe: so are both."""

    def __init__(self, pipe: Pipe) -> None:
        super().__init__(_ClientErrors())
        self.sink: MoneySink | None = None
        """Set once, by whoever builds both."""
        self._local = threading.local()
        self._pipe = pipe
        self.conn: Pipe | None = pipe

    # -- the session: TWSConnection owns it

    def begin(self, server_version: int, connection_time: str, client_id: int) -> None:
        """A session is ready; encode for its version from now on."""
        self.conn = self._pipe
        self.serverVersion_ = server_version
        self.connTime = connection_time
        self.clientId = client_id
        self.connState = EClient.CONNECTED

    def reset(self) -> None:
        super().reset()
        self.conn = self.__dict__.get("_pipe")

    def end(self) -> None:
        self.connState = EClient.DISCONNECTED

    def isConnected(self) -> bool:
        return bool(self.connState == EClient.CONNECTED and self._pipe.isConnected())

    def connect(self, host: str, port: int, clientId: int) -> None:
        raise NotSentError(501, "TWSConnection.connect() connects; this client only encodes")

    def disconnect(self) -> None:
        self._pipe.disconnect()

    def startApi(self) -> None:
        raise NotSentError(501, "TWSConnection.connect() has started the session")

    def run(self) -> None:
        """Return at once: the event loop of the connection delivers, there is nothing to run."""

    def logRequest(self, fnName: str, fnParams: dict[str, Any]) -> None:
        """Log nothing: the official line holds account ids in clear."""

    def setConnState(self, connState: int) -> None:
        self.connState = connState

    # -- frames

    def sendMsg(self, msgId: int, msg: str) -> None:
        self._emit(comm.make_msg(msgId, (self.serverVersion_ or 0) >= MIN_SERVER_VER_PROTOBUF, msg))

    def sendMsgProtoBuf(self, msgId: int, msg: bytes) -> None:
        if (self.serverVersion_ or 0) < MIN_SERVER_VER_PROTOBUF:
            raise NotSentError(
                503, f"this session speaks version {self.serverVersion_}, which has no protobuf"
            )
        self._emit(comm.make_msg_proto(msgId, msg))

    def _emit(self, frame: bytes) -> None:
        captured: list[bytes] | None = getattr(self._local, "captured", None)
        if captured is None:
            self._pipe.sendMsg(frame)
        else:
            captured.append(frame)

    def encode(self, method: Callable[..., object], *arguments: object) -> bytes:
        """The one frame that an EClient method makes, kept instead of sent. Raises NotSentError when it
        makes none.
        """
        captured: list[bytes] = []
        self._local.captured = captured
        try:
            method(self, *arguments)
        finally:
            self._local.captured = None
        if len(captured) != 1:
            raise NotSentError(512, f"{method.__name__} encoded {len(captured)} frames")
        return bytes(captured[0])

    # -- what moves money: encode and queue, never write

    def placeOrder(self, orderId: int, contract: IbContract, order: IbOrder) -> None:
        frame = self.encode(EClient.placeOrder, orderId, contract, order)
        call = money_call_of(orderId, contract, order)
        self._submit(frame, self._placed(frame) if call.beyond else call)

    def _placed(self, frame: bytes) -> MoneyCall:
        """What a frame asks for that our plain order has no word for."""
        return call_of_placed(
            frame, self.serverVersion_ or 0, lambda *order: self.encode(EClient.placeOrder, *order)
        )

    def exerciseOptions(
        self,
        reqId: int,
        contract: IbContract,
        exerciseAction: int,
        exerciseQuantity: int,
        account: str,
        override: int,
        manualOrderTime: str = "",
        customerAccount: str = "",
        professionalCustomer: bool = False,
    ) -> None:
        frame = self.encode(
            EClient.exerciseOptions,
            reqId,
            contract,
            exerciseAction,
            exerciseQuantity,
            account,
            override,
            manualOrderTime,
            customerAccount,
            professionalCustomer,
        )
        self._money(MoneyKind.EXERCISE, frame)

    def replaceFA(self, reqId: int, faData: int, cxml: str) -> None:
        self._money(MoneyKind.REPLACE_FA, self.encode(EClient.replaceFA, reqId, faData, cxml))

    def placeOrderProtoBuf(self, placeOrderRequestProto: Any) -> None:
        self._capture_or_pass(EClient.placeOrderProtoBuf, MoneyKind.PLACE, placeOrderRequestProto)

    def exerciseOptionsProtoBuf(self, exerciseOptionsRequestProto: Any) -> None:
        self._capture_or_pass(
            EClient.exerciseOptionsProtoBuf, MoneyKind.EXERCISE, exerciseOptionsRequestProto
        )

    def replaceFAProtoBuf(self, faReplaceProto: Any) -> None:
        self._capture_or_pass(EClient.replaceFAProtoBuf, MoneyKind.REPLACE_FA, faReplaceProto)

    def updateConfigProtoBuf(self, updateConfigRequestProto: Any) -> None:
        self._capture_or_pass(EClient.updateConfigProtoBuf, MoneyKind.UPDATE_CONFIG, updateConfigRequestProto)

    def _capture_or_pass(self, method: Callable[..., object], kind: MoneyKind, proto: Any) -> None:
        if (
            getattr(self._local, "captured", None) is not None
        ):  # placeOrder calls its own twin from version 203 on
            method(self, proto)
        else:
            self._money(kind, self.encode(method, proto))

    def _money(self, kind: MoneyKind, frame: bytes) -> None:
        if kind is MoneyKind.PLACE:
            self._submit(frame, self._placed(frame))
        else:
            self._submit(frame, call_of_frame(kind, frame, self.serverVersion_ or 0))

    def _submit(self, frame: bytes, call: MoneyCall) -> None:
        if self.sink is None:
            raise NotSentError(512, "no writer for calls that move money")
        self.sink.submit(frame, call)

    def cancelOrder(self, orderId: int, orderCancel: OrderCancel | None = None) -> None:
        """Moves no money, but may withdraw an order that waits, so it goes the same way."""
        frame = self.encode(EClient.cancelOrder, orderId, orderCancel or OrderCancel())
        if self.sink is None:
            raise NotSentError(515, "no writer for cancels")
        self.sink.cancel_official(orderId, frame)


class OfficialEncoder:
    """Makes frames of our contracts and orders, for `Outbound`."""

    def __init__(self, client: OfficialClient) -> None:
        self._client = client
        self._patterns = Patterns(self.careful_order)

    def order(
        self, order_id: int, contract: Contract, order: Order | FullOrder
    ) -> tuple[bytes, MoneyCall]:
        """Raises NotSentError when the official client can't encode it, or when the version of the session,
        or the frame, has no place for an attribute of a full order.
        """
        if isinstance(order, FullOrder):
            frame = self._full_frame(order_id, contract, order, ib_full_order(order))
            return frame, full_call(order_id, contract, order)
        if self._client.isConnected():
            self._patterns.begin(self._client.serverVersion_)
            frame = self._patterns.frame(order_id, contract, order)
        else:
            frame = self.careful_order(order_id, contract, order)  # it knows how to refuse
        return frame, money_call(order_id, contract, order)

    def careful_order(self, order_id: int, contract: Contract, order: Order) -> bytes:
        """The same frame as the official client makes it from nothing."""
        return self._client.encode(EClient.placeOrder, order_id, ib_contract(contract), ib_order(order))

    def what_if(
        self, order_id: int, contract: Contract, order: Order | FullOrder
    ) -> tuple[bytes, MoneyCall]:
        """The order as a question. Raises NotSentError when the frame would not say that it is one."""
        if isinstance(order, FullOrder):
            wish = ib_full_order(order)
            wish.whatIf = True
            frame = self._full_frame(order_id, contract, order, wish)
            call = full_call(order_id, contract, order)
        else:
            wish = ib_order(order)
            wish.whatIf = True
            frame = self._client.encode(EClient.placeOrder, order_id, ib_contract(contract), wish)
            call = money_call(order_id, contract, order)
        if not self._read_back(frame).order.what_if:
            raise NotSentError(512, "this frame would place the order instead of asking about it")
        return frame, replace(call, kind=MoneyKind.WHAT_IF)

    def _full_frame(self, order_id: int, contract: Contract, order: FullOrder, wish: IbOrder) -> bytes:
        if self._client.isConnected() and (fault := too_old(order.attributes, self._client.serverVersion_)):
            raise NotSentError(503, fault)
        frame = self._client.encode(EClient.placeOrder, order_id, ib_contract(contract), wish)
        lost = unsaid(order.attributes, self._read_back(frame))
        if lost:
            where = f"{order.order_type} of a {contract.sec_type} at {contract.exchange}"
            raise NotSentError(512, f"{lost} would not reach TWS: {where} has no place for it, unset it")
        return frame

    def _read_back(self, frame: bytes) -> PlaceOrderRequest:
        try:
            read = codec.decode_request(frame[4:], self._client.serverVersion_ or 0)
        except DecodeError as error:
            raise NotSentError(512, f"this frame can't be read: {error}") from None
        assert isinstance(read, PlaceOrderRequest)
        return read

    def exercise(self, order_id: int, contract: Contract, wish: Exercise) -> tuple[bytes, MoneyCall]:
        frame = self._client.encode(
            EClient.exerciseOptions, order_id, ib_contract(contract), int(wish.action), wish.quantity,
            wish.account, int(wish.override), wish.manual_order_time, wish.customer_account,
            wish.professional_customer,
        )  # fmt: skip
        return frame, self._call(MoneyKind.EXERCISE, frame)

    def replace_fa(self, request_id: int, kind: int, xml: str) -> tuple[bytes, MoneyCall]:
        frame = self._client.encode(EClient.replaceFA, request_id, kind, xml)
        return frame, self._call(MoneyKind.REPLACE_FA, frame)

    def update_settings(self, change: UpdateConfigRequest) -> tuple[bytes, MoneyCall]:
        """The official client takes its own class: made of the bytes of ours."""
        from ibapi.protobuf.UpdateConfigRequest_pb2 import UpdateConfigRequest as Official

        body = codec.encode(change, codec.MAX_VERSION)[4:]
        frame = self._client.encode(EClient.updateConfigProtoBuf, Official.FromString(body))
        return frame, self._call(MoneyKind.UPDATE_CONFIG, frame)

    def _call(self, kind: MoneyKind, frame: bytes) -> MoneyCall:
        return call_of_frame(kind, frame, self._client.serverVersion_ or 0)

    def cancel(self, order_id: int) -> bytes:
        return self._client.encode(EClient.cancelOrder, order_id, OrderCancel())

    def global_cancel(self) -> bytes:
        return self._client.encode(EClient.reqGlobalCancel, OrderCancel())
